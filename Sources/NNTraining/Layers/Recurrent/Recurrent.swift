import NNGraph

/// What recurrent layers have in common: a state that follows a sequence, see ``Recurrent``.
///
/// x (N, T, F) → the state after each step, (N, T, units), or after the last one, (N, units). Traced to be stateful, the layer
/// keeps its state in the session, so that a sequence can be run in pieces, down to one step at a time.
struct RecurrentOptions: Sendable {
  var units: Int
  var returnsSequences: Bool
  var maskValue: Float?
  var isReversed = false
}

extension RecurrentOptions {
  func run(
    _ kind: Recurrent.Kind, activation: Activation = .identity, _ x: SymbolicTensor
  ) throws(NNError) -> SymbolicTensor {
    let trace = x.trace
    // The gradient passes frozen layers too.
    let recurrent = Recurrent(
      kind, activation: activation, isReversed: isReversed, keepsSlopes: trace.mode == .training)
    try x.require(rank: 3, "(N, T, F)")
    let (steps, features) = (try x.requireExtent(axis: 1), try x.requireExtent(axis: 2))
    let (width, overflow) = units.multipliedReportingOverflow(by: recurrent.gateCount)
    guard units >= 1, !overflow, steps >= 1 else {
      throw NNError(.invalidArgument, "\(units) units over \(steps) steps")
    }
    let weight = try trace.parameter(
      "weight", [features, width], initializer: .glorotUniform, fans: Fans(input: features, output: width))
    let recurrentWeight = try trace.parameter(
      "recurrent_weight", [units, width], initializer: .orthogonal, fans: Fans(input: units, output: units)
    )
    let bias = try trace.parameter("bias", [width], initializer: .zeros)
    // One product serves all steps.
    var operands = [try x.matmul(weight, bias: bias), recurrentWeight]
    if kind == .gru {
      operands.append(try trace.parameter("recurrent_bias", [width], initializer: .zeros))
    }
    operands += try initialStates(recurrent, x)
    if let maskValue { operands.append(try present(x, maskValue)) }
    let result = try trace.apply(.recurrent(recurrent), operands)
    return try output(recurrent, result, steps)
  }

  /// Zeros for every sample, or what the session keeps.
  private func initialStates(_ recurrent: Recurrent, _ x: SymbolicTensor) throws(NNError) -> [SymbolicTensor]
  {
    guard x.trace.isStateful else {
      let zeros = try x.trace.filled(0, [1, units])
      return [SymbolicTensor](repeating: zeros, count: recurrent.stateCount)
    }
    var states: [SymbolicTensor] = []
    for name in recurrent.stateNames {
      states.append(try x.trace.state(name, [x.shape[0].extent ?? 1, units]))
    }
    return states
  }

  private func output(
    _ recurrent: Recurrent, _ result: SymbolicTensor, _ steps: Int
  ) throws(NNError) -> SymbolicTensor {
    let last = recurrent.row(ofPosition: isReversed ? 0 : steps - 1)
    /// Block `index` of the state after the last step, (N, units).
    func lastState(_ index: Int) throws(NNError) -> SymbolicTensor {
      try result.sliced([
        .all, SliceRange(start: last, end: last + 1), recurrent.columns(index..<index + 1, units: units),
      ]).reshaped(Shape([result.shape[0], .fixed(units)]))
    }
    if result.trace.isStateful {
      for (index, name) in recurrent.stateNames.enumerated() {
        try result.trace.setState(name, to: try lastState(index))
      }
    }
    guard returnsSequences else { return try lastState(0) }
    if recurrent.blockCount == 1 { return result }
    return try result.sliced([
      .all, recurrent.stateRows(steps: steps), recurrent.columns(0..<1, units: units),
    ])
  }

  /// bool (N, T): whether a step has a feature other than `value`.
  private func present(_ x: SymbolicTensor, _ value: Float) throws(NNError) -> SymbolicTensor {
    try x.compare(.notEqual, value).cast(to: .f32).reduce(.maximum, axes: [2]).compare(.greater, 0.5)
  }
}

extension Recurrent {
  /// The parts of the state, each (N, H); the first one is the output.
  fileprivate var stateNames: [String] { kind == .lstm ? ["hidden", "cell"] : ["hidden"] }

  /// The rows of the result that have the states after the steps.
  func stateRows(steps: Int) -> SliceRange {
    let first = row(ofPosition: 0)
    return SliceRange(start: first, end: first + steps)
  }

  /// The columns of some blocks of H.
  func columns(_ blocks: Range<Int>, units: Int) -> SliceRange {
    SliceRange(start: blocks.lowerBound * units, end: blocks.upperBound * units)
  }
}
