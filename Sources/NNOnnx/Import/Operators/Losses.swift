import NNGraph

/// Losses of classifications.
enum Losses {
  static let operators: [String: Lowering] = [
    "NegativeLogLikelihoodLoss": { node, graph in [try loss(of: try node.input(0), node, graph)] },
    "SoftmaxCrossEntropyLoss": { node, graph in
      let logarithms = try Reductions.softmax(.logSoftmax, try node.input(0), 1, graph)
      return [try loss(of: logarithms, node, graph), logarithms]
    },
  ]

  /// logarithms (N, C, …), target (N, …), weight (C)? → −weight·logarithm at the target, reduced.
  private static func loss(of logarithms: ValueID, _ node: OnnxNode, _ graph: GraphBuilder) throws -> ValueID
  {
    let rank = graph.rank(logarithms)
    guard rank >= 2 else { throw NNError(.shapeMismatch, "scores must be (N, C, …)") }
    let target = try graph.cast(try node.input(1), .i64)
    let classes = try graph.extent(logarithms, 1)
    let positions = try graph.positions(classes, axis: 1, rank: rank)
    let isTarget = try graph.compare(.equal, try graph.unsqueeze(target, [1]), positions)
    let zero = try graph.scalar(0, like: logarithms)
    let chosen = try graph.reduce(.sum, try graph.select(isTarget, logarithms, zero), [1], keeps: false)
    var weight: ValueID?
    if let given = try node.optional(2) {
      let extents = [1, classes] + [Int](repeating: 1, count: rank - 2)
      let spread = try graph.select(isTarget, try graph.reshape(given, extents), zero)
      weight = try graph.reduce(.sum, spread, [1], keeps: false)
    }
    if let ignored = try node.int("ignore_index") {
      let isIgnored = try graph.compare(.equal, target, try graph.scalar(int: ignored, .i64))
      let kept = try weight ?? graph.scalar(1, like: logarithms)
      weight = try graph.select(isIgnored, zero, kept)
    }
    var loss = try graph.unary(.negate, chosen)
    if let weight { loss = try graph.multiply(loss, weight) }
    return try reduced(loss, weight, node, graph)
  }

  private static func reduced(
    _ loss: ValueID, _ weight: ValueID?, _ node: OnnxNode, _ graph: GraphBuilder
  ) throws -> ValueID {
    let axes = Array(0..<graph.rank(loss))
    switch try node.string("reduction", default: "mean") {
    case "none": return loss
    case "sum": return try graph.reduce(.sum, loss, axes, keeps: false)
    case "mean":
      guard let weight else { return try graph.reduce(.mean, loss, axes, keeps: false) }
      let sum = try graph.reduce(.sum, loss, axes, keeps: false)
      let spread = try graph.expand(weight, graph.shape(loss))
      return try graph.divide(sum, try graph.reduce(.sum, spread, axes, keeps: false))
    case let mode: throw NNError(.invalidGraph, Message(text: "reduction \"\(mode)\""))
    }
  }
}
