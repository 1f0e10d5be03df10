import NNGraph

/// The part of a graph that one plan runs, every extent known.
struct PlannedGraph {
  var graph: Graph
  var resolved: ResolvedGraph

  /// The whole graph for inputs of the given extents.
  ///
  /// - Throws: what resolving throws, and ``ErrorCode/unsupportedOperator`` if extents depend on values that are computed.
  init(_ graph: Graph, inputExtents: [[Int]], options: Plan.Options) throws(NNError) {
    var resolution = try Resolution(graph, inputExtents: inputExtents)
    _ = try resolution.advance(options.evaluator)
    for index in graph.nodes.indices where !resolution.isResolved[index] {
      throw NNError(.unsupportedOperator, "takes or gives extents that are computed").within(
        graph.nodes[index].description)
    }
    try graph.requireStableStates(resolution.types)
    self.init(graph, resolution)
  }

  /// The whole graph, all of which is resolved.
  init(_ graph: Graph, _ resolution: Resolution) {
    self.init(
      graph, resolution, nodes: Array(graph.nodes.indices), inputs: graph.inputs, outputs: graph.outputs,
      states: graph.states)
  }

  /// Some resolved nodes of a graph. Values keep their numbers; those whose contents are known are constants here.
  init(
    _ graph: Graph, _ resolution: Resolution, nodes: [Int], inputs: [ValueID], outputs: [ValueID],
    states: [CarriedState] = []
  ) {
    self.graph = graph
    self.graph.inputs = inputs
    self.graph.outputs = outputs
    self.graph.states = states
    self.graph.bodies = []
    resolved = ResolvedGraph(types: resolution.types, ops: [])
    var kept: [Node] = []
    kept.reserveCapacity(nodes.count)
    for index in nodes {
      var node = graph.nodes[index]
      if resolution.known[node.outputs[0].index] != nil { continue }
      // Parameters are in the operator now.
      if case .dynamic = node.op { node.inputs = [node.inputs[0]] }
      kept.append(node)
      resolved.ops.append(resolution.ops[index])
    }
    self.graph.nodes = kept
    for (index, content) in resolution.known.enumerated() where content != nil {
      self.graph.values[index].constant = content
    }
  }
}
