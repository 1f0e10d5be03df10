import NNGraph

extension Graph {
  /// Gives every product whose second operand is a constant f32 matrix a copy of it in panels, transposed as needed.
  ///
  /// A constant first operand is brought to the side, or the order, in which the kernels read it fast.
  ///
  /// - Returns: how many copies.
  mutating func storeWeightsInPanels() throws(NNError) -> Int {
    try turnLeftWeights()
    // Nodes that read the same constant in the same way share one copy.
    var copies: [Int: [(transposed: Bool, copy: ValueID)]] = [:]
    for index in nodes.indices {
      guard let transposed = nodes[index].op.transposesPanels else { continue }
      let weight = nodes[index].inputs[1]
      guard let constant = self[weight].constant, constant.dtype == .f32, constant.layout == .rowMajor,
        constant.extents.count == 2
      else { continue }
      if let known = copies[weight.index]?.first(where: { $0.transposed == transposed }) {
        nodes[index].inputs[1] = known.copy
      } else {
        let name = self[weight].name
        let copy = addConstant(
          transposed ? name.transposed : name, try constant.inPanels(transposed: transposed))
        copies[weight.index, default: []].append((transposed, copy))
        nodes[index].inputs[1] = copy
      }
      if case .matmul(var matmul) = nodes[index].op {
        matmul.transposesB = false
        nodes[index].op = .matmul(matmul)
      }
    }
    return copies.values.reduce(0) { $0 + $1.count }
  }
}

extension Op {
  /// Whether the second operand, which may be stored in panels, is a transposed matrix; nil where it may not.
  fileprivate var transposesPanels: Bool? {
    if case .matmul(let matmul) = self { return matmul.transposesB }
    if case .recurrent = self { return false }
    return nil
  }
}

extension Tensor {
  /// This row-major f32 matrix (K, N), or (N, K) if `transposed`, as panels of (K, N).
  func inPanels(transposed: Bool) throws(NNError) -> Tensor {
    let extents = transposed ? [self.extents[1], self.extents[0]] : self.extents
    let (rows, columns, width) = (extents[0], extents[1], TensorLayout.panelWidth)
    let size = try Tensor.byteCount(dtype: .f32, extents: extents, layout: .panels)
    let source = bytes.bindMemory(to: Float.self)
    let storage = try TensorStorage.allocate(size: size) { (memory) throws(NNError) in
      let panels = memory.bindMemory(to: Float.self)
      for position in panels.indices {
        let (panel, rest) = (position / (rows * width), position % (rows * width))
        let (row, column) = (rest / width, panel * width + rest % width)
        let isPadding = column >= columns
        panels[position] = isPadding ? 0 : source[transposed ? column * rows + row : row * columns + column]
      }
    }
    return try Tensor(dtype: .f32, extents: extents, layout: .panels, storage: storage)
  }
}
