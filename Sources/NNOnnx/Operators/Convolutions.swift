import NNGraph

/// Convolutions of one, two and three spatial axes, and their transposes.
enum Convolutions {
  static let operators: [String: Lowering] = ["Conv": convolution, "ConvTranspose": transposed]

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
    let extents = try graph.extents(x)
    let depth = window.outputExtent(0, of: extents[2])
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
        try graph.transpose(planes, [0, 2, 1, 3, 4]),
        [try GraphBuilder.product(extents[0], depth), extents[1], extents[3], extents[4]])
      let kernel = try graph.squeeze(try graph.slice(weight, axis: 2, tap, tap + 1), [2])
      let inputs = [stacked, kernel] + (tap == 0 ? bias.map { [$0] } ?? [] : [])
      let part = try graph.append(.convolution(Convolution(window: plane, groups: groups)), inputs)
      sum = try sum.map { try graph.add($0, part) } ?? part
    }
    guard let sum else { throw NNError(.shapeMismatch, "an empty kernel") }
    let result = try graph.extents(sum)
    let apart = try graph.reshape(sum, [extents[0], depth, result[1], result[2], result[3]])
    return try graph.transpose(apart, [0, 2, 1, 3, 4])
  }

  /// The adjoint of a convolution: each input element spreads its patch over the output.
  private static func transposed(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let (x, weight) = (try node.input(0), try node.input(1))
    let (extents, kernel) = (try graph.extents(x), try graph.extents(weight))
    guard extents.count >= 3, kernel.count == extents.count, kernel[0] == extents[1] else {
      throw NNError(.shapeMismatch, "input and weight do not fit")
    }
    let groups = try node.int("group", default: 1)
    guard groups >= 1, extents[1] % groups == 0 else { throw NNError(.shapeMismatch, "\(groups) groups") }
    let plan = try TransposedWindow(node, kernel: Array(kernel[2...]), Array(extents[2...]))
    var parts: [ValueID] = []
    let perGroup = extents[1] / groups
    for group in 0..<groups {
      let (start, end) = (group * perGroup, (group + 1) * perGroup)
      let input = groups == 1 ? x : try graph.slice(x, axis: 1, start, end)
      let filters = groups == 1 ? weight : try graph.slice(weight, axis: 0, start, end)
      parts.append(try spread(input, filters, plan, graph))
    }
    var result = try graph.concat(parts, axis: 1)
    if let bias = try node.optional(2) {
      result = try graph.add(
        result,
        try graph.reshape(bias, [graph.extent(bias, 0)] + [Int](repeating: 1, count: extents.count - 2)))
    }
    return [result]
  }

  /// x (N, C, …), filters (C, M, k…) → (N, M, …).
  private static func spread(
    _ x: ValueID, _ filters: ValueID, _ plan: TransposedWindow, _ graph: GraphBuilder
  ) throws -> ValueID {
    let (extents, kernel) = (try graph.extents(x), try graph.extents(filters))
    let places = extents[2...].reduce(1, *)
    let taps = kernel[2...].reduce(1, *)
    let columns = try graph.matmul(
      try graph.reshape(filters, [kernel[0], kernel[1] * taps]),
      try graph.reshape(x, [extents[0], extents[1], places]), transposesA: true)
    let count = plan.window.axisCount
    let folded: ValueID
    if let plane = plan.window.asPlane {
      let (height, width) = count == 1 ? (1, plan.output[0]) : (plan.output[0], plan.output[1])
      folded = try graph.append(.fold(plane, height: height, width: width), columns)
    } else {
      folded = try foldVolume(columns, kernel, extents, plan, graph)
    }
    return try graph.reshape(folded, [extents[0], kernel[1]] + plan.output)
  }

  /// Patches (N, M·kD·kH·kW, D·H·W) summed where they overlap: first within the planes, then across them.
  private static func foldVolume(
    _ columns: ValueID, _ kernel: [Int], _ extents: [Int], _ plan: TransposedWindow, _ graph: GraphBuilder
  ) throws -> ValueID {
    guard plan.window.axisCount == 3 else {
      throw NNError(.unsupportedOperator, "\(plan.window.axisCount) spatial axes")
    }
    let (n, m, d) = (extents[0], kernel[1], extents[2])
    let (depthTaps, planeTaps, places) = (kernel[2], kernel[3] * kernel[4], extents[3] * extents[4])
    let window = plan.window
    let plane = Window(
      extent: Array(window.extent[1...]), strides: Array(window.strides[1...]),
      dilations: Array(window.dilations[1...]), paddingBefore: Array(window.before[1...]),
      paddingAfter: Array(window.after[1...]))
    let apart = try graph.reshape(columns, [n, m * depthTaps * planeTaps, d, places])
    let planes = try graph.reshape(
      try graph.transpose(apart, [0, 2, 1, 3]), [n * d, m * depthTaps * planeTaps, places])
    let flat = try graph.append(.fold(plane, height: plan.output[1], width: plan.output[2]), planes)
    let area = try GraphBuilder.product(plan.output[1], plan.output[2])
    let lines = try graph.transpose(try graph.reshape(flat, [n, d, m * depthTaps, area]), [0, 3, 2, 1])
    let line = Window(
      extent: [window.extent[0], 1], strides: [window.strides[0], 1], dilations: [window.dilations[0], 1],
      paddingBefore: [window.before[0], 0], paddingAfter: [window.after[0], 0])
    let folded = try graph.append(
      .fold(line, height: plan.output[0], width: 1),
      try graph.reshape(lines, [try GraphBuilder.product(n, area), m * depthTaps, d]))
    return try graph.transpose(try graph.reshape(folded, [n, area, m, plan.output[0]]), [0, 2, 3, 1])
  }
}

/// The window of a transposed convolution, and the extents of what it gives.
struct TransposedWindow {
  var window: SpatialWindow
  var output: [Int] = []

  init(_ node: OnnxNode, kernel: [Int], _ input: [Int]) throws {
    window = try SpatialWindow(node, kernel: kernel, input.map { .fixed($0) })
    let extra = try node.extents("output_padding") ?? [Int](repeating: 0, count: input.count)
    let wanted = try node.extents("output_shape").map { Array($0.suffix(input.count)) }
    let mode = try node.string("auto_pad", default: "NOTSET")
    guard extra.count == input.count, (wanted ?? input).count == input.count else {
      throw NNError(.shapeMismatch, "attributes for other than \(input.count) axes")
    }
    for axis in input.indices {
      let (whole, overflow) = window.strides[axis].multipliedReportingOverflow(by: max(input[axis] - 1, 0))
      guard !overflow, whole <= 1 << 40, extra[axis] <= 1 << 20 else {
        throw NNError(.limitExceeded, "too large a result")
      }
      let full = whole + extra[axis] + window.reach(axis)
      let isSame = mode.hasPrefix("SAME")
      if isSame || wanted != nil {
        let target = wanted?[axis] ?? input[axis] * window.strides[axis]
        let total = max(0, full - target)
        window.before[axis] = mode == "SAME_UPPER" ? total / 2 : total - total / 2
        window.after[axis] = total - window.before[axis]
      }
      // A wanted extent beyond the last patch is reached by what no patch covers, as output_padding does.
      let extent = wanted?[axis] ?? full - window.before[axis] - window.after[axis]
      guard window.outputExtent(axis, of: extent) == input[axis] else {
        throw NNError(.shapeMismatch, "no convolution makes \(input[axis]) of the wanted \(extent)")
      }
      guard extent > 0, extent <= 1 << 28 else {
        throw NNError(.shapeMismatch, "a result of extent \(extent)")
      }
      output.append(extent)
    }
  }
}
