import NNGraph

/// What recurrent layers have in common: a state that follows a sequence.
///
/// x (N, T, F) → the state after each step, (N, T, units), or after the last one, (N, units). Traced to be stateful, the layer
/// keeps its state in the session, so that a sequence can be run in pieces, down to one step at a time.
struct RecurrentOptions: Sendable {
  var units: Int
  var returnsSequences: Bool
  var maskValue: Float?
  var isReversed = false
}

/// One kind of recurrence.
protocol RecurrentCell {
  /// Blocks of `units` numbers that the input is projected to.
  var gateCount: Int { get }
  /// The parts of the state, each (N, units); the first one is the output.
  var stateNames: [String] { get }
  /// The state after a step.
  ///
  /// - Parameter projected: W·x + b of the step, (N, gates·units).
  func step(
    _ projected: SymbolicTensor, _ states: [SymbolicTensor], _ weights: RecurrentWeights
  ) throws(NNError) -> [SymbolicTensor]
}

struct RecurrentWeights {
  let units: Int
  /// (units, gates·units)
  let recurrent: SymbolicTensor
  /// (gates·units), of a cell that adds a bias to the state's projection.
  let recurrentBias: SymbolicTensor?

  /// Block `index` of `units` columns.
  func gate(_ x: SymbolicTensor, _ index: Int) throws(NNError) -> SymbolicTensor {
    try x.sliced([.all, SliceRange(start: index * units, end: (index + 1) * units)])
  }
}

extension RecurrentOptions {
  func run(
    _ cell: some RecurrentCell, _ x: SymbolicTensor, bias: Initializer, hasRecurrentBias: Bool = false
  ) throws(NNError) -> SymbolicTensor {
    try x.require(rank: 3, "(N, T, F)")
    let (steps, features) = (try x.requireExtent(axis: 1), try x.requireExtent(axis: 2))
    let (width, overflow) = units.multipliedReportingOverflow(by: cell.gateCount)
    guard units >= 1, !overflow, steps >= 1 else {
      throw NNError(.invalidArgument, "\(units) units over \(steps) steps")
    }
    let trace = x.trace
    let weight = try trace.parameter(
      "weight", [features, width], initializer: .glorotUniform, fans: Fans(input: features, output: width))
    let recurrent = try trace.parameter(
      "recurrent_weight", [units, width], initializer: .orthogonal, fans: Fans(input: units, output: units)
    )
    let shift = try trace.parameter("bias", [width], initializer: bias)
    let recurrentBias =
      hasRecurrentBias ? try trace.parameter("recurrent_bias", [width], initializer: .zeros) : nil
    let weights = RecurrentWeights(units: units, recurrent: recurrent, recurrentBias: recurrentBias)
    // One product serves all steps.
    let projected = try x.matmul(weight, bias: shift)
    let mask = try maskValue.map { (value) throws(NNError) in try present(x, value) }
    return try follow(cell, projected, mask, steps, weights)
  }

  private func follow(
    _ cell: some RecurrentCell, _ projected: SymbolicTensor, _ mask: SymbolicTensor?, _ steps: Int,
    _ weights: RecurrentWeights
  ) throws(NNError) -> SymbolicTensor {
    let trace = projected.trace
    let batch = projected.shape[0]
    var states: [SymbolicTensor] = []
    for name in cell.stateNames {
      states.append(
        trace.isStateful
          ? try trace.state(name, [batch.extent ?? 1, units])
          : try trace.scalar(0).expanded(Shape([.fixed(1), .fixed(units)])))
    }
    var outputs: [SymbolicTensor] = []
    for number in 0..<steps {
      let position = isReversed ? steps - 1 - number : number
      let range = SliceRange(start: position, end: position + 1)
      let now = try projected.sliced([.all, range, .all]).reshaped(Shape([batch, projected.shape[2]]))
      var next = try cell.step(now, states, weights)
      if let mask {
        let counts = try mask.sliced([.all, range])
        for index in next.indices { next[index] = try counts.select(next[index], states[index]) }
      }
      states = next
      if returnsSequences { outputs.append(try next[0].reshaped(Shape([batch, .fixed(1), .fixed(units)]))) }
    }
    if trace.isStateful {
      for (name, state) in zip(cell.stateNames, states) { try trace.setState(name, to: state) }
    }
    guard returnsSequences, let first = outputs.first else { return states[0] }
    if outputs.count == 1 { return first }
    if isReversed { outputs.reverse() }
    return try outputs[0].concatenated(with: Array(outputs.dropFirst()), axis: 1)
  }

  /// bool (N, T): whether a step has a feature other than `value`.
  private func present(_ x: SymbolicTensor, _ value: Float) throws(NNError) -> SymbolicTensor {
    try x.compare(.notEqual, value).cast(to: .f32).reduce(.maximum, axes: [2]).compare(.greater, 0.5)
  }
}
