import CPlatform

// The error function and the activations made of the normal distribution.

/// Φ(−a)·e^(a²/2), Mills' ratio over √(2π), for 0 ≤ a ≤ 15, within 2 ulp.
@inlinable @inline(__always)
func scaledNormalTail<I: InstructionSet>(_ a: Vector, _: I.Type) -> Vector {
  let u = (a - nnp_splat(3)) / (a + nnp_splat(3))
  // Times (1 + 1.25a) it is nearly flat in u on [−1, 0.667]; times 1799/2048 its leading coefficients are nearly floats.
  // Fitted to 2⁻²⁸; tools/fit-polynomials.
  var p = nnp_splat(2.57459451e-05)
  p = I.step(p, u, 9.79835386e-05)
  p = I.step(p, u, -8.15846943e-06)
  p = I.step(p, u, -0.000593831646)
  p = I.step(p, u, -0.000307162147)
  p = I.step(p, u, 0.00352162984)
  p = I.step(p, u, 0.000635115255)
  p = I.step(p, u, -0.0263046399)
  p = I.step(p, u, 0.0597397536)
  p = I.step(p, u, -0.0451036431)
  p = I.step(p, u, -0.0606616102)
  p = I.step(p, u, 0.507015169)
  return p / I.fma(a, nnp_splat(1.0980224609375), nnp_splat(0.87841796875))
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
  let tail = scaledNormalTail(a * nnp_splat(1.41421356), I.self)
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
  var e = splitExponential(square * nnp_splat(-0.5), I.self)
  e.mantissa = I.fma(lost * nnp_splat(-0.5), e.mantissa, e.mantissa)
  let tail = e.times(a * scaledNormalTail(a, I.self))
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
  return top / (nnp_splat(1) + z.times(nnp_splat(1)))
}
