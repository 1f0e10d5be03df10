import NNGraph

extension Graph {
  /// The graph without the nodes and constants that no output depends on. Inputs stay.
  ///
  /// Gradient rules build the adjoint of every operand; those nobody asked for go here.
  func removingUnusedNodes() -> Graph {
    var used = [Bool](repeating: false, count: values.count)
    for output in outputs { used[output.index] = true }
    for node in nodes.reversed() where node.outputs.contains(where: { used[$0.index] }) {
      for input in node.inputs { used[input.index] = true }
    }
    for node in nodes where node.outputs.contains(where: { used[$0.index] }) {
      for output in node.outputs { used[output.index] = true }
    }
    for input in inputs { used[input.index] = true }

    var result = Graph(name: name)
    result.symbols = symbols
    var renumbered = [ValueID](repeating: ValueID(-1), count: values.count)
    for index in values.indices where used[index] {
      renumbered[index] = ValueID(result.values.count)
      result.values.append(values[index])
    }
    for node in nodes where used[node.outputs[0].index] {
      result.nodes.append(
        Node(
          name: node.name, op: node.op, inputs: node.inputs.map { renumbered[$0.index] },
          outputs: node.outputs.map { renumbered[$0.index] }))
    }
    result.inputs = inputs.map { renumbered[$0.index] }
    result.outputs = outputs.map { renumbered[$0.index] }
    result.states = states.map {
      CarriedState(input: renumbered[$0.input.index], output: renumbered[$0.output.index])
    }
    return result
  }
}
