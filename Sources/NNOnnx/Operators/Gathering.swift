import NNGraph

/// Selection by indices.
enum Gathering {
  static let operators: [String: Lowering] = [
    "Gather": gather, "GatherElements": gatherElements, "GatherND": gatherSlices,
  ]

  private static func gather(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let x = try node.input(0)
    return [try graph.gather(x, try node.input(1), axis: try node.axis(default: 0, rank: graph.rank(x)))]
  }

  /// Indices with negative ones counted from the end of an axis.
  static func wrapped(_ indices: ValueID, _ extent: Int, _ graph: GraphBuilder) throws -> ValueID {
    let wide = try graph.cast(indices, .i64)
    let isNegative = try graph.compare(.less, wide, try graph.scalar(int: 0, .i64))
    return try graph.select(isNegative, try graph.add(wide, try graph.scalar(int: extent, .i64)), wide)
  }

  /// Row-major positions in x of elements that are named by an index along one axis; the others are the index's own place.
  static func positions(
    _ indices: ValueID, _ extents: [Int], axis: Int, _ graph: GraphBuilder
  ) throws -> ValueID {
    let wide = try wrapped(indices, extents[axis], graph)
    var result: ValueID?
    var stride = 1
    for current in extents.indices.reversed() {
      let line =
        current == axis
        ? wide : try graph.positions(try graph.extent(indices, current), axis: current, rank: extents.count)
      let part = stride == 1 ? line : try graph.multiply(line, try graph.scalar(int: stride, .i64))
      result = try result.map { try graph.add($0, part) } ?? part
      stride *= max(extents[current], 1)
    }
    return try result ?? graph.scalar(int: 0, .i64)
  }

  private static func gatherElements(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let (x, indices) = (try node.input(0), try node.input(1))
    let extents = try graph.extents(x)
    guard graph.rank(indices) == extents.count, !extents.isEmpty else {
      throw NNError(.shapeMismatch, "data and indices have different ranks")
    }
    let axis = try node.axis(default: 0, rank: extents.count)
    let flat = try graph.reshape(x, [Shape(extents).elementCount ?? 0])
    return [try graph.gather(flat, try positions(indices, extents, axis: axis, graph), axis: 0)]
  }

  /// Row-major positions among the first axes of x, from an index for each of them in the last axis of `indices`.
  static func slicePositions(_ indices: ValueID, _ extents: [Int], _ graph: GraphBuilder) throws -> ValueID {
    let last = graph.rank(indices) - 1
    var result: ValueID?
    var stride = 1
    for axis in extents.indices.reversed() {
      let part = try graph.squeeze(try graph.slice(indices, axis: last, axis, axis + 1), [last])
      let place = try graph.multiply(
        try wrapped(part, extents[axis], graph), try graph.scalar(int: stride, .i64))
      result = try result.map { try graph.add($0, place) } ?? place
      stride *= max(extents[axis], 1)
    }
    guard let result else { throw NNError(.shapeMismatch, "indices name no axis") }
    return result
  }

  private static func gatherSlices(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let (x, indices) = (try node.input(0), try node.input(1))
    let batchAxes = try node.int("batch_dims", default: 0)
    let extents = try graph.extents(x)
    guard batchAxes >= 0, batchAxes < extents.count, graph.rank(indices) > batchAxes else {
      throw NNError(.shapeMismatch, "\(batchAxes) axes of batches")
    }
    let named = try graph.extent(indices, graph.rank(indices) - 1)
    guard named >= 1, batchAxes + named <= extents.count else {
      throw NNError(.shapeMismatch, "an index of \(named) axes for \(graph.shape(x).description)")
    }
    let chosen = Array(extents[batchAxes..<(batchAxes + named)])
    var places = try slicePositions(indices, chosen, graph)
    // Each batch stands behind the one before it.
    var stride = chosen.reduce(1, *)
    for axis in (0..<batchAxes).reversed() {
      let line = try graph.positions(extents[axis], axis: axis, rank: graph.rank(places))
      places = try graph.add(places, try graph.multiply(line, try graph.scalar(int: stride, .i64)))
      stride *= extents[axis]
    }
    let rows = try graph.reshape(x, [stride] + extents[(batchAxes + named)...])
    return [try graph.gather(rows, places, axis: 0)]
  }
}
