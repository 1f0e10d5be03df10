import NNGraph

extension Graph {
  /// Lets readers of a node's results read those of an earlier node that computes the same, and likewise of constants. A result
  /// that is an output of the graph stays, since an output has a name of its own.
  ///
  /// - Returns: how many nodes are not needed any more.
  mutating func mergeDuplicates() -> Int {
    var count = 0
    var replacement: [ValueID] = values.indices.map { ValueID($0) }
    mergeConstants(&replacement)
    var isOutput = [Bool](repeating: false, count: values.count)
    for output in outputs { isOutput[output.index] = true }
    var known: [[Int]: [Int]] = [:]
    for index in nodes.indices {
      nodes[index].inputs = nodes[index].inputs.map { replacement[$0.index] }
      let node = nodes[index]
      let key = node.inputs.map { $0.index }
      if let twin = known[key]?.first(where: { nodes[$0].op == node.op }),
        !node.outputs.contains(where: { isOutput[$0.index] })
      {
        for (output, other) in zip(node.outputs, nodes[twin].outputs) { replacement[output.index] = other }
        count += 1
      } else {
        // Of very many readers of one value the latest are enough.
        if known[key, default: []].count >= 256 { known[key]?.removeFirst(128) }
        known[key, default: []].append(index)
      }
    }
    return count
  }

  /// Numbers are compared by their bytes, tensors by where they are stored: those with axes may be parameters, which keep their names.
  private func mergeConstants(_ replacement: inout [ValueID]) {
    struct Key: Hashable {
      var dtype: DType
      var layout: TensorLayout
      var extents: [Int]
      var place: Int
      var bytes: [UInt8]
    }
    var known: [Key: ValueID] = [:]
    for (index, value) in values.enumerated() {
      guard let constant = value.constant else { continue }
      let isNumber = constant.extents.isEmpty
      let key = Key(
        dtype: constant.dtype, layout: constant.layout, extents: constant.extents,
        place: isNumber ? 0 : Int(bitPattern: constant.bytes.baseAddress),
        bytes: isNumber ? Array(constant.bytes) : [])
      if let twin = known[key] { replacement[index] = twin } else { known[key] = ValueID(index) }
    }
  }
}
