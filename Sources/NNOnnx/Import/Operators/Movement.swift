import NNGraph

/// Elements in other places, and other shapes of the same elements.
enum Movement {
  static let operators: [String: Lowering] = [
    "Reshape": reshape, "Flatten": flatten, "Squeeze": squeeze, "Unsqueeze": unsqueeze,
    "Transpose": transpose,
    "Concat": concat, "Split": split, "Slice": slice, "Expand": expand, "Tile": tile,
    "Trilu": trilu,
    "ReverseSequence": reverseSequence,
    "CenterCropPad": centerCropPad,
  ]

  /// 0 keeps an extent, unless `allowzero`; −1 follows from the others.
  private static func reshape(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let x = try node.input(0)
    let allowsZero = try node.flag("allowzero")
    let target: [Int]
    if node.version < 5 {
      target = try node.required(try node.ints("shape"), "shape")
    } else {
      let shape = try node.input(1)
      guard let known = graph.constant(shape) else {
        if let target = graph.reshapeTarget(x, shape, allowsZero: allowsZero) {
          return [try graph.append(.reshape(target), x)]
        }
        return [try graph.append(.dynamic(.reshape(allowsZero: allowsZero)), x, shape)]
      }
      guard let values = known.integers else { throw NNError(.dtypeMismatch, "shape must be i64") }
      target = values
    }
    var dimensions: [Dimension] = []
    for (axis, value) in target.enumerated() {
      if value == 0, !allowsZero {
        guard axis < graph.rank(x) else {
          throw NNError(.shapeMismatch, "keeps axis \(axis) of a tensor of rank \(graph.rank(x))")
        }
        dimensions.append(graph.shape(x)[axis])
      } else {
        guard value >= -1 else { throw NNError(.shapeMismatch, "an extent of \(value)") }
        dimensions.append(value == -1 ? .unknown : .fixed(value))
      }
    }
    if dimensions.count(where: { $0 == .unknown }) > 1, target.count(where: { $0 == -1 }) <= 1 {
      let shape = try graph.ints(target)
      return [try graph.append(.dynamic(.reshape(allowsZero: allowsZero)), x, shape)]
    }
    return [try graph.append(.reshape(Shape(dimensions)), x)]
  }

  private static func flatten(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let x = try node.input(0)
    let axis = try node.int("axis", default: 1)
    guard axis >= -graph.rank(x), axis <= graph.rank(x) else {
      throw NNError(.shapeMismatch, "axis \(axis) of a tensor of rank \(graph.rank(x))")
    }
    return [try flattened(x, axis: axis < 0 ? axis + graph.rank(x) : axis, graph)]
  }

  /// x as a matrix whose rows are the axes before the given one.
  static func flattened(_ x: ValueID, axis: Int, _ graph: GraphBuilder) throws -> ValueID {
    let dimensions = graph.shape(x).dimensions
    if let rows = Shape(Array(dimensions[..<axis])).elementCount,
      let columns = Shape(Array(dimensions[axis...])).elementCount
    {
      return try graph.reshape(x, [rows, columns])
    }
    if axis == 1, dimensions[0] != .unknown {
      return try graph.reshape(x, Shape([dimensions[0], .unknown]))
    }
    if let columns = Shape(Array(dimensions[axis...])).elementCount {
      return try graph.reshape(x, Shape([.unknown, .fixed(columns)]))
    }
    guard let rows = Shape(Array(dimensions[..<axis])).elementCount else {
      var count = try graph.scalar(int: 1, .i64)
      for before in 0..<axis { count = try graph.multiply(count, try graph.extentValue(x, before)) }
      let shape = try graph.concat([try graph.reshape(count, [1]), try graph.ints([-1])], axis: 0)
      return try graph.reshape(x, toShapeIn: shape)
    }
    return try graph.reshape(x, Shape([.fixed(rows), .unknown]))
  }

  private static func axes(_ node: OnnxNode, rank: Int, _ graph: GraphBuilder) throws -> GraphBuilder.Axes? {
    if node.version >= 13 { return try node.optional(1).map { try graph.axes($0, rank: rank) } }
    return try node.ints("axes").map { .known(try OnnxNode.axes($0, rank: rank)) }
  }

  private static func squeeze(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let x = try node.input(0)
    switch try axes(node, rank: graph.rank(x), graph) {
    case .known(let axes): return [try graph.squeeze(x, axes)]
    case .value(let flags, let count): return [try graph.squeeze(x, flags: flags, count: count)]
    case nil:
      let extents = try graph.extents(x)
      return [try graph.squeeze(x, extents.indices.filter { extents[$0] == 1 })]
    }
  }

  private static func unsqueeze(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let x = try node.input(0)
    var count = try node.ints("axes")?.count ?? 0
    if node.version >= 13 { count = Shape(graph.shape(try node.input(1)).dimensions).elementCount ?? 0 }
    guard count <= Shape.maximumRank else { throw NNError(.limitExceeded, "\(count) axes put in") }
    switch try node.required(try axes(node, rank: graph.rank(x) + count, graph), "axes") {
    case .known(let axes): return [try graph.unsqueeze(x, axes)]
    case .value(let flags, let count): return [try graph.unsqueeze(x, flags: flags, count: count)]
    }
  }

  private static func transpose(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let x = try node.input(0)
    let permutation = try node.ints("perm") ?? Array((0..<graph.rank(x)).reversed())
    return [try graph.append(.transpose(permutation), x)]
  }

  private static func concat(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let inputs = try node.allInputs()
    guard let first = inputs.first else { throw NNError(.invalidGraph, "has no inputs") }
    let axis = try node.axis(default: node.version < 4 ? 1 : nil, rank: graph.rank(first))
    return [try graph.append(.concat(axis: axis), inputs)]
  }

  private static func split(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let x = try node.input(0)
    let axis = try node.axis(default: 0, rank: graph.rank(x))
    if node.version >= 13, let sizes = try node.optional(1), graph.constant(sizes) == nil {
      return try pieces(x, axis, sizes: sizes, graph)
    }
    let sizes = node.version >= 13 ? try node.constantInts(1, graph, "split") : try node.ints("split")
    if sizes == nil, graph.shape(x)[axis].extent == nil {
      return try pieces(x, axis, count: try node.int("num_outputs", default: node.outputCount), graph)
    }
    let parts =
      try sizes
      ?? equalParts(
        try graph.extent(x, axis), try node.int("num_outputs", default: node.outputCount))
    return try pieces(x, axis, parts, graph)
  }

  static func equalParts(_ extent: Int, _ count: Int) throws -> [Int] {
    guard count >= 1, count <= 1 << 16 else { throw NNError(.invalidGraph, "a split into \(count) parts") }
    let size = extent / count + (extent % count == 0 ? 0 : 1)
    return (0..<count).map { max(0, min(size, extent - $0 * size)) }
  }

  static func pieces(_ x: ValueID, _ axis: Int, _ sizes: [Int], _ graph: GraphBuilder) throws -> [ValueID] {
    var start = 0
    var pieces: [ValueID] = []
    for size in sizes {
      let (end, overflow) = start.addingReportingOverflow(size)
      guard size >= 0, !overflow else { throw NNError(.shapeMismatch, "a part of \(size) elements") }
      pieces.append(try graph.slice(x, axis: axis, start, end))
      start = end
    }
    if let extent = graph.shape(x)[axis].extent, extent != start {
      throw NNError(.shapeMismatch, "parts of \(start) elements together for an axis of \(extent)")
    }
    return pieces
  }

  /// Pieces of the same size, but for the last, of an axis whose extent is free.
  private static func pieces(_ x: ValueID, _ axis: Int, count: Int, _ graph: GraphBuilder) throws -> [ValueID]
  {
    guard count >= 1, count <= 1 << 16 else { throw NNError(.invalidGraph, "a split into \(count) parts") }
    let extent = try graph.shapeValue(x, axis..<axis + 1)
    let size = try graph.divide(try graph.add(extent, try graph.ints([count - 1])), try graph.ints([count]))
    return try (0..<count).map { index in
      let start = try graph.multiply(size, try graph.ints([index]))
      return try graph.slice(x, [axis], start, try graph.add(start, size))
    }
  }

  /// Pieces whose sizes are values.
  private static func pieces(_ x: ValueID, _ axis: Int, sizes: ValueID, _ graph: GraphBuilder) throws
    -> [ValueID]
  {
    var start = try graph.ints([0])
    let one = try graph.ints([1])
    let count = try graph.extent(sizes, 0)
    guard count <= 1 << 16 else { throw NNError(.limitExceeded, "a split into \(count) parts") }
    return try (0..<count).map { index in
      let end = try graph.add(start, try graph.slice(sizes, axis: 0, index, index + 1))
      let piece = try graph.append(.dynamic(.slice(axes: [axis])), x, start, end, one)
      start = end
      return piece
    }
  }

  private static func expand(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    [try graph.expand(try node.input(0), toShapeIn: try node.input(1))]
  }

  private static func slice(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let x = try node.input(0)
    let rank = graph.rank(x)
    if node.version < 10 {
      let starts = try node.required(try node.ints("starts"), "starts")
      let ends = try node.required(try node.ints("ends"), "ends")
      let axes = try node.ints("axes") ?? Array(starts.indices)
      return [try sliced(x, starts, ends, try axes.map { try OnnxNode.axis($0, rank: rank) }, nil, graph)]
    }
    let (starts, ends) = (try node.input(1), try node.input(2))
    let count = try graph.extent(starts, 0)
    if let axes = try node.optional(3), graph.constant(axes) == nil {
      return [try sliced(x, starts, ends, axes: axes, try node.optional(4), count, graph)]
    }
    let axes = try (node.constantInts(3, graph, "axes") ?? Array(0..<min(count, rank)))
      .map { try OnnxNode.axis($0, rank: rank) }
    let steps = try node.optional(4)
    if let first = graph.constant(starts)?.integers, let last = graph.constant(ends)?.integers,
      steps.map({ graph.constant($0) != nil }) ?? true
    {
      return [try sliced(x, first, last, axes, try node.constantInts(4, graph, "steps"), graph)]
    }
    let ones = try steps ?? graph.ints([Int](repeating: 1, count: axes.count))
    let bounds = try [starts, ends, ones].map { try graph.cast($0, .i64) }
    return [try graph.append(.dynamic(.slice(axes: axes)), [x] + bounds)]
  }

  /// A slice of axes that are values: every axis gets bounds, those that are not named what takes all of it.
  private static func sliced(
    _ x: ValueID, _ starts: ValueID, _ ends: ValueID, axes: ValueID, _ steps: ValueID?, _ count: Int,
    _ graph: GraphBuilder
  ) throws -> ValueID {
    let rank = graph.rank(x)
    let named = try Gathering.wrapped(axes, rank, graph)
    var bounds = [
      try graph.ints([Int](repeating: 0, count: rank)), try graph.shapeValue(x, 0..<rank),
      try graph.ints([Int](repeating: 1, count: rank)),
    ]
    for index in 0..<count {
      func element(_ vector: ValueID) throws -> ValueID { try graph.slice(vector, axis: 0, index, index + 1) }
      let isNamed = try graph.compare(
        .equal, try graph.positions(rank, axis: 0, rank: 1), try element(named))
      for (position, given) in [starts, ends, steps].enumerated() {
        guard let given else { continue }
        bounds[position] = try graph.select(
          isNamed, try graph.cast(try element(given), .i64), bounds[position])
      }
    }
    return try graph.append(.dynamic(.slice(axes: Array(0..<rank))), [x] + bounds)
  }

  private static func sliced(
    _ x: ValueID, _ starts: [Int], _ ends: [Int], _ axes: [Int], _ steps: [Int]?, _ graph: GraphBuilder
  ) throws -> ValueID {
    guard starts.count == axes.count, ends.count == axes.count, (steps?.count ?? axes.count) == axes.count
    else {
      throw NNError(.shapeMismatch, "starts, ends, axes and steps are not of one length")
    }
    var ranges = [SliceRange](repeating: .all, count: graph.rank(x))
    for (index, axis) in axes.enumerated() {
      guard ranges.indices.contains(axis) else { throw NNError(.shapeMismatch, "a slice of axis \(axis)") }
      ranges[axis] = SliceRange(start: starts[index], end: ends[index], step: steps?[index] ?? 1)
    }
    return try graph.append(.slice(ranges), x)
  }

  /// x with every axis repeated as a whole: each axis stands beside a new one that is expanded, and is joined with it.
  private static func tile(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let x = try node.input(0)
    guard let repeats = graph.constant(try node.input(1))?.integers else {
      return [try tiled(x, try graph.cast(try node.input(1), .i64), graph)]
    }
    guard repeats.count == graph.rank(x) else {
      throw NNError(.shapeMismatch, "\(repeats.count) repeats for a tensor of rank \(graph.rank(x))")
    }
    var result = x
    for (axis, count) in repeats.enumerated() where count != 1 {
      guard count >= 0, count <= 1 << 24 else { throw NNError(.limitExceeded, "\(count) repeats") }
      if count <= 16, count > 0 {
        result = try graph.concat([ValueID](repeating: result, count: count), axis: axis)
        continue
      }
      var dimensions = graph.shape(result).dimensions
      let merged = dimensions
      dimensions.insert(.fixed(1), at: axis)
      let apart = try graph.reshapeKeepingOrder(result, dimensions)
      dimensions[axis] = .fixed(count)
      var target = merged
      let (extent, overflow) = try graph.extent(result, axis).multipliedReportingOverflow(by: count)
      guard !overflow else { throw NNError(.limitExceeded, "\(count) repeats of axis \(axis)") }
      target[axis] = .fixed(extent)
      result = try graph.reshapeKeepingOrder(try graph.expand(apart, Shape(dimensions)), target)
    }
    return [result == x ? try graph.unary(.identity, x) : result]
  }

  /// x repeated as often as values say: every place of an axis takes the element at its remainder.
  private static func tiled(_ x: ValueID, _ repeats: ValueID, _ graph: GraphBuilder) throws -> ValueID {
    var result = x
    for axis in 0..<graph.rank(x) {
      let extent = try graph.scalar(int: try graph.extent(x, axis), .i64)
      let count = try graph.reshape(try graph.slice(repeats, axis: 0, axis, axis + 1), [Int]())
      let places = try graph.append(
        .dynamic(.range), try graph.scalar(int: 0, .i64), try graph.multiply(extent, count),
        try graph.scalar(int: 1, .i64))
      result = try graph.gather(result, try graph.binary(.modulo, places, extent), axis: axis)
    }
    return result
  }

  /// The upper or lower triangle of the last two axes, zeros elsewhere.
  private static func trilu(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let x = try node.input(0)
    let rank = graph.rank(x)
    guard rank >= 2 else { throw NNError(.shapeMismatch, "takes matrices") }
    let rows = try graph.places(of: x, axis: rank - 2, rank: rank)
    let columns = try graph.places(of: x, axis: rank - 1, rank: rank)
    let diagonal = try node.optional(1).map { try graph.cast($0, .i64) } ?? graph.scalar(int: 0, .i64)
    let shifted = try graph.add(rows, try graph.reshape(diagonal, [Int]()))
    let isUpper = try node.flag("upper", default: true)
    let keeps = try graph.compare(isUpper ? .lessOrEqual : .greaterOrEqual, shifted, columns)
    let result = try graph.select(keeps, x, try graph.scalar(int: 0, graph.dtype(x)))
    // Of free extents, inference does not see that the triangle has those of x.
    graph.graph[result].type.shape = graph.shape(x)
    return [result]
  }

  /// The first elements of each sequence reversed, as many as it has.
  private static func reverseSequence(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let (x, lengths) = (try node.input(0), try graph.cast(try node.input(1), .i64))
    let timeAxis = try node.axis("time_axis", default: 0, rank: graph.rank(x))
    let batchAxis = try node.axis("batch_axis", default: 1, rank: graph.rank(x))
    guard timeAxis + batchAxis == 1 else {
      throw NNError(.invalidGraph, "time and batch are not the first two axes")
    }
    var permutation = Array(0..<graph.rank(x))
    if timeAxis == 1 { permutation.swapAt(0, 1) }
    let ordered = try graph.transpose(x, permutation)
    // As (T, N): where the element at each place comes from, a position among all T·N.
    let step = try graph.places(of: ordered, axis: 0, rank: 2)
    let row = try graph.places(of: ordered, axis: 1, rank: 2)
    let mirrored = try graph.subtract(try graph.subtract(lengths, step), try graph.scalar(int: 1, .i64))
    let source = try graph.select(try graph.compare(.less, step, lengths), mirrored, step)
    let (steps, batch) = (try graph.extentValue(ordered, 0), try graph.extentValue(ordered, 1))
    let place = try graph.add(try graph.multiply(source, batch), row)
    let rows = try graph.rows(ordered, try graph.multiply(steps, batch), from: 2)
    let result = try graph.gather(rows, place, axis: 0)
    graph.graph[result].type.shape = graph.shape(ordered)
    return [try graph.transpose(result, permutation)]
  }

  /// Each axis cut, or padded with zeros, on both sides alike; what is odd goes to the end.
  private static func centerCropPad(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let x = try node.input(0)
    let rank = graph.rank(x)
    let axes = try (node.ints("axes") ?? Array(0..<rank)).map { try OnnxNode.axis($0, rank: rank) }
    let wanted = try graph.cast(try node.input(1), .i64)
    let extents = try graph.gather(try graph.shapeValue(x, 0..<rank), try graph.ints(axes), axis: 0)
    let (zero, two) = (try graph.scalar(int: 0, .i64), try graph.scalar(int: 2, .i64))
    let surplus = try graph.binary(.maximum, try graph.subtract(extents, wanted), zero)
    let start = try graph.divide(surplus, two)
    let end = try graph.add(start, try graph.binary(.minimum, extents, wanted))
    let cut = try graph.slice(x, axes, start, end)
    let missing = try graph.binary(.maximum, try graph.subtract(wanted, extents), zero)
    let before = try graph.divide(missing, two)
    let amounts = try graph.concat([before, try graph.subtract(missing, before)], axis: 0)
    return [try graph.pad(cut, axes, amounts)]
  }
}
