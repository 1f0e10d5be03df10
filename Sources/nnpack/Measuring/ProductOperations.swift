import NNGraph

extension ResolvedGraph {
  /// Multiplications and additions of all matrix products and convolutions; saturates.
  func productOperations(_ graph: Graph) -> Int {
    graph.nodes.indices.reduce(0) { sum, node in
      let (total, overflow) = sum.addingReportingOverflow(productOperations(graph, node))
      return overflow ? Int.max : total
    }
  }

  /// Multiplications and additions of one node's products; saturates.
  func productOperations(_ graph: Graph, _ index: Int) -> Int {
    let node = graph.nodes[index]
    var result = types[node.outputs[0].index].shape.elementCount ?? 0
    let inner: Int
    switch ops[index] {
    case .matmul(let matmul):
      let a = types[node.inputs[0].index].shape
      inner = a[matmul.transposesA ? a.rank - 2 : a.rank - 1].extent ?? 0
    case .convolution:
      let weight = types[node.inputs[1].index].shape
      inner = weight.dimensions.dropFirst().reduce(1) { $0 * ($1.extent ?? 0) }
    case .recurrent:
      result = types[node.inputs[0].index].shape.elementCount ?? 0
      inner = types[node.inputs[1].index].shape[0].extent ?? 0
    case .unary, .binary, .compare, .select, .reduce, .argument, .pool, .normalize, .softmax,
      .recurrentGradient, .reshape, .transpose,
      .expand, .slice, .pad, .concat, .gather, .scatter, .argsort, .cast, .dynamic, .random,
      .normalizeTraining,
      .convolutionWeightGradient, .unfold, .fold, .poolGradient:
      return 0
    }
    // Extents are at most 2^48 each, but a model from a file may multiply several of them.
    let (once, overflow) = result.multipliedReportingOverflow(by: inner)
    let (twice, overflowTwice) = once.multipliedReportingOverflow(by: 2)
    return overflow || overflowTwice ? Int.max : twice
  }
}
