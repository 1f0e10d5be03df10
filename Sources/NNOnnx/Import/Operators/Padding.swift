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
    let amounts = try graph.cast(try node.input(1), .i64)
    if let axes = try node.optional(3), graph.constant(axes) == nil {
      return [try padded(x, try spread(amounts, axes, rank, graph), Array(0..<rank), mode, value, graph)]
    }
    let axes = try (node.constantInts(3, graph, "axes") ?? Array(0..<rank)).map {
      try OnnxNode.axis($0, rank: rank)
    }
    if let known = graph.constant(amounts)?.integers {
      return [try padded(x, known, axes, mode, value, graph)]
    }
    return [try padded(x, amounts, axes, mode, value, graph)]
  }

  /// Amounts for axes that are values, as amounts for all axes.
  private static func spread(_ amounts: ValueID, _ axes: ValueID, _ rank: Int, _ graph: GraphBuilder) throws
    -> ValueID
  {
    let count = try graph.extent(axes, 0)
    let named = try graph.reshape(try Gathering.wrapped(axes, rank, graph), [1, count])
    let isNamed = try graph.compare(.equal, try graph.positions(rank, axis: 0, rank: 2), named)
    let zero = try graph.scalar(int: 0, .i64)
    let sides = try [0, count].map { start -> ValueID in
      let side = try graph.reshape(try graph.slice(amounts, axis: 0, start, start + count), [1, count])
      return try graph.reduce(.sum, try graph.select(isNamed, side, zero), [1], keeps: false)
    }
    return try graph.concat(sides, axis: 0)
  }

  /// As for known amounts, which are 0 or more where the border is not a constant.
  private static func padded(
    _ x: ValueID, _ amounts: ValueID, _ axes: [Int], _ mode: String, _ value: ValueID, _ graph: GraphBuilder
  ) throws -> ValueID {
    guard mode == "constant" else {
      var result = x
      for (index, axis) in axes.enumerated() {
        func amount(_ place: Int) throws -> ValueID {
          try graph.reshape(try graph.slice(amounts, axis: 0, place, place + 1), [Int]())
        }
        let sources = try sources(
          mode, try graph.extentValue(x, axis), try amount(index), try amount(index + axes.count), graph)
        result = try graph.gather(result, sources, axis: axis)
      }
      return result
    }
    func surrounded(_ tensor: ValueID) throws -> ValueID {
      try graph.append(.dynamic(.pad(axes: axes, value: 0)), tensor, amounts)
    }
    if graph.constant(value)?.doubles == [0] { return try surrounded(x) }
    let inside = try graph.expand(
      try graph.scalar(int: 1, .bool), toShapeIn: try graph.shapeValue(x, 0..<graph.rank(x)))
    return try graph.select(try surrounded(inside), try surrounded(x), value)
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
        let sources = try sources(
          mode, try graph.extentValue(cut, axis), try graph.scalar(int: before[axis], .i64),
          try graph.scalar(int: after[axis], .i64), graph)
        result = try graph.gather(result, sources, axis: axis)
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

  /// The index of the axis that each place of the padded axis repeats.
  private static func sources(
    _ mode: String, _ extent: ValueID, _ before: ValueID, _ after: ValueID, _ graph: GraphBuilder
  ) throws -> ValueID {
    if graph.constant(extent)?.integers == [0] {
      throw NNError(.shapeMismatch, "an empty axis has no edge")
    }
    func whole(_ value: Int) throws -> ValueID { try graph.scalar(int: value, .i64) }
    let first = try graph.subtract(try whole(0), before)
    let places = try graph.append(
      .dynamic(.range), first, try graph.add(extent, after), try whole(1))
    let last = try graph.subtract(extent, try whole(1))
    switch mode {
    case "edge":
      return try graph.binary(
        .minimum, try graph.binary(.maximum, places, try whole(0)), last)
    case "wrap": return try graph.binary(.modulo, places, extent)
    default:
      let period = try graph.binary(.maximum, try graph.add(last, last), try whole(1))
      let phase = try graph.binary(.modulo, places, period)
      return try graph.binary(.minimum, phase, try graph.subtract(period, phase))
    }
  }
}
