import NNGraph

extension Graph {
  /// Lets readers of an identity's result read its input instead. A result that is an output of the graph keeps its
  /// identity, since an output has a name and type of its own.
  ///
  /// - Returns: how many nodes are not needed any more.
  @discardableResult
  mutating func removeIdentities() -> Int {
    var count = 0
    var replacement: [ValueID] = values.indices.map { ValueID($0) }
    var isOutput = [Bool](repeating: false, count: values.count)
    for output in outputs { isOutput[output.index] = true }
    for index in nodes.indices {
      nodes[index].inputs = nodes[index].inputs.map { replacement[$0.index] }
      let node = nodes[index]
      if changesNothing(node), !isOutput[node.outputs[0].index] {
        replacement[node.outputs[0].index] = node.inputs[0]
        count += 1
      }
    }
    return count
  }

  private func changesNothing(_ node: Node) -> Bool {
    let (before, after) = (self[node.inputs[0]].type, self[node.outputs[0]].type)
    switch node.op {
    case .unary(let activation): return activation.function == .identity
    case .cast(let dtype, _): return dtype == before.dtype
    case .reshape, .expand: return before == after && !before.shape.dimensions.contains(.unknown)
    case .transpose(let permutation): return permutation == Array(permutation.indices)
    case .slice(let ranges): return ranges.allSatisfy { $0 == .all }
    case .pad(let pad): return (pad.before + pad.after).allSatisfy { $0 == 0 }
    case .concat: return node.inputs.count == 1
    case .binary, .compare, .select, .reduce, .argument, .matmul, .convolution, .pool, .normalize, .softmax,
      .recurrent, .recurrentGradient, .gather,
      .scatter, .argsort, .dynamic, .random, .normalizeTraining, .convolutionWeightGradient, .unfold, .fold,
      .poolGradient:
      return false
    }
  }
}
