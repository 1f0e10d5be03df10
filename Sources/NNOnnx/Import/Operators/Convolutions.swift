import NNGraph

/// Convolutions of one, two and three spatial axes.
enum Convolutions {
  static let operators: [String: Lowering] = ["Conv": convolution]

  private static func convolution(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let (x, weight) = (try node.input(0), try node.input(1))
    let groups = try node.int("group", default: 1)
    return [try convolve(x, weight, try node.optional(2), node, groups, graph)]
  }

  static func convolve(
    _ x: ValueID, _ weight: ValueID, _ bias: ValueID?, _ node: OnnxNode, _ groups: Int, _ graph: GraphBuilder
  ) throws -> ValueID {
    guard graph.rank(x) >= 3, graph.rank(weight) == graph.rank(x) else {
      throw NNError(
        .shapeMismatch,
        "input \(graph.shape(x).description) and weight \(graph.shape(weight).description) do not fit")
    }
    let kernel = try (2..<graph.rank(weight)).map { try graph.extent(weight, $0) }
    let window = try SpatialWindow(node, kernel: kernel, Array(graph.shape(x).dimensions[2...]))
    return try convolve(x, weight, bias, window, groups, graph)
  }

  /// The convolution of a window that has the extents of the weight's kernel.
  static func convolve(
    _ x: ValueID, _ weight: ValueID, _ bias: ValueID?, _ window: SpatialWindow, _ groups: Int,
    _ graph: GraphBuilder
  ) throws -> ValueID {
    let extra = bias.map { [$0] } ?? []
    if let plane = window.asPlane {
      let op = Op.convolution(Convolution(window: plane, groups: groups))
      guard window.axisCount == 1 else { return try graph.append(op, [x, weight] + extra) }
      let inputs = [try graph.unsqueeze(x, [2]), try graph.unsqueeze(weight, [2])] + extra
      return try graph.squeeze(try graph.append(op, inputs), [2])
    }
    guard window.axisCount == 3 else {
      throw NNError(.unsupportedOperator, "\(window.axisCount) spatial axes")
    }
    return try convolveVolume(x, weight, bias, window, groups, graph)
  }

  /// For each plane of the kernel, a convolution of the planes of x that it meets; together they are the volume's.
  private static func convolveVolume(
    _ x: ValueID, _ weight: ValueID, _ bias: ValueID?, _ window: SpatialWindow, _ groups: Int,
    _ graph: GraphBuilder
  ) throws -> ValueID {
    var pad = Pad(before: [0, 0, 0, 0, 0], after: [0, 0, 0, 0, 0])
    (pad.before[2], pad.after[2]) = (window.before[0], window.after[0])
    let deep = try graph.append(.pad(pad), x)
    let dimensions = graph.shape(x).dimensions
    let depth = window.outputExtent(0, of: try graph.extent(x, 2))
    let batch =
      try dimensions[0].extent.map { Dimension.fixed(try GraphBuilder.product($0, depth)) } ?? .unknown
    let plane = Window(
      extent: Array(window.extent[1...]), strides: Array(window.strides[1...]),
      dilations: Array(window.dilations[1...]), paddingBefore: Array(window.before[1...]),
      paddingAfter: Array(window.after[1...]))
    var sum: ValueID?
    for tap in 0..<window.extent[0] {
      let start = tap * window.dilations[0]
      let planes = try graph.slice(
        deep, axis: 2, start, start + (depth - 1) * window.strides[0] + 1, step: window.strides[0])
      let stacked = try graph.reshape(
        try graph.transpose(planes, [0, 2, 1, 3, 4]), [batch, dimensions[1], dimensions[3], dimensions[4]],
        extentsOf: [(0, depth), (2, 1), (3, 1), (4, 1)])
      let kernel = try graph.squeeze(try graph.slice(weight, axis: 2, tap, tap + 1), [2])
      let inputs = [stacked, kernel] + (tap == 0 ? bias.map { [$0] } ?? [] : [])
      let part = try graph.append(.convolution(Convolution(window: plane, groups: groups)), inputs)
      sum = try sum.map { try graph.add($0, part) } ?? part
    }
    guard let sum else { throw NNError(.shapeMismatch, "an empty kernel") }
    let result = graph.shape(sum)
    let apart = try graph.reshape(
      sum, [dimensions[0], .fixed(depth), result[1], result[2], result[3]],
      extentsOf: [(nil, dimensions[0].extent ?? -1), (nil, depth), (1, 1), (2, 1), (3, 1)])
    return try graph.transpose(apart, [0, 2, 1, 3, 4])
  }
}
