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
