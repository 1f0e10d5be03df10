import NNGraph

/// Shifting and scaling by statistics.
enum Normalisation {
  static let operators: [String: Lowering] = [
    "BatchNormalization": batch, "LayerNormalization": layer, "InstanceNormalization": instance,
    "GroupNormalization": group, "RMSNormalization": rootMeanSquare,
    "MeanVarianceNormalization": meanVariance,
  ]

  /// A vector of C numbers as (1, C, 1, …) beside a tensor of `rank` axes.
  private static func alongChannels(_ vector: ValueID, _ rank: Int, _ graph: GraphBuilder) throws -> ValueID {
    try graph.reshapeKeepingOrder(
      vector,
      [graph.shape(vector).dimensions.first ?? .fixed(1)]
        + [Dimension](repeating: .fixed(1), count: max(0, rank - 2)))
  }

  private static func batch(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let x = try node.input(0)
    let inputs = try (1..<5).map { try node.input($0) }
    let epsilon = try node.float("epsilon", default: 1e-5)
    if try node.flag("training_mode") { return try batchTraining(x, inputs, Double(epsilon), node, graph) }
    if graph.dtype(x) == .f32, inputs.allSatisfy({ graph.dtype($0) == .f32 }), epsilon > 0 {
      return [try graph.append(.normalize(Normalize(.batch, epsilon: epsilon)), [x] + inputs)]
    }
    let vectors = try inputs.map {
      try alongChannels(try graph.cast($0, graph.dtype(x)), graph.rank(x), graph)
    }
    return [
      try scaled(x, mean: vectors[2], variance: vectors[3], Double(epsilon), vectors[0], vectors[1], graph)
    ]
  }

  /// (x − mean)/√(variance + ε)·scale + bias.
  private static func scaled(
    _ x: ValueID, mean: ValueID, variance: ValueID, _ epsilon: Double, _ scale: ValueID, _ bias: ValueID?,
    _ graph: GraphBuilder
  ) throws -> ValueID {
    let deviation = try graph.unary(.squareRoot, try graph.add(variance, epsilon))
    let normal = try graph.divide(try graph.subtract(x, mean), deviation)
    let result = try graph.multiply(normal, scale)
    return try bias.map { try graph.add(result, $0) } ?? result
  }

  /// With the statistics of the batch, and the running ones after it.
  private static func batchTraining(
    _ x: ValueID, _ inputs: [ValueID], _ epsilon: Double, _ node: OnnxNode, _ graph: GraphBuilder
  ) throws -> [ValueID] {
    let rank = graph.rank(x)
    guard rank >= 2 else { throw NNError(.shapeMismatch, "a batch of \(graph.shape(x).description)") }
    let axes = [0] + Array(2..<max(2, rank))
    let (mean, variance) = try moments(x, axes, graph)
    let scale = try alongChannels(inputs[0], rank, graph)
    let bias = try alongChannels(inputs[1], rank, graph)
    let y = try scaled(x, mean: mean, variance: variance, epsilon, scale, bias, graph)
    let momentum = Double(try node.float("momentum", default: 0.9))
    func running(_ old: ValueID, _ new: ValueID) throws -> ValueID {
      let flat = try graph.reshapeKeepingOrder(new, [graph.shape(x)[1]])
      return try graph.add(try graph.multiply(old, momentum), try graph.multiply(flat, 1 - momentum))
    }
    return [y, try running(inputs[2], mean), try running(inputs[3], variance)]
  }

  /// The mean and the biased variance over axes that stay.
  static func moments(_ x: ValueID, _ axes: [Int], _ graph: GraphBuilder) throws -> (ValueID, ValueID) {
    let mean = try graph.reduce(.mean, x, axes)
    let difference = try graph.subtract(x, mean)
    return (mean, try graph.reduce(.mean, try graph.multiply(difference, difference), axes))
  }

  private static func layer(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let (x, scale, bias) = (try node.input(0), try node.input(1), try node.optional(2))
    let rank = graph.rank(x)
    let axis = try node.axis(default: -1, rank: rank)
    let epsilon = try node.float("epsilon", default: 1e-5)
    let wantsStatistics = node.isUsed(output: 1) || node.isUsed(output: 2)
    if !wantsStatistics, graph.dtype(x) == .f32, epsilon > 0,
      let fused = try fusedLayer(x, scale, bias, axis, epsilon, graph)
    {
      return [fused]
    }
    let type = graph.dtype(x)
    // Statistics of narrow types are in f32, as the attribute stash_type says; f64 keeps its own.
    let wide: DType = type == .f64 ? .f64 : .f32
    let source = try graph.cast(x, wide)
    let (mean, variance) = try moments(source, Array(axis..<rank), graph)
    let inverse = try graph.unary(
      .reciprocal, try graph.unary(.squareRoot, try graph.add(variance, Double(epsilon))))
    let normal = try graph.cast(try graph.multiply(try graph.subtract(source, mean), inverse), type)
    var result = try graph.multiply(normal, scale)
    if let bias { result = try graph.add(result, bias) }
    return [result, mean, inverse]
  }

  /// The operator for scale and bias over all of the last axes, which are folded into one.
  static func fusedLayer(
    _ x: ValueID, _ scale: ValueID, _ bias: ValueID?, _ axis: Int, _ epsilon: Float, _ graph: GraphBuilder
  ) throws -> ValueID? {
    let dimensions = graph.shape(x).dimensions
    let normalised = Shape(Array(dimensions[axis...]))
    guard let count = normalised.elementCount, count > 0, graph.shape(scale) == normalised,
      bias.map({ graph.shape($0) == normalised }) ?? true
    else { return nil }
    let isFlat = axis == dimensions.count - 1
    let flat =
      isFlat ? x : try graph.reshapeKeepingOrder(x, Array(dimensions[..<axis]) + [.fixed(count)])
    let shift =
      try bias.map { try graph.reshape($0, [count]) } ?? graph.expand(try graph.scalar(0, like: x), [count])
    let op = Op.normalize(Normalize(.layer, epsilon: epsilon))
    let result = try graph.append(op, flat, try graph.reshape(scale, [count]), shift)
    return isFlat ? result : try graph.reshapeKeepingOrder(result, dimensions)
  }

  private static func instance(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let x = try node.input(0)
    let rank = graph.rank(x)
    let (mean, variance) = try moments(x, Array(2..<max(2, rank)), graph)
    let scale = try alongChannels(try node.input(1), rank, graph)
    let bias = try alongChannels(try node.input(2), rank, graph)
    let epsilon = Double(try node.float("epsilon", default: 1e-5))
    return [try scaled(x, mean: mean, variance: variance, epsilon, scale, bias, graph)]
  }

  /// With the statistics of groups of channels; scale and bias belong to groups before version 21, and to channels since.
  private static func group(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let x = try node.input(0)
    let groups = try node.required(try node.int("num_groups"), "num_groups")
    let dimensions = graph.shape(x).dimensions
    guard dimensions.count >= 2, let channels = dimensions[1].extent, groups >= 1, channels % groups == 0
    else {
      throw NNError(.shapeMismatch, "\(groups) groups of the channels of \(graph.shape(x).description)")
    }
    let epsilon = Double(try node.float("epsilon", default: 1e-5))
    let apart = try graph.reshapeKeepingOrder(
      x, [dimensions[0], .fixed(groups), .fixed(channels / groups)] + dimensions[2...])
    let axes = Array(2..<graph.rank(apart))
    let (mean, variance) = try moments(apart, axes, graph)
    let deviation = try graph.unary(.squareRoot, try graph.add(variance, epsilon))
    let normal = try graph.divide(try graph.subtract(apart, mean), deviation)
    if node.version < 21 {
      let scale = try alongChannels(try node.input(1), graph.rank(apart), graph)
      let bias = try alongChannels(try node.input(2), graph.rank(apart), graph)
      return [
        try graph.reshapeKeepingOrder(try graph.add(try graph.multiply(normal, scale), bias), dimensions)
      ]
    }
    let scale = try alongChannels(try node.input(1), dimensions.count, graph)
    let bias = try alongChannels(try node.input(2), dimensions.count, graph)
    let whole = try graph.reshapeKeepingOrder(normal, dimensions)
    return [try graph.add(try graph.multiply(whole, scale), bias)]
  }

  /// x/√(mean of x² + ε)·scale. Zhang and Sennrich 2019.
  private static func rootMeanSquare(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let (x, scale) = (try node.input(0), try node.input(1))
    let rank = graph.rank(x)
    let axis = try node.axis(default: -1, rank: rank)
    let wide: DType = graph.dtype(x) == .f64 ? .f64 : .f32
    let source = try graph.cast(x, wide)
    let mean = try graph.reduce(.mean, try graph.multiply(source, source), Array(axis..<rank))
    let epsilon = Double(try node.float("epsilon", default: 1e-5))
    let inverse = try graph.unary(
      .reciprocal, try graph.unary(.squareRoot, try graph.add(mean, epsilon)))
    let normal = try graph.cast(try graph.multiply(source, inverse), graph.dtype(scale))
    return [try graph.multiply(normal, scale)]
  }

  /// (x − mean)/(√variance + 1e−9).
  private static func meanVariance(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let x = try node.input(0)
    let axes = try OnnxNode.axes(try node.ints("axes") ?? [0, 2, 3], rank: graph.rank(x))
    let (mean, variance) = try moments(x, axes, graph)
    let deviation = try graph.add(try graph.unary(.squareRoot, variance), 1e-9)
    return [try graph.divide(try graph.subtract(x, mean), deviation)]
  }
}
