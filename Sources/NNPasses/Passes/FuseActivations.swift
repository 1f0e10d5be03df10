import NNGraph

extension Graph {
  /// Moves an activation into the product whose result it alone reads. The kernels apply the same function to the same
  /// rounded numbers, so no bit changes.
  ///
  /// - Returns: how many.
  mutating func fuseActivations() -> Int {
    var count = 0
    let uses = useCounts
    let producers = self.producers
    for index in nodes.indices {
      guard case .unary(let activation) = nodes[index].op, activation.function != .identity,
        self[nodes[index].outputs[0]].type.dtype == .f32
      else { continue }
      let input = nodes[index].inputs[0]
      guard uses[input.index] == 1, let producer = producers[input.index],
        let fused = nodes[producer].op.taking(activation)
      else { continue }
      nodes[producer].op = fused
      absorb(index, into: producer)
      count += 1
    }
    return count
  }

  /// Lets the node `producer` give the result of the node `index`, which alone reads what it gave so far.
  mutating func absorb(_ index: Int, into producer: Int) {
    let between = nodes[producer].outputs[0]
    nodes[producer].outputs = nodes[index].outputs
    // What is left computes the value that nothing reads any more; removeUnused drops it.
    nodes[index].outputs = [between]
    nodes[index].op = .unary(.identity)
    nodes[index].inputs = [nodes[producer].inputs[0]]
    self[between].type = self[nodes[producer].inputs[0]].type
  }
}

extension Op {
  /// This product with `activation` applied to its result, if it is a product without one.
  fileprivate func taking(_ activation: Activation) -> Op? {
    switch self {
    case .matmul(var matmul):
      guard matmul.activation == .identity else { return nil }
      matmul.activation = activation
      return .matmul(matmul)
    case .convolution(var convolution):
      guard convolution.activation == .identity else { return nil }
      convolution.activation = activation
      return .convolution(convolution)
    case .unary, .binary, .compare, .select, .reduce, .argument, .pool, .normalize, .softmax,
      .recurrent, .recurrentGradient, .reshape, .transpose,
      .expand, .slice, .pad, .concat, .gather, .scatter, .argsort, .cast, .dynamic, .random,
      .normalizeTraining,
      .convolutionWeightGradient, .unfold, .fold, .poolGradient:
      return nil
    }
  }
}
