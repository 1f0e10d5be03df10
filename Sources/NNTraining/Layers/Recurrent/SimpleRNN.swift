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
    try options.run(.simple, activation: activation, x)
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
    try options.run(.lstm, x)
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
    try options.run(.gru, x)
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
