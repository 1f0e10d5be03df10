/// The codes of ``DType/f8e8m0``: 2^(code − 127), and NaN.
public enum PowerOfTwo {
  static let nan: UInt8 = 0xff

  public static func number(_ code: UInt8) -> Double {
    code == nan ? .nan : Double(bitPattern: (UInt64(code) &+ 896) << 52)
  }

  /// The code of a power of two near a number of at least 0; NaN for numbers below.
  ///
  /// Numbers beyond either end, 0 among them, become that end if `saturates`, and NaN else. `rounding` goes by the magnitude:
  /// `nearest` is by value, and ties go up.
  public static func code(_ value: Double, rounding: CastMode.PowerRounding, saturates: Bool) -> UInt8 {
    // Also NaN.
    if !(value >= 0) { return nan }
    if value < 0x1p-127 {
      // What rounds up to the least power is not beyond it.
      let reaches = rounding == .up ? value > 0x1p-128 : rounding == .nearest && value >= 0x1.8p-128
      return saturates || reaches ? 0 : nan
    }
    if value >= 0x1p128 { return saturates ? 0xfe : nan }
    let bits = value.bitPattern
    let fraction = bits & 0xf_ffff_ffff_ffff
    var code = bits >> 52 &- 896
    switch rounding {
    case .up: if fraction != 0 { code &+= 1 }
    case .nearest: if fraction >= 0x8_0000_0000_0000 { code &+= 1 }
    case .down: break
    }
    if code > 0xfe { return saturates ? 0xfe : nan }
    return UInt8(truncatingIfNeeded: code)
  }
}
