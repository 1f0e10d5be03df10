import NNGraph
import NNPasses

extension Trace {
  /// The gradients of a scalar with respect to other tensors of the trace, computed by nodes that are appended:
  /// reverse accumulation over the nodes, with one rule per operator (``Adjoints``).
  ///
  /// - Parameter result: one element. Every extent between `variables` and `result` must be known.
  /// - Returns: for each variable, a tensor of its shape; zeros where `result` does not depend on it.
  /// - Throws: ``ErrorCode/unsupportedOperator`` naming a node that gradients would have to pass and cannot.
  public func gradient(
    of result: SymbolicTensor, withRespectTo variables: [SymbolicTensor]
  ) throws(NNError) -> [SymbolicTensor] {
    guard result.trace === self, variables.allSatisfy({ $0.trace === self }) else {
      throw NNError(.invalidArgument, "gradient of a tensor of another trace")
    }
    guard result.dtype == .f32, result.shape.elementCount == 1 else {
      throw NNError(
        .invalidArgument, "a gradient is taken of one f32 number, not of \(result.shapeDescription)")
    }
    var accumulated = [SymbolicTensor?](repeating: nil, count: graph.values.count)
    accumulated[result.id.index] = try filled(1, result.shape)
    var pieces = SlicedGradients(count: graph.values.count)
    var states = StateGradients(graph)
    let depends = dependents(of: variables)
    for node in graph.nodes.reversed() {
      try pieces.join(into: &accumulated, of: node.outputs[0], in: self)
      try states.join(into: &accumulated, of: node.outputs[0], in: self)
      guard let gradient = accumulated[node.outputs[0].index], depends[node.outputs[0].index] else {
        continue
      }
      if depends[node.inputs[0].index] {
        if try states.keep(gradient, of: node, in: self) { continue }
        if try pieces.keep(gradient, of: node, in: self) { continue }
      }
      try accumulate(node, gradient, depends, &accumulated)
    }
    var results: [SymbolicTensor] = []
    for variable in variables {
      try pieces.join(into: &accumulated, of: variable.id, in: self)
      try states.join(into: &accumulated, of: variable.id, in: self)
      if let gradient = accumulated[variable.id.index] {
        results.append(gradient)
      } else {
        results.append(try filled(0, variable.shape))
      }
    }
    return results
  }

  /// Whether gradients pass from `result` to one of the variables.
  func depends(_ result: SymbolicTensor, on variables: [SymbolicTensor]) -> Bool {
    dependents(of: variables)[result.id.index]
  }

  /// Which values hold fractions and depend on one of the variables.
  private func dependents(of variables: [SymbolicTensor]) -> [Bool] {
    var depends = [Bool](repeating: false, count: graph.values.count)
    for variable in variables { depends[variable.id.index] = true }
    for node in graph.nodes where node.inputs.contains(where: { depends[$0.index] }) {
      for output in node.outputs where graph[output].type.dtype.isFloatingPoint && !stopsGradient(output) {
        depends[output.index] = true
      }
    }
    return depends
  }

  private func accumulate(
    _ node: Node, _ gradient: SymbolicTensor, _ depends: [Bool], _ accumulated: inout [SymbolicTensor?]
  ) throws(NNError) {
    let inputs = node.inputs.map { SymbolicTensor(trace: self, id: $0) }
    let output = SymbolicTensor(trace: self, id: node.outputs[0])
    let adjoints: Adjoints
    do throws(NNError) {
      adjoints = try node.op.adjoints(inputs: inputs, output: output, gradient: gradient)
    } catch {
      throw error.within("gradient of " + node.description)
    }
    switch adjoints {
    case .zero: return
    case .undefined(let reason):
      throw NNError(.unsupportedOperator, "gradient of " + node.description + ": " + reason)
    case .of(let contributions):
      for (input, contribution) in zip(node.inputs, contributions) where depends[input.index] {
        guard let contribution else { continue }
        if let other = accumulated[input.index] {
          accumulated[input.index] = try other + contribution
        } else {
          accumulated[input.index] = contribution
        }
      }
    }
  }
}

extension Graph {
  /// This graph with the gradients of a scalar added, as a function from graph to graph: outputs named after the
  /// variables with ".gradient" behind follow the present outputs, in the order of `variables`.
  ///
  /// - Throws: as ``Trace/gradient(of:withRespectTo:)``.
  public func addingGradients(of result: ValueID, withRespectTo variables: [ValueID]) throws(NNError) -> Graph
  {
    let trace = Trace(continuing: self)
    let tensors = variables.map { SymbolicTensor(trace: trace, id: $0) }
    let gradients = try trace.gradient(
      of: SymbolicTensor(trace: trace, id: result), withRespectTo: tensors)
    for (variable, gradient) in zip(variables, gradients) {
      try trace.output(gradient, name: Name(self[variable].name.string + ".gradient"))
    }
    // Rules build the adjoint of every operand; those nobody asked for go here.
    var result = trace.graph
    result.removeUnused()
    return result
  }
}
