import NNGraph

extension Gathering {
  /// The standard's operator writes along the first axis.
  ///
  /// Operands: x, indices, updates.
  static func export(
    _ function: ScatterFunction, _ x: [Operand], axis: Int, _ graph: OnnxGraphWriter
  ) throws -> String {
    let (rank, indexRank) = (x[0].rank, x[1].rank)
    var order = Array(0..<rank)
    order.insert(order.remove(at: axis), at: 0)
    var back = [Int](repeating: 0, count: rank)
    for (place, source) in order.enumerated() { back[source] = place }
    let updateOrder =
      Array(axis..<axis + indexRank) + Array(0..<axis) + Array(axis + indexRank..<rank - 1 + indexRank)
    let indices = try graph.unsqueeze(try graph.cast(x[1], .i64), [indexRank])
    return try graph.moving(.rearranging, [x[0], x[2]]) { operands in
      let result = graph.node(
        "ScatterND", graph.transpose(operands[0], order), indices,
        graph.transpose(operands[1], updateOrder),
        attributes: [.string("reduction", function.onnxReduction)])
      return graph.transpose(result, back)
    }
  }

  static func exportSort(_ x: Operand, axis: Int, isDescending: Bool, _ graph: OnnxGraphWriter) throws
    -> String
  {
    graph.add(
      "TopK", [try graph.ordered(x), try graph.extent(x, axis)],
      [.int("axis", axis), .flag("largest", isDescending)], outputs: 2)[1]
  }
}
