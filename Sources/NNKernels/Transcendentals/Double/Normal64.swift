// The error function and the activations made of the normal distribution.

/// e^(−x²), with x² taken exactly in two parts.
private func exponentialOfMinusSquare(_ x: Double) -> Double {
  let high = Double(bitPattern: x.bitPattern & 0xffff_ffff_f800_0000)
  return exponential64(-high * high) * exponential64(-(x - high) * (x + high))
}

/// 1 − erf a for a ≥ 2 within 8 ulp: e^(−a²)/(a·√π) over a continued fraction (Laplace), cut where it no longer matters.
private func tail(_ a: Double) -> Double {
  if a > 28 { return 0 }
  let square = 2 * a * a
  var fraction = 1.0
  var n = 90.0
  while n > 0 {
    fraction = 1 + n / (square * fraction)
    n -= 1
  }
  return exponentialOfMinusSquare(a) / (a * 1.772453850905516 * fraction)
}

/// erf a for 0 ≤ a ≤ 2 within 8 ulp: 2/√π·e^(−a²)·Σ 2ⁿa²ⁿ⁺¹/(1·3·5·…·(2n + 1)), whose terms are all positive.
private func head(_ a: Double) -> Double {
  let square = 2 * a * a
  var term = a
  var sum = a
  var n = 3.0
  while n < 120 {
    term *= square / n
    sum += term
    n += 2
  }
  return 1.1283791670955126 * exponentialOfMinusSquare(a) * sum
}

/// erf x within 8 ulp.
func errorFunction64(_ x: Double) -> Double {
  let a = x.magnitude
  if a.isNaN { return x }
  let y = a < 2 ? head(a) : 1 - tail(a)
  return x.sign == .minus ? -y : y
}

/// x·Φ(x); −0 at −∞. Within 16 ulp, but where 1 − erf(|x|/√2) cancels, −2.8 < x < 0: there within 10⁻¹⁵ of the exact value.
func gelu64(_ x: Double) -> Double {
  if x == -.infinity { return -0.0 }
  let a = x.magnitude * 0.7071067811865476
  if x.isNaN { return x }
  let other = a < 2 ? 1 - head(a) : tail(a)
  return x * 0.5 * (x < 0 ? other : 2 - other)
}

/// 0.5·x·(1 + tanh(√(2/π)·(x + 0.044715·x³))); −0 at −∞.
func geluTanh64(_ x: Double) -> Double {
  if x == -.infinity { return -0.0 }
  return x * sigmoid64(1.5957691216057308 * x * (1 + 0.044715 * x * x))
}
