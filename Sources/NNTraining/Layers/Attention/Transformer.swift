import NNGraph

/// Where a transformer block normalises.
public enum NormPlacement: Equatable, Sendable {
  /// x + f(norm(x)): trains without warm-up. Xiong et al. 2020.
  case pre
  /// norm(x + f(x)): as in the first transformer. Vaswani et al. 2017.
  case post
}

/// Self-attention and a feed-forward network, each with a residual connection: x (N, T, D) → as x. Vaswani et al. 2017,
/// section 3.1. With a causal mask it is the block of a decoder-only language model.
public struct TransformerEncoderBlock: Layer {
  public let attention: MultiHeadAttention
  /// Width of the hidden layer of the feed-forward network.
  public let hidden: Int
  public let activation: Activation
  public let dropout: Float
  public let norm: NormPlacement

  public init(
    heads: Int, hidden: Int, activation: Activation = .gelu, dropout: Float = 0, norm: NormPlacement = .pre,
    isCausal: Bool = false, isRotary: Bool = false, cacheLength: Int = 256
  ) {
    attention = MultiHeadAttention(
      heads: heads, isCausal: isCausal, isRotary: isRotary, dropout: dropout, cacheLength: cacheLength)
    self.hidden = hidden
    self.activation = activation
    self.dropout = dropout
    self.norm = norm
  }

  public var kind: String { "" }

  public func forward(_ x: SymbolicTensor) throws(NNError) -> SymbolicTensor {
    let attended = try Sublayer(norm, dropout).around(x) { (x) throws(NNError) in try attention(x) }
    return try FeedForward(hidden, activation, dropout, norm).forward(attended)
  }

  /// The block over sequences of different lengths.
  ///
  /// - Parameter padding: bool (N, T), true where a position counts.
  public func callAsFunction(_ x: SymbolicTensor, padding: SymbolicTensor) throws(NNError) -> SymbolicTensor {
    let attended = try Sublayer(norm, dropout).around(x) { (x) throws(NNError) in
      try attention(x, padding: padding)
    }
    return try FeedForward(hidden, activation, dropout, norm).forward(attended)
  }
}

/// Causal self-attention, attention to an encoder's output, and a feed-forward network, each with a residual connection.
/// Vaswani et al. 2017, section 3.1.
///
/// x (N, T, D) and context (N, S, E) → (N, T, D).
public struct TransformerDecoderBlock: Sendable {
  public let attention: MultiHeadAttention
  public let crossAttention: MultiHeadAttention
  public let hidden: Int
  public let activation: Activation
  public let dropout: Float
  public let norm: NormPlacement

  public init(
    heads: Int, hidden: Int, activation: Activation = .gelu, dropout: Float = 0, norm: NormPlacement = .pre,
    isRotary: Bool = false, cacheLength: Int = 256
  ) {
    attention = MultiHeadAttention(
      heads: heads, isCausal: true, isRotary: isRotary, dropout: dropout, cacheLength: cacheLength)
    crossAttention = MultiHeadAttention(heads: heads, dropout: dropout)
    self.hidden = hidden
    self.activation = activation
    self.dropout = dropout
    self.norm = norm
  }

  /// - Parameter padding: bool (N, S), true where a position of the context counts; all for nil.
  public func callAsFunction(
    _ x: SymbolicTensor, context: SymbolicTensor, padding: SymbolicTensor? = nil
  ) throws(NNError) -> SymbolicTensor {
    let sublayer = Sublayer(norm, dropout)
    let attended = try sublayer.around(x) { (x) throws(NNError) in try attention(x) }
    let informed = try sublayer.around(attended) { (x) throws(NNError) in
      try crossAttention(x, context: context, padding: padding)
    }
    return try FeedForward(hidden, activation, dropout, norm).forward(informed)
  }
}

/// A part of a block with normalisation, dropout and the residual connection around it.
private struct Sublayer {
  let norm: NormPlacement
  let dropout: Float

  init(_ norm: NormPlacement, _ dropout: Float) {
    self.norm = norm
    self.dropout = dropout
  }

  func around(
    _ x: SymbolicTensor, _ body: (SymbolicTensor) throws(NNError) -> SymbolicTensor
  ) throws(NNError) -> SymbolicTensor {
    let input = norm == .pre ? try LayerNorm()(x) : x
    var y = try body(input)
    if dropout > 0 { y = try Dropout(dropout)(y) }
    y = try x + y
    return norm == .pre ? y : try LayerNorm()(y)
  }
}

/// Two dense layers over each position by itself.
private struct FeedForward {
  let hidden: Int
  let activation: Activation
  let sublayer: Sublayer

  init(_ hidden: Int, _ activation: Activation, _ dropout: Float, _ norm: NormPlacement) {
    self.hidden = hidden
    self.activation = activation
    sublayer = Sublayer(norm, dropout)
  }

  func forward(_ x: SymbolicTensor) throws(NNError) -> SymbolicTensor {
    let width = try x.requireExtent(axis: -1)
    return try sublayer.around(x) { (x) throws(NNError) in
      try Dense(width)(Dense(hidden, activation: activation)(x))
    }
  }
}
