import NNGraph

/// Matrix products.
enum Products {
  static let operators: [String: Lowering] = [
    "MatMul": matmul, "Gemm": gemm, "Einsum": Einsum.lower, "Det": determinant,
  ]

  private static func matmul(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    [try product(try node.input(0), try node.input(1), graph)]
  }

  /// As NumPy's matmul: a vector is a row on the left and a column on the right.
  static func product(_ a: ValueID, _ b: ValueID, _ graph: GraphBuilder) throws -> ValueID {
    let (aRank, bRank) = (graph.rank(a), graph.rank(b))
    guard aRank > 0, bRank > 0 else { throw NNError(.shapeMismatch, "a scalar has no product as a matrix") }
    if aRank > 1, bRank > 1 { return try graph.matmul(a, b) }
    let rows = aRank == 1 ? try graph.unsqueeze(a, [0]) : a
    let columns = bRank == 1 ? try graph.unsqueeze(b, [1]) : b
    let result = try graph.matmul(rows, columns)
    var axes: [Int] = []
    if aRank == 1 { axes.append(graph.rank(result) - 2) }
    if bRank == 1 { axes.append(graph.rank(result) - 1) }
    return try graph.squeeze(result, axes)
  }

  /// α·A·B + β·C.
  private static func gemm(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let (a, b, c) = (try node.input(0), try node.input(1), try node.optional(2))
    guard graph.rank(a) == 2, graph.rank(b) == 2 else { throw NNError(.shapeMismatch, "takes matrices") }
    let alpha = try node.float("alpha", default: 1)
    let beta = try node.float("beta", default: 1)
    let op = Op.matmul(
      Matmul(transposesA: try node.flag("transA"), transposesB: try node.flag("transB")))
    if let c, alpha == 1, beta == 1, graph.rank(c) == 1, graph.shape(c)[0] != .fixed(1) {
      return [try graph.append(op, a, b, c)]
    }
    var result = try graph.append(op, a, b)
    if alpha != 1 { result = try graph.multiply(result, Double(alpha)) }
    guard let c, beta != 0 else { return [result] }
    return [try graph.add(result, beta == 1 ? c : try graph.multiply(c, Double(beta)))]
  }

  private static func determinant(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let x = try node.input(0)
    let rank = graph.rank(x)
    guard rank >= 2, graph.shape(x)[rank - 2] == graph.shape(x)[rank - 1] else {
      throw NNError(.shapeMismatch, "takes square matrices")
    }
    let count = try graph.extent(x, rank - 1)
    guard (1...5).contains(count) else { throw NNError(.unsupportedOperator, "matrices of \(count) rows") }
    let result = try expanded(x, count, graph)
    return [try graph.squeeze(result, [rank - 2, rank - 1])]
  }

  /// By the first row: Laplace's expansion. x (…, n, n) → (…, 1, 1)
  private static func expanded(_ x: ValueID, _ count: Int, _ graph: GraphBuilder) throws -> ValueID {
    guard count > 1 else { return x }
    let rank = graph.rank(x)
    let first = try graph.slice(x, axis: rank - 2, 0, 1)
    let rest = try graph.slice(x, axis: rank - 2, 1, count)
    var sum: ValueID?
    for column in 0..<count {
      var others: [ValueID] = []
      if column > 0 { others.append(try graph.slice(rest, axis: rank - 1, 0, column)) }
      if column < count - 1 { others.append(try graph.slice(rest, axis: rank - 1, column + 1, count)) }
      let minor = try expanded(try graph.concat(others, axis: rank - 1), count - 1, graph)
      let part = try graph.multiply(try graph.slice(first, axis: rank - 1, column, column + 1), minor)
      sum = try sum.map { try column % 2 == 0 ? graph.add($0, part) : graph.subtract($0, part) } ?? part
    }
    return sum ?? x
  }
}
