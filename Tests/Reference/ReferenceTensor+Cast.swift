import NNGraph

// Numbers brought from one type to another.

extension ReferenceTensor {
  func cast(_ target: DType, _ mode: CastMode) -> ReferenceTensor {
    if target == dtype { return self }
    if mode == .bits {
      let bytes = target == .bool ? self.bytes.map { $0 == 0 ? 0 : 1 } : self.bytes
      return bytes.withUnsafeBytes { ReferenceTensor(bytes: $0, dtype: target, extents: extents) }
    }
    if target.isFloatingPoint {
      // Integers beyond 2⁵³ are rounded once, not to a Double first.
      let results = values.indices.map { index -> Double in
        if target == .f32, !dtype.isFloatingPoint {
          let bits = integers[index]
          return Double(dtype == .u64 ? Float(UInt64(bitPattern: bits)) : Float(bits))
        }
        return ReferenceTensor.rounded(values[index], to: target, mode)
      }
      return ReferenceTensor(results, extents: extents, dtype: target)
    }
    let results = values.indices.map { index -> Int64 in
      if dtype.isFloatingPoint { return ReferenceTensor.integer(values[index], target) }
      if mode == .clamping {
        if dtype == .u64, integers[index] < 0 {
          return target == .u64 ? integers[index] : ReferenceTensor.saturated(.max, to: target)
        }
        return ReferenceTensor.saturated(integers[index], to: target)
      }
      return ReferenceTensor.wrapped(integers[index], to: target)
    }
    return ReferenceTensor(integers: results, extents: extents, dtype: target)
  }

  /// The low bits of an integer, as a narrower integer type keeps them.
  static func wrapped(_ value: Int64, to dtype: DType) -> Int64 {
    precondition(!dtype.isFloatingPoint)
    if dtype == .bool { return value != 0 ? 1 : 0 }
    if dtype.bitWidth == 64 { return value }
    let range: Int64 = 1 << dtype.bitWidth
    let low = ((value % range) + range) % range
    return dtype.isSigned && low >= range / 2 ? low - range : low
  }

  /// An integer, or the nearest end of the type's range; for bool, whether it is not 0.
  static func saturated(_ value: Int64, to dtype: DType) -> Int64 {
    precondition(!dtype.isFloatingPoint)
    if dtype == .bool { return value != 0 ? 1 : 0 }
    if dtype == .u64 { return max(value, 0) }
    if dtype == .i64 { return value }
    let count = dtype.isSigned ? dtype.bitWidth - 1 : dtype.bitWidth
    return min(max(value, dtype.isSigned ? -(1 << count) : 0), (1 << count) - 1)
  }

  /// A number with its fraction dropped, or the nearest end of the type's range; NaN gives 0. For types of 4 and 2 bits the low bits
  /// of the number as an i64.
  static func integer(_ value: Double, _ dtype: DType) -> Int64 {
    if dtype == .bool { return value != 0 ? 1 : 0 }
    if value.isNaN { return 0 }
    let whole = value.rounded(.towardZero)
    if dtype == .u64 {
      if whole >= 0x1p64 { return -1 }
      return whole <= 0 ? 0 : Int64(bitPattern: UInt64(whole))
    }
    // 2^63 is a Double while Int64.max is not, so the comparison is with the first number out of range.
    let wide = whole >= 0x1p63 ? Int64.max : whole < -0x1p63 ? Int64.min : Int64(whole)
    return dtype.bitWidth < 8 ? wrapped(wide, to: dtype) : saturated(wide, to: dtype)
  }

  /// The nearest number of a floating-point type, ties to even.
  static func rounded(_ value: Double, to dtype: DType, _ mode: CastMode = .standard) -> Double {
    switch dtype {
    case .f64: return value
    case .f32: return Double(Float(value))
    case .f16: return Double(Float16(value))
    case .bf16:
      // The two neighbours toward zero and away from it; which is nearer is exact in Double.
      let single = Float(value.magnitude).bitPattern
      if single >= Float.infinity.bitPattern { return Double(Float(value)) }
      let towardZero = single & 0xFFFF_0000
      let below = Double(Float(bitPattern: towardZero))
      let above = towardZero == 0x7F7F_0000 ? 0x1p128 : Double(Float(bitPattern: towardZero + 0x1_0000))
      let (down, up) = (value.magnitude - below, above - value.magnitude)
      let isEven = (towardZero >> 16) & 1 == 0
      let nearest = down < up || (down == up && isEven) ? below : above
      return nearest == 0x1p128 ? (value < 0 ? -.infinity : .infinity) : value < 0 ? -nearest : nearest
    case .f8e4m3fn, .f8e4m3fnuz, .f8e5m2, .f8e5m2fnuz, .f8e8m0, .f4e2m1:
      let format = NarrowFormat(dtype)
      return format.number(format.code(value, saturates: mode.saturates, mode.powerRounding))
    case .i8, .i16, .i32, .i64, .i4, .i2, .u8, .u16, .u32, .u64, .u4, .u2, .bool:
      preconditionFailure("not a floating-point type")
    }
  }
}
