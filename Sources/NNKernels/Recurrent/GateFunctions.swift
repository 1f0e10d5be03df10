import CPlatform

// The functions of gated recurrences. They are shorter than those of the unary kernels, which have to be right among subnormal
// numbers too, and about as accurate everywhere else; see RecurrentTests.

/// 1 + e⁻ˣ, what the sigmoid of x is the reciprocal of; below −87 it stays at 1 + e⁸⁷.
@inlinable @inline(__always)
func gateSigmoidDivisor<I: InstructionSet>(_ x: Vector, _: I.Type) -> Vector {
  let (n, expm1) = I.reducedExponential(atLeast(-87, atMost(87, nnp_splat(0) - x)))
  let one = nnp_splat(1)
  return I.fma(powerOfTwo(n), expm1 + one, one)
}

/// The sigmoid 1/(1 + e⁻ˣ) within 3 ulp; below −87 it stays at e⁻⁸⁷ = 1.6·10⁻³⁸.
@inlinable @inline(__always)
func gateSigmoid<I: InstructionSet>(_ x: Vector, _: I.Type) -> Vector {
  nnp_splat(1) / gateSigmoidDivisor(x, I.self)
}

/// e²ˣ − 1; tanh x = (e²ˣ − 1)/(e²ˣ + 1).
@inlinable @inline(__always)
func gateTanhDividend<I: InstructionSet>(_ x: Vector, _: I.Type) -> Vector {
  // tanh 10 rounds to 1.
  let (n, expm1) = I.reducedExponential(atLeast(-20, atMost(20, x + x)))
  let scale = powerOfTwo(n)
  return I.fma(scale, expm1, scale - nnp_splat(1))
}

/// tanh x within 4 ulp.
@inlinable @inline(__always)
func gateTanh<I: InstructionSet>(_ x: Vector, _: I.Type) -> Vector {
  let e = gateTanhDividend(x, I.self)
  return e / (e + nnp_splat(2))
}

/// sigmoid(a)·tanh x within 5 ulp, of ``gateSigmoidDivisor(_:_:)`` of a: one division for both. 0 where the divisors' product is no
/// number: there the sigmoid is below 10⁻³⁰.
@inlinable @inline(__always)
func gatedTanh<I: InstructionSet>(divisor: Vector, _ x: Vector, _: I.Type) -> Vector {
  let e = gateTanhDividend(x, I.self)
  return e / ((e + nnp_splat(2)) * divisor)
}

/// 1 − x², the slope of tanh where it is x.
@inlinable @inline(__always)
func tanhSlope<I: InstructionSet>(_ x: Vector, _: I.Type) -> Vector {
  I.fma(nnp_splat(0) - x, x, nnp_splat(1))
}

/// x·(1 − x), the slope of the sigmoid where it is x.
@inlinable @inline(__always)
func sigmoidSlope(_ x: Vector) -> Vector { x * (nnp_splat(1) - x) }

/// The sums of up to sixteen columns of both.
@inlinable @inline(__always)
func sum(_ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ left: Int) -> Vector {
  loadColumns(a, left, 0) + loadColumns(b, left, 0)
}
