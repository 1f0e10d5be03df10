import NNGraph

// Axes that are values: which they are is only known when the model runs, how many there are is known now.
extension GraphBuilder {
  /// The axes that an optional input names.
  enum Axes {
    case known([Int])
    /// For each axis of a tensor, whether it is named (bool (rank)), and how many are.
    case value(flags: ValueID, count: Int)
  }

  /// - Parameter rank: of the tensor whose axes are named.
  func axes(_ value: ValueID, rank: Int) throws -> Axes {
    if let known = constant(value)?.integers { return .known(try OnnxNode.axes(known, rank: rank)) }
    let vector = self.rank(value) == 0 ? try reshape(value, [1]) : value
    guard let count = shape(vector)[0].extent, self.rank(vector) == 1 else {
      throw NNError(.unsupportedOperator, "how many axes are named is not known before the model runs")
    }
    if count == 0 { return .known([]) }
    let named = try reshape(try Gathering.wrapped(vector, rank, self), [1, count])
    let isEqual = try compare(.equal, try positions(rank, axis: 0, rank: 2), named)
    let number = try reduce(.maximum, try cast(isEqual, .f32), [1], keeps: false)
    return .value(flags: try compare(.greater, number, try scalar(0, .f32)), count: count)
  }

  /// Whether one axis is named, a scalar.
  private func flag(_ flags: ValueID, _ axis: Int) throws -> ValueID {
    try reshape(try slice(flags, axis: 0, axis, axis + 1), [Int]())
  }

  /// A reduction over named axes, one after the other, spread over all the elements that were folded.
  func reduceSpread(_ function: ReduceFunction, _ x: ValueID, _ flags: ValueID) throws -> ValueID {
    var result = x
    for axis in 0..<rank(x) {
      let folded = try reduce(function, result, [axis])
      // An empty axis has nothing to spread over; that there was nothing is seen when the rest is cut away.
      if shape(x)[axis] == .fixed(0) {
        result = folded
        continue
      }
      result = try select(try flag(flags, axis), folded, result)
    }
    return result
  }

  /// The first element along each named axis, and along the others all that `original` has.
  func firstAlong(_ x: ValueID, _ flags: ValueID, of original: ValueID) throws -> ValueID {
    let rank = rank(x)
    let zeros = try ints([Int](repeating: 0, count: rank))
    let ones = try ints([Int](repeating: 1, count: rank))
    let ends = try select(flags, ones, try shapeValue(original, 0..<rank))
    return try append(.dynamic(.slice(axes: Array(0..<rank))), x, zeros, ends, ones)
  }

  /// x without the named axes, which have extent 1.
  func squeeze(_ x: ValueID, flags: ValueID, count: Int) throws -> ValueID {
    let rank = rank(x)
    guard count <= rank else { throw NNError(.shapeMismatch, "\(count) of \(rank) axes taken away") }
    let sources = try places(of: try not(flags), count: rank - count)
    let shape = try gather(try shapeValue(x, 0..<rank), sources, axis: 0)
    return try reshape(x, toShapeIn: shape)
  }

  /// x with new axes of extent 1, which are named among those of the result.
  func unsqueeze(_ x: ValueID, flags: ValueID, count: Int) throws -> ValueID {
    let rank = rank(x)
    guard rank > 0 else { return try reshape(x, [Int](repeating: 1, count: count)) }
    let before = try countBefore(try not(flags))
    let source = try unary(.clip, before, alpha: 0, beta: Float(rank - 1))
    let extents = try gather(try shapeValue(x, 0..<rank), try cast(source, .i64), axis: 0)
    let shape = try select(flags, try ints([Int](repeating: 1, count: rank + count)), extents)
    return try reshape(x, toShapeIn: shape)
  }

  /// How many flags are set before each, f32.
  private func countBefore(_ flags: ValueID) throws -> ValueID {
    let count = try extent(flags, 0)
    let triangle = try compare(
      .less, try positions(count, axis: 0, rank: 2), try positions(count, axis: 1, rank: 2))
    let row = try reshape(try cast(flags, .f32), [1, count])
    return try reshape(try matmul(row, try cast(triangle, .f32)), [count])
  }

  /// Where the first `count` set flags stand, i64.
  private func places(of flags: ValueID, count: Int) throws -> ValueID {
    let rank = try extent(flags, 0)
    let order = try cast(try countBefore(flags), .i64)
    let isWanted = try compare(.equal, try positions(count, axis: 0, rank: 2), try reshape(order, [1, rank]))
    let isPlace = try multiply(try cast(isWanted, .f32), try reshape(try cast(flags, .f32), [1, rank]))
    let column = try cast(try positions(rank, axis: 0, rank: 2), .f32)
    return try cast(try reshape(try matmul(isPlace, column), [count]), .i64)
  }
}
