// Functions of one double, for f64 and for the functions of f32 that models seldom have: scalar, without fused steps, compiled once. What
// a series needs is 1/n! and 1/n, so nothing is fitted. Errors are the largest measured; see Double64Tests.

/// x = k·ln 2 + r, |r| ≤ 0.3466, for |x| ≤ 1100; gives k and eʳ − 1.
private func reduced(_ x: Double) -> (k: Int, expm1: Double) {
  // Adding 1.5·2⁵² leaves the nearest integer in the low bits.
  let magic = 6_755_399_441_055_744.0
  let whole = (x * 1.4426950408889634 + magic) - magic
  // ln 2 in two parts: the first product is exact.
  let high = x - whole * 0x1.62e42fee00000p-1
  let low = whole * 0x1.a39ef35793c76p-33
  let r = high - low
  let lost = (high - r) - low
  var p = 1.0 / 6_227_020_800
  p = p * r + 1.0 / 479_001_600
  p = p * r + 1.0 / 39_916_800
  p = p * r + 1.0 / 3_628_800
  p = p * r + 1.0 / 362_880
  p = p * r + 1.0 / 40320
  p = p * r + 1.0 / 5040
  p = p * r + 1.0 / 720
  p = p * r + 1.0 / 120
  p = p * r + 1.0 / 24
  p = p * r + 1.0 / 6
  p = p * r + 0.5
  return (Int(whole), r + (r * r * p + lost))
}

/// 2ᵏ for −1022 ≤ k ≤ 1023.
private func powerOfTwo(_ k: Int) -> Double {
  Double(bitPattern: UInt64(truncatingIfNeeded: k &+ 1023) << 52)
}

/// eˣ within 1 ulp, subnormal results included.
func exponential64(_ x: Double) -> Double {
  if x.isNaN { return x }
  if x > 710 { return .infinity }
  if x < -746 { return 0 }
  let (k, expm1) = reduced(x)
  // Two factors, because 2ᵏ itself may overflow or be subnormal.
  let half = k >> 1
  return (expm1 + 1) * powerOfTwo(half) * powerOfTwo(k &- half)
}

/// eˣ − 1 within 2 ulp; ±0 stay themselves.
func exponentialMinus1Of64(_ x: Double) -> Double {
  if x.isNaN || x.magnitude < 0x1p-54 { return x }
  if x > 710 { return .infinity }
  if x < -40 { return -1 }
  let (k, expm1) = reduced(x)
  if k == 0 { return expm1 }
  // At half size, so that 2¹⁰²³ serves results just below overflow.
  let scale = powerOfTwo(k &- 1)
  return (scale * expm1 + (scale - 0.5)) * 2
}

/// 1/(1 + e⁻ˣ) within 3 ulp.
func sigmoid64(_ x: Double) -> Double {
  // Through e^−|x| ≤ 1, so that neither side overflows or cancels.
  let z = exponential64(-x.magnitude)
  return (x < 0 ? z : 1) / (1 + z)
}

/// tanh x within 3 ulp.
func hyperbolicTangent64(_ x: Double) -> Double {
  let a = x.magnitude
  if a > 22 { return x < 0 ? -1 : 1 }
  let e = exponentialMinus1Of64(a + a)
  let y = e / (e + 2)
  return x.sign == .minus ? -y : y
}

/// sinh x within 3 ulp.
func hyperbolicSine64(_ x: Double) -> Double {
  let a = x.magnitude
  let y: Double
  if a < 22 {
    let e = exponentialMinus1Of64(a)
    y = 0.5 * (e + e / (e + 1))
  } else {
    let root = exponential64(0.5 * a)
    y = 0.5 * root * root
  }
  return x.sign == .minus ? -y : y
}

/// cosh x within 3 ulp.
func hyperbolicCosine64(_ x: Double) -> Double {
  let a = x.magnitude
  if a < 22 {
    let e = exponential64(a)
    return 0.5 * e + 0.5 / e
  }
  let root = exponential64(0.5 * a)
  return 0.5 * root * root
}
