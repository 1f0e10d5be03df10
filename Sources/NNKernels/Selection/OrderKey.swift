import NNGraph

/// A number whose order is that of the element of any type at `address`: for floating point −∞ … −0 = +0 … +∞, then NaNs.
@inline(never) @export(interface)
public func orderKey(_ dtype: DType, _ address: UnsafeRawPointer) -> UInt64 {
  var bits: UInt64
  switch dtype.size {
  case 1: bits = UInt64(address.load(as: UInt8.self))
  case 2: bits = UInt64(address.loadUnaligned(as: UInt16.self))
  case 4: bits = UInt64(address.loadUnaligned(as: UInt32.self))
  default: bits = address.loadUnaligned(as: UInt64.self)
  }
  if dtype.isFloatingPoint {
    var infinity: UInt64 = 0x7FF0_0000_0000_0000
    if dtype == .f32 {
      infinity = 0x7F80_0000
    } else if dtype != .f64 {
      // The narrow types by their numbers: each has NaNs in other places.
      bits = narrowNumber(dtype, UInt16(truncatingIfNeeded: bits)).bitPattern
    }
    let sign = UInt64(1) << (dtype == .f32 ? 31 : 63)
    let magnitude = bits & (sign &- 1)
    // NaNs come last, whatever their sign.
    if magnitude > infinity { return sign | magnitude }
    return bits & sign == 0 || magnitude == 0 ? sign | magnitude : sign &- magnitude
  }
  // Upper bits of the narrow integers mean nothing.
  if dtype.bitWidth < 8 { bits &= 1 << UInt64(dtype.bitWidth) &- 1 }
  return dtype.isSigned ? bits ^ signBit(dtype) : bits
}

private func narrowNumber(_ dtype: DType, _ code: UInt16) -> Double {
  FloatFormat(dtype)?.number(code) ?? PowerOfTwo.number(UInt8(truncatingIfNeeded: code))
}

private func signBit(_ dtype: DType) -> UInt64 { UInt64(1) << UInt64(dtype.bitWidth &- 1) }

/// The key of zero, which nothing but zeros has. ``DType/f8e8m0`` has no zero.
@export(interface)
public func orderKeyOfZero(_ dtype: DType) -> UInt64 {
  if dtype.isFloatingPoint { return UInt64(1) << (dtype == .f32 ? 31 : 63) }
  return dtype.isSigned ? signBit(dtype) : 0
}
