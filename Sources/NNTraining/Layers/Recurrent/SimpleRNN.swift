import NNGraph

/// hₜ = f(W·xₜ + R·hₜ₋₁ + b). Elman 1990.
///
/// x (N, T, F) → (N, T, units), or (N, units) after the last step; weight (F, units), recurrent_weight (units, units),
/// bias (units).
public struct SimpleRNN: Layer {
  public let activation: Activation
  var options: RecurrentOptions

  /// - Parameters:
  ///   - returnsSequences: whether the output has every step's state, or the last one's only.
  ///   - maskValue: a step all of whose features are this number leaves the state as it is: how sequences of different
  ///     lengths share a batch.
  public init(
    _ units: Int, returnsSequences: Bool = false, activation: Activation = .tanh, maskValue: Float? = nil
  ) {
    self.activation = activation
    options = RecurrentOptions(units: units, returnsSequences: returnsSequences, maskValue: maskValue)
  }

  public func forward(_ x: SymbolicTensor) throws(NNError) -> SymbolicTensor {
    try options.run(Cell(activation: activation), x, bias: .zeros)
  }

  private struct Cell: RecurrentCell {
    let activation: Activation
    var gateCount: Int { 1 }
    var stateNames: [String] { ["hidden"] }

    func step(
      _ projected: SymbolicTensor, _ states: [SymbolicTensor], _ weights: RecurrentWeights
    ) throws(NNError) -> [SymbolicTensor] {
      [try (projected + states[0].matmul(weights.recurrent)).apply(activation)]
    }
  }
}

/// Long short-term memory. Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000:
/// i, f, o = σ(…), g = tanh(…), cₜ = f·cₜ₋₁ + i·g, hₜ = o·tanh(cₜ), each … being W·xₜ + R·hₜ₋₁ + b.
///
/// x (N, T, F) → (N, T, units), or (N, units) after the last step; weight (F, 4·units), recurrent_weight (units, 4·units),
/// bias (4·units), with the gates in PyTorch's order i, f, g, o.
public struct LSTM: Layer {
  var options: RecurrentOptions

  /// - Parameters: as ``SimpleRNN/init(_:returnsSequences:activation:maskValue:)``.
  public init(_ units: Int, returnsSequences: Bool = false, maskValue: Float? = nil) {
    options = RecurrentOptions(units: units, returnsSequences: returnsSequences, maskValue: maskValue)
  }

  public func forward(_ x: SymbolicTensor) throws(NNError) -> SymbolicTensor {
    try options.run(Cell(), x, bias: .zeros)
  }

  private struct Cell: RecurrentCell {
    var gateCount: Int { 4 }
    var stateNames: [String] { ["hidden", "cell"] }

    func step(
      _ projected: SymbolicTensor, _ states: [SymbolicTensor], _ weights: RecurrentWeights
    ) throws(NNError) -> [SymbolicTensor] {
      let all = try projected + states[0].matmul(weights.recurrent)
      let input = try weights.gate(all, 0).unary(.sigmoid)
      let forget = try weights.gate(all, 1).unary(.sigmoid)
      let candidate = try weights.gate(all, 2).unary(.tanh)
      let output = try weights.gate(all, 3).unary(.sigmoid)
      let cell = try forget * states[1] + input * candidate
      return [try output * cell.unary(.tanh), cell]
    }
  }
}

/// Gated recurrent unit. Cho et al. 2014, in the form of PyTorch and cuDNN: r, z = σ(W·xₜ + b + R·hₜ₋₁ + c),
/// n = tanh(W·xₜ + b + r·(R·hₜ₋₁ + c)), hₜ = (1 − z)·n + z·hₜ₋₁.
///
/// x (N, T, F) → (N, T, units), or (N, units) after the last step; weight (F, 3·units), recurrent_weight (units, 3·units),
/// bias and recurrent_bias (3·units), with the gates in PyTorch's order r, z, n.
public struct GRU: Layer {
  var options: RecurrentOptions

  /// - Parameters: as ``SimpleRNN/init(_:returnsSequences:activation:maskValue:)``.
  public init(_ units: Int, returnsSequences: Bool = false, maskValue: Float? = nil) {
    options = RecurrentOptions(units: units, returnsSequences: returnsSequences, maskValue: maskValue)
  }

  public func forward(_ x: SymbolicTensor) throws(NNError) -> SymbolicTensor {
    try options.run(Cell(), x, bias: .zeros, hasRecurrentBias: true)
  }

  private struct Cell: RecurrentCell {
    var gateCount: Int { 3 }
    var stateNames: [String] { ["hidden"] }

    func step(
      _ projected: SymbolicTensor, _ states: [SymbolicTensor], _ weights: RecurrentWeights
    ) throws(NNError) -> [SymbolicTensor] {
      let hidden = try states[0].matmul(weights.recurrent, bias: weights.recurrentBias)
      let reset = try (weights.gate(projected, 0) + weights.gate(hidden, 0)).unary(.sigmoid)
      let update = try (weights.gate(projected, 1) + weights.gate(hidden, 1)).unary(.sigmoid)
      let candidate = try (weights.gate(projected, 2) + reset * weights.gate(hidden, 2)).unary(.tanh)
      return [try candidate + update * (states[0] - candidate)]
    }
  }
}

/// A recurrent layer that runs over a sequence in both directions, with weights for each: x (N, T, F) → (N, T, 2·units), or
/// (N, 2·units) with the last state of each direction. Schuster and Paliwal 1997.
public struct Bidirectional: Layer {
  private let forwards: any Layer
  private let backwards: any Layer

  public init(_ layer: LSTM) { self.init(layer) { $0.options.isReversed = true } }
  public init(_ layer: GRU) { self.init(layer) { $0.options.isReversed = true } }
  public init(_ layer: SimpleRNN) { self.init(layer) { $0.options.isReversed = true } }

  private init<Body: Layer>(_ layer: Body, _ reverse: (inout Body) -> Void) {
    var reversed = layer
    reverse(&reversed)
    forwards = layer
    backwards = reversed
  }

  public var kind: String { "" }

  public func forward(_ x: SymbolicTensor) throws(NNError) -> SymbolicTensor {
    guard !x.trace.isStateful else {
      throw NNError(.invalidState, "a layer that reads a sequence backwards cannot run step by step")
    }
    return try forwards(x).concatenated(with: [backwards(x)], axis: -1)
  }
}
