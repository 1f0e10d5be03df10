// Drawn and computed from IEEE 754 basic operations alone, so that every platform gives the same numbers.

extension Philox {
  /// From the beta distribution with both parameters `alpha`, above 0: X/(X + Y) with X and Y from gamma distributions.
  public mutating func beta(_ alpha: Double) -> Double {
    let (x, y) = (logarithmOfGamma(alpha), logarithmOfGamma(alpha))
    return 1 / (1 + exponential(y - x))
  }

  /// ln X with X from the gamma distribution of shape `alpha`: as a logarithm, since small shapes give numbers too small for a
  /// Double.
  ///
  /// Marsaglia and Tsang 2000, "A Simple Method for Generating Gamma Variables": for shape alpha + 1, times U^(1/alpha).
  private mutating func logarithmOfGamma(_ alpha: Double) -> Double {
    let d = alpha + 1 - 1.0 / 3
    let c = 1 / (9 * d).squareRoot()
    while true {
      let x = normal()
      let base = 1 + c * x
      guard base > 0 else { continue }
      let v = base * base * base
      let logarithm = naturalLogarithm(v)
      if naturalLogarithm(1 - uniform()) < 0.5 * x * x + d - d * v + d * logarithm {
        return naturalLogarithm(d) + logarithm + naturalLogarithm(1 - uniform()) / alpha
      }
    }
  }
}

/// eˣ: 2^(x·log₂e) with the fraction's part by its series. Infinite and 0 where it does not fit.
public func exponential(_ x: Double) -> Double {
  guard x == x else { return x }
  let scaled = x * 1.4426950408889634
  guard scaled < 1024 else { return .infinity }
  guard scaled > -1074 else { return 0 }
  let whole = scaled.rounded()
  let rest = (scaled - whole) * 0.6931471805599453
  var term = 1.0
  var sum = 1.0
  for n in 1...20 {
    term *= rest / Double(n)
    sum += term
  }
  // In two halves: the largest results are a little below 2^1024, which is none.
  let exponent = Int(whole)
  return sum * Double(sign: .plus, exponent: exponent / 2, significand: 1)
    * Double(sign: .plus, exponent: exponent - exponent / 2, significand: 1)
}

/// Sine and cosine of an angle, exact for multiples of 90°; by their series on ±45°, whose first term left out is below 2⁻⁶⁰.
public func sineAndCosine(degrees: Double) -> (sine: Double, cosine: Double) {
  guard degrees.isFinite else { return (.nan, .nan) }
  let turned = degrees.remainder(dividingBy: 360)
  let quarters = (turned / 90).rounded()
  return sineAndCosine((turned - 90 * quarters) * 0.017453292519943295, quarters: Int(quarters))
}

/// Sine and cosine of an angle in radians, with an absolute error of some 10⁻¹⁶ of the angle.
func sineAndCosine(_ angle: Double) -> (sine: Double, cosine: Double) {
  guard angle.isFinite else { return (.nan, .nan) }
  let turn = 6.283185307179586
  let turned = angle.remainder(dividingBy: turn)
  let quarters = (turned / (turn / 4)).rounded()
  return sineAndCosine(turned - turn / 4 * quarters, quarters: Int(quarters))
}

/// Of −2…2 quarters of a turn and an angle between ±45°.
private func sineAndCosine(_ angle: Double, quarters: Int) -> (sine: Double, cosine: Double) {
  let square = angle * angle
  var (sine, cosine) = (0.0, 0.0)
  for n in stride(from: 17, through: 1, by: -2) {
    sine = 1 - square / Double((n + 1) * (n + 2)) * sine
    cosine = 1 - square / Double(n * (n + 1)) * cosine
  }
  sine *= angle
  switch quarters {
  case 0: return (sine, cosine)
  case 1: return (cosine, -sine)
  case -1: return (-cosine, sine)
  default: return (-sine, -cosine)
  }
}
