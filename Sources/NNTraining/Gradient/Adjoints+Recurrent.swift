import NNGraph

extension Recurrent {
  /// The steps' gradients follow each other backwards in ``Op/recurrentGradient(_:ofStates:)``; what does not have to wait for them,
  /// such as that of R, is one product over all steps.
  ///
  /// - Parameter dy: the gradient of the states (N, T, S·H), as for any operator; of those of a recurrence that keeps its slopes what
  ///   ``StateGradients`` makes, (N, T or 1, H or S·H).
  func adjoints(_ x: [SymbolicTensor], _ y: SymbolicTensor, _ dy: SymbolicTensor) throws(NNError) -> Adjoints
  {
    guard keepsSlopes else {
      // The states are computed again, with their slopes.
      var keeping = self
      keeping.keepsSlopes = true
      return try keeping.adjoints(x, y.trace.apply(.recurrent(keeping), x), dy)
    }
    guard dy.shape[2] != y.shape[2] else {
      return .undefined("what a recurrence keeps beside its states for the gradient has none itself")
    }
    let extents = try y.knownExtents()
    let (batch, steps) = (extents[0], extents[1] - 1)
    let units = try x[1].knownExtents()[0]
    let kept = try kept(y, steps: steps, units: units)
    var plain = self
    plain.activation = .identity
    let hasMask = x.count > stateInput + stateCount
    let operands = [kept, x[1], dy] + (hasMask ? [x[x.count - 1]] : [])
    let gates = try y.trace.apply(.recurrentGradient(plain, ofStates: false), operands)
    let states = try y.trace.apply(.recurrentGradient(plain, ofStates: true), operands)
    let byState = try recurrentBlocks(gates, units)
    let rows = batch * steps
    let byWeight = try statesBefore(y, steps: steps, units: units).reshaped([rows, units])
      .matmul(byState.reshaped([rows, units * gateCount]), transposesA: true)
    var results: [SymbolicTensor?] = [try inputBlocks(gates, units), byWeight]
    if kind == .gru { results.append(try byState.sum(axes: [0, 1])) }
    for index in 0..<stateCount {
      let columns = columns(index..<index + 1, units: units)
      let whole = stateCount == 1 ? states : try states.sliced([.all, columns])
      results.append(try whole.summed(to: x[stateInput + index].shape))
    }
    return .of(hasMask ? results + [nil] : results)
  }

  /// What the gradient reads of the result `y`.
  private func kept(_ y: SymbolicTensor, steps: Int, units: Int) throws(NNError) -> SymbolicTensor {
    guard kind == .simple else { return y }
    let rows = stateRows(steps: steps)
    let state = try y.sliced([.all, rows, columns(0..<1, units: units)])
    let argument = try y.sliced([.all, rows, columns(1..<2, units: units)])
    let (none, one) = (try y.trace.scalar(0), try y.trace.scalar(1))
    let slope = try activation.adjoint(argument, state, one) ?? none
    return try slope.expanded(argument.shape)
  }

  /// The state before each step, (N, T, H).
  private func statesBefore(_ y: SymbolicTensor, steps: Int, units: Int) throws(NNError) -> SymbolicTensor {
    let first = isReversed ? 1 : 0
    return try y.sliced([
      .all, SliceRange(start: first, end: first + steps), columns(0..<1, units: units),
    ])
  }

  /// Of the gradient's blocks, those of the projected state, (N, T, gates·H).
  private func recurrentBlocks(_ gates: SymbolicTensor, _ units: Int) throws(NNError) -> SymbolicTensor {
    kind == .gru ? try gates.sliced([.all, .all, columns(0..<3, units: units)]) : gates
  }

  /// Of the gradient's blocks, those of the projected input, (N, T, gates·H).
  private func inputBlocks(_ gates: SymbolicTensor, _ units: Int) throws(NNError) -> SymbolicTensor {
    guard kind == .gru else { return gates }
    let candidate = try gates.sliced([.all, .all, columns(3..<4, units: units)])
    return try gates.sliced([.all, .all, columns(0..<2, units: units)])
      .concatenated(with: [candidate], axis: 2)
  }
}
