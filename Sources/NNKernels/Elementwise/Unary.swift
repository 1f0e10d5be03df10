import CPlatform
import NNGraph

/// A function of one number as a type, so that each gets a loop of its own.
@usableFromInline protocol UnaryVectorFunction {
  static func apply<I: InstructionSet>(_ x: Vector, _ a: Vector, _ b: Vector, _: I.Type) -> Vector
}

/// The loop of every unary kernel; see ``UnaryKernel``.
@inlinable @inline(__always)
func map<F: UnaryVectorFunction, I: InstructionSet>(
  _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, _ count: Int, _ alpha: Float, _ beta: Float,
  _: F.Type, _: I.Type
) {
  let a = nnp_splat(alpha)
  let b = nnp_splat(beta)
  var i = 0
  // The function stands here once: some are long, and a copy for the tail would double the library.
  while i < count {
    let rest = count &- i
    let v: Vector = rest >= 16 ? nnp_load(x + i) : nnp_load_partial(x + i, rest, nnp_splat(0))
    let result = F.apply(v, a, b, I.self)
    if rest >= 16 { nnp_store(y + i, result) } else { nnp_store_partial(y + i, rest, result) }
    i &+= 16
  }
}

/// The kernel of a function: one case, one loop.
@inlinable @inline(__always)
func unaryKernel<I: InstructionSet>(_ function: UnaryFunction, _: I.Type) -> UnaryKernel {
  switch function {
  case .identity: { map($0, $1, $2, $3, $4, IdentityMap.self, I.self) }
  case .negate: { map($0, $1, $2, $3, $4, NegateMap.self, I.self) }
  case .absolute: { map($0, $1, $2, $3, $4, AbsoluteMap.self, I.self) }
  case .square: { map($0, $1, $2, $3, $4, SquareMap.self, I.self) }
  case .squareRoot: { map($0, $1, $2, $3, $4, SquareRootMap.self, I.self) }
  case .reciprocalSquareRoot: { map($0, $1, $2, $3, $4, ReciprocalSquareRootMap.self, I.self) }
  case .reciprocal: { map($0, $1, $2, $3, $4, ReciprocalMap.self, I.self) }
  case .exponential: { map($0, $1, $2, $3, $4, ExponentialMap.self, I.self) }
  case .logarithm: { map($0, $1, $2, $3, $4, LogarithmMap.self, I.self) }
  case .sign: { map($0, $1, $2, $3, $4, SignMap.self, I.self) }
  case .floor: { map($0, $1, $2, $3, $4, FloorMap.self, I.self) }
  case .ceiling: { map($0, $1, $2, $3, $4, CeilingMap.self, I.self) }
  case .round: { map($0, $1, $2, $3, $4, RoundMap.self, I.self) }
  case .errorFunction: { map($0, $1, $2, $3, $4, ErrorFunctionMap.self, I.self) }
  case .sine: { map($0, $1, $2, $3, $4, SineMap.self, I.self) }
  case .cosine: { map($0, $1, $2, $3, $4, CosineMap.self, I.self) }
  case .logarithm1p: { map($0, $1, $2, $3, $4, Logarithm1pMap.self, I.self) }
  case .exponentialMinus1: { map($0, $1, $2, $3, $4, ExponentialMinus1Map.self, I.self) }
  // Seldom used: not worth a loop for each instruction set.
  case .tangent, .arcsine, .arccosine, .arctangent, .sinh, .cosh, .asinh, .acosh, .atanh:
    { x, y, count, _, _ in unaryThroughDouble(x, y, count, function) }
  case .sigmoid: { map($0, $1, $2, $3, $4, SigmoidMap.self, I.self) }
  case .tanh: { map($0, $1, $2, $3, $4, TanhMap.self, I.self) }
  case .relu: { map($0, $1, $2, $3, $4, ReluMap.self, I.self) }
  case .leakyRelu: { map($0, $1, $2, $3, $4, LeakyReluMap.self, I.self) }
  case .elu: { map($0, $1, $2, $3, $4, EluMap.self, I.self) }
  case .gelu: { map($0, $1, $2, $3, $4, GeluMap.self, I.self) }
  case .geluTanh: { map($0, $1, $2, $3, $4, GeluTanhMap.self, I.self) }
  case .silu: { map($0, $1, $2, $3, $4, SiluMap.self, I.self) }
  case .softplus: { map($0, $1, $2, $3, $4, SoftplusMap.self, I.self) }
  case .clip: { map($0, $1, $2, $3, $4, ClipMap.self, I.self) }
  }
}
