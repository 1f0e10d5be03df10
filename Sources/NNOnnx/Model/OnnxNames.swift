import NNGraph

// What the standard calls functions of ours: one table for both directions.

extension UnaryFunction {
  /// The operator that is this function; nil where the standard has none.
  var onnxName: String? {
    switch self {
    case .identity: "Identity"
    case .negate: "Neg"
    case .absolute: "Abs"
    case .squareRoot: "Sqrt"
    case .reciprocal: "Reciprocal"
    case .exponential: "Exp"
    case .logarithm: "Log"
    case .sign: "Sign"
    case .floor: "Floor"
    case .ceiling: "Ceil"
    case .round: "Round"
    case .errorFunction: "Erf"
    case .sine: "Sin"
    case .cosine: "Cos"
    case .tangent: "Tan"
    case .arcsine: "Asin"
    case .arccosine: "Acos"
    case .arctangent: "Atan"
    case .sinh: "Sinh"
    case .cosh: "Cosh"
    case .asinh: "Asinh"
    case .acosh: "Acosh"
    case .atanh: "Atanh"
    case .sigmoid: "Sigmoid"
    case .tanh: "Tanh"
    case .relu: "Relu"
    case .leakyRelu: "LeakyRelu"
    case .elu: "Elu"
    case .gelu, .geluTanh: "Gelu"
    case .softplus: "Softplus"
    case .clip: "Clip"
    case .square, .reciprocalSquareRoot, .logarithm1p, .exponentialMinus1, .silu: nil
    }
  }

  /// Whether the operator has attributes or inputs that say which function it is.
  var isParameterised: Bool {
    switch self {
    case .leakyRelu, .elu, .gelu, .geluTanh, .clip: true
    case .identity, .negate, .absolute, .square, .squareRoot, .reciprocalSquareRoot, .reciprocal,
      .exponential, .logarithm, .sign, .floor, .ceiling, .round, .errorFunction, .sine, .cosine, .logarithm1p,
      .exponentialMinus1, .tangent, .arcsine, .arccosine, .arctangent, .sinh, .cosh, .asinh, .acosh, .atanh,
      .sigmoid, .tanh, .relu, .silu, .softplus:
      false
    }
  }
}

extension BinaryFunction {
  /// The operator for integers and fractions.
  var onnxName: String {
    switch self {
    case .add: "Add"
    case .subtract: "Sub"
    case .multiply: "Mul"
    case .divide: "Div"
    case .minimum: "Min"
    case .maximum: "Max"
    case .power: "Pow"
    case .bitwiseAnd: "BitwiseAnd"
    case .bitwiseOr: "BitwiseOr"
    case .bitwiseXor: "BitwiseXor"
    case .shiftLeft, .shiftRight: "BitShift"
    case .remainder, .modulo: "Mod"
    }
  }

  /// The operator for truth values, where there is one of its own.
  var onnxLogicalName: String? {
    switch self {
    case .bitwiseAnd: "And"
    case .bitwiseOr: "Or"
    case .bitwiseXor: "Xor"
    case .add, .subtract, .multiply, .divide, .minimum, .maximum, .power, .shiftLeft, .shiftRight, .remainder,
      .modulo:
      nil
    }
  }
}

extension CompareFunction {
  /// The operator; nil where the standard has none.
  var onnxName: String? {
    switch self {
    case .equal: "Equal"
    case .notEqual: nil
    case .less: "Less"
    case .lessOrEqual: "LessOrEqual"
    case .greater: "Greater"
    case .greaterOrEqual: "GreaterOrEqual"
    }
  }
}

extension ReduceFunction {
  var onnxName: String {
    switch self {
    case .sum: "ReduceSum"
    case .mean: "ReduceMean"
    case .maximum: "ReduceMax"
    case .minimum: "ReduceMin"
    case .product: "ReduceProd"
    case .sumOfSquares: "ReduceSumSquare"
    }
  }
}

extension ScatterFunction {
  /// The value of the attribute `reduction`.
  var onnxReduction: String {
    switch self {
    case .replace: "none"
    case .add: "add"
    case .multiply: "mul"
    case .minimum: "min"
    case .maximum: "max"
    }
  }
}

extension SoftmaxFunction {
  var onnxName: String {
    switch self {
    case .softmax: "Softmax"
    case .logSoftmax: "LogSoftmax"
    }
  }
}

extension Recurrent.Kind {
  var onnxName: String {
    switch self {
    case .simple: "RNN"
    case .lstm: "LSTM"
    case .gru: "GRU"
    }
  }

  /// The gates in the standard's order, as numbers in ours: i, o, f, c of i, f, g, o; and z, r, h of r, z, n.
  var onnxGates: [Int] {
    switch self {
    case .simple: [0]
    case .lstm: [0, 3, 1, 2]
    case .gru: [1, 0, 2]
    }
  }
}
