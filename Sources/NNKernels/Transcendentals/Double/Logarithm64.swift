/// ln(1 + f) + k·ln 2 for 1/√2 ≤ 1 + f < √2; `lost` is added to the small terms.
private func logarithm(mantissaMinus1 f: Double, exponent k: Double, _ lost: Double) -> Double {
  // ln(1 + f) = ln((1 + s)/(1 − s)) = 2s + s·r(s²) for s = f/(2 + f), |s| ≤ 0.1716.
  let s = f / (2 + f)
  let z = s * s
  var r = 2.0 / 25
  r = r * z + 2.0 / 23
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
  r = r * z
  // As 2s = f − s·f: the leading term is f itself.
  let half = 0.5 * f * f
  let small = s * (half + r) + (k * 0x1.a39ef35793c76p-33 + lost)
  return k * 0x1.62e42fee00000p-1 - ((half - small) - f)
}

/// x = (1 + f)·2ᵏ with 1/√2 ≤ 1 + f < √2, for normal x > 0.
private func split(_ x: Double) -> (mantissaMinus1: Double, exponent: Double) {
  let bits = x.bitPattern
  // The difference from 1/√2 carries into the exponent exactly where the mantissa reaches √2.
  let k = Int64(bitPattern: bits &- 0x3fe6_a09e_667f_3bcd) >> 52
  return (Double(bitPattern: bits &- UInt64(bitPattern: k << 52)) - 1, Double(k))
}

/// ln x within 1 ulp, of subnormals too; −∞ at ±0, NaN below 0.
func logarithm64(_ x: Double) -> Double {
  if !(x > 0) { return x == 0 ? -.infinity : .nan }
  if x == .infinity { return x }
  let isTiny = x < 0x1p-1022
  let (f, k) = split(isTiny ? x * 0x1p54 : x)
  return logarithm(mantissaMinus1: f, exponent: isTiny ? k - 54 : k, 0)
}

/// ln(1 + x) within 2 ulp; −∞ at −1, NaN below; ±0 and tiny x stay themselves.
func logarithm1pOf64(_ x: Double) -> Double {
  if x.magnitude < 0x1p-54 { return x }
  let u = x + 1
  if !(u > 0) || u == .infinity { return logarithm64(u) }
  // What 1 + x lost to rounding.
  let lost = x > 1 ? 1 - (u - x) : x - (u - 1)
  let (f, k) = split(u)
  return logarithm(mantissaMinus1: f, exponent: k, lost / u)
}

/// ln(1 + eˣ) within 3 ulp.
func softplus64(_ x: Double) -> Double {
  (x < 0 ? 0 : x) + logarithm1pOf64(exponential64(-x.magnitude))
}

/// The inverse of sinh within 3 ulp.
func inverseHyperbolicSine64(_ x: Double) -> Double {
  let a = x.magnitude
  let y =
    a > 0x1p28
    ? logarithm64(a) + 0.6931471805599453 : logarithm1pOf64(a + a * a / (1 + (a * a + 1).squareRoot()))
  return x.sign == .minus ? -y : y
}

/// The inverse of cosh within 3 ulp; NaN below 1.
func inverseHyperbolicCosine64(_ x: Double) -> Double {
  if x < 1 { return .nan }
  if x > 0x1p28 { return logarithm64(x) + 0.6931471805599453 }
  let t = x - 1
  return logarithm1pOf64(t + (2 * t + t * t).squareRoot())
}

/// The inverse of tanh within 3 ulp; ±∞ at ±1, NaN beyond.
func inverseHyperbolicTangent64(_ x: Double) -> Double {
  let a = x.magnitude
  let y = 0.5 * logarithm1pOf64(2 * a / (1 - a))
  return x.sign == .minus ? -y : y
}
