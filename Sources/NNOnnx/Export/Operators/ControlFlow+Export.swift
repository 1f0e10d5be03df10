import NNGraph

extension ControlFlow {
  /// Operands: condition, captures.
  static func exportBranch(
    _ then: Int, _ otherwise: Int, _ node: Node, _ x: [Operand], _ exporter: GraphExporter
  ) throws -> [String] {
    let graph = exporter.writer
    let condition = try graph.single(x[0])
    let first = try exporter.body(then, ownInputs: 0, captures: x[1...])
    let second = try exporter.body(otherwise, ownInputs: 0, captures: x[1...])
    return graph.add(
      "If", [condition], [.graph("then_branch", first), .graph("else_branch", second)],
      outputs: node.outputs.count)
  }

  /// Operands: most iterations, condition, carried values, captures.
  static func exportLoop(
    _ body: Int, carried: Int, _ node: Node, _ x: [Operand], _ exporter: GraphExporter
  ) throws -> [String] {
    let graph = exporter.writer
    for id in exporter.graph.bodies[body].inputs.prefix(2)
    where exporter.graph.bodies[body][id].type.shape.rank > 0 {
      throw NNError(.unsupportedOperator, "its body takes its number or its condition with axes")
    }
    let limits = [try graph.single(x[0]), try graph.single(x[1])]
    let proto = try exporter.body(body, ownInputs: 2 + carried, captures: x[(2 + carried)...])
    return graph.add(
      "Loop", limits + x[2..<2 + carried].map { $0.name }, [.graph("body", proto)],
      outputs: node.outputs.count)
  }
}
