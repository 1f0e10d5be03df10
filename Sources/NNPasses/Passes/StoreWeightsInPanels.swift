import NNGraph
import NNRuntime

extension Graph {
  /// Gives every product whose second operand is a constant f32 matrix, and every convolution that reads its filters so, a copy of it in
  /// panels, transposed as needed.
  ///
  /// A constant first operand is brought to the side, or the order, in which the kernels read it fast.
  ///
  /// - Returns: how many copies.
  mutating func storeWeightsInPanels() throws(NNError) -> Int {
    try turnLeftWeights()
    // Nodes that read the same constant in the same way share one copy.
    var copies: [Int: [(form: PanelForm, copy: ValueID)]] = [:]
    for index in nodes.indices {
      guard let form = panelForm(of: nodes[index]) else { continue }
      let weight = nodes[index].inputs[1]
      guard let constant = self[weight].constant, constant.dtype == .f32, constant.layout == .rowMajor,
        form.layout.matrix(constant.extents) != nil
      else { continue }
      if let known = copies[weight.index]?.first(where: { $0.form == form }) {
        nodes[index].inputs[1] = known.copy
      } else {
        let name = self[weight].name
        let copy = addConstant(
          form.isTransposed ? name.transposed : name,
          try (form.isTransposed ? constant.transposed() : constant).stored(in: form.layout))
        copies[weight.index, default: []].append((form, copy))
        nodes[index].inputs[1] = copy
      }
      if case .matmul(var matmul) = nodes[index].op {
        matmul.transposesB = false
        nodes[index].op = .matmul(matmul)
      }
    }
    return copies.values.reduce(0) { $0 + $1.count }
  }

  /// How a node's second operand is stored if it is constant; nil where it stays row-major.
  private func panelForm(of node: Node) -> PanelForm? {
    switch node.op {
    case .matmul(let matmul): return PanelForm(layout: .panels, isTransposed: matmul.transposesB)
    case .recurrent: return PanelForm(layout: .panels, isTransposed: false)
    case .convolution(let convolution):
      let (x, weight) = (self[node.inputs[0]].type.shape, self[node.inputs[1]].type.shape)
      return convolution.readsFilterPanels(x: x, weight: weight)
        ? PanelForm(layout: .filterPanels, isTransposed: false) : nil
    case .unary, .binary, .compare, .select, .reduce, .argument, .pool, .normalize, .softmax,
      .recurrentGradient, .reshape, .transpose, .expand, .slice, .pad, .concat, .gather, .scatter, .argsort,
      .cast, .dynamic, .random, .normalizeTraining, .convolutionWeightGradient, .unfold, .fold, .poolGradient:
      return nil
    }
  }
}

/// A layout, and whether it is that of the transposed matrix.
private struct PanelForm: Equatable {
  let layout: TensorLayout
  let isTransposed: Bool
}

extension Tensor {
  /// This row-major f32 tensor in a layout.
  func stored(in layout: TensorLayout) throws(NNError) -> Tensor {
    guard let (rows, columns) = layout.matrix(extents) else { return self }
    let size = try Tensor.byteCount(dtype: .f32, extents: extents, layout: layout)
    let source = bytes.bindMemory(to: Float.self)
    let isTransposed = layout == .filterPanels
    let storage = try TensorStorage.allocate(size: size) { (memory) throws(NNError) in
      let panels = memory.bindMemory(to: Float.self)
      panels.update(repeating: 0)
      for index in source.indices {
        let (outer, inner) = index.quotientAndRemainder(dividingBy: isTransposed ? rows : columns)
        let (row, column) = isTransposed ? (inner, outer) : (outer, inner)
        panels[TensorLayout.position(row, column, rows: rows)] = source[index]
      }
    }
    return try Tensor(dtype: .f32, extents: extents, layout: layout, storage: storage)
  }
}
