import CPlatform

/// log₂ x for finite x > 0 (subnormal floats are normal doubles), relative error below 2⁻⁴⁸.
@inlinable @inline(__always)
func logarithm2(_ x: DoubleVector) -> DoubleVector {
  let bits = nnp_bits_f64(x)
  // The difference from 1/√2 carries into the exponent exactly where the mantissa reaches √2.
  let k = (bits &- SIMD16<Int64>(repeating: 0x3fe6_a09e_667f_3bcd)) &>> SIMD16<Int64>(repeating: 52)
  let m = nnp_from_bits_f64(bits &- (k &<< SIMD16<Int64>(repeating: 52)))
  let s = (m - nnp_splat_f64(1)) / (m + nnp_splat_f64(1))
  let square = s * s
  // log₂((1 + s)/(1 − s))/s in s² for |s| ≤ 0.1716, fitted to 2⁻⁵⁰; tools/fit-polynomials.
  var p = nnp_splat_f64(0.2429160853987535)
  p = p * square + nnp_splat_f64(0.2614442493522915)
  p = p * square + nnp_splat_f64(0.32061638813224547)
  p = p * square + nnp_splat_f64(0.4121984020482752)
  p = p * square + nnp_splat_f64(0.5770780172463286)
  p = p * square + nnp_splat_f64(0.9617966939243345)
  p = p * square + nnp_splat_f64(2.885390081777927)
  // An exact conversion of small k: 1.5·2⁵² + k has k in its low bits.
  let magic = nnp_splat_f64(6_755_399_441_055_744)
  let exponent = nnp_from_bits_f64(k &+ nnp_bits_f64(magic)) - magic
  return exponent + s * p
}

/// 2ᵗ for −200 ≤ t ≤ 200, relative error below 2⁻⁴³.
@inlinable @inline(__always)
func exponential2(_ t: DoubleVector) -> DoubleVector {
  let magic = nnp_splat_f64(6_755_399_441_055_744)
  let shifted = t + magic
  let r = t - (shifted - magic)
  // (2ʳ − 1)/r on ±0.5, fitted to 2⁻⁴⁵ of 2ʳ; tools/fit-polynomials.
  var p = nnp_splat_f64(1.0203121063391729e-07)
  p = p * r + nnp_splat_f64(1.3255224878668817e-06)
  p = p * r + nnp_splat_f64(1.525268684626772e-05)
  p = p * r + nnp_splat_f64(0.00015403455852453838)
  p = p * r + nnp_splat_f64(0.0013333558179043112)
  p = p * r + nnp_splat_f64(0.009618129159402558)
  p = p * r + nnp_splat_f64(0.055504108664760424)
  p = p * r + nnp_splat_f64(0.2402265069581299)
  p = p * r + nnp_splat_f64(0.6931471805599453)
  let n = nnp_bits_f64(shifted) &+ SIMD16<Int64>(repeating: 1023)
  return (p * r + nnp_splat_f64(1)) * nnp_from_bits_f64(n &<< SIMD16<Int64>(repeating: 52))
}

/// xʸ within 1 ulp, with the special cases of IEEE 754 `pow`.
@inlinable @inline(__always)
func power<I: InstructionSet>(_ x: Vector, _ y: Vector, _: I.Type) -> Vector {
  let zero = nnp_splat(0)
  let one = nnp_splat(1)
  let infinity = nnp_splat(.infinity)
  let a = magnitude(x)
  let wideY = nnp_widen(y)
  var logarithm = logarithm2(nnp_widen(a))
  let isInfinite = nnp_widen_i32(nnp_equal(a, infinity))
  let isZero = nnp_widen_i32(nnp_equal(a, zero))
  logarithm = nnp_select_f64(isInfinite, nnp_splat_f64(.infinity), logarithm)
  logarithm = nnp_select_f64(isZero, nnp_splat_f64(-.infinity), logarithm)
  var t = wideY * logarithm
  t = nnp_select_f64(nnp_less_f64(nnp_splat_f64(160), t), nnp_splat_f64(160), t)
  t = nnp_select_f64(nnp_less_f64(t, nnp_splat_f64(-160)), nnp_splat_f64(-160), t)
  var result = nnp_narrow(exponential2(t))
  // Where |x| is 1, an infinite y has made the product NaN.
  result = nnp_select(nnp_equal(a, one), one, result)
  // Every float from 2²⁴ on is an even integer.
  let whole = nnp_less_equal(nnp_splat(16_777_216), magnitude(y)) | nnp_equal(roundedDown(y), y)
  let half = y * nnp_splat(0.5)
  let odd = whole & nnp_less(magnitude(y), nnp_splat(16_777_216)) & ~nnp_equal(roundedDown(half), half)
  let negative = nnp_bits(x) & odd & IntVector(repeating: Int32.min)
  result = nnp_from_bits(nnp_bits(result) ^ negative)
  let undefined = nnp_less(x, zero) & ~whole & nnp_less(zero, a) & nnp_less(a, infinity)
  result = nnp_select(undefined | nnp_is_nan(x) | nnp_is_nan(y), nnp_splat(.nan), result)
  return nnp_select(nnp_equal(x, one) | nnp_equal(y, zero), one, result)
}
