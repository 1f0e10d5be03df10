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

  /// x repeated to the shape that both it and the given numbers broadcast to.
  func expand(_ x: ValueID, toShapeIn shape: ValueID) throws -> ValueID {
    guard let extents = constant(shape)?.integers else { return try append(.dynamic(.expand), x, shape) }
    try Shape(extents).validate()
    return try expand(x, try Shape.broadcast(self.shape(x), Shape(extents)))
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
