/// How a floating-point type of at most 16 bits spends its bits, and the conversions from and to binary64.
///
/// One description serves binary16, bfloat16, the four kinds of float8 and float4: sign, exponent and mantissa from the top down, and
/// codes that order like the magnitudes they stand for.
public struct FloatFormat: Sendable {
  var mantissaBits: UInt64
  /// What is added to the exponent.
  var bias: UInt64
  /// The sign's bit; the bits below it are the magnitude.
  var sign: UInt16
  /// The largest finite magnitude.
  var largest: UInt16
  /// The magnitude of infinity, or NaN where there is no infinity.
  var overflow: UInt16
  /// A NaN, or 0 where there is none.
  var nan: UInt16
  /// Whether the code of −0 means NaN instead.
  var isNaNNegativeZero = false

  /// nil for binary32 and wider, for powers of two (see ``PowerOfTwo``), and for what holds no fractions.
  public init?(_ dtype: DType) {
    switch dtype {
    case .f16: self.init(10, bias: 15, 0x8000, largest: 0x7bff, overflow: 0x7c00, nan: 0x7e00)
    case .bf16: self.init(7, bias: 127, 0x8000, largest: 0x7f7f, overflow: 0x7f80, nan: 0x7fc0)
    case .f8e4m3fn: self.init(3, bias: 7, 0x80, largest: 0x7e, overflow: 0x7f, nan: 0x7f)
    case .f8e5m2: self.init(2, bias: 15, 0x80, largest: 0x7b, overflow: 0x7c, nan: 0x7e)
    case .f8e4m3fnuz:
      self.init(3, bias: 8, 0x80, largest: 0x7f, overflow: 0x80, nan: 0x80)
      isNaNNegativeZero = true
    case .f8e5m2fnuz:
      self.init(2, bias: 16, 0x80, largest: 0x7f, overflow: 0x80, nan: 0x80)
      isNaNNegativeZero = true
    case .f4e2m1: self.init(1, bias: 1, 0x8, largest: 0x7, overflow: 0x7, nan: 0)
    case .f32, .f64, .f8e8m0, .i8, .i16, .i32, .i64, .i4, .i2, .u8, .u16, .u32, .u64, .u4, .u2, .bool:
      return nil
    }
  }

  private init(
    _ mantissaBits: UInt64, bias: UInt64, _ sign: UInt16, largest: UInt16, overflow: UInt16, nan: UInt16
  ) {
    self.mantissaBits = mantissaBits
    self.bias = bias
    self.sign = sign
    self.largest = largest
    self.overflow = overflow
    self.nan = nan
  }

  /// The number that a code stands for, exactly; bits above the sign are ignored.
  public func number(_ code: UInt16) -> Double {
    if isNaNNegativeZero && code == nan { return .nan }
    let magnitude = code & (sign &- 1)
    let isNegative = code & sign != 0
    if magnitude > largest {
      if magnitude != overflow || overflow == nan { return .nan }
      return isNegative ? -.infinity : .infinity
    }
    let value: Double
    if magnitude >> UInt16(truncatingIfNeeded: mantissaBits) == 0 {
      value = Double(magnitude) * leastNonzero
    } else {
      value = Double(
        bitPattern: UInt64(magnitude) << (52 &- mantissaBits) &+ (1023 &- bias) << 52)
    }
    return isNegative ? -value : value
  }

  /// The code of the nearest number, ties to even.
  ///
  /// Numbers that round beyond the largest finite one become that, if `saturates`, and infinity or NaN else; the same goes for
  /// infinities. NaN stays NaN, and becomes 0 where there is none.
  public func code(_ value: Double, saturates: Bool) -> UInt16 {
    let isNegative = value.sign == .minus
    if value.isNaN { return isNegative && nan != 0 ? nan | sign : nan }
    let a = value.magnitude
    var code: UInt64
    if a < Double(bitPattern: (1024 &- bias) << 52) {
      // Subnormal: adding 2⁵² leaves the nearest multiple of the least number in the low bits.
      code = (a / leastNonzero + 0x1p52).bitPattern & 0xffff
    } else if a > 0x1p200 {
      code = 0x1_0000
    } else {
      let dropped = 52 &- mantissaBits
      let bits = a.bitPattern
      code = bits &+ ((1 << (dropped &- 1)) &- 1) &+ (bits >> dropped & 1)
      code = code >> dropped &- (1023 &- bias) << mantissaBits
    }
    if code > UInt64(largest) { code = UInt64(saturates ? largest : overflow) }
    let result = UInt16(truncatingIfNeeded: code)
    if isNaNNegativeZero && (result == 0 || result == nan) { return result }
    return isNegative ? result | sign : result
  }

  /// The number of code 1.
  private var leastNonzero: Double { Double(bitPattern: (1024 &- bias &- mantissaBits) << 52) }
}
