import NNGraph

/// A number whose order is that of the element of any type at `address`: for floating point −∞ … −0 = +0 … +∞, then NaNs.
@inline(never) @export(interface)
public func orderKey(_ dtype: DType, _ address: UnsafeRawPointer) -> UInt64 {
  let bits: UInt64
  switch dtype.size {
  case 1: bits = UInt64(address.load(as: UInt8.self))
  case 2: bits = UInt64(address.loadUnaligned(as: UInt16.self))
  case 4: bits = UInt64(address.loadUnaligned(as: UInt32.self))
  default: bits = address.loadUnaligned(as: UInt64.self)
  }
  let sign = UInt64(1) << UInt64(dtype.size &* 8 &- 1)
  if dtype.isFloatingPoint {
    let magnitude = bits & (sign &- 1)
    // NaNs come last, whatever their sign.
    if magnitude > infinity(dtype) { return sign | magnitude }
    return bits & sign == 0 || magnitude == 0 ? sign | magnitude : sign &- magnitude
  }
  switch dtype {
  case .i8, .i16, .i32, .i64: return bits ^ sign
  default: return bits
  }
}

/// The bits of +∞.
private func infinity(_ dtype: DType) -> UInt64 {
  switch dtype {
  case .f64: 0x7FF0_0000_0000_0000
  case .f32: 0x7F80_0000
  case .f16: 0x7C00
  case .bf16: 0x7F80
  default: 0x7F
  }
}

/// The key of zero, which nothing but zeros has.
@inlinable func orderKeyOfZero(_ dtype: DType) -> UInt64 {
  switch dtype {
  case .i8, .i16, .i32, .i64: UInt64(1) << UInt64(dtype.size &* 8 &- 1)
  default: dtype.isFloatingPoint ? UInt64(1) << UInt64(dtype.size &* 8 &- 1) : 0
  }
}
