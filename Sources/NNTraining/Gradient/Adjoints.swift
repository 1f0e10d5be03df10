import NNGraph

/// What an operator does with the gradient that arrives at its result.
enum Adjoints {
  /// The gradient of each operand; nil for one that none flows to (indices, conditions, keys).
  case of([SymbolicTensor?])
  /// The result is piecewise constant or random: its gradient is zero wherever it exists.
  case zero
  /// A gradient exists but there is no rule for it; the text says why.
  case undefined(String)
}

extension Op {
  /// The table of derivatives: y is the result for the inputs x₀, x₁, …, and dy the gradient of the scalar with respect to y.
  ///
  /// Rules build the adjoint of every operand; unused ones are removed with the graph's other unused nodes.
  func adjoints(
    inputs x: [SymbolicTensor], output y: SymbolicTensor, gradient dy: SymbolicTensor
  ) throws(NNError) -> Adjoints {
    switch self {
    case .unary(let activation): try .of([activation.adjoint(x[0], y, dy)])
    case .binary(let function): try .of(function.adjoints(x[0], x[1], y, dy))
    case .compare: .zero
    case .select: try .of(selectAdjoints(condition: x[0], x[1], x[2], dy))

    case .reduce(let reduce): try .of([reduce.adjoint(x[0], y, dy)])
    case .argument: .zero

    case .matmul(let matmul): try .of(matmul.adjoints(x, y, dy))
    case .convolution(let convolution): try .of(convolution.adjoints(x, y, dy))
    case .pool(let pool): try .of([dy.trace.apply(.poolGradient(pool), [x[0], dy])])

    case .normalize(let normalize): try .of(normalize.adjoints(x, dy))
    case .softmax(let softmax): try .of([softmax.adjoint(y, dy)])

    case .recurrent(let recurrent): try recurrent.adjoints(x, y, dy)
    case .recurrentGradient: .undefined("recurrences have no second derivative here")

    case .reshape: try .of([dy.reshaped(x[0].shape)])
    case .transpose(let permutation): try .of([dy.transposed(inverse(permutation))])
    case .expand: try .of([dy.summed(to: x[0].shape)])
    case .slice(let ranges): try .of([sliceAdjoint(ranges, x[0], dy)])
    case .pad(let pad): try .of([padAdjoint(pad, x[0], dy)])
    case .concat(let axis): try .of(concatAdjoints(axis, x, dy))

    case .gather(let axis): try .of([scattered(dy, at: x[1], axis: axis, like: x[0]), nil])
    case .scatter(.add, let axis): try .of([dy, nil, dy.gathered(x[1], axis: axis)])
    case .scatter: .undefined("only the sum of a scatter has a derivative here")
    case .argsort: .zero

    case .cast:
      x[0].dtype.isFloatingPoint && y.dtype.isFloatingPoint ? try .of([dy.cast(to: x[0].dtype)]) : .zero

    case .dynamic(let dynamic):
      dynamic == .shape
        ? .zero : .undefined("extents that are values, and control flow, have no derivative here")

    case .random: .zero

    case .normalizeTraining(let training): try training.adjoints(x, y, dy)
    case .convolutionWeightGradient:
      .undefined("the gradient of a convolution's weights has no derivative here")
    case .unfold(let window): try .of([unfoldAdjoint(window, x[0], dy)])
    case .fold(let window, _, _): try .of([dy.trace.apply(.unfold(window), [dy])])
    case .poolGradient: .undefined("pooling has no second derivative here")
    }
  }
}

/// Zeros of the shape of `like` with each update added where its index along `axis` says.
func scattered(
  _ updates: SymbolicTensor, at indices: SymbolicTensor, axis: Int, like: SymbolicTensor
) throws(NNError) -> SymbolicTensor {
  let zeros = try like.trace.filled(0, like.shape)
  return try like.trace.apply(.scatter(.add, axis: axis), [zeros, indices, updates])
}

private func selectAdjoints(
  condition: SymbolicTensor, _ a: SymbolicTensor, _ b: SymbolicTensor, _ dy: SymbolicTensor
) throws(NNError) -> [SymbolicTensor?] {
  let zero = try dy.trace.scalar(0)
  return [
    nil, try condition.select(dy, zero).summed(to: a.shape),
    try condition.select(zero, dy).summed(to: b.shape),
  ]
}

private func inverse(_ permutation: [Int]) -> [Int] {
  var result = permutation
  for (axis, source) in permutation.enumerated() { result[source] = axis }
  return result
}

private func unfoldAdjoint(
  _ window: Window, _ x: SymbolicTensor, _ dy: SymbolicTensor
) throws(NNError) -> SymbolicTensor {
  let extents = try x.knownExtents()
  return try dy.trace.apply(.fold(window, height: extents[2], width: extents[3]), [dy])
}

/// Puts each slice back where it was taken: padding for a step of 1, scattering along the axis for others.
private func sliceAdjoint(
  _ ranges: [SliceRange], _ x: SymbolicTensor, _ dy: SymbolicTensor
) throws(NNError) -> SymbolicTensor {
  let extents = try x.knownExtents()
  var result = dy
  var before = [Int](repeating: 0, count: extents.count)
  var after = before
  for (axis, range) in ranges.enumerated() {
    let (start, count) = range.resolved(extent: extents[axis])
    if range.step == 1 {
      before[axis] = count == 0 ? 0 : start
      after[axis] = extents[axis] - before[axis] - count
    } else {
      var indices: [Int64] = []
      for position in 0..<count { indices.append(Int64(start + position * range.step)) }
      let constant = dy.trace.constant("positions", try Tensor(indices, extents: [count]))
      var shape = result.shape
      shape[axis] = .fixed(extents[axis])
      let zeros = try dy.trace.filled(0, shape)
      result = try dy.trace.apply(.scatter(.add, axis: axis), [zeros, constant, result])
    }
  }
  if before.allSatisfy({ $0 == 0 }), after.allSatisfy({ $0 == 0 }) { return result }
  return try dy.trace.apply(.pad(Pad(before: before, after: after)), [result])
}

private func padAdjoint(_ pad: Pad, _ x: SymbolicTensor, _ dy: SymbolicTensor) throws(NNError)
  -> SymbolicTensor
{
  var ranges: [SliceRange] = []
  for (axis, extent) in try x.knownExtents().enumerated() {
    ranges.append(SliceRange(start: pad.before[axis], end: pad.before[axis] + extent))
  }
  return try dy.sliced(ranges)
}

private func concatAdjoints(
  _ axis: Int, _ x: [SymbolicTensor], _ dy: SymbolicTensor
) throws(NNError) -> [SymbolicTensor?] {
  var results: [SymbolicTensor?] = []
  var start = 0
  for part in x {
    let extent = try part.knownExtents()[axis]
    var ranges = [SliceRange](repeating: .all, count: part.rank)
    ranges[axis] = SliceRange(start: start, end: start + extent)
    results.append(try dy.sliced(ranges))
    start += extent
  }
  return results
}
