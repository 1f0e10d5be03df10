import CPlatform

/// ln m + k·ln 2 for f = m − 1, 1/√2 ≤ m < √2.
@inlinable @inline(__always)
public func logarithmInline<I: InstructionSet>(
  mantissaMinus1 f: Vector, exponent k: Vector, _: I.Type
) -> Vector {
  // (ln(1 + f) − f + f²/2)/f³ on [−0.293, 0.415], fitted to 2⁻²⁸ of ln(1 + f); tools/fit-polynomials.
  var p = nnp_splat(0.0697161183)
  p = I.step(p, f, -0.114797339)
  p = I.step(p, f, 0.116854198)
  p = I.step(p, f, -0.124256872)
  p = I.step(p, f, 0.142490581)
  p = I.step(p, f, -0.166678026)
  p = I.step(p, f, 0.200007156)
  p = I.step(p, f, -0.24999997)
  p = I.step(p, f, 0.333333313)
  p = I.step(p, f, -0.5)
  let mantissa = I.fma(f * f, p, f)
  // ln 2 in two parts.
  let low = I.fma(k, nnp_splat(-1.90465421e-9), mantissa)
  return I.fma(k, nnp_splat(0.693147182), low)
}

/// ln x within 2 ulp, of subnormals too; −∞ at ±0, NaN below 0.
@inlinable @inline(__always)
func logarithm<I: InstructionSet>(_ x: Vector, _: I.Type) -> Vector {
  let tiny = nnp_less(x, nnp_splat(0x1p-126))
  let bits = nnp_bits(nnp_select(tiny, x * nnp_splat(33_554_432), x))
  // 0x3f3504f3 is 1/√2: the difference carries into the exponent exactly where m reaches √2.
  let k = (bits &- IntVector(repeating: 0x3f35_04f3)) &>> IntVector(repeating: 23)
  let m = nnp_from_bits(bits &- (k &<< IntVector(repeating: 23)))
  let exponent = nnp_from_i32(k &- (tiny & IntVector(repeating: 25)))
  let y = I.logarithm(mantissaMinus1: m - nnp_splat(1), exponent: exponent)
  return logarithmSpecials(x, y)
}

/// ln x at 0 (−∞), below (NaN), at +∞ and NaN (themselves); y elsewhere.
@inlinable @inline(__always)
func logarithmSpecials(_ x: Vector, _ y: Vector) -> Vector {
  var result = nnp_select(nnp_less(x, nnp_splat(.infinity)), y, x)
  result = nnp_select(nnp_less(x, nnp_splat(0)), nnp_splat(.nan), result)
  return nnp_select(nnp_equal(x, nnp_splat(0)), nnp_splat(-.infinity), result)
}

/// ln(1 + x) within 2 ulp; −∞ at −1, NaN below; ±0 and tiny x stay themselves.
@inlinable @inline(__always)
func logarithm1p<I: InstructionSet>(_ x: Vector, _: I.Type) -> Vector {
  let u = x + nnp_splat(1)
  let bits = nnp_bits(u)
  let k = (bits &- IntVector(repeating: 0x3f35_04f3)) &>> IntVector(repeating: 23)
  let m = nnp_from_bits(bits &- (k &<< IntVector(repeating: 23)))
  // What 1 + x lost to rounding, brought to the scale of m.
  let lost = nnp_select(
    nnp_less(nnp_splat(1), x), nnp_splat(1) - (u - x), x - (u - nnp_splat(1)))
  // From 2¹⁰⁰ on the loss vanishes beside the mantissa, and 2⁻ᵏ would run out of exponents.
  let scale = powerOfTwo(
    IntVector(repeating: 0)
      &- nnp_select_i32(nnp_less_i32(k, IntVector(repeating: 100)), k, IntVector(repeating: 100)))
  let whole = nnp_equal_i32(k, IntVector(repeating: 0))
  let f = nnp_select(whole, x, (m - nnp_splat(1)) + lost * scale)
  let y = I.logarithm(mantissaMinus1: f, exponent: nnp_from_i32(k))
  // With k = 0 the sum k·ln 2 would turn −0 into +0.
  let special = logarithmSpecials(u, y)
  return nnp_select(nnp_equal(x, nnp_splat(0)), x, special)
}
