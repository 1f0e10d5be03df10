import NNGraph

extension Graph {
  /// Makes one transpose of two that follow each other, also where functions of single elements stand between them.
  ///
  /// - Returns: how many pairs.
  mutating func mergeTransposes() throws(NNError) -> Int {
    var count = 0
    // A transpose moves down past a function that alone reads it, towards the next one.
    var producers = self.producers
    let uses = useCounts
    for index in nodes.indices {
      guard case .unary = nodes[index].op, let above = producers[nodes[index].inputs[0].index],
        case .transpose(let permutation) = nodes[above].op, uses[nodes[index].inputs[0].index] == 1,
        leadsToTranspose(nodes[index].outputs[0], uses)
      else { continue }
      let (source, between, result) = (
        nodes[above].inputs[0], nodes[index].inputs[0], nodes[index].outputs[0]
      )
      let function = nodes[index].op
      // The function comes first now; the value between the two takes its result.
      self[between].type = TensorType(self[result].type.dtype, self[source].type.shape)
      nodes[above].op = function
      nodes[above].name = nodes[index].name
      nodes[index].op = .transpose(permutation)
      producers = self.producers
    }
    for index in nodes.indices {
      guard case .transpose(let second) = nodes[index].op,
        let above = producers[nodes[index].inputs[0].index], case .transpose(let first) = nodes[above].op
      else { continue }
      let both = second.map { first[$0] }
      nodes[index].inputs = nodes[above].inputs
      nodes[index].op = both == Array(both.indices) ? .unary(.identity) : .transpose(both)
      count += 1
    }
    removeIdentities()
    return count
  }

  /// Whether all that reads a value is a transpose, perhaps after functions of single elements.
  private func leadsToTranspose(_ value: ValueID, _ uses: [Int]) -> Bool {
    var value = value
    while uses[value.index] == 1 {
      guard let reader = nodes.first(where: { $0.inputs.contains(value) }) else { return false }
      switch reader.op {
      case .transpose: return true
      case .unary: value = reader.outputs[0]
      default: return false
      }
    }
    return false
  }
}
