import NNGraph

extension Graph {
  /// Constant f32 matrices that stand first in a product: before a column they change sides, since A·b is (bᵀ·Aᵀ)ᵀ and a column and a row
  /// are the same numbers; otherwise they are stored untransposed. Each sum keeps its order, and so its bits.
  mutating func turnLeftWeights() throws(NNError) {
    var turned: [Node] = []
    turned.reserveCapacity(nodes.count)
    for index in nodes.indices {
      let node = nodes[index]
      guard case .matmul(var matmul) = node.op, node.inputs.count == 2,
        let constant = self[node.inputs[0]].constant, self[node.inputs[1]].constant == nil,
        constant.dtype == .f32, constant.layout == .rowMajor, constant.extents.count == 2
      else {
        turned.append(node)
        continue
      }
      let result = self[node.outputs[0]].type.shape
      let column = self[node.inputs[1]].type
      if result.rank >= 2, result[result.rank - 1] == .fixed(1), !matmul.transposesB,
        !column.shape.dimensions.contains(.unknown)
      {
        let row = addResult(column.withLastAxesSwapped)
        let product = addResult(TensorType(.f32, result).withLastAxesSwapped)
        let op = Matmul(transposesB: !matmul.transposesA, activation: matmul.activation)
        let steps: [(Op, [ValueID], [ValueID])] = [
          (.reshape(self[row].type.shape), [node.inputs[1]], [row]),
          (.matmul(op), [row, node.inputs[0]], [product]), (.reshape(result), [product], node.outputs),
        ]
        for (op, inputs, outputs) in steps {
          turned.append(Node(name: node.name, op: op, inputs: inputs, outputs: outputs))
        }
      } else {
        var same = node
        if matmul.transposesA {
          same.inputs[0] = addConstant(
            self[node.inputs[0]].name.transposed, try constant.transposed())
          matmul.transposesA = false
          same.op = .matmul(matmul)
        }
        turned.append(same)
      }
    }
    nodes = turned
  }

  private mutating func addResult(_ type: TensorType) -> ValueID {
    values.append(Value(name: "", type: type))
    return ValueID(values.count - 1)
  }
}

extension TensorType {
  /// With the last two axes in each other's place.
  fileprivate var withLastAxesSwapped: TensorType {
    var dimensions = shape.dimensions
    dimensions.swapAt(dimensions.count - 1, dimensions.count - 2)
    return TensorType(dtype, Shape(dimensions))
  }
}
