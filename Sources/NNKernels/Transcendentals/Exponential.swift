import CPlatform

// eˣ and what is made of it. Errors are the largest measured over a sweep of all exponents; see TranscendentalTests.

/// x where it is at most `limit`, else `limit`; NaN stays NaN.
@inlinable @inline(__always)
func atMost(_ limit: Float, _ x: Vector) -> Vector {
  nnp_select(nnp_less(nnp_splat(limit), x), nnp_splat(limit), x)
}

/// x where it is at least `limit`, else `limit`; NaN stays NaN.
@inlinable @inline(__always)
func atLeast(_ limit: Float, _ x: Vector) -> Vector {
  nnp_select(nnp_less(x, nnp_splat(limit)), nnp_splat(limit), x)
}

@inlinable @inline(__always)
func magnitude(_ x: Vector) -> Vector { nnp_from_bits(nnp_bits(x) & IntVector(repeating: 0x7fff_ffff)) }

/// The magnitude of `x`, which is not negative, with the sign of `sign`.
@inlinable @inline(__always)
func withSign(_ x: Vector, of sign: Vector) -> Vector {
  nnp_from_bits(nnp_bits(x) | (nnp_bits(sign) & IntVector(repeating: Int32.min)))
}

/// 2ⁿ for −126 ≤ n ≤ 127.
@inlinable @inline(__always)
func powerOfTwo(_ n: IntVector) -> Vector {
  nnp_from_bits((n &+ IntVector(repeating: 127)) &<< IntVector(repeating: 23))
}

/// x = n·ln 2 + r with |r| ≤ 0.3470; gives n and eʳ − 1. For |x| ≤ 150 (NaN gives NaN).
@inlinable @inline(__always)
public func reducedExponentialInline<I: InstructionSet>(
  _ x: Vector, _: I.Type
) -> (n: IntVector, expm1: Vector) {
  // Adding 1.5·2²³ leaves the nearest integer in the low bits: no conversion, which NaN would make undefined.
  let magic: Float = 12_582_912
  let shifted = I.fma(x, nnp_splat(1.44269504), nnp_splat(magic))
  let n = nnp_bits(shifted) &- IntVector(repeating: 0x4b40_0000)
  let whole = shifted - nnp_splat(magic)
  // ln 2 in two parts: the first product is exact inside the fused step.
  var r = I.fma(whole, nnp_splat(-0.693147182), x)
  r = I.fma(whole, nnp_splat(1.90465421e-9), r)
  // (eʳ − 1 − r)/r² on ±0.3470, fitted to 2⁻²⁹ of eʳ − 1; tools/fit-polynomials.
  var q = nnp_splat(0.000198910799)
  q = I.step(q, r, 0.00139337312)
  q = I.step(q, r, 0.00833331048)
  q = I.step(q, r, 0.041666463)
  q = I.step(q, r, 0.166666672)
  q = I.step(q, r, 0.5)
  return (n, I.fma(r * r, q, r))
}

/// A power of e before its last roundings: mantissa · 2ⁿ.
@usableFromInline struct SplitExponential {
  @usableFromInline var mantissa: Vector
  @usableFromInline var n: IntVector

  @inlinable @inline(__always)
  init(_ mantissa: Vector, _ n: IntVector) {
    self.mantissa = mantissa
    self.n = n
  }

  /// eˣ itself.
  @inlinable @inline(__always) var value: Vector { nnp_scale(mantissa, n) }

  /// factor · eˣ: where that is subnormal, it is rounded no more often than elsewhere.
  @inlinable @inline(__always)
  func times(_ factor: Vector) -> Vector { nnp_scale(factor * mantissa, n) }
}

/// eˣ, of x clamped to [−130, 89].
@inlinable @inline(__always)
func splitExponential<I: InstructionSet>(_ x: Vector, _: I.Type) -> SplitExponential {
  splitExponentialUnclamped(atLeast(-130, atMost(89, x)), I.self)
}

/// eˣ of −130 ≤ x ≤ 89, or NaN.
@inlinable @inline(__always)
func splitExponentialUnclamped<I: InstructionSet>(_ x: Vector, _: I.Type) -> SplitExponential {
  let (n, expm1) = I.reducedExponential(x)
  return SplitExponential(expm1 + nnp_splat(1), n)
}

/// eˣ within 1 ulp, subnormal results included; 0 below −104, +∞ above 88.73.
@inlinable @inline(__always)
func exponential<I: InstructionSet>(_ x: Vector, _: I.Type) -> Vector {
  splitExponential(x, I.self).value
}

/// eˣ of x ≤ 89 as ``exponential(_:_:)`` gives it.
@inlinable @inline(__always)
func exponentialBelow<I: InstructionSet>(_ x: Vector, _: I.Type) -> Vector {
  splitExponentialUnclamped(atLeast(-130, x), I.self).value
}

/// eˣ − 1 within 2 ulp; −1 below −18, +∞ above 88.73; ±0 stay themselves.
@inlinable @inline(__always)
func exponentialMinus1<I: InstructionSet>(_ x: Vector, _: I.Type) -> Vector {
  let (n, expm1) = I.reducedExponential(atLeast(-20, atMost(89, x)))
  // At half size, so that 2¹²⁷ serves results just below overflow.
  let scale = powerOfTwo(n &- IntVector(repeating: 1))
  let y = I.fma(scale, expm1, scale - nnp_splat(0.5)) * nnp_splat(2)
  // Below 2⁻²⁵ the result is x, also where x is subnormal or −0.
  return nnp_select(nnp_less(magnitude(x), nnp_splat(2.98023224e-8)), x, y)
}

/// 1/(1 + e⁻ˣ) within 2.25 ulp, subnormal results included.
@inlinable @inline(__always)
func sigmoid<I: InstructionSet>(_ x: Vector, _: I.Type) -> Vector {
  // Through e^−|x| ≤ 1, so that neither side overflows or cancels.
  let z = exponential(nnp_splat(0) - magnitude(x), I.self)
  let top = nnp_select(nnp_less(x, nnp_splat(0)), z, nnp_splat(1))
  return top / (nnp_splat(1) + z)
}

/// x/(1 + e⁻ˣ) within 3 ulp; −0 at −∞.
@inlinable @inline(__always)
func silu<I: InstructionSet>(_ x: Vector, _: I.Type) -> Vector {
  let z = splitExponential(nnp_splat(0) - magnitude(x), I.self)
  // x·e^−|x| is 0 below −110; the clamp keeps −∞ from making it NaN.
  let top = nnp_select(nnp_less(x, nnp_splat(0)), z.times(atLeast(-130, x)), x)
  return top / (nnp_splat(1) + z.value)
}

/// tanh x within 2 ulp; ±0 and subnormals stay themselves.
@inlinable @inline(__always)
func hyperbolicTangent<I: InstructionSet>(_ x: Vector, _: I.Type) -> Vector {
  let s = x * x
  // (tanh(x)/x − 1)/x² in x² up to 0.625², fitted to 2⁻²⁶ of tanh(x)/x; tools/fit-polynomials.
  var p = nnp_splat(-0.00609671418)
  p = I.step(p, s, 0.0209971797)
  p = I.step(p, s, -0.0538509078)
  p = I.step(p, s, 0.133327693)
  p = I.step(p, s, -0.333333284)
  let small = I.fma(x * s, p, x)
  // (e²ˣ − 1)/(e²ˣ + 1) of |x|; tanh 10 rounds to 1.
  let a = magnitude(x)
  let e = exponentialMinus1(atMost(20, a + a), I.self)
  let large = e / (e + nnp_splat(2))
  let value = nnp_select(nnp_less(a, nnp_splat(0.625)), small, large)
  return withSign(magnitude(value), of: x)
}

/// ln(1 + eˣ) = max(x, 0) + ln(1 + e^−|x|) within 2 ulp.
@inlinable @inline(__always)
func softplus<I: InstructionSet>(_ x: Vector, _: I.Type) -> Vector {
  let tail = logarithm1p(exponential(nnp_splat(0) - magnitude(x), I.self), I.self)
  return atLeast(0, x) + tail
}

/// x, or a·(eˣ − 1) below zero, within 3 ulp.
@inlinable @inline(__always)
func elu<I: InstructionSet>(_ x: Vector, _ a: Vector, _: I.Type) -> Vector {
  nnp_select(nnp_less(x, nnp_splat(0)), a * exponentialMinus1(x, I.self), x)
}
