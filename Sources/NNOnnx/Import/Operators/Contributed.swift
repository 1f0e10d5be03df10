import NNGraph

/// Operators of the domain com.microsoft, which ONNX Runtime's optimiser puts in the place of several others.
enum Contributed {
  static let operators: [String: Lowering] = [
    "com.microsoft/Gelu": { node, graph in [try graph.unary(.gelu, try node.input(0))] },
    "com.microsoft/BiasGelu": { node, graph in [try graph.unary(.gelu, try biased(node, graph))] },
    "com.microsoft/FastGelu": { node, graph in [try graph.unary(.geluTanh, try biased(node, graph))] },
    "com.microsoft/QuickGelu": quickGelu, "com.microsoft/FusedMatMul": product,
    "com.microsoft/SkipLayerNormalization": skipNormalization,
  ]

  private static func biased(_ node: OnnxNode, _ graph: GraphBuilder) throws -> ValueID {
    let x = try node.input(0)
    return try node.optional(1).map { try graph.add(x, $0) } ?? x
  }

  /// x·σ(α·x).
  private static func quickGelu(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let x = try node.input(0)
    let scaled = try graph.multiply(x, Double(try node.float("alpha", default: 1.702)))
    return [try graph.multiply(x, try graph.unary(.sigmoid, scaled))]
  }

  /// α·A·B, each as it is or with its last two axes exchanged.
  private static func product(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    guard try !node.flag("transBatchA"), try !node.flag("transBatchB") else {
      throw NNError(.unsupportedOperator, "a batch axis that is transposed")
    }
    func operand(_ index: Int, _ name: String) throws -> ValueID {
      let x = try node.input(index)
      var order = Array(0..<graph.rank(x))
      guard try node.flag(name), order.count >= 2 else { return x }
      order.swapAt(order.count - 2, order.count - 1)
      return try graph.transpose(x, order)
    }
    let result = try Products.product(try operand(0, "transA"), try operand(1, "transB"), graph)
    let alpha = try node.float("alpha", default: 1)
    return [alpha == 1 ? result : try graph.multiply(result, Double(alpha))]
  }

  /// The layer normalisation of x + skip + bias over the last axis; the sum is the fourth result.
  private static func skipNormalization(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let (x, skip, weight) = (try node.input(0), try node.input(1), try node.input(2))
    guard !node.isUsed(output: 1), !node.isUsed(output: 2) else {
      throw NNError(.unsupportedOperator, "mean and deviation as results")
    }
    var sum = try graph.add(x, skip)
    if let bias = try node.optional(4) { sum = try graph.add(sum, bias) }
    let epsilon = try node.float("epsilon", default: 1e-12)
    let axis = graph.rank(sum) - 1
    guard axis >= 0,
      let result = try Normalisation.fusedLayer(sum, weight, try node.optional(3), axis, epsilon, graph)
    else { throw NNError(.shapeMismatch, "gamma and beta do not have the extent of the last axis") }
    return [result, result, result, sum]
  }
}
