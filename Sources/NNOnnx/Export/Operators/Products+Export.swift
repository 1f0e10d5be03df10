import NNGraph

extension Products {
  static func export(_ matmul: Matmul, _ x: [Operand], _ graph: OnnxGraphWriter) throws -> String {
    let (a, b) = (x[0], x[1])
    let product: String
    if a.rank == 2, b.rank == 2, a.dtype.isFloatingPoint {
      product =
        graph.add(
          "Gemm", x.map { $0.name },
          [.flag("transA", matmul.transposesA), .flag("transB", matmul.transposesB)])[0]
    } else {
      let plain = graph.node(
        "MatMul", swapped(a, matmul.transposesA, graph), swapped(b, matmul.transposesB, graph))
      product = x.count > 2 ? graph.node("Add", plain, x[2].name) : plain
    }
    return try activated(product, matmul.activation, graph)
  }

  /// A product with the activation that ours has at its end.
  static func activated(_ product: String, _ activation: Activation, _ graph: OnnxGraphWriter) throws
    -> String
  {
    activation == .identity ? product : try Activations.export(activation, product, .f32, graph)
  }

  /// A tensor with its last two axes in each other's place.
  private static func swapped(_ x: Operand, _ isTransposed: Bool, _ graph: OnnxGraphWriter) -> String {
    guard isTransposed else { return x.name }
    var permutation = Array(0..<x.rank)
    permutation.swapAt(x.rank - 2, x.rank - 1)
    return graph.transpose(x.name, permutation)
  }
}
