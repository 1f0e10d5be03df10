import NNGraph

/// Sums and products of everything up to each element.
enum Scanning {
  static let operators: [String: Lowering] = [
    "CumSum": { node, graph in [try cumulative(.add, neutral: 0, node, graph)] },
    "CumProd": { node, graph in [try cumulative(.multiply, neutral: 1, node, graph)] },
  ]

  private static func cumulative(
    _ function: BinaryFunction, neutral: Float, _ node: OnnxNode, _ graph: GraphBuilder
  ) throws -> ValueID {
    let x = try node.input(0)
    let isReversed = try node.flag("reverse")
    let isExclusive = try node.flag("exclusive")
    func along(_ axis: Int) throws -> ValueID {
      try scan(function, neutral, x, axis, isReversed: isReversed, isExclusive: isExclusive, graph)
    }
    switch try graph.axes(try node.input(1), rank: graph.rank(x)) {
    case .known(let axes):
      guard let axis = axes.first, axes.count == 1 else {
        throw NNError(.shapeMismatch, "axis must be one number")
      }
      return try along(axis)
    case .value(let flags, _):
      // Along every axis, and the right one is chosen.
      var result = x
      for axis in 0..<graph.rank(x) {
        let isThis = try graph.reshape(try graph.slice(flags, axis: 0, axis, axis + 1), [Int]())
        result = try graph.select(isThis, try along(axis), result)
      }
      return result
    }
  }

  /// By doubling: after step k every element holds what 2ᵏ elements up to it fold to. Hillis and Steele 1986.
  private static func scan(
    _ function: BinaryFunction, _ neutral: Float, _ x: ValueID, _ axis: Int, isReversed: Bool,
    isExclusive: Bool,
    _ graph: GraphBuilder
  ) throws -> ValueID {
    guard let count = graph.shape(x)[axis].extent else {
      return try masked(function, neutral, x, axis, isReversed: isReversed, isExclusive: isExclusive, graph)
    }
    /// Every element at its place plus `distance`, with the neutral one where nothing comes.
    func shifted(_ value: ValueID, _ distance: Int) throws -> ValueID {
      var pad = Pad(
        before: [Int](repeating: 0, count: graph.rank(x)), after: [Int](repeating: 0, count: graph.rank(x)),
        value: neutral)
      let kept: ValueID
      if isReversed {
        pad.after[axis] = min(distance, count)
        kept = try graph.slice(value, axis: axis, distance, count)
      } else {
        pad.before[axis] = min(distance, count)
        kept = try graph.slice(value, axis: axis, 0, max(count - distance, 0))
      }
      return try graph.append(.pad(pad), kept)
    }
    var result = isExclusive ? try shifted(x, 1) : x
    var distance = 1
    while distance < count {
      result = try graph.binary(function, try shifted(result, distance), result)
      distance *= 2
    }
    return result == x ? try graph.unary(.identity, x) : result
  }

  /// Along an axis whose extent is free: every element folds all of them, with the neutral one in place of those after it.
  private static func masked(
    _ function: BinaryFunction, _ neutral: Float, _ x: ValueID, _ axis: Int, isReversed: Bool,
    isExclusive: Bool, _ graph: GraphBuilder
  ) throws -> ValueID {
    let from = try graph.places(of: x, axis: axis, rank: graph.rank(x) + 1)
    let to = try graph.places(of: x, axis: axis, rank: graph.rank(x))
    let relation: CompareFunction =
      isReversed ? isExclusive ? .greater : .greaterOrEqual : isExclusive ? .less : .lessOrEqual
    let parts = try graph.select(
      try graph.compare(relation, from, to), try graph.unsqueeze(x, [axis + 1]),
      try graph.scalar(Double(neutral), like: x))
    return try graph.reduce(function == .add ? .sum : .product, parts, [axis], keeps: false)
  }
}
