import NNGraph

extension Activation {
  /// dx = f′(x)·dy, written with y = f(x) where that is shorter. At kinks: 0 for relu and clip's outside, the left slope otherwise.
  func adjoint(_ x: SymbolicTensor, _ y: SymbolicTensor, _ dy: SymbolicTensor) throws(NNError)
    -> SymbolicTensor?
  {
    let zero = try x.trace.scalar(0)
    switch function {
    case .identity: return dy
    case .negate: return try -dy
    case .absolute: return try dy * x.unary(.sign)
    case .square: return try dy * (x * 2)
    case .squareRoot: return try dy * 0.5 / y
    case .reciprocalSquareRoot: return try dy * -0.5 * (y * y.squared())
    case .reciprocal: return try -dy * y.squared()
    case .exponential: return try dy * y
    case .logarithm: return try dy / x
    case .sign, .floor, .ceiling, .round: return nil
    case .errorFunction: return try dy * 1.1283791670955126 * (-x.squared()).exponential()
    case .sine: return try dy * x.unary(.cosine)
    case .cosine: return try -dy * x.unary(.sine)
    case .logarithm1p: return try dy / (x + 1)
    case .exponentialMinus1: return try dy * (y + 1)
    case .tangent: return try dy * (y.squared() + 1)
    case .arcsine: return try dy * (1 - x.squared()).unary(.reciprocalSquareRoot)
    case .arccosine: return try -dy * (1 - x.squared()).unary(.reciprocalSquareRoot)
    case .arctangent: return try dy / (x.squared() + 1)
    case .sinh: return try dy * x.unary(.cosh)
    case .cosh: return try dy * x.unary(.sinh)
    case .asinh: return try dy * (x.squared() + 1).unary(.reciprocalSquareRoot)
    case .acosh: return try dy * (x.squared() - 1).unary(.reciprocalSquareRoot)
    case .atanh: return try dy / (1 - x.squared())
    case .sigmoid: return try dy * (y * (1 - y))
    case .tanh: return try dy * (1 - y.squared())
    case .relu: return try x.compare(.greater, zero).select(dy, zero)
    case .leakyRelu: return try x.compare(.greater, zero).select(dy, dy * alpha)
    case .elu: return try x.compare(.greater, zero).select(dy, dy * (y + alpha))
    case .gelu: return try dy * geluDerivative(x, y)
    case .geluTanh: return try dy * geluTanhDerivative(x)
    case .silu:
      // s + x·s·(1 − s) = s + y·(1 − s)
      let sigmoid = try x.unary(.sigmoid)
      return try dy * (sigmoid + y * (1 - sigmoid))
    case .softplus: return try dy * x.unary(.sigmoid)
    case .clip:
      let aboveLower = try x.compare(.greaterOrEqual, alpha).select(dy, zero)
      return try x.compare(.lessOrEqual, beta).select(aboveLower, zero)
    }
  }

  /// Φ(x) + x·φ(x), the normal distribution and its density. As y = x·Φ(x), the distribution is y/x, which is cheaper than the error
  /// function; at 0 it is ½. Beyond ±15 the density is 0 and the distribution 0 or 1, at infinity too.
  private func geluDerivative(_ x: SymbolicTensor, _ y: SymbolicTensor) throws(NNError) -> SymbolicTensor {
    let near = try x.apply(Activation(.clip, alpha: -15, beta: 15))
    let quotient = try (y / near).apply(Activation(.clip, alpha: 0, beta: 1))
    let distribution = try x.compare(.equal, x.trace.scalar(0)).select(x.trace.scalar(0.5), quotient)
    let density = try (near.squared() * -0.5).exponential() * 0.3989422804014327
    return try distribution + near * density
  }

  /// ½(1 + t) + ½·x·(1 − t²)·u′ with t = tanh u, u = √(2/π)(x + 0.044715·x³).
  private func geluTanhDerivative(_ x: SymbolicTensor) throws(NNError) -> SymbolicTensor {
    let root: Float = 0.7978845608028654
    let square = try x.squared()
    let u = try x * (square * 0.044715 + 1) * root
    let slope = try (square * (3 * 0.044715) + 1) * root
    let t = try u.unary(.tanh)
    let second = try x * (1 - t.squared()) * slope
    return try (t + 1 + second) * 0.5
  }
}

extension BinaryFunction {
  /// The adjoints of f(a, b), summed over the axes along which an operand was repeated.
  func adjoints(
    _ a: SymbolicTensor, _ b: SymbolicTensor, _ y: SymbolicTensor, _ dy: SymbolicTensor
  ) throws(NNError) -> [SymbolicTensor?] {
    let (da, db): (SymbolicTensor, SymbolicTensor)
    switch self {
    case .add: (da, db) = (dy, dy)
    case .subtract: (da, db) = (dy, try -dy)
    case .multiply: (da, db) = (try dy * b, try dy * a)
    case .divide:
      da = try dy / b
      db = try -da * y
    case .minimum: (da, db) = try extremeAdjoints(a, b, dy, winner: .less)
    case .maximum: (da, db) = try extremeAdjoints(a, b, dy, winner: .greater)
    case .power: (da, db) = try powerAdjoints(a, b, y, dy)
    // a − n·b, with n constant almost everywhere: what was taken off, over b, is n.
    case .remainder, .modulo: (da, db) = (dy, try -dy * ((a - y) / b).unary(.round))
    case .bitwiseAnd, .bitwiseOr, .bitwiseXor, .shiftLeft, .shiftRight: return [nil, nil]
    }
    return [try da.summed(to: a.shape), try db.summed(to: b.shape)]
  }

  /// The winner gets the gradient; equal operands get half each, as in PyTorch.
  private func extremeAdjoints(
    _ a: SymbolicTensor, _ b: SymbolicTensor, _ dy: SymbolicTensor, winner: CompareFunction
  ) throws(NNError) -> (SymbolicTensor, SymbolicTensor) {
    let zero = try dy.trace.scalar(0)
    let half = try a.compare(.equal, b).select(dy * 0.5, zero)
    return (
      try a.compare(winner, b).select(dy, half), try b.compare(winner, a).select(dy, half)
    )
  }

  /// b·aᵇ⁻¹ and aᵇ·ln a, with 0 where the factor in front is 0: for b = 0, and for a = 0.
  private func powerAdjoints(
    _ a: SymbolicTensor, _ b: SymbolicTensor, _ y: SymbolicTensor, _ dy: SymbolicTensor
  ) throws(NNError) -> (SymbolicTensor, SymbolicTensor) {
    let zero = try dy.trace.scalar(0)
    let byBase = try dy * b * a.power(b - 1)
    let byExponent = try dy * y * a.logarithm()
    return (
      try b.compare(.equal, zero).select(zero, byBase),
      try y.compare(.equal, zero).select(zero, byExponent)
    )
  }
}
