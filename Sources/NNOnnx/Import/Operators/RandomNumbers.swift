import NNGraph

/// Random numbers. A model has its own, the same in every run: a file must give the same results everywhere.
enum RandomNumbers {
  static let operators: [String: Lowering] = [
    "RandomUniform": { node, graph in [try uniform(try shape(node, graph), node, graph)] },
    "RandomUniformLike": { node, graph in [try uniform(try node.input(0), node, graph)] },
    "RandomNormal": { node, graph in [try normal(try shape(node, graph), node, graph)] },
    "RandomNormalLike": { node, graph in [try normal(try node.input(0), node, graph)] },
    "Bernoulli": bernoulli, "Dropout": dropout,
  ]

  private static func shape(_ node: OnnxNode, _ graph: GraphBuilder) throws -> ValueID {
    let extents = try node.required(try node.extents("shape"), "shape")
    return try graph.expand(try graph.scalar(0, .f32), Shape(extents))
  }

  private static func draw(
    _ function: RandomFunction, like x: ValueID, _ node: OnnxNode, _ graph: GraphBuilder
  ) throws -> ValueID {
    // Dropout's seed is a whole number, that of the others is not.
    let seed = try (try? node.int("seed")) ?? Int(node.float("seed", default: 0).bitPattern)
    graph.randomStreams += 1
    return try graph.append(.random(function, stream: graph.randomStreams), x, try graph.ints([seed, 0]))
  }

  private static func dtype(_ node: OnnxNode, like x: ValueID, _ graph: GraphBuilder) throws -> DType {
    try node.int("dtype").map { try ElementType.require($0) } ?? graph.dtype(x)
  }

  private static func uniform(_ x: ValueID, _ node: OnnxNode, _ graph: GraphBuilder) throws -> ValueID {
    let (low, high) = (Double(try node.float("low", default: 0)), Double(try node.float("high", default: 1)))
    let numbers = try graph.multiply(try draw(.uniform, like: x, node, graph), high - low)
    return try graph.cast(try graph.add(numbers, low), try dtype(node, like: x, graph))
  }

  private static func normal(_ x: ValueID, _ node: OnnxNode, _ graph: GraphBuilder) throws -> ValueID {
    let (mean, scale) = (
      Double(try node.float("mean", default: 0)), Double(try node.float("scale", default: 1))
    )
    let numbers = try graph.multiply(try draw(.normal, like: x, node, graph), scale)
    return try graph.cast(try graph.add(numbers, mean), try dtype(node, like: x, graph))
  }

  /// 1 with the probability that x gives, else 0.
  private static func bernoulli(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let x = try node.input(0)
    let isOne = try graph.compare(.less, try draw(.uniform, like: x, node, graph), try graph.cast(x, .f32))
    return [try graph.cast(isOne, try dtype(node, like: x, graph))]
  }

  /// Nothing, unless the model says that it is being trained.
  private static func dropout(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let x = try node.input(0)
    let maskType: DType = node.version >= 10 ? .bool : graph.dtype(x)
    let training = node.version >= 12 ? try node.optional(2) : nil
    guard let training, graph.constant(training)?.integers != [0] else {
      let same = try graph.unary(.identity, x)
      guard node.isUsed(output: 1) else { return [same] }
      return [same, try graph.expand(try graph.scalar(int: 1, maskType), graph.shape(x))]
    }
    let ratio = try node.optional(1).map { try graph.cast($0, .f32) } ?? graph.scalar(0.5, .f32)
    let isDrawn = try graph.compare(.greaterOrEqual, try draw(.uniform, like: x, node, graph), ratio)
    let keeps = try graph.select(training, isDrawn, try graph.scalar(int: 1, .bool))
    let share = try graph.subtract(try graph.scalar(1, .f32), ratio)
    let scale = try graph.select(training, share, try graph.scalar(1, .f32))
    let scaled = try graph.divide(x, try graph.cast(scale, graph.dtype(x)))
    return [try graph.select(keeps, scaled, try graph.scalar(0, like: x)), keeps]
  }
}
