import NNGraph

/// The adjoint of a convolution, as an ordinary one: Shi et al. 2016, "Is the deconvolution layer the same as a convolutional layer?".
///
/// With stride s the outputs at places s·q + r, for one r, are a convolution of the input with every s-th tap of the kernel. All
/// r are computed together as channels, and put side by side. So extents may be free, and no product with 0 is computed but
/// where the kernel is no multiple of the stride.
enum TransposedConvolutions {
  static let operators: [String: Lowering] = ["ConvTranspose": lower]

  /// x (N, C, …), weight (C, M/groups, k…) → (N, M, …).
  private static func lower(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let (x, weight) = (try node.input(0), try node.input(1))
    let kernel = try graph.extents(weight)
    let channels = try graph.extent(x, 1)
    guard graph.rank(x) >= 3, kernel.count == graph.rank(x), kernel[0] == channels else {
      throw NNError(.shapeMismatch, "input and weight do not fit")
    }
    let groups = try node.int("group", default: 1)
    guard groups >= 1, channels % groups == 0 else { throw NNError(.shapeMismatch, "\(groups) groups") }
    let window = try TransposedWindow(
      node, kernel: Array(kernel[2...]), Array(graph.shape(x).dimensions[2...]))
    let count = window.strides.count
    if groups == 1, let result = try patches(x, weight, window, graph) {
      return [try adding(try node.optional(2), to: result, graph)]
    }
    let steps = window.strides.indices.map { window.taps($0) }
    let plain = SpatialWindow(
      extent: steps, strides: [Int](repeating: 1, count: count), dilations: [Int](repeating: 1, count: count),
      before: steps.map { $0 - 1 }, after: steps.map { $0 - 1 })
    let filters = try filters(weight, window, groups, graph)
    let phases = try Convolutions.convolve(x, filters, nil, plain, groups, graph)
    let result = try fitted(try Blocks.interleaved(phases, window.strides, graph), window, graph)
    return [try adding(try node.optional(2), to: result, graph)]
  }

  private static func adding(_ bias: ValueID?, to x: ValueID, _ graph: GraphBuilder) throws -> ValueID {
    guard let bias else { return x }
    let column = [try graph.extent(bias, 0)] + [Int](repeating: 1, count: graph.rank(x) - 2)
    return try graph.add(x, try graph.reshape(bias, column))
  }

  /// Small images of known extents: each element's patch, summed where patches overlap, which multiplies nothing beyond the image.
  /// Nil for other images.
  private static func patches(
    _ x: ValueID, _ weight: ValueID, _ window: TransposedWindow, _ graph: GraphBuilder
  ) throws -> ValueID? {
    let dimensions = graph.shape(x).dimensions
    let output = window.output.compactMap { $0.extent }
    let places = dimensions[2...].reduce(1) { $0 * min($1.extent ?? largestPatched + 1, largestPatched + 1) }
    guard places <= largestPatched, output.count == window.output.count, let plane = window.asPlane else {
      return nil
    }
    let extents = try graph.extents(weight)
    let taps = try product(Array(extents[2...]))
    let (channels, filters) = (extents[0], extents[1])
    let rows = try product([filters, taps])
    let columns = try graph.matmul(
      try graph.reshape(weight, [channels, rows]),
      try graph.reshape(x, Shape([dimensions[0], .fixed(channels), .fixed(places)])), transposesA: true)
    let result = Shape([dimensions[0], .fixed(filters)] + output.map { .fixed($0) })
    // The patch of one element is the whole result.
    let isWhole = output == Array(extents[2...]) && window.before.allSatisfy { $0 == 0 }
    if places == 1, isWhole, window.dilations.allSatisfy({ $0 == 1 }) {
      return try graph.reshape(columns, result)
    }
    let (height, width) = output.count == 1 ? (1, output[0]) : (output[0], output[1])
    let folded = try graph.append(.fold(plane, height: height, width: width), columns)
    return try graph.reshape(folded, result)
  }

  /// Elements of an image up to which patches are small beside the products that make them.
  private static let largestPatched = 1024

  /// (C, M/groups, k…) → (M·s…, C/groups, ⌈k/s⌉…), taps in the other order.
  private static func filters(
    _ weight: ValueID, _ window: TransposedWindow, _ groups: Int, _ graph: GraphBuilder
  ) throws -> ValueID {
    let extents = try graph.extents(weight)
    let count = window.strides.count
    // One axis more than there may be: group by group.
    if groups > 1, 3 + 2 * count > Shape.maximumRank {
      let size = extents[0] / groups
      let parts = try (0..<min(groups, extents[0])).map { group in
        try filters(
          try graph.slice(weight, axis: 0, group * size, (group + 1) * size), window, 1, graph)
      }
      return try graph.concat(parts, axis: 0)
    }
    var spread = weight
    for axis in 0..<count {
      spread = try dilated(spread, axis + 2, window.dilations[axis], graph)
      var pad = Pad(
        before: [Int](repeating: 0, count: count + 2), after: [Int](repeating: 0, count: count + 2))
      pad.after[axis + 2] = window.taps(axis) * window.strides[axis] - window.reach(axis)
      if pad.after[axis + 2] > 0 { spread = try graph.append(.pad(pad), spread) }
    }
    // (groups, C/groups, M/groups, taps, s, …)
    let apart = (0..<count).flatMap { [window.taps($0), window.strides[$0]] }
    let perGroup = extents[0] / groups
    let lead = groups > 1 ? [groups, perGroup, extents[1]] : [perGroup, extents[1]]
    let split = try graph.reshape(spread, lead + apart)
    let first = lead.count
    let (taps, places) = ((0..<count).map { first + 2 * $0 }, (0..<count).map { first + 2 * $0 + 1 })
    let order = (groups > 1 ? [0] : []) + [first - 1] + places + [first - 2] + taps
    let rows = try product([groups, extents[1]] + window.strides)
    let steps = (0..<count).map { window.taps($0) }
    let flat = try graph.reshape(try graph.transpose(split, order), [rows, perGroup] + steps)
    let backwards = SliceRange(start: -1, end: Int.min, step: -1)
    if steps.allSatisfy({ $0 == 1 }) { return flat }
    return try graph.append(.slice([.all, .all] + steps.map { $0 == 1 ? .all : backwards }), flat)
  }

  /// Zeros between the elements of one axis.
  private static func dilated(_ x: ValueID, _ axis: Int, _ dilation: Int, _ graph: GraphBuilder) throws
    -> ValueID
  {
    let extents = try graph.extents(x)
    guard dilation > 1, extents[axis] > 1 else { return x }
    let column = try graph.unsqueeze(x, [axis + 1])
    var pad = Pad(
      before: [Int](repeating: 0, count: extents.count + 1),
      after: [Int](repeating: 0, count: extents.count + 1))
    pad.after[axis + 1] = dilation - 1
    var wide = extents
    wide[axis] = try GraphBuilder.product(extents[axis], dilation)
    let line = try graph.reshape(try graph.append(.pad(pad), column), wide)
    return try graph.slice(line, axis: axis, 0, (extents[axis] - 1) * dilation + 1)
  }

  /// The part of the full result that is wanted, and zeros where more is wanted.
  private static func fitted(_ x: ValueID, _ window: TransposedWindow, _ graph: GraphBuilder) throws
    -> ValueID
  {
    var ranges = [SliceRange](repeating: .all, count: graph.rank(x))
    var pad = Pad(
      before: [Int](repeating: 0, count: graph.rank(x)), after: [Int](repeating: 0, count: graph.rank(x)))
    for axis in window.strides.indices {
      let surplus = window.taps(axis) * window.strides[axis] - window.reach(axis) - window.growth[axis]
      ranges[axis + 2] = SliceRange(start: window.before[axis], end: surplus > 0 ? -surplus : Int.max)
      pad.after[axis + 2] = max(-surplus, 0)
    }
    var result = x
    if ranges.contains(where: { $0 != .all }) { result = try graph.append(.slice(ranges), result) }
    if pad.after.contains(where: { $0 > 0 }) { result = try graph.append(.pad(pad), result) }
    return result
  }

  private static func product(_ extents: [Int]) throws -> Int {
    guard let product = Shape(extents).elementCount else {
      throw NNError(.limitExceeded, "a tensor of shape \(Shape(extents).description)")
    }
    return product
  }
}

/// The window of a transposed convolution, and what it gives.
struct TransposedWindow {
  let strides: [Int]
  let dilations: [Int]
  /// Cut away before the full result of an axis.
  private(set) var before: [Int]
  /// How much longer than the full result, less what is cut away before, an axis ends; negative where it ends earlier.
  private(set) var growth: [Int]
  /// The extents of the result, as far as those of the input are known.
  private(set) var output: [Dimension] = []
  private let window: SpatialWindow

  /// As the window of the convolution whose adjoint this is; nil for other than one or two axes.
  var asPlane: Window? {
    var convolution = window
    convolution.before = before
    convolution.after = growth.map { max(0, -$0) }
    return convolution.asPlane
  }

  /// From the first tap of a window to its last one.
  func reach(_ axis: Int) -> Int { window.reach(axis) }

  /// Taps that meet outputs of one remainder.
  func taps(_ axis: Int) -> Int { (reach(axis) + strides[axis] - 1) / strides[axis] }

  init(_ node: OnnxNode, kernel: [Int], _ input: [Dimension]) throws {
    window = try SpatialWindow(node, kernel: kernel, isTransposed: true, input)
    (strides, dilations, before) = (window.strides, window.dilations, window.before)
    let extra = try node.extents("output_padding") ?? [Int](repeating: 0, count: input.count)
    let wanted = try node.extents("output_shape").map { Array($0.suffix(input.count)) }
    let mode = try node.string("auto_pad", default: "NOTSET")
    guard extra.count == input.count, (wanted?.count ?? input.count) == input.count else {
      throw NNError(.shapeMismatch, "attributes for other than \(input.count) axes")
    }
    growth = extra
    for axis in input.indices {
      guard extra[axis] <= 1 << 20 else { throw NNError(.limitExceeded, "output_padding of \(extra[axis])") }
      let full = try input[axis].extent.map { try fullExtent(axis, of: $0) }
      var total = window.before[axis] + window.after[axis]
      if let wanted {
        guard let full else {
          throw NNError(
            .unsupportedOperator, "output_shape over an axis of free extent; fix it with --input-shape")
        }
        growth[axis] = wanted[axis] - full
        total = max(0, full + extra[axis] - wanted[axis])
      } else if mode.hasPrefix("SAME") {
        total = max(0, reach(axis) + extra[axis] - strides[axis])
        growth[axis] -= total
      } else {
        growth[axis] -= total
      }
      if wanted != nil || mode.hasPrefix("SAME") {
        before[axis] = mode == "SAME_UPPER" ? total / 2 : total - total / 2
      }
      growth[axis] += before[axis]
      output.append(try extent(axis, full, input[axis]))
    }
  }

  /// The full result of an axis, nothing cut away.
  private func fullExtent(_ axis: Int, of input: Int) throws -> Int {
    let (whole, overflow) = strides[axis].multipliedReportingOverflow(by: max(input - 1, 0))
    guard !overflow, whole <= 1 << 40 else { throw NNError(.limitExceeded, "too large a result") }
    return whole + reach(axis)
  }

  private func extent(_ axis: Int, _ full: Int?, _ input: Dimension) throws -> Dimension {
    guard let full, let input = input.extent else { return .unknown }
    let extent = full - before[axis] + growth[axis]
    var convolution = window
    convolution.before[axis] = before[axis]
    convolution.after[axis] = max(0, -growth[axis])
    guard convolution.outputExtent(axis, of: extent) == input else {
      throw NNError(.shapeMismatch, "no convolution makes \(input) of the wanted \(extent)")
    }
    guard extent > 0, extent <= 1 << 28 else { throw NNError(.shapeMismatch, "a result of extent \(extent)") }
    return .fixed(extent)
  }
}
