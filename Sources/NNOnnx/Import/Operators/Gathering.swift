import NNGraph

/// Selection by indices.
enum Gathering {
  static let operators: [String: Lowering] = [
    "Gather": gather, "GatherElements": gatherElements, "GatherND": gatherSlices,
    "ScatterElements": scatterElements, "Scatter": scatterElements, "ScatterND": scatterSlices,
    "MaxUnpool": unpool, "TopK": topK,
  ]

  private static func gather(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let x = try node.input(0)
    return [try graph.gather(x, try node.input(1), axis: try node.axis(default: 0, rank: graph.rank(x)))]
  }

  /// Indices with negative ones counted from the end of an axis, whose extent is an i64 scalar.
  private static func wrapped(_ indices: ValueID, _ extent: ValueID, _ graph: GraphBuilder) throws -> ValueID
  {
    let wide = try graph.cast(indices, .i64)
    let isNegative = try graph.compare(.less, wide, try graph.scalar(int: 0, .i64))
    return try graph.select(isNegative, try graph.add(wide, extent), wide)
  }

  static func wrapped(_ indices: ValueID, _ extent: Int, _ graph: GraphBuilder) throws -> ValueID {
    try wrapped(indices, try graph.scalar(int: extent, .i64), graph)
  }

  /// Row-major positions in x of elements that are named by an index along one axis; the others are the index's own place.
  ///
  /// Extents are values, which fold to numbers where they are known.
  static func positions(_ indices: ValueID, in x: ValueID, axis: Int, _ graph: GraphBuilder) throws -> ValueID
  {
    let rank = graph.rank(x)
    var result = try graph.scalar(int: 0, .i64)
    var stride = try graph.scalar(int: 1, .i64)
    for current in (0..<rank).reversed() {
      let extent = try graph.extentValue(x, current)
      let line =
        current == axis
        ? try wrapped(indices, extent, graph) : try graph.places(of: indices, axis: current, rank: rank)
      result = try graph.add(result, try graph.multiply(line, stride))
      stride = try graph.multiply(stride, extent)
    }
    return result
  }

  private static func gatherElements(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let (x, indices) = (try node.input(0), try node.input(1))
    guard graph.rank(indices) == graph.rank(x), graph.rank(x) > 0 else {
      throw NNError(.shapeMismatch, "data and indices have different ranks")
    }
    let axis = try node.axis(default: 0, rank: graph.rank(x))
    return [
      try graph.gather(try graph.flat(x), try positions(indices, in: x, axis: axis, graph), axis: 0)
    ]
  }

  /// Row-major positions among axes of x, from an index for each of them in the last axis of `indices`; and how many there are.
  private static func slicePositions(
    _ indices: ValueID, in x: ValueID, axes: Range<Int>, _ graph: GraphBuilder
  ) throws -> (places: ValueID, count: ValueID) {
    let last = graph.rank(indices) - 1
    var places = try graph.scalar(int: 0, .i64)
    var stride = try graph.scalar(int: 1, .i64)
    for axis in axes.reversed() {
      let place = axis - axes.lowerBound
      let part = try graph.squeeze(try graph.slice(indices, axis: last, place, place + 1), [last])
      let extent = try graph.extentValue(x, axis)
      places = try graph.add(places, try graph.multiply(try wrapped(part, extent, graph), stride))
      stride = try graph.multiply(stride, extent)
    }
    return (places, stride)
  }

  /// How many axes an index of GatherND or ScatterND names.
  private static func namedAxes(
    _ x: ValueID, _ indices: ValueID, after batchAxes: Int, _ graph: GraphBuilder
  ) throws -> Int {
    guard batchAxes >= 0, batchAxes < graph.rank(x), graph.rank(indices) > batchAxes else {
      throw NNError(.shapeMismatch, "\(batchAxes) axes of batches")
    }
    let named = try graph.extent(indices, graph.rank(indices) - 1)
    guard named >= 1, batchAxes + named <= graph.rank(x) else {
      throw NNError(.shapeMismatch, "an index of \(named) axes for \(graph.shape(x).description)")
    }
    return named
  }

  private static func gatherSlices(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let (x, indices) = (try node.input(0), try node.input(1))
    let batchAxes = try node.int("batch_dims", default: 0)
    let end = batchAxes + (try namedAxes(x, indices, after: batchAxes, graph))
    var (places, stride) = try slicePositions(indices, in: x, axes: batchAxes..<end, graph)
    // Each batch stands behind the one before it.
    for axis in (0..<batchAxes).reversed() {
      let line = try graph.places(of: x, axis: axis, rank: graph.rank(indices) - 1)
      places = try graph.add(places, try graph.multiply(line, stride))
      stride = try graph.multiply(stride, try graph.extentValue(x, axis))
    }
    let rows = try graph.rows(x, stride, from: end)
    return [try graph.gather(rows, places, axis: 0)]
  }

  private static func function(_ node: OnnxNode) throws -> ScatterFunction {
    let name = try node.string("reduction", default: "none")
    guard let function = ScatterFunction.allCases.first(where: { $0.onnxReduction == name }) else {
      throw NNError(.invalidGraph, Message(text: "reduction \"\(name)\""))
    }
    return function
  }

  private static func scatterElements(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let (x, indices, updates) = (try node.input(0), try node.input(1), try node.input(2))
    guard graph.rank(indices) == graph.rank(x), graph.rank(x) > 0,
      graph.shape(indices).mayEqual(graph.shape(updates))
    else { throw NNError(.shapeMismatch, "data, indices and updates do not fit") }
    let axis = try node.axis(default: 0, rank: graph.rank(x))
    let places = try positions(indices, in: x, axis: axis, graph)
    let result = try graph.append(
      .scatter(try function(node), axis: 0), try graph.flat(x), try graph.flat(places),
      try graph.flat(updates))
    return [try graph.reshape(result, like: x)]
  }

  private static func scatterSlices(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let (x, indices, updates) = (try node.input(0), try node.input(1), try node.input(2))
    let named = try namedAxes(x, indices, after: 0, graph)
    guard graph.rank(updates) == graph.rank(indices) - 1 + graph.rank(x) - named else {
      throw NNError(.shapeMismatch, "data, indices and updates do not fit")
    }
    let (places, count) = try slicePositions(indices, in: x, axes: 0..<named, graph)
    let one = try graph.flat(places)
    let updated = try graph.rows(updates, try graph.extentValue(one, 0), from: graph.rank(places))
    let result = try graph.append(
      .scatter(try function(node), axis: 0), try graph.rows(x, count, from: named), one, updated)
    return [try graph.reshape(result, like: x)]
  }

  /// Each element where its index says among zeros, as many as the pool had elements; behind the last axes more of them may be
  /// wanted.
  private static func unpool(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let (x, indices) = (try node.input(0), try node.input(1))
    let extents = try graph.extents(x)
    guard extents.count >= 3, graph.shape(indices) == graph.shape(x) else {
      throw NNError(.shapeMismatch, "input and indices do not fit")
    }
    let kernel = try node.required(try node.extents("kernel_shape", least: 1), "kernel_shape")
    let window = try TransposedWindow(node, kernel: kernel, Array(graph.shape(x).dimensions[2...]))
    let shape = extents[..<2] + window.output.compactMap { $0.extent }
    guard let size = Shape(Array(shape)).elementCount else {
      throw NNError(.limitExceeded, "a result of shape \(Shape(Array(shape)).description)")
    }
    let zeros = try graph.expand(try graph.scalar(0, like: x), [size])
    let summed = try graph.append(
      .scatter(.replace, axis: 0), zeros, try graph.flat(indices), try graph.flat(x))
    let result = try graph.reshape(summed, Array(shape))
    guard let wanted = try node.optional(2) else { return [result] }
    guard graph.shape(wanted) == [shape.count] else {
      throw NNError(.shapeMismatch, "output_shape for other than \(shape.count) axes")
    }
    let missing = try graph.subtract(try graph.cast(wanted, .i64), try graph.ints(Array(shape)))
    if let known = graph.constant(missing)?.integers, !known.allSatisfy({ (0...1 << 40).contains($0) }) {
      throw NNError(.shapeMismatch, "an output_shape smaller than the result, or far too large")
    }
    let before = try graph.ints([Int](repeating: 0, count: shape.count))
    return [try graph.pad(result, Array(shape.indices), try graph.concat([before, missing], axis: 0))]
  }

  /// The first k of the sorted axis, and where they stood.
  private static func topK(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let x = try node.input(0)
    let axis = try node.axis(default: -1, rank: graph.rank(x))
    let count =
      node.version < 10
      ? try graph.ints([node.required(try node.int("k"), "k")])
      : try graph.reshape(try graph.cast(try node.input(1), .i64), [1])
    let order = try graph.append(
      .argsort(axis: axis, isDescending: try node.flag("largest", default: true)), x)
    if let known = graph.constant(count)?.integers?.first {
      guard known >= 0, known <= graph.shape(x)[axis].extent ?? known else {
        throw NNError(.shapeMismatch, "\(known) elements of an axis of \(graph.shape(x).description)")
      }
    }
    let indices = try graph.slice(order, [axis], try graph.ints([0]), count)
    return [
      try graph.gather(try graph.flat(x), try positions(indices, in: x, axis: axis, graph), axis: 0), indices,
    ]
  }
}
