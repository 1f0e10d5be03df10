import CPlatform

// sin and cos, reduced and evaluated in double: what is lost there is far below half an ulp of the float result.

/// Sixteen doubles.
public typealias DoubleVector = SIMD16<Double>

/// sin x for quadrant 0 and cos x, which is a quadrant ahead, for quadrant 1; within 0.51 ulp for every float, NaN at ±∞.
@inlinable @inline(__always)
func sine<I: InstructionSet>(_ x: Vector, quadrant shift: Int32, _: I.Type) -> Vector {
  let wide = nnp_widen(x)
  // Nearest multiple of π/2, through the low bits of 1.5·2⁵² + n.
  let magic = nnp_splat_f64(6_755_399_441_055_744)
  let shifted = wide * nnp_splat_f64(0.6366197723675814) + magic
  let whole = shifted - magic
  var n = nnp_narrow_i64(nnp_bits_f64(shifted))
  // π/2 in two parts, the first of 25 bits: n·first is exact for |x| < 2²⁸.
  var r = wide - whole * nnp_splat_f64(1.5707963109016418)
  r = r - whole * nnp_splat_f64(1.5893254773528197e-8)
  let big = nnp_less_equal(nnp_splat(268_435_456), magnitude(x))
  if nnp_any(big) != 0 {
    var lane = 0
    while lane < 16 {
      if big[lane] != 0 {
        let reduced = reduceByHalfPi(x[lane])
        r[lane] = reduced.remainder
        n[lane] = reduced.quadrant
      }
      lane &+= 1
    }
  }
  n = n &+ IntVector(repeating: shift)
  let s = r * r
  // (sin(r)/r − 1)/r² and (cos(r) − 1)/r² in r² on ±π/4, fitted to 2⁻³⁵ and 2⁻⁴²; tools/fit-polynomials.
  var p = nnp_splat_f64(2.7249864655139585e-06)
  p = p * s + nnp_splat_f64(-0.00019840086263755443)
  p = p * s + nnp_splat_f64(0.008333331873837089)
  p = p * s + nnp_splat_f64(-0.16666666663853044)
  let sin = nnp_narrow(r * (p * s + nnp_splat_f64(1)))
  var q = nnp_splat_f64(-2.7237076731325097e-07)
  q = q * s + nnp_splat_f64(2.479986150250612e-05)
  q = q * s + nnp_splat_f64(-0.0013888885089126252)
  q = q * s + nnp_splat_f64(0.041666666637372694)
  q = q * s + nnp_splat_f64(-0.49999999999963857)
  let cos = nnp_narrow(q * s + nnp_splat_f64(1))
  let odd = nnp_equal_i32(n & IntVector(repeating: 1), IntVector(repeating: 1))
  let value = nnp_select(odd, cos, sin)
  // Bit 1 of the quadrant is the sign.
  return nnp_from_bits(nnp_bits(value) ^ ((n & IntVector(repeating: 2)) &<< IntVector(repeating: 30)))
}

/// x modulo π/2 for |x| ≥ 2²⁸, by multiplying with the bits of 2/π that matter (Payne and Hanek 1983).
///
/// The remainder is in [−π/4, π/4], NaN if x is not finite; the quadrant counts modulo 4.
@export(interface)
public func reduceByHalfPi(_ x: Float) -> (remainder: Double, quadrant: Int32) {
  if !x.isFinite { return (.nan, 0) }
  let bits = x.bitPattern
  let mantissa = UInt64(bits & 0x7f_ffff | 0x80_0000)
  // |x| = mantissa·2^exponent. Bits of 2/π worth 4/2^exponent and more only add whole turns.
  let exponent = Int(bits >> 23 & 0xff) &- 150
  let start = exponent &- 2
  let high = bitsOfTwoOverPi(start)
  let low = bitsOfTwoOverPi(start &+ 64)
  // The product modulo 2¹²⁸: two bits of quadrant, then the fraction.
  let carry = low.multipliedFullWidth(by: mantissa).high
  let product = high &* mantissa &+ carry
  var quadrant = Int32(truncatingIfNeeded: product >> 62)
  let fraction = Int64(bitPattern: product << 2 | (low &* mantissa) >> 62)
  if fraction < 0 { quadrant &+= 1 }
  let remainder = Double(fraction) * 0x1p-64 * 1.5707963267948966
  return x < 0 ? (-remainder, 0 &- quadrant) : (remainder, quadrant)
}

/// 64 bits of the fraction 2/π from bit `position` on (0 is the bit worth a half), for 0 ≤ position < 192.
func bitsOfTwoOverPi(_ position: Int) -> UInt64 {
  let word = twoOverPi(position / 64)
  let shift = UInt64(position % 64)
  if shift == 0 { return word }
  return word << shift | twoOverPi(position / 64 &+ 1) >> (64 &- shift)
}

/// 2/π in base 2⁶⁴, as far as the largest double needs it.
func twoOverPi(_ index: Int) -> UInt64 {
  switch index {
  case 0: 0xa2f9_836e_4e44_1529
  case 1: 0xfc27_57d1_f534_ddc0
  case 2: 0xdb62_9599_3c43_9041
  case 3: 0xfe51_63ab_debb_c561
  case 4: 0xb724_6e3a_424d_d2e0
  case 5: 0x0649_2eea_09d1_921c
  case 6: 0xfe1d_eb1c_b129_a73e
  case 7: 0xe882_35f5_2ebb_4484
  case 8: 0xe99c_7026_b45f_7e41
  case 9: 0x3991_d639_8353_39f4
  case 10: 0x9c84_5f8b_bdf9_283b
  case 11: 0x1ff8_97ff_de05_980f
  case 12: 0xef2f_118b_5a0a_6d1f
  case 13: 0x6d36_7ecf_27cb_09b7
  case 14: 0x4f46_3f66_9e5f_ea2d
  case 15: 0x7527_bac7_ebe5_f17b
  case 16: 0x3d07_39f7_8a52_92ea
  case 17: 0x6bfb_5fb1_1f8d_5d08
  case 18: 0x5603_3046_fc7b_6bab
  default: 0xf0cf_bc20_9af4_361d
  }
}
