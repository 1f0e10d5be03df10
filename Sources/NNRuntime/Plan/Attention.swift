import NNGraph

/// A softmax between two products, which run together, some rows at a time: their scores stay in the cache, and the whole matrix of
/// scores is never written. Every number is computed as it would be node by node, so no bit depends on it.
struct Attention {
  /// The product that makes the scores.
  let scores: Int
  /// What scales and masks them, element by element, in order.
  let between: [Int]
  let softmax: Int
  /// The product of the softmax with the values.
  let values: Int
  /// Transposes of (B, T, H, D), with the rows of all heads side by side, to (B, H, T, D), or back, that nobody else reads: of the queries, the
  /// values and the results. The products find the rows where they are. −1 where there is none.
  var swaps = (queries: -1, values: -1, results: -1)

  /// In the order in which they run.
  var members: [Int] {
    var members = [swaps.queries, swaps.values, scores]
    members += between
    members += [softmax, values, swaps.results]
    members.removeAll { $0 < 0 }
    return members
  }

  /// What makes the result.
  var last: Int { max(values, swaps.results) }
}

/// Finds the attention in a graph.
struct AttentionFinder {
  let graph: Graph
  let resolved: ResolvedGraph
  let options: Plan.Options
  /// For each value the node that computes it and the only one that reads it; −1 where there is none, or more.
  private var maker: [Int]
  private var reader: [Int]

  init(_ graph: Graph, _ resolved: ResolvedGraph, _ options: Plan.Options) {
    self.graph = graph
    self.resolved = resolved
    self.options = options
    maker = [Int](repeating: -1, count: graph.values.count)
    reader = [Int](repeating: -1, count: graph.values.count)
    var uses = [Int](repeating: 0, count: graph.values.count)
    for (index, node) in graph.nodes.enumerated() {
      for output in node.outputs { maker[output.index] = index }
      for input in node.inputs {
        uses[input.index] += 1
        reader[input.index] = index
      }
    }
    for output in graph.outputs { uses[output.index] += 1 }
    for state in graph.states { uses[state.output.index] += 1 }
    for value in uses.indices where uses[value] != 1 { reader[value] = -1 }
  }

  func all() -> [Attention] {
    var all: [Attention] = []
    for index in graph.nodes.indices {
      guard var found = attention(around: index) else { continue }
      found.swaps.queries = swap(before: found.scores, 0)
      if case .matmul(let matmul) = resolved.ops[found.values],
        case .direct = MatmulRoute(matmul, graph, graph.nodes[found.values], resolved.types, options).source
      {
        found.swaps.values = swap(before: found.values, 1)
      }
      found.swaps.results = swap(reader[result(found.values)])
      all.append(found)
    }
    return all
  }

  /// The swap that makes an operand of a product, and as many matrices as the product has.
  private func swap(before product: Int, _ operand: Int) -> Int {
    let value = graph.nodes[product].inputs[operand].index
    guard reader[value] == product,
      resolved.types[value].shape.extents?.dropLast(2) == type(of: product).shape.extents?.dropLast(2)
    else { return -1 }
    return swap(maker[value])
  }

  /// The node if it swaps the two axes in the middle of four and moves something by that, else −1.
  private func swap(_ index: Int) -> Int {
    guard index >= 0, resolved.ops[index] == .transpose([0, 2, 1, 3]), type(of: index).dtype == .f32,
      let extents = type(of: index).shape.extents, extents[1] > 1, extents[2] > 1
    else { return -1 }
    return index
  }

  private func attention(around softmax: Int) -> Attention? {
    guard case .softmax(let attributes) = resolved.ops[softmax], attributes.function == .softmax,
      let extents = type(of: softmax).shape.extents, attributes.axis == extents.count - 1,
      let values = product(reader[result(softmax)], batch: Array(extents.dropLast(2))),
      graph.nodes[values].inputs[0].index == result(softmax)
    else { return nil }
    // Upwards from the softmax to the product, by what has one operand of the scores' size and no other reader.
    var between: [Int] = []
    var value = graph.nodes[softmax].inputs[0]
    while reader[value.index] >= 0, maker[value.index] >= 0 {
      let index = maker[value.index]
      if let scores = product(index, batch: Array(extents.dropLast(2))) {
        guard type(of: index).shape.extents == extents else { return nil }
        return Attention(scores: scores, between: between.reversed(), softmax: softmax, values: values)
      }
      guard let operand = scoresOperand(of: index), between.count < AttentionFinder.mostBetween else {
        return nil
      }
      between.append(index)
      value = graph.nodes[index].inputs[operand]
    }
    return nil
  }

  private static let mostBetween = 8

  private func result(_ index: Int) -> Int { graph.nodes[index].outputs[0].index }
  private func type(of index: Int) -> TensorType { resolved.types[result(index)] }

  /// A product of f32 whose rows belong to one matrix of the batch each.
  private func product(_ index: Int, batch: [Int]) -> Int? {
    guard index >= 0, case .matmul(let matmul) = resolved.ops[index], type(of: index).dtype == .f32,
      let extents = type(of: index).shape.extents, Array(extents.dropLast(2)) == batch,
      extents.allSatisfy({ $0 > 0 }), !matmul.transposesA
    else { return nil }
    let route = MatmulRoute(matmul, graph, graph.nodes[index], resolved.types, options)
    if case .replaced = route.source { return nil }
    return route.batchCount == batch.reduce(1, *) && route.narrowFormat == nil ? index : nil
  }

  /// The operand that an elementwise node reads element by element, if the others come from elsewhere.
  private func scoresOperand(of index: Int) -> Int? {
    let node = graph.nodes[index]
    guard type(of: index).dtype == .f32, let role = ElementwiseRole(node, resolved, resolved.ops[index])
    else {
      return nil
    }
    let candidates = node.inputs.indices.filter {
      let value = node.inputs[$0].index
      return role.operands[$0] == .whole && resolved.types[value].dtype == .f32 && maker[value] >= 0
        && reader[value] == index
    }
    return candidates.count == 1 ? candidates[0] : nil
  }
}
