import NNGraph

extension Activations {
  /// A function of one number as a node of its own.
  static func export(_ activation: Activation, _ x: String, _ dtype: DType, _ graph: OnnxGraphWriter) throws
    -> String
  {
    func number(_ value: Double) throws -> String { try graph.scalar(value, dtype) }
    switch activation.function {
    case .identity:
      return try graph.moving(.rearranging, [Operand(x, TensorType(dtype, []))]) {
        graph.node("Identity", $0[0])
      }
    case .square: return graph.node("Mul", x, x)
    case .reciprocalSquareRoot: return graph.node("Reciprocal", graph.node("Sqrt", x))
    case .silu: return graph.node("Mul", x, graph.node("Sigmoid", x))
    case .logarithm1p: return try exportLogarithm1p(x, dtype, graph)
    case .exponentialMinus1: return try exportExponentialMinus1(x, dtype, graph)
    case .clip:
      return graph.node(
        "Clip", x, try number(Double(activation.alpha)), try number(Double(activation.beta)))
    case .leakyRelu where dtype == .f64, .elu where dtype == .f64, .softplus where dtype == .f64,
      .tangent where dtype == .f64, .sinh where dtype == .f64, .cosh where dtype == .f64:
      return try exportDouble(activation, x, graph)
    case .leakyRelu, .elu:
      return graph.node(
        activation.function.onnxName ?? "", x, attributes: [.float("alpha", activation.alpha)])
    case .gelu: return graph.node("Gelu", x)
    case .geluTanh: return graph.node("Gelu", x, attributes: [.string("approximate", "tanh")])
    case .negate, .absolute, .squareRoot, .reciprocal, .exponential, .logarithm, .sign, .floor, .ceiling,
      .round, .errorFunction, .sine, .cosine, .tangent, .arcsine, .arccosine, .arctangent, .sinh, .cosh,
      .asinh,
      .acosh, .atanh, .sigmoid, .tanh, .relu, .softplus:
      guard let name = activation.function.onnxName else {
        throw NNError(.unsupportedOperator, "the standard has no such function")
      }
      return graph.node(name, x)
    }
  }

  /// Functions that ONNX Runtime has for f32 alone, by others.
  private static func exportDouble(_ activation: Activation, _ x: String, _ graph: OnnxGraphWriter) throws
    -> String
  {
    func number(_ value: Double) throws -> String { try graph.scalar(value, .f64) }
    let isNegative = graph.node("Less", x, try number(0))
    let alpha = try number(Double(activation.alpha))
    switch activation.function {
    case .leakyRelu: return graph.node("Where", isNegative, graph.node("Mul", alpha, x), x)
    case .elu:
      let below = graph.node("Mul", alpha, try exportExponentialMinus1(x, .f64, graph))
      return graph.node("Where", isNegative, below, x)
    case .softplus:
      let small = graph.node("Exp", graph.node("Neg", graph.node("Abs", x)))
      return graph.node(
        "Add", graph.node("Max", x, try number(0)), try exportLogarithm1p(small, .f64, graph))
    case .tangent: return graph.node("Div", graph.node("Sin", x), graph.node("Cos", x))
    case .sinh, .cosh:
      let (up, down) = (graph.node("Exp", x), graph.node("Exp", graph.node("Neg", x)))
      let type = activation.function == .sinh ? "Sub" : "Add"
      return graph.node("Mul", graph.node(type, up, down), try number(0.5))
    default: throw NNError(.unsupportedOperator, "is not available for f64")
    }
  }

  /// ln u · x/(u − 1) with u = 1 + x, where the roundings of u cancel; x where u is 1. Kahan, in the manual of the HP-15C.
  private static func exportLogarithm1p(_ x: String, _ dtype: DType, _ graph: OnnxGraphWriter) throws
    -> String
  {
    let one = try graph.scalar(1, dtype)
    let u = graph.node("Add", x, one)
    let difference = graph.node("Sub", u, one)
    let logarithm = graph.node("Log", u)
    let exact = graph.node("Mul", logarithm, graph.node("Div", x, difference))
    let isLarge = graph.node("Greater", graph.node("Abs", x), try graph.scalar(1, dtype))
    let result = graph.node("Where", isLarge, logarithm, exact)
    return graph.node("Where", graph.node("Equal", u, one), x, result)
  }

  /// (u − 1)·x/ln u with u = eˣ, where |x| is at most 1; x where u is 1. Kahan.
  private static func exportExponentialMinus1(_ x: String, _ dtype: DType, _ graph: OnnxGraphWriter) throws
    -> String
  {
    let one = try graph.scalar(1, dtype)
    let u = graph.node("Exp", x)
    let difference = graph.node("Sub", u, one)
    let exact = graph.node("Mul", difference, graph.node("Div", x, graph.node("Log", u)))
    let isLarge = graph.node("Greater", graph.node("Abs", x), one)
    let result = graph.node("Where", isLarge, difference, exact)
    return graph.node("Where", graph.node("Equal", u, one), x, result)
  }
}
