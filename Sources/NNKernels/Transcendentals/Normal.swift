import CPlatform

// The error function and the activations made of the normal distribution.

/// Φ(−a)·e^(a²/2)·(0.9a + 2.25), Mills' ratio made nearly flat, of u = 1.8a/(0.9a + 2.25) − 1 for 0 ≤ a ≤ 15.
@inlinable @inline(__always)
func flatNormalTail<I: InstructionSet>(_ u: Vector, _: I.Type) -> Vector {
  // Fitted to 2⁻²⁵; tools/fit-polynomials.
  var p = nnp_splat(-0.000143100246)
  p = I.step(p, u, -0.000283130328)
  p = I.step(p, u, 0.000615650672)
  p = I.step(p, u, 0.0022741619)
  p = I.step(p, u, -0.00143972703)
  p = I.step(p, u, -0.0147483805)
  p = I.step(p, u, 0.00831195153)
  p = I.step(p, u, 0.118788376)
  p = I.step(p, u, -0.390322775)
  return I.step(p, u, 0.635990977)
}

/// erf x within 2 ulp; ±0 stay themselves.
@inlinable @inline(__always)
func errorFunction<I: InstructionSet>(_ x: Vector, _: I.Type) -> Vector {
  let s = x * x
  // (erf(x)/x − 2/√π)/x² in x² on [0, 1], fitted to 2⁻²⁶·⁶ of erf(x)/x; tools/fit-polynomials.
  var q = nnp_splat(-1.02167478e-05)
  q = I.step(q, s, 0.000114517366)
  q = I.step(q, s, -0.0008508545)
  q = I.step(q, s, 0.00522261113)
  q = I.step(q, s, -0.0268659461)
  q = I.step(q, s, 0.112837903)
  q = I.step(q, s, -0.376126379)
  // 2/√π − 1, so that the last step adds x itself.
  q = I.step(q, s, 0.128379167)
  let small = I.fma(x, q, x)
  // erf a = 1 − 2Φ(−a√2); erf 4 rounds to 1.
  let a = atMost(4, magnitude(x))
  let b = a * nnp_splat(1.41421356)
  let inverse = nnp_splat(1) / I.fma(b, nnp_splat(0.9), nnp_splat(2.25))
  let tail = flatNormalTail(I.fma(b * inverse, nnp_splat(1.8), nnp_splat(-1)), I.self) * inverse
  let large = I.fma(exponential(nnp_splat(0) - a * a, I.self), tail * nnp_splat(-2), nnp_splat(1))
  let isSmall = nnp_less(a, nnp_splat(1))
  let signed = nnp_from_bits(nnp_bits(large) | (nnp_bits(x) & IntVector(repeating: Int32.min)))
  return nnp_select(isSmall, small, signed)
}

/// x·Φ(x) within 4 ulp, far into the negative tail; −0 at −∞.
@inlinable @inline(__always)
func gelu<I: InstructionSet>(_ x: Vector, _: I.Type) -> Vector {
  // a·Φ(−a) of a = |x|, with a² taken exactly in two parts; 15·Φ(−15) is below the smallest subnormal.
  let a = atMost(15, magnitude(x))
  let square = a * a
  let lost = I.fma(a, a, nnp_splat(0) - square)
  var e = splitExponentialUnclamped(square * nnp_splat(-0.5), I.self)
  e.mantissa = I.fma(lost * nnp_splat(-0.5), e.mantissa, e.mantissa)
  // a over the factor that makes the tail flat: one division serves both.
  let share = a / I.fma(a, nnp_splat(0.9), nnp_splat(2.25))
  let tail = e.times(share * flatNormalTail(I.fma(share, nnp_splat(1.8), nnp_splat(-1)), I.self))
  return nnp_select(nnp_less(x, nnp_splat(0)), nnp_splat(0) - tail, x - tail)
}

/// 0.5·x·(1 + tanh(√(2/π)·(x + 0.044715·x³))) = x·sigmoid(2·√(2/π)·(x + 0.044715·x³)) within 4 ulp; −0 at −∞.
@inlinable @inline(__always)
func geluTanh<I: InstructionSet>(_ x: Vector, _: I.Type) -> Vector {
  // The exponent in double: its relative error is multiplied by its size, up to 100. At −30 the result is 0.
  let a = nnp_widen(atMost(30, magnitude(x)))
  let exponent =
    (a * nnp_splat_f64(1.5957691216057308)) * (nnp_splat_f64(1) + nnp_splat_f64(0.044715) * a * a)
  let high = nnp_narrow(exponent)
  let low = nnp_narrow(exponent - nnp_widen(high))
  var z = splitExponential(nnp_splat(0) - high, I.self)
  z.mantissa = I.fma(z.mantissa, nnp_splat(0) - low, z.mantissa)
  let top = nnp_select(nnp_less(x, nnp_splat(0)), z.times(atLeast(-30, x)), x)
  return top / (nnp_splat(1) + z.value)
}
