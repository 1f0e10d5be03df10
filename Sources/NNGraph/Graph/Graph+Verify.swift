extension Graph {
  /// No graph has more nodes or values than this.
  public static let maximumNodeCount = 1 << 20

  /// Checks everything that the planner and the kernels rely on. A graph from a file or an importer must pass it
  /// before anything else looks at it; no content makes it trap, and its time is linear in the graph's size.
  ///
  /// - Throws: the first fault found, naming the node or value.
  public func verify() throws(NNError) { try verify(depth: 0) }

  private func verify(depth: Int) throws(NNError) {
    guard depth <= Graph.maximumBodyDepth else {
      throw NNError(.limitExceeded, "a body lies more than \(Graph.maximumBodyDepth) graphs deep")
    }
    for (index, body) in bodies.enumerated() {
      do throws(NNError) {
        try body.verify(depth: depth + 1)
        guard body.states.isEmpty else { throw NNError(.invalidGraph, "carries states, as only models do") }
      } catch {
        throw error.within("body \(index)")
      }
    }
    guard nodes.count <= Graph.maximumNodeCount, values.count <= 4 * Graph.maximumNodeCount else {
      throw NNError(.limitExceeded, "the graph has \(nodes.count) nodes and \(values.count) values")
    }
    var defined = [Bool](repeating: false, count: values.count)
    try verifyValues(&defined, isBody: depth > 0)
    for node in nodes {
      do throws(NNError) {
        try verify(node, &defined)
      } catch {
        throw error.within(node.description)
      }
    }
    for output in outputs {
      guard isValid(output), defined[output.index] else {
        throw NNError(.invalidGraph, "output \(output.index) is not computed by any node")
      }
      guard hasPlainLayout(output) else {
        throw NNError(.invalidGraph, "output \(values[output.index].name.quoted) is a constant in panels")
      }
    }
    for index in 0..<values.count where !defined[index] {
      throw NNError(.invalidGraph, "value \(values[index].name.quoted) is neither input, constant nor result")
    }
    try verifyNames(inputs, role: "input")
    try verifyNames(outputs, role: "output")
    try verifyStates()
  }

  private func isValid(_ id: ValueID) -> Bool { id.index >= 0 && id.index < values.count }

  private func hasPlainLayout(_ id: ValueID) -> Bool { (self[id].constant?.layout ?? .rowMajor) == .rowMajor }

  private func verifyValues(_ defined: inout [Bool], isBody: Bool) throws(NNError) {
    for (index, value) in values.enumerated() {
      do throws(NNError) {
        try value.type.shape.validate()
        try verifySymbols(value.type.shape)
        if let constant = value.constant {
          guard constant.type == value.type else {
            throw NNError(.invalidGraph, "its type is not that of its constant")
          }
          defined[index] = true
        }
      } catch {
        throw error.within("value " + value.name.quoted)
      }
    }
    for input in inputs {
      guard isValid(input), !defined[input.index] else {
        throw NNError(.invalidGraph, "input \(input.index) is no value, a constant, or listed twice")
      }
      for dimension in self[input].type.shape.dimensions where dimension == .unknown && !isBody {
        throw NNError(.invalidGraph, "input \(self[input].name.quoted) has an unnamed free dimension")
      }
      defined[input.index] = true
    }
  }

  private func verifySymbols(_ shape: Shape) throws(NNError) {
    for case .named(let symbol) in shape.dimensions where symbol < 0 || symbol >= symbols.count {
      throw NNError(.invalidGraph, "free dimension \(symbol) has no name")
    }
  }

  private func verify(_ node: Node, _ defined: inout [Bool]) throws(NNError) {
    var types: [TensorType] = []
    for (position, input) in node.inputs.enumerated() {
      guard isValid(input) else { throw NNError(.invalidGraph, "input \(position) is no value of the graph") }
      guard defined[input.index] else {
        throw NNError(
          .invalidGraph,
          "input \(self[input].name.quoted) is used before it is computed (the graph has a cycle or wrong order)"
        )
      }
      if !hasPlainLayout(input) { try verifyPanels(node, position) }
      types.append(self[input].type)
    }
    switch node.op {
    case .reshape(let shape), .expand(let shape): try verifySymbols(shape)
    case .unary, .binary, .compare, .select, .reduce, .argument, .matmul, .convolution, .pool, .normalize,
      .softmax, .recurrent, .recurrentGradient,
      .transpose, .slice, .pad, .concat, .gather, .scatter, .argsort, .cast, .dynamic, .random,
      .normalizeTraining,
      .convolutionWeightGradient, .unfold, .fold, .poolGradient:
      break
    }
    let results = try inferOutputs(node.op, types)
    guard node.outputs.count == results.count else {
      throw NNError(.invalidGraph, "has \(node.outputs.count) results instead of \(results.count)")
    }
    for (output, result) in zip(node.outputs, results) {
      guard isValid(output), !defined[output.index] else {
        throw NNError(.invalidGraph, "result \(output.index) is no value of the graph or computed twice")
      }
      let type = self[output].type
      guard type.dtype == result.dtype, type.shape.mayEqual(result.shape) else {
        throw NNError(
          .invalidGraph,
          "result \(self[output].name.quoted) is declared \(type.dtype.name) \(type.shape.describe(symbols: symbols)) "
            + "but is \(result.dtype.name) \(result.shape.describe(symbols: symbols))")
      }
      defined[output.index] = true
    }
  }

  /// Panels are what products and convolutions read as their second operand, and nothing else reads them.
  private func verifyPanels(_ node: Node, _ position: Int) throws(NNError) {
    let isOfFilters = self[node.inputs[position]].constant?.layout == .filterPanels
    if case .convolution = node.op, position == 1, isOfFilters { return }
    if case .matmul(let matmul) = node.op, position == 1, !matmul.transposesB, !isOfFilters { return }
    if case .recurrent = node.op, position == 1, !isOfFilters { return }
    throw NNError(
      .invalidGraph,
      "input \(position) is stored in panels, which only the second operand of matmul, recurrent and convolution may be"
    )
  }

  private func verifyNames(_ ids: [ValueID], role: StaticString) throws(NNError) {
    var names: [Name] = []
    for id in ids {
      guard !self[id].name.isEmpty else { throw NNError(.invalidGraph, "an \(role) without a name") }
      names.append(self[id].name)
    }
    if let name = Name.firstDuplicate(among: names) {
      throw NNError(.invalidGraph, "two \(role)s named \(name.quoted)")
    }
  }

  private func verifyStates() throws(NNError) {
    var used = [Bool](repeating: false, count: values.count)
    var isInput = used
    var isOutput = used
    for input in inputs { isInput[input.index] = true }
    for output in outputs { isOutput[output.index] = true }
    for state in states {
      guard isValid(state.input), isValid(state.output), isInput[state.input.index],
        isOutput[state.output.index],
        !used[state.input.index]
      else { throw NNError(.invalidGraph, "a carried state is not a pair of an input and an output") }
      used[state.input.index] = true
      let (before, after) = (self[state.input].type, self[state.output].type)
      guard before.dtype == after.dtype, before.shape.mayEqual(after.shape) else {
        throw NNError(.invalidGraph, "state \(self[state.input].name.quoted) changes its type between runs")
      }
    }
  }
}
