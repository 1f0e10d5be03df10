import NNGraph

/// Pooling over windows.
enum Pools {
  static let operators: [String: Lowering] = [
    "MaxPool": maximum, "AveragePool": average, "LpPool": lpPool, "LRN": localResponse,
  ]

  private static func window(_ x: ValueID, _ node: OnnxNode, _ graph: GraphBuilder) throws -> SpatialWindow {
    guard graph.rank(x) >= 3 else { throw NNError(.shapeMismatch, "input has rank \(graph.rank(x))") }
    return try SpatialWindow(
      node, kernel: nil, Array(graph.shape(x).dimensions[2...]), ceils: try node.flag("ceil_mode"))
  }

  private static func maximum(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let x = try node.input(0)
    let window = try window(x, node, graph)
    guard !node.isUsed(output: 1) else { return try maximumWithIndices(x, window, node, graph) }
    if let result = try planePool(.maximum, x, window, countsPadding: false, graph) { return [result] }
    return [
      try tapped(x, window, border: try lowest(graph.dtype(x), graph), graph) {
        try graph.binary(.maximum, $0, $1)
      }
    ]
  }

  private static func average(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let x = try node.input(0)
    let window = try window(x, node, graph)
    let countsPadding = try node.flag("count_include_pad")
    // What hangs over the padding counts for nothing, which padding that counts would not tell apart.
    if try !node.flag("ceil_mode") || !countsPadding,
      let result = try planePool(.average, x, window, countsPadding: countsPadding, graph)
    {
      return [result]
    }
    let sum = try tapped(x, window, border: try graph.scalar(0, like: x), graph) { try graph.add($0, $1) }
    return [try graph.divide(sum, try counts(x, window, node, countsPadding, graph))]
  }

  /// How many elements each window has.
  private static func counts(
    _ x: ValueID, _ window: SpatialWindow, _ node: OnnxNode, _ countsPadding: Bool, _ graph: GraphBuilder
  ) throws -> ValueID {
    var plain = window
    var shape = try [1, 1] + (2..<graph.rank(x)).map { try graph.extent(x, $0) }
    if countsPadding, let pads = try node.extents("pads") {
      for axis in 0..<window.axisCount {
        shape[axis + 2] += pads[axis] + pads[axis + window.axisCount]
        plain.before[axis] = 0
        plain.after[axis] = window.after[axis] - pads[axis + window.axisCount]
      }
    }
    let ones = try graph.expand(try graph.scalar(1, like: x), Shape(shape))
    return try tapped(ones, plain, border: try graph.scalar(0, like: x), graph) { try graph.add($0, $1) }
  }

  private static func lpPool(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let x = try node.input(0)
    let window = try window(x, node, graph)
    let p = Double(try node.int("p", default: 2))
    let powers = try graph.binary(.power, try graph.unary(.absolute, x), try graph.scalar(p, like: x))
    let sum = try tapped(powers, window, border: try graph.scalar(0, like: x), graph) {
      try graph.add($0, $1)
    }
    return [try graph.binary(.power, sum, try graph.scalar(1 / p, like: x))]
  }

  /// The operator for windows over one or two axes; nil for what it does not do.
  private static func planePool(
    _ function: PoolFunction, _ x: ValueID, _ window: SpatialWindow, countsPadding: Bool,
    _ graph: GraphBuilder
  ) throws -> ValueID? {
    guard graph.dtype(x) == .f32, let plane = window.asPlane, window.dilations.allSatisfy({ $0 == 1 }) else {
      return nil
    }
    for axis in 0..<window.axisCount {
      guard window.before[axis] < window.extent[axis], window.after[axis] < window.extent[axis] else {
        return nil
      }
    }
    let op = Op.pool(Pool(function, window: plane, countsPadding: countsPadding))
    guard window.axisCount == 1 else { return try graph.append(op, x) }
    return try graph.squeeze(try graph.append(op, try graph.unsqueeze(x, [2])), [2])
  }

  private static func lowest(_ dtype: DType, _ graph: GraphBuilder) throws -> ValueID {
    if dtype.isFloatingPoint { return try graph.scalar(-Double.infinity, dtype) }
    return try graph.scalar(int: dtype.isUnsigned ? 0 : Int(bitPattern: ~0) << (dtype.bitWidth - 1), dtype)
  }

  /// Windows of any number of axes, one axis after the other: the taps of a window are slices of the padded axis.
  static func tapped(
    _ x: ValueID, _ window: SpatialWindow, border: ValueID, _ graph: GraphBuilder,
    _ combine: (ValueID, ValueID) throws -> ValueID
  ) throws -> ValueID {
    var result = x
    for axis in (0..<window.axisCount).reversed() {
      let taps = try taps(result, axis, window, border, graph)
      result = try taps.dropFirst().reduce(taps[0]) { try combine($0, $1) }
    }
    return result
  }

  private static func taps(
    _ x: ValueID, _ axis: Int, _ window: SpatialWindow, _ border: ValueID, _ graph: GraphBuilder
  ) throws -> [ValueID] {
    guard window.extent[axis] <= 4096 else {
      throw NNError(.unsupportedOperator, "a window of \(window.extent[axis])")
    }
    let rank = graph.rank(x)
    let place = rank - window.axisCount + axis
    var pad = Pad(before: [Int](repeating: 0, count: rank), after: [Int](repeating: 0, count: rank))
    (pad.before[place], pad.after[place]) = (window.before[axis], window.after[axis])
    let padded = try graph.append(.pad(pad), x, border)
    return try (0..<window.extent[axis]).map { tap in
      let start = tap * window.dilations[axis]
      let rest = window.reach(axis) - 1 - start
      return try graph.slice(
        padded, axis: place, start, rest == 0 ? Int.max : -rest, step: window.strides[axis])
    }
  }

  /// The maximum, and where it stands among all elements of x; the first one of a window wins.
  private static func maximumWithIndices(
    _ x: ValueID, _ window: SpatialWindow, _ node: OnnxNode, _ graph: GraphBuilder
  ) throws -> [ValueID] {
    let isColumnMajor = try node.flag("storage_order")
    var places = try graph.scalar(int: 0, .i64)
    for axis in 0..<graph.rank(x) {
      let inner = axis >= 2 && isColumnMajor ? 2..<axis : axis + 1..<graph.rank(x)
      let stride = try inner.reduce(try graph.scalar(int: 1, .i64)) {
        try graph.multiply($0, try graph.extentValue(x, $1))
      }
      let line = try graph.places(of: x, axis: axis, rank: graph.rank(x))
      places = try graph.add(places, try graph.multiply(line, stride))
    }
    var best = x
    for axis in (0..<window.axisCount).reversed() {
      let values = try taps(best, axis, window, try lowest(graph.dtype(x), graph), graph)
      let indices = try taps(places, axis, window, try graph.scalar(int: 0, .i64), graph)
      (best, places) = (values[0], indices[0])
      for (value, index) in zip(values, indices).dropFirst() {
        let isLarger = try graph.compare(.greater, value, best)
        (best, places) = (try graph.select(isLarger, value, best), try graph.select(isLarger, index, places))
      }
    }
    return [best, places]
  }

  /// x / (k + α/n · Σ x²)^β, the sum over n neighbouring channels. Krizhevsky et al. 2012.
  private static func localResponse(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let x = try node.input(0)
    let size = try node.required(try node.int("size"), "size")
    guard size >= 1, size <= 4096, graph.rank(x) >= 2 else {
      throw NNError(.invalidGraph, "a size of \(size)")
    }
    let alpha = Double(try node.float("alpha", default: 0.0001))
    let beta = Double(try node.float("beta", default: 0.75))
    let bias = Double(try node.float("bias", default: 1))
    let squares = try graph.unary(.square, x)
    var pad = Pad(
      before: [Int](repeating: 0, count: graph.rank(x)), after: [Int](repeating: 0, count: graph.rank(x)))
    (pad.before[1], pad.after[1]) = ((size - 1) / 2, size - 1 - (size - 1) / 2)
    let padded = try graph.append(.pad(pad), squares)
    let channels = try graph.extent(x, 1)
    var sum = try graph.slice(padded, axis: 1, 0, channels)
    for tap in 1..<max(size, 1) {
      sum = try graph.add(sum, try graph.slice(padded, axis: 1, tap, tap + channels))
    }
    let scale = try graph.add(try graph.multiply(sum, alpha / Double(size)), bias)
    return [try graph.divide(x, try graph.binary(.power, scale, try graph.scalar(beta, like: x)))]
  }
}
