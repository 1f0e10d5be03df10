/// A state that follows a sequence: at each step it becomes a function of itself and of the step's input.
///
/// The product of the input with its weights, W·xₜ + b of every step, is a ``Op/matmul(_:)`` of its own before this one; only what
/// has to wait for the state is done step by step. Below, p is that product and R the recurrent weight.
public struct Recurrent: Equatable, Sendable {
  public enum Kind: UInt8, CaseIterable, Sendable {
    /// hₜ = f(pₜ + R·hₜ₋₁). Elman 1990.
    case simple = 0
    /// i, f, g, o = pₜ + R·hₜ₋₁; cₜ = σ(f)·cₜ₋₁ + σ(i)·tanh g; hₜ = σ(o)·tanh cₜ. Hochreiter and Schmidhuber 1997, Gers et al. 2000.
    case lstm = 1
    /// r, z, n and r′, z′, n′ = pₜ and R·hₜ₋₁ + c; r = σ(r + r′); z = σ(z + z′); n = tanh(n + r·n′); hₜ = n + z·(hₜ₋₁ − n).
    /// Cho et al. 2014, in the form of cuDNN.
    case gru = 2
  }

  public var kind: Kind
  /// f of the simple kind; the others' functions are fixed, and theirs is the identity.
  public var activation: Activation
  /// Whether the sequence is read from its last step to its first.
  public var isReversed: Bool
  /// Whether the result also has what the gradient needs: see ``slopeCount`` and ``rowCount(steps:)``.
  public var keepsSlopes: Bool

  public init(
    _ kind: Kind, activation: Activation = .identity, isReversed: Bool = false, keepsSlopes: Bool = false
  ) {
    self.kind = kind
    self.activation = activation
    self.isReversed = isReversed
    self.keepsSlopes = keepsSlopes
  }

  /// Blocks of H numbers that the input is projected to.
  public var gateCount: Int {
    switch kind {
    case .simple: 1
    case .lstm: 4
    case .gru: 3
    }
  }

  /// Blocks of H numbers that make the state: h, and the long short-term memory's c.
  public var stateCount: Int { kind == .lstm ? 2 : 1 }

  /// Blocks of H numbers that are kept of each step for the gradient, behind its state. With σ′ = σ·(1 − σ) of a gate and
  /// tanh′ = 1 − tanh²:
  ///
  /// - simple: the argument of f;
  /// - lstm: i′·g, f′·cₜ₋₁, i·g′, o′·tanh cₜ, o·tanh′ cₜ, f;
  /// - gru: r′·n′ (n′ being its projected state), z′·(hₜ₋₁ − n), (1 − z)·tanh′ n, r, z.
  public var slopeCount: Int {
    switch kind {
    case .simple: 1
    case .lstm: 6
    case .gru: 5
    }
  }

  /// Blocks of H numbers of a step of the result.
  public var blockCount: Int { stateCount + (keepsSlopes ? slopeCount : 0) }

  /// Blocks of H numbers of a step of the gradient: as the gates; the gated recurrent unit's are those of r, z and n in the
  /// projected state, then that of n in the projected input, which of r and z is the same.
  public var gradientBlockCount: Int { kind == .gru ? 4 : gateCount }

  /// Rows of the result along its time axis: the steps', and with slopes the initial state's, before the first step (which
  /// is the last row of a reversed sequence).
  public func rowCount(steps: Int) -> Int { keepsSlopes ? steps + 1 : steps }

  /// The row of the result that has the state after the step at `position` of the sequence.
  public func row(ofPosition position: Int) -> Int {
    keepsSlopes && !isReversed ? position + 1 : position
  }

  /// How many inputs come before the states: the projected input, R and, for the gated recurrent unit, c.
  public var stateInput: Int { kind == .gru ? 3 : 2 }
}

extension Recurrent {
  /// The types that go with one another: the batch, the time axis, and H.
  private struct Extents {
    let batch: Dimension
    let steps: Dimension
    let units: Dimension
  }

  func infer(_ inputs: [TensorType]) throws(NNError) -> TensorType {
    try validate()
    let projected = inputs[0]
    let extents = Extents(
      batch: try requireSequence(projected, "projected input").shape[0], steps: projected.shape[1],
      units: try units(inputs[1]))
    guard projected.shape[2].mayEqual(extents.units.times(gateCount)) else {
      throw NNError(
        .shapeMismatch,
        "projected input of shape \(projected.shape.description) does not have the \(gateCount) gates of recurrent weight "
          + inputs[1].shape.description)
    }
    if kind == .gru { try inputs[2].requireVector(extents.units.times(gateCount), "recurrent bias") }
    for state in inputs[stateInput..<stateInput + stateCount] {
      try state.require(.f32, "initial state")
      guard state.shape.rank == 2, state.shape[1].mayEqual(extents.units),
        state.shape[0] == .fixed(1) || state.shape[0].mayEqual(extents.batch)
      else { throw misfit(state, "initial state", [extents.batch, extents.units]) }
    }
    if inputs.count > stateInput + stateCount {
      try requireMask(inputs[inputs.count - 1], extents.batch, extents.steps)
    }
    return TensorType(
      .f32,
      Shape([
        extents.batch, keepsSlopes ? extents.steps.plus(1) : extents.steps, extents.units.times(blockCount),
      ])
    )
  }

  /// Inputs: what was kept, (N, T + 1, …), or for the simple kind f′ of each step, (N, T, H); R; dy; mask?
  func inferGradient(_ inputs: [TensorType], ofStates: Bool) throws(NNError) -> TensorType {
    try validate()
    guard keepsSlopes, activation == .identity else {
      throw NNError(.invalidGraph, "the gradient of a recurrence needs its slopes and has no activation")
    }
    let kept = try requireSequence(inputs[0], "what is kept")
    let units = try units(inputs[1])
    let blocks = kind == .simple ? 1 : blockCount
    guard kept.shape[2].mayEqual(units.times(blocks)), kind == .simple || kept.shape[1] != .fixed(0) else {
      throw NNError(
        .shapeMismatch,
        "what is kept has shape \(kept.shape.description), which does not fit recurrent weight "
          + inputs[1].shape.description)
    }
    let (batch, steps) = (kept.shape[0], kind == .simple ? kept.shape[1] : kept.shape[1].plus(-1))
    let dy = try requireSequence(inputs[2], "gradient")
    guard dy.shape[0].mayEqual(batch), dy.shape[1] == .fixed(1) || dy.shape[1].mayEqual(steps),
      dy.shape[2].mayEqual(units) || dy.shape[2].mayEqual(units.times(stateCount))
    else { throw misfit(dy, "gradient", [batch, steps, units.times(stateCount)]) }
    if inputs.count > 3 { try requireMask(inputs[3], batch, steps) }
    return TensorType(
      .f32,
      ofStates
        ? Shape([batch, units.times(stateCount)]) : Shape([batch, steps, units.times(gradientBlockCount)]))
  }

  private func validate() throws(NNError) {
    guard kind == .simple || activation == .identity else {
      throw NNError(.invalidGraph, "the activations of a gated recurrence are fixed")
    }
  }

  /// H, of the recurrent weight (H, gates·H).
  private func units(_ weight: TensorType) throws(NNError) -> Dimension {
    try weight.require(.f32, "recurrent weight")
    guard weight.shape.rank == 2, weight.shape[1].mayEqual(weight.shape[0].times(gateCount)) else {
      throw NNError(
        .shapeMismatch,
        "recurrent weight has shape \(weight.shape.description) instead of (H, \(gateCount)·H)")
    }
    return weight.shape[0]
  }

  private func requireSequence(_ x: TensorType, _ role: StaticString) throws(NNError) -> TensorType {
    try x.require(.f32, role)
    guard x.shape.rank == 3 else {
      throw NNError(.shapeMismatch, "\(role) has shape \(x.shape.description) instead of (N, T, …)")
    }
    return x
  }

  private func requireMask(_ mask: TensorType, _ batch: Dimension, _ steps: Dimension) throws(NNError) {
    try mask.require(.bool, "mask")
    guard mask.shape.mayEqual(Shape([batch, steps])) else { throw misfit(mask, "mask", [batch, steps]) }
  }

  private func misfit(_ type: TensorType, _ role: StaticString, _ expected: [Dimension]) -> NNError {
    NNError(
      .shapeMismatch,
      "\(role) has shape \(type.shape.description) instead of \(Shape(expected).description)")
  }
}

extension Dimension {
  /// This extent times a factor of 1 or more.
  fileprivate func times(_ factor: Int) -> Dimension {
    guard let extent else { return factor == 1 ? self : .unknown }
    let (product, overflow) = extent.multipliedReportingOverflow(by: factor)
    // An extent beyond every limit, for Shape.validate to refuse.
    return .fixed(overflow ? Int.max : product)
  }

  fileprivate func plus(_ term: Int) -> Dimension {
    guard let extent else { return .unknown }
    let (sum, overflow) = extent.addingReportingOverflow(term)
    return .fixed(overflow ? Int.max : sum)
  }
}
