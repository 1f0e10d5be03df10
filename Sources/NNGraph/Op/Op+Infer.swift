extension Op {
  /// The types of the results for the given input types.
  ///
  /// Extents may be free; then only what is known is checked, and a plan for concrete extents checks the rest.
  /// Never traps, whatever the attributes.
  ///
  /// - Throws: ``ErrorCode/invalidGraph`` for bad attributes or arity, ``ErrorCode/shapeMismatch`` and
  ///   ``ErrorCode/dtypeMismatch`` for inputs that do not fit, ``ErrorCode/unsupportedOperator`` for types without a kernel.
  public func inferOutputs(_ inputs: [TensorType]) throws(NNError) -> [TensorType] {
    try requireInputCount(inputs.count)
    let results: [TensorType]
    if case .dynamic(let dynamic) = self {
      results = try dynamic.infer(inputs)
    } else {
      results = [try inferOutput(inputs)]
    }
    for result in results { try result.shape.validate() }
    return results
  }

  func requireInputCount(_ count: Int) throws(NNError) {
    guard inputCounts.contains(count) else {
      throw NNError(.invalidGraph, "takes \(describe(inputCounts).text), not \(count)")
    }
  }

  private func describe(_ counts: ClosedRange<Int>) -> Message {
    if counts.upperBound == Int.max { return "at least \(counts.lowerBound) inputs" }
    if counts.lowerBound == counts.upperBound { return "\(counts.lowerBound) inputs" }
    return "\(counts.lowerBound) to \(counts.upperBound) inputs"
  }

  private func inferOutput(_ inputs: [TensorType]) throws(NNError) -> TensorType {
    let x = inputs[0]
    switch self {
    case .unary: return try inferUnary(x)
    case .binary: return try inferBinary(x, inputs[1])
    case .compare: return try inferCompare(x, inputs[1])
    case .select: return try inferSelect(x, inputs[1], inputs[2])
    case .reduce(let reduce):
      try requireKernel(x.dtype)
      return TensorType(
        x.dtype, try x.shape.reduced(axes: reduce.axes, keepsDimensions: reduce.keepsDimensions))
    case .argument(let argument):
      try requireKernel(x.dtype)
      return TensorType(
        .i64, try x.shape.reduced(axes: [argument.axis], keepsDimensions: argument.keepsDimensions))
    case .matmul(let matmul): return try matmul.infer(inputs)
    case .convolution(let convolution): return try convolution.infer(inputs)
    case .pool(let pool): return try pool.infer(x)
    case .normalize(let normalize): return try normalize.infer(inputs)
    case .softmax(let softmax):
      try x.require(.f32, "input")
      try x.shape.requireAxis(softmax.axis)
      return x
    case .recurrent(let recurrent): return try recurrent.infer(inputs)
    case .recurrentGradient(let recurrent, let ofStates):
      return try recurrent.inferGradient(inputs, ofStates: ofStates)
    case .reshape(let target): return TensorType(x.dtype, try x.shape.reshaped(to: target))
    case .transpose(let permutation): return TensorType(x.dtype, try x.shape.transposed(permutation))
    case .expand(let target): return TensorType(x.dtype, try x.shape.expanded(to: target))
    case .slice(let ranges): return TensorType(x.dtype, try x.shape.sliced(ranges))
    case .pad(let pad): return try inferPad(pad, inputs)
    case .concat(let axis): return try inferConcat(inputs, axis: axis)
    case .gather(let axis):
      return TensorType(x.dtype, try x.shape.gathered(axis: axis, indices: inputs[1]))
    case .scatter(let function, let axis):
      return try inferScatter(function, x, inputs[1], inputs[2], axis: axis)
    case .argsort(let axis, _):
      try x.shape.requireAxis(axis)
      return TensorType(.i64, x.shape)
    case .cast(let dtype, let mode): return TensorType(dtype, try inferCast(x, dtype, mode))
    case .dynamic: throw NNError(.invalidGraph, "may have several results")
    case .random: return try inferRandom(like: x, key: inputs[1])
    case .normalizeTraining(let training): return try training.infer(inputs)
    case .convolutionWeightGradient(let window, let groups):
      return try window.inferWeightGradient(x, inputs[1], groups: groups)
    case .unfold(let window): return try window.inferUnfold(x)
    case .fold(let window, let height, let width):
      return try window.inferFold(x, height: height, width: width)
    case .poolGradient(let pool): return try pool.inferGradient(x, inputs[1])
    }
  }

  private func inferUnary(_ x: TensorType) throws(NNError) -> TensorType {
    try requireKernel(x.dtype)
    return x
  }

  /// Throws unless there is a kernel for operands of the type.
  func requireKernel(_ dtype: DType) throws(NNError) {
    guard let type = computeType(for: dtype) else {
      throw NNError(.unsupportedOperator, "is not available for \(dtype.name)")
    }
    guard type == dtype else {
      throw NNError(
        .unsupportedOperator,
        "is not available for \(dtype.name): cast the operands to \(type.name), and the result back")
    }
  }

  private func inferPad(_ pad: Pad, _ inputs: [TensorType]) throws(NNError) -> TensorType {
    let x = inputs[0]
    if inputs.count > 1 {
      try requireSame(x, inputs[1])
      guard inputs[1].shape.mayEqual([]) || inputs[1].shape.mayEqual([1]) else {
        throw NNError(.shapeMismatch, "the value has shape \(inputs[1].shape.description) instead of ()")
      }
    }
    return TensorType(x.dtype, try x.shape.padded(pad))
  }

  private func inferBinary(_ a: TensorType, _ b: TensorType) throws(NNError)
    -> TensorType
  {
    try requireSame(a, b)
    try requireKernel(a.dtype)
    return TensorType(a.dtype, try Shape.broadcast(a.shape, b.shape))
  }

  private func inferCompare(_ a: TensorType, _ b: TensorType) throws(NNError)
    -> TensorType
  {
    try requireSame(a, b)
    try requireKernel(a.dtype)
    return TensorType(.bool, try Shape.broadcast(a.shape, b.shape))
  }

  private func inferSelect(
    _ condition: TensorType, _ a: TensorType, _ b: TensorType
  ) throws(NNError) -> TensorType {
    try condition.require(.bool, "condition")
    try requireSame(a, b)
    return TensorType(
      a.dtype, try Shape.broadcast(condition.shape, try Shape.broadcast(a.shape, b.shape)))
  }

  private func inferConcat(_ inputs: [TensorType], axis: Int) throws(NNError) -> TensorType {
    var result = inputs[0]
    try result.shape.requireAxis(axis)
    for next in inputs.dropFirst() {
      try requireSame(result, next)
      guard next.shape.rank == result.shape.rank else {
        throw NNError(
          .shapeMismatch,
          "cannot join \(result.shape.description) and \(next.shape.description): ranks differ")
      }
      for other in 0..<result.shape.rank {
        let (x, y) = (result.shape[other], next.shape[other])
        if other == axis {
          if let a = x.extent, let b = y.extent {
            // Both are at most 2^48, so the sum cannot overflow before validation has its say.
            let (sum, overflow) = a.addingReportingOverflow(b)
            guard !overflow else { throw NNError(.limitExceeded, "the joined axis is too long") }
            result.shape[other] = .fixed(sum)
          } else {
            result.shape[other] = .unknown
          }
        } else {
          guard x.mayEqual(y) else {
            throw NNError(
              .shapeMismatch,
              "cannot join \(result.shape.description) and \(next.shape.description) along axis \(axis)")
          }
          result.shape[other] = x.merged(with: y)
        }
      }
    }
    return result
  }

  private func inferScatter(
    _ function: ScatterFunction, _ x: TensorType, _ indices: TensorType, _ updates: TensorType, axis: Int
  ) throws(NNError) -> TensorType {
    try requireKernel(x.dtype)
    try updates.require(x.dtype, "updates")
    let expected = try x.shape.gathered(axis: axis, indices: indices)
    guard updates.shape.mayEqual(expected) else {
      throw NNError(
        .shapeMismatch, "updates of shape \(updates.shape.description) do not fit \(expected.description)")
    }
    return x
  }

  private func inferCast(_ x: TensorType, _ dtype: DType, _ mode: CastMode) throws(NNError) -> Shape {
    guard mode != .bits || (x.dtype.size == dtype.size && x.dtype.bitWidth == dtype.bitWidth) else {
      throw NNError(
        .dtypeMismatch, "the bits of \(x.dtype.name) are not as many as those of \(dtype.name)")
    }
    return x.shape
  }

  private func inferRandom(like: TensorType, key: TensorType) throws(NNError) -> TensorType {
    try key.require(.i64, "key")
    guard key.shape.mayEqual([2]) else {
      throw NNError(.shapeMismatch, "the key has shape \(key.shape.description) instead of (2)")
    }
    return TensorType(.f32, like.shape)
  }

  private func requireSame(_ a: TensorType, _ b: TensorType) throws(NNError) {
    guard a.dtype == b.dtype else {
      throw NNError(.dtypeMismatch, "operands of different types: \(a.dtype.name) and \(b.dtype.name)")
    }
  }
}

extension TensorType {
  func require(_ expected: DType, _ role: StaticString) throws(NNError) {
    guard dtype == expected else {
      throw NNError(.dtypeMismatch, "\(role) must be \(expected.name), not \(dtype.name)")
    }
  }

  /// Throws unless this is a vector, of f32 unless told, that may have as many elements as `count`.
  func requireVector(_ count: Dimension, _ role: StaticString, _ dtype: DType = .f32) throws(NNError) {
    try require(dtype, role)
    guard shape.rank == 1, shape[0].mayEqual(count) else {
      throw NNError(
        .shapeMismatch, "\(role) has shape \(shape.description) instead of \(Shape([count]).description)")
    }
  }
}
