/// A number as the sum of two doubles, the second far smaller.
private struct DoubleDouble {
  var high: Double
  var low: Double

  /// |a| ≥ |b|.
  init(sum a: Double, _ b: Double) {
    high = a + b
    low = b - (high - a)
  }

  /// a·b exactly, for factors between 2⁻⁴⁰⁰ and 2⁴⁰⁰ (Dekker 1971).
  init(product a: Double, _ b: Double) {
    func upper(_ x: Double) -> Double { Double(bitPattern: x.bitPattern & 0xffff_ffff_f800_0000) }
    let (a1, b1) = (upper(a), upper(b))
    let (a2, b2) = (a - a1, b - b1)
    high = a * b
    low = ((a1 * b1 - high) + a1 * b2 + a2 * b1) + a2 * b2
  }
}

/// ln a for finite a > 0, relative error below 2⁻⁵⁸.
private func preciseLogarithm(_ a: Double) -> DoubleDouble {
  let isTiny = a < 0x1p-1022
  let bits = (isTiny ? a * 0x1p54 : a).bitPattern
  let shift = Int64(bitPattern: bits &- 0x3fe6_a09e_667f_3bcd) >> 52
  let m = Double(bitPattern: bits &- UInt64(bitPattern: shift << 52))
  let k = Double(shift) - (isTiny ? 54 : 0)
  // s = (m − 1)/(m + 1) in two parts.
  let top = m - 1
  let bottom = DoubleDouble(sum: m + 1 > 2 ? m : 1, m + 1 > 2 ? 1 : m)
  let s = top / bottom.high
  let back = DoubleDouble(product: s, bottom.high)
  let rest = ((top - back.high) - back.low - s * bottom.low) / bottom.high
  let z = s * s
  var r = 2.0 / 23
  r = r * z + 2.0 / 21
  r = r * z + 2.0 / 19
  r = r * z + 2.0 / 17
  r = r * z + 2.0 / 15
  r = r * z + 2.0 / 13
  r = r * z + 2.0 / 11
  r = r * z + 2.0 / 9
  r = r * z + 2.0 / 7
  r = r * z + 2.0 / 5
  r = r * z + 2.0 / 3
  let small = s * z * r + 2 * rest
  if k == 0 { return DoubleDouble(sum: 2 * s, small) }
  let sum = DoubleDouble(sum: k * 0x1.62e42fee00000p-1, 2 * s)
  return DoubleDouble(sum: sum.high, sum.low + (small + k * 0x1.a39ef35793c76p-33))
}

/// xʸ within 16 ulp, and within 1 where the result is between 2⁻⁶⁰ and 2⁶⁰, with the special cases of IEEE 754 `pow`.
func power64(_ x: Double, _ y: Double) -> Double {
  if y == 0 || x == 1 { return 1 }
  if x.isNaN || y.isNaN { return .nan }
  let (a, b) = (x.magnitude, y.magnitude)
  // From 2⁵³ on doubles are even integers.
  let isWhole = b >= 0x1p53 || Double(Int64(b)) == b
  let isOdd = isWhole && b < 0x1p53 && Int64(b) & 1 == 1
  let isNegative = x.sign == .minus && isOdd
  if x < 0 && !isWhole && a < .infinity { return .nan }
  var result: Double
  if a == 0 || a == .infinity {
    result = (a == 0) == (y > 0) ? 0 : .infinity
  } else if a == 1 {
    result = 1
  } else if b >= 0x1p64 {
    // |ln a| is 2⁻⁵³ at least.
    result = (a > 1) == (y > 0) ? .infinity : 0
  } else if b < 0x1p-64 {
    result = 1
  } else {
    let logarithm = preciseLogarithm(a)
    let t = DoubleDouble(product: logarithm.high, y)
    let e = exponential64(t.high)
    result = e + e * (t.low + logarithm.low * y)
    if e == .infinity { result = e }
  }
  return isNegative ? -result : result
}
