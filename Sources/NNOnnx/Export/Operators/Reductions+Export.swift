import NNGraph

extension Reductions {
  static func export(_ reduce: Reduce, _ x: Operand, _ graph: OnnxGraphWriter) throws -> String {
    if reduce.axes.isEmpty {
      // What folds nothing still does to every element what it does.
      if reduce.function == .sumOfSquares { return graph.node("Mul", x.name, x.name) }
      return graph.node("Identity", x.name)
    }
    if reduce.function == .mean, reduce.keepsDimensions, x.dtype == .f32, x.rank > 2,
      reduce.axes == Array(2..<x.rank)
    {
      return graph.node("GlobalAveragePool", x.name)
    }
    guard x.dtype == .u64 else {
      return try graph.reduce(reduce.function, x.name, reduce.axes, keeps: reduce.keepsDimensions)
    }
    func folded(_ wide: String) throws -> String {
      try graph.reduce(reduce.function, wide, reduce.axes, keeps: reduce.keepsDimensions)
    }
    switch reduce.function {
    case .maximum, .minimum: return try graph.restored(try folded(try graph.ordered(x)), .u64)
    // Sums and products that wrap have the same bits with a sign and without.
    case .sum, .product, .sumOfSquares: return graph.cast(try folded(graph.cast(x.name, .i64)), .u64)
    case .mean: throw NNError(.unsupportedOperator, "the mean of u64")
    }
  }

  static func export(_ argument: ArgumentReduce, _ x: Operand, _ graph: OnnxGraphWriter) throws -> String {
    let source = x.dtype == .u64 ? try graph.ordered(x) : x.name
    return graph.node(
      argument.findsMaximum ? "ArgMax" : "ArgMin", source,
      attributes: [
        .int("axis", argument.axis), .flag("keepdims", argument.keepsDimensions),
        .flag("select_last_index", argument.selectsLast),
      ])
  }
}
