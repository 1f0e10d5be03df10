import NNGraph

extension Graph {
  /// How many nodes read each value; being an output of the graph counts as one.
  public var useCounts: [Int] {
    var counts = [Int](repeating: 0, count: values.count)
    for node in nodes {
      for input in node.inputs { counts[input.index] += 1 }
    }
    for output in outputs { counts[output.index] += 1 }
    return counts
  }

  /// The node that computes each value, by index; nil for inputs and constants.
  public var producers: [Int?] {
    var producers = [Int?](repeating: nil, count: values.count)
    for (index, node) in nodes.enumerated() {
      for output in node.outputs { producers[output.index] = index }
    }
    return producers
  }

  /// Drops nodes without effect on any output, then values that nothing refers to, and renumbers the rest.
  /// Inputs stay, used or not: they are the model's interface.
  public mutating func removeUnused() {
    var needed = [Bool](repeating: false, count: values.count)
    for output in outputs { needed[output.index] = true }
    var kept: [Node] = []
    for node in nodes.reversed() where node.outputs.contains(where: { needed[$0.index] }) {
      for value in node.inputs + node.outputs { needed[value.index] = true }
      kept.append(node)
    }
    nodes = kept.reversed()
    for input in inputs { needed[input.index] = true }
    keepValues(needed)
  }

  private mutating func keepValues(_ needed: [Bool]) {
    var renumbered = [ValueID?](repeating: nil, count: values.count)
    var kept: [Value] = []
    for (index, value) in values.enumerated() where needed[index] {
      renumbered[index] = ValueID(kept.count)
      kept.append(value)
    }
    func map(_ id: ValueID) -> ValueID { renumbered[id.index]! }
    values = kept
    inputs = inputs.map(map)
    outputs = outputs.map(map)
    states = states.map { CarriedState(input: map($0.input), output: map($0.output)) }
    for index in nodes.indices {
      nodes[index].inputs = nodes[index].inputs.map(map)
      nodes[index].outputs = nodes[index].outputs.map(map)
    }
  }
}
