import NNGraph

/// Functions of one number, with parameters, that networks put between their layers.
enum Activations {
  static let operators: [String: Lowering] = [
    "LeakyRelu": { node, graph in
      [try graph.unary(.leakyRelu, try node.input(0), alpha: try node.float("alpha", default: 0.01))]
    },
    "Elu": { node, graph in
      [try graph.unary(.elu, try node.input(0), alpha: try node.float("alpha", default: 1))]
    },
    "Gelu": { node, graph in
      let isTanh = try node.string("approximate", default: "none") == "tanh"
      return [try graph.unary(isTanh ? .geluTanh : .gelu, try node.input(0))]
    },
    "Selu": selu, "Celu": celu, "PRelu": prelu, "Softsign": softsign, "ThresholdedRelu": thresholdedRelu,
    "Shrink": shrink, "Mish": mish, "Swish": swish, "HardSigmoid": hardSigmoid, "HardSwish": hardSwish,
  ]

  /// γ·elu(x, α).
  private static func selu(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let alpha = try node.float("alpha", default: 1.67326319217681884765625)
    let gamma = try node.float("gamma", default: 1.05070102214813232421875)
    return [try graph.multiply(try graph.unary(.elu, try node.input(0), alpha: alpha), Double(gamma))]
  }

  /// α·elu(x/α, 1).
  private static func celu(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let alpha = Double(try node.float("alpha", default: 1))
    let x = try node.input(0)
    let scaled = try graph.divide(x, try graph.scalar(alpha, like: x))
    return [try graph.multiply(try graph.unary(.elu, scaled, alpha: 1), alpha)]
  }

  private static func prelu(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let x = try node.input(0)
    var slope = try node.input(1)
    // Before version 7 a vector belonged to the channels.
    if node.version < 7, graph.rank(slope) == 1, graph.rank(x) > 2 {
      slope = try graph.unsqueeze(slope, Array(1..<(graph.rank(x) - 1)))
    }
    let isNegative = try graph.compare(.less, x, try graph.scalar(0, like: x))
    return [try graph.select(isNegative, try graph.multiply(x, slope), x)]
  }

  private static func softsign(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let x = try node.input(0)
    return [try graph.divide(x, try graph.add(try graph.unary(.absolute, x), 1))]
  }

  private static func thresholdedRelu(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let x = try node.input(0)
    let alpha = try graph.scalar(Double(try node.float("alpha", default: 1)), like: x)
    return [try graph.select(try graph.compare(.greater, x, alpha), x, try graph.scalar(0, like: x))]
  }

  /// x + bias below −λ, x − bias above λ, 0 between.
  private static func shrink(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let x = try node.input(0)
    let lambda = Double(try node.float("lambd", default: 0.5))
    let bias = try graph.scalar(Double(try node.float("bias", default: 0)), like: x)
    let isBelow = try graph.compare(.less, x, try graph.scalar(-lambda, like: x))
    let isAbove = try graph.compare(.greater, x, try graph.scalar(lambda, like: x))
    let above = try graph.select(isAbove, try graph.subtract(x, bias), try graph.scalar(0, like: x))
    return [try graph.select(isBelow, try graph.add(x, bias), above)]
  }

  private static func mish(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let x = try node.input(0)
    return [try graph.multiply(x, try graph.unary(.tanh, try graph.unary(.softplus, x)))]
  }

  /// x·sigmoid(α·x).
  private static func swish(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let x = try node.input(0)
    let alpha = try node.float("alpha", default: 1)
    if alpha == 1 { return [try graph.unary(.silu, x)] }
    return [try graph.multiply(x, try graph.unary(.sigmoid, try graph.multiply(x, Double(alpha))))]
  }

  private static func hardSigmoid(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let alpha = try node.float("alpha", default: 0.2)
    let beta = try node.float("beta", default: 0.5)
    return [try hardSigmoid(try node.input(0), Double(alpha), Double(beta), graph)]
  }

  /// max(0, min(1, α·x + β)).
  static func hardSigmoid(_ x: ValueID, _ alpha: Double, _ beta: Double, _ graph: GraphBuilder) throws
    -> ValueID
  {
    let line = try graph.add(try graph.multiply(x, alpha), beta)
    return try graph.unary(.clip, line, alpha: 0, beta: 1)
  }

  private static func hardSwish(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let x = try node.input(0)
    return [try graph.multiply(x, try hardSigmoid(x, 1.0 / 6, 0.5, graph))]
  }
}
