import NNGraph

// Operators whose parameters are values: plain ones where the values are known now.
extension GraphBuilder {
  /// The extents of some axes of x, i64.
  func shapeValue(_ x: ValueID, _ axes: Range<Int>) throws -> ValueID {
    let dimensions = shape(x).dimensions[axes]
    let known = dimensions.compactMap { $0.extent }
    if known.count == dimensions.count { return try ints(known) }
    let all = try append(.dynamic(.shape), x)
    return axes == 0..<rank(x) ? all : try slice(all, axis: 0, axes.lowerBound, axes.upperBound)
  }

  /// The extent of one axis, an i64 scalar.
  func extentValue(_ x: ValueID, _ axis: Int) throws -> ValueID {
    try reshape(try shapeValue(x, axis..<axis + 1), [Int]())
  }

  /// 0, 1, … for the elements of one axis of x, along that axis of a tensor of `rank` axes whose others have extent 1.
  func places(of x: ValueID, axis: Int, rank: Int) throws -> ValueID {
    if let extent = shape(x)[axis].extent { return try positions(extent, axis: axis, rank: rank) }
    let all = try append(
      .dynamic(.range), try scalar(int: 0, .i64), try extentValue(x, axis), try scalar(int: 1, .i64))
    return try reshape(all, Shape([.unknown] + [Dimension](repeating: .fixed(1), count: rank - axis - 1)))
  }

  /// The elements of x in one axis.
  func flat(_ x: ValueID) throws -> ValueID {
    try reshape(x, Shape([shape(x).elementCount.map { .fixed($0) } ?? .unknown]))
  }

  /// x with its first axes, up to the given one, folded into one of `count` elements.
  func rows(_ x: ValueID, _ count: ValueID, from axis: Int) throws -> ValueID {
    try reshape(
      x, toShapeIn: try concat([try reshape(count, [1]), try shapeValue(x, axis..<rank(x))], axis: 0))
  }

  /// x in the shape of another tensor of as many elements.
  func reshape(_ x: ValueID, like other: ValueID) throws -> ValueID {
    if let extents = shape(other).extents { return try reshape(x, extents) }
    let result = try reshape(x, toShapeIn: try shapeValue(other, 0..<rank(other)))
    // Inference may know the rank alone; these extents are certain.
    graph[result].type.shape = shape(other)
    return result
  }

  /// x in the shape that a tensor holds, where 0 is an extent of 0.
  func reshape(_ x: ValueID, toShapeIn value: ValueID) throws -> ValueID {
    if let target = reshapeTarget(x, value, allowsZero: true) { return try append(.reshape(target), x) }
    return try append(.dynamic(.reshape(allowsZero: true)), x, value)
  }

  /// x repeated to the shape that both it and the given numbers broadcast to.
  func expand(_ x: ValueID, toShapeIn shape: ValueID) throws -> ValueID {
    guard let extents = constant(shape)?.integers else { return try append(.dynamic(.expand), x, shape) }
    try Shape(extents).validate()
    let target = try Shape.broadcast(self.shape(x), Shape(extents))
    // What x has where the shape has 1 may be known only when x is.
    if target.dimensions.contains(.unknown) { return try append(.dynamic(.expand), x, shape) }
    return try expand(x, target)
  }

  /// The elements from starts to ends of some axes, i64 (k) each.
  func slice(_ x: ValueID, _ axes: [Int], _ starts: ValueID, _ ends: ValueID) throws -> ValueID {
    guard let first = constant(starts)?.integers, let last = constant(ends)?.integers,
      first.count == axes.count,
      last.count == axes.count
    else {
      let steps = try ints([Int](repeating: 1, count: axes.count))
      return try append(.dynamic(.slice(axes: axes)), x, starts, ends, steps)
    }
    var ranges = [SliceRange](repeating: .all, count: rank(x))
    for (index, axis) in axes.enumerated() {
      ranges[axis] = SliceRange(start: first[index], end: last[index])
    }
    return try append(.slice(ranges), x)
  }

  /// x with zeros around some axes: amounts (2k) before each, then after each, 0 or more.
  func pad(_ x: ValueID, _ axes: [Int], _ amounts: ValueID) throws -> ValueID {
    guard let known = constant(amounts)?.integers, known.count == 2 * axes.count else {
      return try append(.dynamic(.pad(axes: axes, value: 0)), x, amounts)
    }
    var pad = Pad(before: [Int](repeating: 0, count: rank(x)), after: [Int](repeating: 0, count: rank(x)))
    for (index, axis) in axes.enumerated() {
      (pad.before[axis], pad.after[axis]) = (known[index], known[index + axes.count])
    }
    return try append(.pad(pad), x)
  }

  /// x with its last axis where `axis` is, given to `body`, whose result is moved back.
  func alongLastAxis(_ x: ValueID, _ axis: Int, _ body: (ValueID) throws -> ValueID) throws -> ValueID {
    let rank = rank(x)
    guard axis != rank - 1 else { return try body(x) }
    var permutation = Array(0..<rank)
    permutation.swapAt(axis, rank - 1)
    return try transpose(try body(try transpose(x, permutation)), permutation)
  }
}
