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

  /// As ``positions(_:_:axis:_:)``, where extents are free.
  private static func freePositions(
    _ indices: ValueID, in x: ValueID, axis: Int, _ graph: GraphBuilder
  ) throws -> ValueID {
    let (zero, one) = (try graph.scalar(int: 0, .i64), try graph.scalar(int: 1, .i64))
    var (result, stride) = (zero, one)
    for current in (0..<graph.rank(x)).reversed() {
      let extent = try graph.extentValue(x, current)
      let line: ValueID
      if current == axis {
        let wide = try graph.cast(indices, .i64)
        line = try graph.select(try graph.compare(.less, wide, zero), try graph.add(wide, extent), wide)
      } else {
        let places = try graph.append(.dynamic(.range), zero, try graph.extentValue(indices, current), one)
        let after = [Dimension](repeating: .fixed(1), count: graph.rank(x) - current - 1)
        line = try graph.reshape(places, Shape([.unknown] + after))
      }
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
    guard let extents = graph.shape(x).extents, graph.shape(indices).extents != nil else {
      let flat = try graph.reshape(x, Shape([Dimension.unknown]))
      return [try graph.gather(flat, try freePositions(indices, in: x, axis: axis, graph), axis: 0)]
    }
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
    let rank = graph.rank(x)
    guard batchAxes >= 0, batchAxes < rank, graph.rank(indices) > batchAxes else {
      throw NNError(.shapeMismatch, "\(batchAxes) axes of batches")
    }
    let named = try graph.extent(indices, graph.rank(indices) - 1)
    guard named >= 1, batchAxes + named <= rank else {
      throw NNError(.shapeMismatch, "an index of \(named) axes for \(graph.shape(x).description)")
    }
    guard let extents = graph.shape(x).extents else {
      return [try gatherSlices(x, indices, named: named, batchAxes: batchAxes, graph)]
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

  /// The same where extents are free: what is a number above is a value here.
  private static func gatherSlices(
    _ x: ValueID, _ indices: ValueID, named: Int, batchAxes: Int, _ graph: GraphBuilder
  ) throws -> ValueID {
    let last = graph.rank(indices) - 1
    let (zero, one) = (try graph.scalar(int: 0, .i64), try graph.scalar(int: 1, .i64))
    var stride = one
    var places = zero
    for axis in (0..<batchAxes + named).reversed() {
      let extent = try graph.extentValue(x, axis)
      let line: ValueID
      if axis >= batchAxes {
        let part = try graph.slice(indices, axis: last, axis - batchAxes, axis - batchAxes + 1)
        let wide = try graph.cast(try graph.squeeze(part, [last]), .i64)
        line = try graph.select(try graph.compare(.less, wide, zero), try graph.add(wide, extent), wide)
      } else {
        let along = [Dimension](repeating: .fixed(1), count: last - axis - 1)
        line = try graph.reshape(
          try graph.append(.dynamic(.range), zero, extent, one), Shape([.unknown] + along))
      }
      places = try graph.add(places, try graph.multiply(line, stride))
      stride = try graph.multiply(stride, extent)
    }
    let rest = try graph.shapeValue(x, batchAxes + named..<graph.rank(x))
    let shape = try graph.concat([try graph.reshape(stride, [1]), rest], axis: 0)
    let target = graph.reshapeTarget(x, shape, allowsZero: true)
    let rows =
      try target.map { try graph.append(.reshape($0), x) }
      ?? graph.append(.dynamic(.reshape(allowsZero: true)), x, shape)
    return try graph.gather(rows, places, axis: 0)
  }

  private static func function(_ node: OnnxNode) throws -> ScatterFunction {
    switch try node.string("reduction", default: "none") {
    case "none": return .replace
    case "add": return .add
    case "mul": return .multiply
    case "min": return .minimum
    case "max": return .maximum
    case let name: throw NNError(.invalidGraph, Message(text: "reduction \"\(name)\""))
    }
  }

  private static func scatterElements(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let (x, indices, updates) = (try node.input(0), try node.input(1), try node.input(2))
    guard graph.rank(indices) == graph.rank(x), graph.rank(x) > 0,
      graph.shape(indices).mayEqual(graph.shape(updates))
    else { throw NNError(.shapeMismatch, "data, indices and updates do not fit") }
    let axis = try node.axis(default: 0, rank: graph.rank(x))
    guard let extents = graph.shape(x).extents, graph.shape(indices).extents != nil else {
      let places = try freePositions(indices, in: x, axis: axis, graph)
      let line = Shape([Dimension.unknown])
      let result = try graph.append(
        .scatter(try function(node), axis: 0), try graph.reshape(x, line), try graph.reshape(places, line),
        try graph.reshape(updates, line))
      let whole = try graph.append(
        .dynamic(.reshape(allowsZero: true)), result, try graph.shapeValue(x, 0..<graph.rank(x)))
      graph.graph[whole].type.shape = graph.shape(x)
      return [whole]
    }
    let places = try positions(indices, extents, axis: axis, graph)
    let count = try graph.extents(indices).reduce(1, *)
    let result = try graph.append(
      .scatter(try function(node), axis: 0), try graph.reshape(x, [extents.reduce(1, *)]),
      try graph.reshape(places, [count]), try graph.reshape(updates, [count]))
    return [try graph.reshape(result, extents)]
  }

  private static func scatterSlices(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let (x, indices, updates) = (try node.input(0), try node.input(1), try node.input(2))
    let extents = try graph.extents(x)
    guard graph.rank(indices) >= 1 else { throw NNError(.shapeMismatch, "indices must have an axis") }
    let named = try graph.extent(indices, graph.rank(indices) - 1)
    guard named >= 1, named <= extents.count else {
      throw NNError(.shapeMismatch, "an index of \(named) axes for \(graph.shape(x).description)")
    }
    let places = try slicePositions(indices, Array(extents[..<named]), graph)
    let rest = Array(extents[named...])
    let count = try graph.extents(places).reduce(1, *)
    let rows = try graph.reshape(x, [extents[..<named].reduce(1, *)] + rest)
    let result = try graph.append(
      .scatter(try function(node), axis: 0), rows, try graph.reshape(places, [count]),
      try graph.reshape(updates, [count] + rest))
    return [try graph.reshape(result, extents)]
  }

  /// Each element where its index says in a tensor of zeros, whose last axes may be larger than the pool's were.
  private static func unpool(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let (x, indices) = (try node.input(0), try node.input(1))
    let extents = try graph.extents(x)
    guard extents.count >= 3, graph.shape(indices) == graph.shape(x) else {
      throw NNError(.shapeMismatch, "input and indices do not fit")
    }
    let kernel = try node.required(try node.extents("kernel_shape", least: 1), "kernel_shape")
    let window = try TransposedWindow(node, kernel: kernel, Array(extents[2...]))
    var output = window.output
    let natural = Array(extents[..<2]) + output
    if let wanted = try node.constantInts(2, graph, "output_shape") { output = Array(wanted.dropFirst(2)) }
    try Shape(natural).validate()
    let shape = Array(extents[..<2]) + output
    try Shape(shape).validate()
    let count = extents.reduce(1, *)
    let zeros = try graph.expand(try graph.scalar(0, like: x), [shape.reduce(1, *)])
    let result = try graph.append(
      .scatter(.replace, axis: 0), zeros, try graph.reshape(indices, [count]), try graph.reshape(x, [count]))
    return [try graph.reshape(result, shape)]
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
    if graph.rank(x) == 1 { return [try graph.gather(x, indices, axis: 0), indices] }
    let extents = try graph.extents(x)
    let flat = try graph.reshape(x, [extents.reduce(1, *)])
    return [try graph.gather(flat, try positions(indices, extents, axis: axis, graph), axis: 0), indices]
  }
}
