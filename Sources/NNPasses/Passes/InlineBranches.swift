import NNGraph

extension Graph {
  /// Replaces each branch whose condition is a constant by the nodes of the chosen body.
  ///
  /// - Returns: how many.
  mutating func inlineBranches() throws(NNError) -> Int {
    var count = 0
    while let index = nodes.firstIndex(where: { chosenBody(of: $0) != nil }) {
      let node = nodes[index]
      guard let body = chosenBody(of: node) else { return count }
      let inlined = inline(bodies[body], captures: Array(node.inputs.dropFirst()), results: node.outputs)
      nodes.replaceSubrange(index...index, with: inlined)
      count += 1
    }
    return count
  }

  private func chosenBody(of node: Node) -> Int? {
    guard case .dynamic(.branch(let then, let otherwise)) = node.op,
      let condition = self[node.inputs[0]].constant, let byte = condition.bytes.first
    else { return nil }
    return byte != 0 ? then : otherwise
  }

  /// The body's nodes over values of this graph, which is given the body's other values and its bodies.
  private mutating func inline(_ body: Graph, captures: [ValueID], results: [ValueID]) -> [Node] {
    var mapped = [ValueID?](repeating: nil, count: body.values.count)
    for (input, capture) in zip(body.inputs, captures) { mapped[input.index] = capture }
    let firstBody = bodies.count
    bodies += body.bodies
    for (index, value) in body.values.enumerated() where mapped[index] == nil {
      var copy = value
      // Its free dimensions are none of this graph's.
      for axis in 0..<copy.type.shape.rank where copy.type.shape[axis].extent == nil {
        copy.type.shape[axis] = .unknown
      }
      values.append(copy)
      mapped[index] = ValueID(values.count - 1)
    }
    var inlined: [Node] = []
    for node in body.nodes {
      var copy = node
      copy.inputs = node.inputs.map { mapped[$0.index]! }
      copy.outputs = node.outputs.map { mapped[$0.index]! }
      copy.op = node.op.renumberingBodies { $0 + firstBody }
      inlined.append(copy)
    }
    for (output, result) in zip(body.outputs, results) {
      let source = mapped[output.index]!
      inlined.append(Node(name: "", op: .unary(.identity), inputs: [source], outputs: [result]))
      self[result].type = self[source].type
    }
    return inlined
  }

  /// Drops bodies that no node refers to, and renumbers the rest.
  mutating func removeUnusedBodies() {
    if bodies.isEmpty { return }
    var isUsed = [Bool](repeating: false, count: bodies.count)
    for node in nodes {
      _ = node.op.renumberingBodies {
        isUsed[$0] = true; return $0
      }
    }
    var kept: [Graph] = []
    var renumbered = [Int](repeating: 0, count: bodies.count)
    for (index, body) in bodies.enumerated() where isUsed[index] {
      renumbered[index] = kept.count
      kept.append(body)
    }
    bodies = kept
    for index in nodes.indices { nodes[index].op = nodes[index].op.renumberingBodies { renumbered[$0] } }
  }
}

extension Op {
  /// The operator with other numbers for the bodies it refers to.
  fileprivate func renumberingBodies(_ number: (Int) -> Int) -> Op {
    guard case .dynamic(let dynamic) = self else { return self }
    switch dynamic {
    case .branch(let then, let otherwise):
      return .dynamic(.branch(then: number(then), otherwise: number(otherwise)))
    case .loop(let body, let carried): return .dynamic(.loop(body: number(body), carried: carried))
    case .shape, .reshape, .expand, .slice, .pad, .range, .nonZero, .unique, .nonMaxSuppression: return self
    }
  }
}
