import NNGraph

extension Graph {
  /// Convolutions of single pixels over an image so small that vectors of its pixels would be half empty become products that have filters in
  /// their vectors: (N, C, P)ᵀ times the weights, which are then stored in panels, and a transpose. Every sum keeps its order, and so its
  /// bits.
  ///
  /// - Returns: how many.
  mutating func turnPointwiseConvolutions() throws(NNError) -> Int {
    let before = nodes
    var count = 0
    nodes = []
    nodes.reserveCapacity(before.count)
    for node in before {
      if let convolution = try pointwise(node) {
        try turn(node, convolution)
        count += 1
      } else {
        nodes.append(node)
      }
    }
    return count
  }

  /// A convolution for which it pays: its image, weights (M, C) and activation.
  private func pointwise(_ node: Node) throws(NNError) -> Pointwise? {
    guard case .convolution(let convolution) = node.op, convolution.groups == 1 else { return nil }
    let window = convolution.window
    let (x, y) = (self[node.inputs[0]].type.shape, self[node.outputs[0]].type.shape)
    guard window.extent == [1, 1], window.paddingBefore == [0, 0], window.paddingAfter == [0, 0],
      !x.dimensions.contains(.unknown), case .fixed(let height) = y[2], case .fixed(let width) = y[3],
      let weight = self[node.inputs[1]].constant, weight.dtype == .f32, weight.layout == .rowMajor,
      weight.elementCount >= Pointwise.fewestWeights, height * width <= Pointwise.mostPixels,
      1...TensorLayout.panelWidth / 2 ~= height * width % TensorLayout.panelWidth
    else { return nil }
    return Pointwise(
      convolution: convolution, pixels: height * width,
      weight: try Tensor(dtype: .f32, extents: Array(weight.extents.prefix(2)), storage: weight.storage))
  }

  private struct Pointwise {
    let convolution: Convolution
    let pixels: Int
    let weight: Tensor

    /// With fewer weights the transpose would show.
    static let fewestWeights = 4096
    /// Of more pixels, those that do not fill a vector are too few to matter.
    static let mostPixels = 64
  }

  /// Appends what computes the node's result.
  private mutating func turn(_ node: Node, _ pointwise: Pointwise) throws(NNError) {
    let strides = pointwise.convolution.window.strides
    var x = node.inputs[0]
    if strides != [1, 1] {
      let ranges = [1, 1, strides[0], strides[1]].map { SliceRange(start: 0, end: .max, step: $0) }
      x = try append(.slice(ranges), [x], name: node.name)
    }
    let shape = self[node.outputs[0]].type.shape
    let flat = Shape([self[x].type.shape[0], self[x].type.shape[1], .fixed(pointwise.pixels)])
    var operands = [try append(.reshape(flat), [x], name: node.name)]
    operands.append(addConstant(self[node.inputs[1]].name, pointwise.weight))
    operands += node.inputs.dropFirst(2)
    let product = Matmul(
      transposesA: true, transposesB: true, activation: pointwise.convolution.activation)
    let sums = try append(.matmul(product), operands, name: node.name)
    let turned = try append(.transpose([0, 2, 1]), [sums], name: node.name)
    nodes.append(Node(name: node.name, op: .reshape(shape), inputs: [turned], outputs: node.outputs))
  }
}
