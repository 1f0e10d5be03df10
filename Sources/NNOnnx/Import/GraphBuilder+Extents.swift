import NNGraph

// Vectors of whole numbers that are the extents of something: their elements are known as dimensions, free ones too. What exporters
// write to keep a batch's extent through a reshape is followed here, so that the shape is known as well as the model allows.
extension GraphBuilder {
  /// The elements of an i64 scalar or vector, as far as they are known; nil if nothing is.
  func dimensions(in value: ValueID) -> [Dimension]? {
    if let known = symbolic[value.index] { return known }
    guard graph[value].type.shape.rank <= 1, let tensor = graph[value].constant, tensor.dtype == .i64,
      tensor.elementCount <= 64, let integers = tensor.integers
    else { return nil }
    return integers.map { .fixed($0) }
  }

  /// Notes what the result of new nodes is, if it is made of extents; where all are known, it is a constant and needs no nodes.
  func followExtents(_ op: Op, _ inputs: [ValueID], _ result: ValueID, from first: Int) throws {
    guard let extents = extents(of: op, inputs, result) else { return }
    symbolic[result.index] = extents
    let known = extents.compactMap { $0.extent }
    guard known.count == extents.count, let shape = graph[result].type.shape.extents,
      Shape(shape).elementCount == known.count
    else { return }
    graph.nodes.removeSubrange(first...)
    graph[result].constant = try Tensor(known.map { Int64($0) }, extents: shape)
  }

  private func extents(of op: Op, _ inputs: [ValueID], _ result: ValueID) -> [Dimension]? {
    guard graph[result].type.dtype == .i64, graph[result].type.shape.rank <= 1 else { return nil }
    if case .dynamic(.shape) = op { return graph[inputs[0]].type.shape.dimensions }
    var sources: [[Dimension]] = []
    for input in inputs {
      guard let source = dimensions(in: input) else { return nil }
      sources.append(source)
    }
    guard let first = sources.first, sources.reduce(0, { $0 + $1.count }) <= 64 else { return nil }
    switch op {
    case .unary(let activation) where activation.function == .identity: return first
    case .reshape, .cast: return first
    case .concat: return sources.flatMap { $0 }
    case .slice(let ranges):
      guard let range = ranges.first else { return nil }
      let (start, count) = range.resolved(extent: first.count)
      return (0..<count).map { first[start + $0 * range.step] }
    case .gather:
      var chosen: [Dimension] = []
      for case .fixed(let index) in sources[1] {
        let place = index < 0 ? index + first.count : index
        guard first.indices.contains(place) else { return nil }
        chosen.append(first[place])
      }
      return chosen.count == sources[1].count ? chosen : nil
    default: return nil
    }
  }

  /// The shape that a shape tensor asks for, if all but at most one of its elements are known; −1 and 0 as in a reshape.
  func reshapeTarget(_ x: ValueID, _ value: ValueID, allowsZero: Bool) -> Shape? {
    guard let wanted = dimensions(in: value) else { return nil }
    var target: [Dimension] = []
    for (axis, dimension) in wanted.enumerated() {
      switch dimension {
      case .fixed(-1): target.append(.unknown)
      case .fixed(0) where !allowsZero:
        guard axis < rank(x) else { return nil }
        target.append(shape(x)[axis])
      case .fixed(let extent):
        guard extent >= 0 else { return nil }
        target.append(dimension)
      case .named, .unknown: target.append(dimension)
      }
    }
    guard target.count(where: { $0 == .unknown }) <= 1, target.count <= Shape.maximumRank else { return nil }
    return Shape(target)
  }
}
