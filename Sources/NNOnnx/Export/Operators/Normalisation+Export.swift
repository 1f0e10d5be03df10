import NNGraph

extension Normalisation {
  static func export(_ normalize: Normalize, _ x: [Operand], _ graph: OnnxGraphWriter) -> String {
    let epsilon = OnnxAttributeProto.float("epsilon", normalize.epsilon)
    switch normalize.kind {
    case .batch: return graph.add("BatchNormalization", x.map { $0.name }, [epsilon])[0]
    case .layer: return graph.add("LayerNormalization", x.map { $0.name }, [epsilon, .int("axis", -1)])[0]
    }
  }

  /// By what they stand for, see ``NormalizeTraining/Kind``.
  static func export(_ training: NormalizeTraining, _ x: [Operand], _ graph: OnnxGraphWriter) throws -> String
  {
    let axes = [0] + Array(2..<max(2, x[0].rank))
    func mean(_ value: String, _ axes: [Int]) throws -> String { try graph.reduce(.mean, value, axes) }
    func multiply(_ a: String, _ b: String) -> String { graph.node("Mul", a, b) }
    func subtract(_ a: String, _ b: String) -> String { graph.node("Sub", a, b) }
    func inverse(_ variance: String) throws -> String {
      let sum = graph.node("Add", variance, try graph.scalar(Double(training.epsilon), .f32))
      return graph.node("Reciprocal", graph.node("Sqrt", sum))
    }
    /// One of the two rows of (2, C), beside x.
    func row(_ rows: String, _ index: Int) throws -> String {
      try graph.reshape(
        try graph.slice(rows, axis: 0, index, index + 1),
        [1, -1] + [Int](repeating: 1, count: axes.count - 1))
    }
    /// Two reductions that keep their axes as (2, C).
    func rows(_ a: String, _ b: String) throws -> String {
      let parts = [try graph.reshape(a, [1, -1]), try graph.reshape(b, [1, -1])]
      return graph.add("Concat", parts, [.int("axis", 0)])[0]
    }
    switch training.kind {
    case .channelMoments:
      let average = try mean(x[0].name, axes)
      let difference = subtract(x[0].name, average)
      return try rows(average, try mean(multiply(difference, difference), axes))
    case .channelProducts:
      let difference = subtract(x[0].name, try row(x[2].name, 0))
      return try rows(
        try graph.reduce(.sum, x[1].name, axes),
        try graph.reduce(.sum, multiply(x[1].name, difference), axes))
    case .layerGradient:
      let last = [x[0].rank - 1]
      let difference = subtract(x[0].name, try mean(x[0].name, last))
      let scale = try inverse(try mean(multiply(difference, difference), last))
      let normal = multiply(difference, scale)
      let gradient = multiply(x[2].name, x[1].name)
      let along = multiply(normal, try mean(multiply(gradient, normal), last))
      return multiply(scale, subtract(subtract(gradient, try mean(gradient, last)), along))
    case .batchGradient:
      // x, dy, scale, moments, products
      let scale = try inverse(try row(x[3].name, 1))
      let normal = multiply(subtract(x[0].name, try row(x[3].name, 0)), scale)
      let total = graph.node("Size", x[0].name)
      let count = graph.cast(
        graph.node(
          "Div", total, graph.node("Max", graph.node("Size", x[2].name), try graph.scalar(int: 1, .i64))),
        .f32)
      let average = graph.node("Div", try row(x[4].name, 0), count)
      let along = graph.node("Div", multiply(try row(x[4].name, 1), scale), count)
      let weight = try graph.reshape(
        x[2].name, [1, -1] + [Int](repeating: 1, count: axes.count - 1))
      let gradient = subtract(subtract(x[1].name, average), multiply(normal, along))
      return multiply(multiply(weight, scale), gradient)
    }
  }
}
