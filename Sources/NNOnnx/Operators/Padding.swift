import NNGraph

/// Borders around tensors.
enum Padding {
  static let operators: [String: Lowering] = ["Pad": pad]

  private static func pad(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let x = try node.input(0)
    let rank = graph.rank(x)
    let mode = try node.string("mode", default: "constant")
    if node.version < 11 {
      let amounts = try node.required(try node.ints("pads") ?? node.ints("paddings"), "pads")
      let value = try graph.scalar(Double(try node.float("value", default: 0)), like: x)
      return [try padded(x, amounts, Array(0..<rank), mode, value, graph)]
    }
    let value =
      try node.optional(2).map { try graph.reshape($0, [Int]()) } ?? graph.scalar(int: 0, graph.dtype(x))
    let axes = try (node.constantInts(3, graph, "axes") ?? Array(0..<rank)).map {
      try OnnxNode.axis($0, rank: rank)
    }
    let amounts = try node.input(1)
    if let known = graph.constant(amounts)?.integers {
      return [try padded(x, known, axes, mode, value, graph)]
    }
    guard mode == "constant" else { throw node.notConstant("pads") }
    func surrounded(_ tensor: ValueID) throws -> ValueID {
      try graph.append(.dynamic(.pad(axes: axes, value: 0)), tensor, amounts)
    }
    if graph.constant(value)?.doubles == [0] { return [try surrounded(x)] }
    let inside = try graph.expand(
      try graph.scalar(int: 1, .bool), toShapeIn: try graph.shapeValue(x, 0..<rank))
    return [try graph.select(try surrounded(inside), try surrounded(x), value)]
  }

  private static func padded(
    _ x: ValueID, _ amounts: [Int], _ axes: [Int], _ mode: String, _ value: ValueID, _ graph: GraphBuilder
  ) throws -> ValueID {
    guard amounts.count == 2 * axes.count else {
      throw NNError(.shapeMismatch, "\(amounts.count) amounts of padding for \(axes.count) axes")
    }
    var before = [Int](repeating: 0, count: graph.rank(x))
    var after = before
    var cut = x
    for (index, axis) in axes.enumerated() {
      let (first, last) = (amounts[index], amounts[index + axes.count])
      guard max(first.magnitude, last.magnitude) <= 1 << 40 else {
        throw NNError(.limitExceeded, "padding by \(first) and \(last)")
      }
      (before[axis], after[axis]) = (max(first, 0), max(last, 0))
      if first < 0 || last < 0 {
        cut = try graph.slice(cut, axis: axis, max(-first, 0), last < 0 ? last : Int.max)
      }
    }
    switch mode {
    case "constant": return try constant(cut, Pad(before: before, after: after), value, graph)
    case "edge", "reflect", "wrap":
      var result = cut
      for axis in axes where before[axis] + after[axis] > 0 {
        let sources = try sources(mode, try graph.extent(cut, axis), before[axis], after[axis])
        result = try graph.gather(result, try graph.ints(sources), axis: axis)
      }
      return result == x ? try graph.unary(.identity, x) : result
    default: throw NNError(.invalidGraph, Message(text: "padding of mode \"\(mode)\""))
    }
  }

  private static func constant(_ x: ValueID, _ pad: Pad, _ value: ValueID, _ graph: GraphBuilder) throws
    -> ValueID
  {
    guard let known = graph.constant(value)?.doubles?.first, known.isNaN || Double(Float(known)) == known
    else {
      return try graph.append(.pad(pad), x, value)
    }
    var pad = pad
    pad.value = Float(known)
    return try graph.append(.pad(pad), x)
  }

  /// The index of the axis that each padded place repeats.
  private static func sources(_ mode: String, _ extent: Int, _ before: Int, _ after: Int) throws -> [Int] {
    guard extent > 0 || before + after == 0 else {
      throw NNError(.shapeMismatch, "an empty axis has no edge")
    }
    guard before + extent + after <= 1 << 24 else {
      throw NNError(.limitExceeded, "padding by \(before) and \(after)")
    }
    return (-before..<(extent + after)).map { place in
      switch mode {
      case "edge": return min(max(place, 0), extent - 1)
      case "wrap": return ((place % extent) + extent) % extent
      default:
        guard extent > 1 else { return 0 }
        let period = 2 * (extent - 1)
        let phase = ((place % period) + period) % period
        return phase < extent ? phase : period - phase
      }
    }
  }
}
