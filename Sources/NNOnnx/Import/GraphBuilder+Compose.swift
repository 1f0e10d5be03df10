import NNGraph

// Short forms for lowerings that compose operators.
extension GraphBuilder {
  func unary(_ function: UnaryFunction, _ x: ValueID, alpha: Float = 0, beta: Float = 0) throws -> ValueID {
    try append(.unary(Activation(function, alpha: alpha, beta: beta)), x)
  }

  func binary(_ function: BinaryFunction, _ a: ValueID, _ b: ValueID) throws -> ValueID {
    try append(.binary(function), a, b)
  }

  func add(_ a: ValueID, _ b: ValueID) throws -> ValueID { try binary(.add, a, b) }
  func subtract(_ a: ValueID, _ b: ValueID) throws -> ValueID { try binary(.subtract, a, b) }
  func multiply(_ a: ValueID, _ b: ValueID) throws -> ValueID { try binary(.multiply, a, b) }
  func divide(_ a: ValueID, _ b: ValueID) throws -> ValueID { try binary(.divide, a, b) }

  /// A scalar of the type of `x`.
  func scalar(_ value: Double, like x: ValueID) throws -> ValueID { try scalar(value, dtype(x)) }

  func add(_ a: ValueID, _ b: Double) throws -> ValueID { try add(a, try scalar(b, like: a)) }
  func multiply(_ a: ValueID, _ b: Double) throws -> ValueID { try multiply(a, try scalar(b, like: a)) }

  func compare(_ function: CompareFunction, _ a: ValueID, _ b: ValueID) throws -> ValueID {
    try append(.compare(function), a, b)
  }

  func select(_ condition: ValueID, _ a: ValueID, _ b: ValueID) throws -> ValueID {
    try append(.select, condition, a, b)
  }

  func not(_ condition: ValueID) throws -> ValueID {
    try binary(.bitwiseXor, condition, try scalar(int: 1, .bool))
  }

  /// A cast that a lowering needs; the model's own casts do not come here.
  func cast(_ x: ValueID, _ dtype: DType) throws -> ValueID {
    if self.dtype(x) == dtype { return x }
    if self.dtype(x) == .f64, dtype.isFloatingPoint, constant(x) == nil { narrowings += 1 }
    return try append(.cast(dtype), x)
  }

  func reduce(_ function: ReduceFunction, _ x: ValueID, _ axes: [Int], keeps: Bool = true) throws -> ValueID {
    try append(.reduce(Reduce(function, axes: axes.sorted(), keepsDimensions: keeps)), x)
  }

  func reshape(_ x: ValueID, _ shape: Shape) throws -> ValueID {
    shape == self.shape(x) && !shape.dimensions.contains(.unknown) ? x : try append(.reshape(shape), x)
  }

  func reshape(_ x: ValueID, _ extents: [Int]) throws -> ValueID { try reshape(x, Shape(extents)) }

  func transpose(_ x: ValueID, _ permutation: [Int]) throws -> ValueID {
    permutation == Array(permutation.indices) && permutation.count == rank(x)
      ? x : try append(.transpose(permutation), x)
  }

  func expand(_ x: ValueID, _ shape: Shape) throws -> ValueID {
    shape == self.shape(x) && !shape.dimensions.contains(.unknown) ? x : try append(.expand(shape), x)
  }

  func concat(_ parts: [ValueID], axis: Int) throws -> ValueID {
    parts.count == 1 ? parts[0] : try append(.concat(axis: axis), parts)
  }

  /// The elements from start to end of one axis.
  func slice(_ x: ValueID, axis: Int, _ start: Int, _ end: Int, step: Int = 1) throws -> ValueID {
    var ranges = [SliceRange](repeating: .all, count: rank(x))
    guard ranges.indices.contains(axis) else {
      throw NNError(.shapeMismatch, "a tensor of rank \(rank(x)) has no axis \(axis)")
    }
    ranges[axis] = SliceRange(start: start, end: end, step: step)
    return try append(.slice(ranges), x)
  }

  func matmul(
    _ a: ValueID, _ b: ValueID, transposesA: Bool = false, transposesB: Bool = false
  ) throws -> ValueID {
    try append(.matmul(Matmul(transposesA: transposesA, transposesB: transposesB)), a, b)
  }

  func gather(_ x: ValueID, _ indices: ValueID, axis: Int) throws -> ValueID {
    try append(.gather(axis: axis), x, indices)
  }

  /// x with axes of extent 1 put in, at places counted in the result.
  func unsqueeze(_ x: ValueID, _ axes: [Int]) throws -> ValueID {
    var sources: [Int?] = (0..<rank(x)).map { $0 }
    for axis in axes.sorted() {
      guard axis >= 0, axis <= sources.count else {
        throw NNError(.shapeMismatch, "axis \(axis) cannot be put into \(shape(x).description)")
      }
      sources.insert(nil, at: axis)
    }
    return try reshape(x, fromAxes: sources)
  }

  /// x without the given axes, whose extent must be 1.
  func squeeze(_ x: ValueID, _ axes: [Int]) throws -> ValueID {
    var sources: [Int?] = []
    for (axis, dimension) in shape(x).dimensions.enumerated() {
      if !axes.contains(axis) {
        sources.append(axis)
      } else if let extent = dimension.extent, extent != 1 {
        throw NNError(.shapeMismatch, "axis \(axis) has extent \(extent) and cannot be taken away")
      }
    }
    return try reshape(x, fromAxes: sources)
  }

  /// x with each axis of the result as long as an axis of x, or 1 where that is nil.
  private func reshape(_ x: ValueID, fromAxes sources: [Int?]) throws -> ValueID {
    let dimensions = sources.map { $0.map { shape(x)[$0] } ?? .fixed(1) }
    return try reshape(x, dimensions, extentsOf: sources.map { ($0, 1) })
  }

  /// x with the given dimensions, several of which may be free: each extent is that of an axis of x times a factor, or the factor
  /// alone where there is no axis.
  func reshape(
    _ x: ValueID, _ dimensions: [Dimension], extentsOf sources: [(axis: Int?, factor: Int)]
  ) throws -> ValueID {
    if dimensions.count(where: { $0 == .unknown }) <= 1 { return try reshape(x, Shape(dimensions)) }
    let extents = try concat([try shapeValue(x, 0..<rank(x)), try ints([1])], axis: 0)
    var target = try gather(extents, try ints(sources.map { $0.axis ?? rank(x) }), axis: 0)
    if sources.contains(where: { $0.factor != 1 }) {
      target = try multiply(target, try ints(sources.map { $0.factor }))
    }
    let result = try reshape(x, toShapeIn: target)
    // Inference knows the rank alone; these extents are certain.
    graph[result].type.shape = Shape(dimensions)
    return result
  }

  /// A reshape to dimensions of which all but one are known or named.
  func reshapeKeepingOrder(_ x: ValueID, _ dimensions: [Dimension]) throws -> ValueID {
    let unknown = dimensions.count { $0 == .unknown }
    guard unknown <= 1 else { _ = try extents(x); return x }
    return try reshape(x, Shape(dimensions))
  }

  /// 0, 1, … along one axis of a tensor of `rank` axes whose others have extent 1.
  func positions(_ count: Int, axis: Int, rank: Int) throws -> ValueID {
    try requireRoom(for: count)
    var extents = [Int](repeating: 1, count: rank)
    guard extents.indices.contains(axis) else { return try ints(Array(0..<count)) }
    extents[axis] = count
    return try add(try Tensor((0..<count).map { Int64($0) }, extents: extents))
  }
}
