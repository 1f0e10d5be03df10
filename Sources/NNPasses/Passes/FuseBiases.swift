import NNGraph

extension Graph {
  /// Moves the addition of a constant bias into the product or convolution whose result it alone reads. The kernels add the same numbers
  /// to the same rounded sums, so no bit changes.
  ///
  /// - Returns: how many.
  mutating func fuseBiases() throws(NNError) -> Int {
    var count = 0
    let uses = useCounts
    let producers = self.producers
    for index in nodes.indices {
      let result = self[nodes[index].outputs[0]].type
      guard nodes[index].op == .binary(.add), result.dtype == .f32 else { continue }
      for (product, bias) in [(0, 1), (1, 0)] {
        let (product, bias) = (nodes[index].inputs[product], nodes[index].inputs[bias])
        guard uses[product.index] == 1, let producer = producers[product.index],
          let axis = nodes[producer].biasAxis(rank: result.shape.rank), self[product].type == result,
          let vector = try biasVector(bias, of: result.shape, along: axis)
        else { continue }
        nodes[producer].inputs.append(vector)
        absorb(index, into: producer)
        count += 1
        break
      }
    }
    return count
  }

  /// The constant as one number for each position of `axis`, if that is the only axis of `shape` along which it has several.
  private mutating func biasVector(
    _ value: ValueID, of shape: Shape, along axis: Int
  ) throws(NNError) -> ValueID? {
    guard let constant = self[value].constant, constant.dtype == .f32, constant.layout == .rowMajor,
      case .fixed(let extent) = shape[axis], constant.elementCount == extent,
      constant.extents.count <= shape.rank
    else { return nil }
    if constant.extents == [extent] && axis == shape.rank - 1 { return value }
    let place = axis - (shape.rank - constant.extents.count)
    guard extent == 1 || (place >= 0 && constant.extents[place] == extent) else { return nil }
    return addConstant(
      self[value].name, try Tensor(dtype: .f32, extents: [extent], storage: constant.storage))
  }
}

extension Node {
  /// The axis of the result along which this product or convolution could take a bias; nil if it has one, or something after it.
  fileprivate func biasAxis(rank: Int) -> Int? {
    guard inputs.count == 2 else { return nil }
    switch op {
    case .matmul(let matmul): return matmul.activation == .identity ? rank - 1 : nil
    case .convolution(let convolution): return convolution.activation == .identity ? 1 : nil
    case .unary, .binary, .compare, .select, .reduce, .argument, .pool, .normalize, .softmax,
      .recurrent, .recurrentGradient, .reshape, .transpose,
      .expand, .slice, .pad, .concat, .gather, .scatter, .argsort, .cast, .dynamic, .random,
      .normalizeTraining,
      .convolutionWeightGradient, .unfold, .fold, .poolGradient:
      return nil
    }
  }
}
