/// sin x and cos x within 2 ulp for every double; NaN at ±∞.
func sineAndCosine64(_ x: Double) -> (sine: Double, cosine: Double) {
  // Also −0, whose sign the series would lose.
  if x.magnitude < 0x1p-27 { return (x, 1) }
  let (r, quadrant) = reduceByHalfPi(x)
  let z = r * r
  // The series to r¹⁷ and r¹⁸: for |r| ≤ π/4 what follows is below 2⁻⁶².
  var p = 1.0 / 355_687_428_096_000
  p = p * z - 1.0 / 1_307_674_368_000
  p = p * z + 1.0 / 6_227_020_800
  p = p * z - 1.0 / 39_916_800
  p = p * z + 1.0 / 362_880
  p = p * z - 1.0 / 5040
  p = p * z + 1.0 / 120
  p = p * z - 1.0 / 6
  let sine = r + r * z * p
  var q = -1.0 / 6_402_373_705_728_000
  q = q * z + 1.0 / 20_922_789_888_000
  q = q * z - 1.0 / 87_178_291_200
  q = q * z + 1.0 / 479_001_600
  q = q * z - 1.0 / 3_628_800
  q = q * z + 1.0 / 40320
  q = q * z - 1.0 / 720
  q = q * z + 1.0 / 24
  let cosine = 1 - (0.5 * z - z * z * q)
  switch quadrant & 3 {
  case 0: return (sine, cosine)
  case 1: return (cosine, -sine)
  case 2: return (-sine, -cosine)
  default: return (-cosine, sine)
  }
}

/// x modulo π/2, in [−π/4, π/4] or a little beyond; NaN if x is not finite. The quadrant counts modulo 4.
private func reduceByHalfPi(_ x: Double) -> (remainder: Double, quadrant: Int) {
  let a = x.magnitude
  if a <= 0.785398163397448 { return (x, 0) }
  if !(a < .infinity) { return (.nan, 0) }
  if a >= 0x1p20 { return reduceFar(x) }
  // Adding 1.5·2⁵² leaves the nearest integer in the low bits.
  let magic = 6_755_399_441_055_744.0
  let n = (x * 0.6366197723675814 + magic) - magic
  // π/2 in four parts, the first three of 33 bits: their products with n are exact.
  let first = x - n * 0x1.921fb54400000p+0
  let second = n * 0x1.0b4611a600000p-34
  let high = first - second
  // What the difference lost (Knuth's TwoSum): either of the two may be the larger.
  let taken = first - high
  let lost = (first - (high + taken)) - (second - taken)
  return (high + ((lost - n * 0x1.3198a2e000000p-69) - n * 0x1.b839a252049c1p-104), Int(n))
}

/// As `reduceByHalfPi` for |x| ≥ 2²⁰, by multiplying with the bits of 2/π that matter (Payne and Hanek 1983).
private func reduceFar(_ x: Double) -> (remainder: Double, quadrant: Int) {
  let bits = x.bitPattern
  let mantissa = bits & 0xf_ffff_ffff_ffff | 0x10_0000_0000_0000
  // |x| = mantissa·2^exponent. Bits of 2/π worth 4/2^exponent and more only add whole turns.
  let start = Int(bits >> 52 & 0x7ff) &- 1075 &- 2
  let words = (bitsOf2OverPi(start), bitsOf2OverPi(start &+ 64), bitsOf2OverPi(start &+ 128))
  // The product modulo 2¹⁹², in three words: two bits of quadrant, then the fraction.
  let low = words.2.multipliedFullWidth(by: mantissa)
  let middle = words.1.multipliedFullWidth(by: mantissa)
  let (second, carry) = middle.low.addingReportingOverflow(low.high)
  let first = words.0 &* mantissa &+ middle.high &+ (carry ? 1 : 0)
  var quadrant = Int(first >> 62)
  let fraction = Int64(bitPattern: first << 2 | second >> 62)
  // The fraction's upper half has a sign: from a half on, it is the next quadrant's.
  if fraction < 0 { quadrant &+= 1 }
  let rest = second << 2 | low.low >> 62
  let remainder = (Double(fraction) * 0x1p-64 + Double(rest) * 0x1p-128) * 1.5707963267948966
  return x < 0 ? (-remainder, 0 &- quadrant) : (remainder, quadrant)
}

/// 64 bits of the fraction 2/π from bit `position` on (0 is the bit worth a half); zeros before the first.
private func bitsOf2OverPi(_ position: Int) -> UInt64 {
  if position <= -64 { return 0 }
  if position < 0 { return twoOverPi(0) >> UInt64(0 &- position) }
  let shift = UInt64(position & 63)
  let word = twoOverPi(position >> 6)
  if shift == 0 { return word }
  return word << shift | twoOverPi(position >> 6 &+ 1) >> (64 &- shift)
}

/// tan x within 3 ulp.
func tangent64(_ x: Double) -> Double {
  let (sine, cosine) = sineAndCosine64(x)
  return sine / cosine
}

/// The inverse of tan within 2 ulp.
func arctangent64(_ x: Double) -> Double {
  let a = x.magnitude
  if a.isNaN { return x }
  let isFar = a > 1
  let b = isFar ? 1 / a : a
  // atan b = atan c + atan((b − c)/(1 + b·c)) for the nearest quarter c: what is left is at most 1/8.
  let quarters = Int(b * 4 + 0.5)
  let c = Double(quarters) * 0.25
  let (high, low): (Double, Double)
  switch quarters {
  case 0: (high, low) = (0, 0)
  case 1: (high, low) = (0x1.f5b75f92c80ddp-3, 0x1.8ab6e3cf7afbdp-57)
  case 2: (high, low) = (0x1.dac670561bb4fp-2, 0x1.a2b7f222f65e2p-56)
  case 3: (high, low) = (0x1.4978fa3269ee1p-1, 0x1.2419a87f2a458p-56)
  default: (high, low) = (0x1.921fb54442d18p-1, 0x1.1a62633145c07p-55)
  }
  let t = (b - c) / (1 + b * c)
  let z = t * t
  var p = 1.0 / 17
  p = p * z - 1.0 / 15
  p = p * z + 1.0 / 13
  p = p * z - 1.0 / 11
  p = p * z + 1.0 / 9
  p = p * z - 1.0 / 7
  p = p * z + 1.0 / 5
  p = p * z - 1.0 / 3
  let near = high + (t + (t * z * p + low))
  let y = isFar ? 0x1.921fb54442d18p+0 - (near - 0x1.1a62633145c07p-54) : near
  return x.sign == .minus ? -y : y
}

/// The inverse of sin within 4 ulp; NaN beyond ±1.
func arcsine64(_ x: Double) -> Double { arctangent64(x / ((1 - x) * (1 + x)).squareRoot()) }

/// The inverse of cos within 4 ulp; NaN beyond ±1.
func arccosine64(_ x: Double) -> Double { 2 * arctangent64(((1 - x) / (1 + x)).squareRoot()) }
