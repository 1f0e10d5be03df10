import NNGraph

/// Scaled dot-product attention with several heads: softmax(Q·Kᵀ/√d)·V, joined over heads and projected.
/// Vaswani et al. 2017, section 3.2.
///
/// Self-attention x (N, T, D) → (N, T, D); cross-attention ``callAsFunction(_:context:)`` with queries from x (N, T, D),
/// and keys and values from a context (N, S, E). Weights: query (D, D), key (D or E, D), value (D or E, D), output (D, D),
/// each with a bias (D).
///
/// Traced to be stateful, a causal self-attention takes one position at a time, (1, 1, D), and keeps keys and values of up to
/// `cacheLength` positions; what it gives has the bits of the whole sequence's last position.
public struct MultiHeadAttention: Layer {
  public let heads: Int
  /// Whether position t attends to positions ≤ t only.
  public let isCausal: Bool
  /// Whether queries and keys are rotated by their position, see ``RotaryEncoding``.
  public let isRotary: Bool
  /// The probability of dropping an attention weight while training.
  public let dropout: Float
  public let useBias: Bool
  /// Positions that a stateful model remembers; running more of them is an error of the caller: the last one is overwritten.
  public let cacheLength: Int

  public init(
    heads: Int, isCausal: Bool = false, isRotary: Bool = false, dropout: Float = 0, useBias: Bool = true,
    cacheLength: Int = 256
  ) {
    self.heads = heads
    self.isCausal = isCausal
    self.isRotary = isRotary
    self.dropout = dropout
    self.useBias = useBias
    self.cacheLength = cacheLength
  }

  public var kind: String { "attention" }

  public func forward(_ x: SymbolicTensor) throws(NNError) -> SymbolicTensor {
    try attend(x, x, padding: nil)
  }

  /// Self-attention that leaves out some positions.
  ///
  /// - Parameter padding: bool (N, T), true where a position counts.
  public func callAsFunction(_ x: SymbolicTensor, padding: SymbolicTensor) throws(NNError) -> SymbolicTensor {
    try x.trace.within(layer: kind, input: x) { () throws(NNError) in try attend(x, x, padding: padding) }
  }

  /// Cross-attention.
  ///
  /// - Parameters:
  ///   - context: what keys and values are made of, (N, S, E).
  ///   - padding: bool (N, S), true where a position of the context counts; all for nil.
  public func callAsFunction(
    _ x: SymbolicTensor, context: SymbolicTensor, padding: SymbolicTensor? = nil
  ) throws(NNError) -> SymbolicTensor {
    try x.trace.within(layer: kind, input: x) { () throws(NNError) in
      try attend(x, context, padding: padding)
    }
  }

  private func attend(
    _ x: SymbolicTensor, _ context: SymbolicTensor, padding: SymbolicTensor?
  ) throws(NNError) -> SymbolicTensor {
    try x.require(rank: 3, "(N, T, D)")
    try context.require(rank: 3, "a context (N, S, E)")
    let width = try x.requireExtent(axis: 2)
    guard heads >= 1, width % heads == 0 else {
      throw NNError(.invalidArgument, "a width of \(width) does not split into \(heads) heads")
    }
    var query = try split(project("query", x, width), width)
    var key = try split(project("key", context, width), width)
    var value = try split(project("value", context, width), width)
    let isStep = x.trace.isStateful && isCausal && x.id == context.id
    var visible: SymbolicTensor?
    if isStep {
      let position = try stepPosition(x)
      if isRotary { (query, key) = try RotaryEncoding.rotate(query, key, at: position, length: cacheLength) }
      (key, value, visible) = try remember(key, value, position, width)
    } else {
      if isRotary { (query, key) = try RotaryEncoding.rotate(query, key) }
      if isCausal { visible = try causalMask(x, context) }
    }
    if let padding { visible = try combined(visible, try paddingMask(padding, context)) }
    let scale = 1 / Float(width / heads).squareRoot()
    var scores = try (query * scale).matmul(key, transposesB: true)
    if let visible { scores = try visible.select(scores, x.trace.scalar(-.infinity)) }
    var weights = try scores.softmax()
    if dropout > 0 { weights = try Dropout(dropout)(weights) }
    let joined = try weights.matmul(value).transposed([0, 2, 1, 3])
    let merged = try joined.reshaped(Shape([x.shape[0], x.shape[1], .fixed(width)]))
    return try project("output", merged, width)
  }

  private func project(_ role: String, _ x: SymbolicTensor, _ width: Int) throws(NNError) -> SymbolicTensor {
    let inputs = try x.requireExtent(axis: 2)
    let weight = try x.trace.parameter(
      role + "_weight", [inputs, width], initializer: .glorotUniform, fans: Fans(input: inputs, output: width)
    )
    let bias = useBias ? try x.trace.parameter(role + "_bias", [width], initializer: .zeros) : nil
    return try x.matmul(weight, bias: bias)
  }

  /// (N, T, D) → (N, heads, T, D/heads)
  private func split(_ x: SymbolicTensor, _ width: Int) throws(NNError) -> SymbolicTensor {
    let shape = Shape([x.shape[0], x.shape[1], .fixed(heads), .fixed(width / heads)])
    return try x.reshaped(shape).transposed([0, 2, 1, 3])
  }

  /// (1, 1, T, S): true where the position of the context is not later.
  private func causalMask(_ x: SymbolicTensor, _ context: SymbolicTensor) throws(NNError) -> SymbolicTensor {
    let (rows, columns) = (try x.requireExtent(axis: 1), try context.requireExtent(axis: 1))
    let row = x.trace.constant("rows", try Tensor((0..<rows).map { Float($0) }, extents: [1, 1, rows, 1]))
    let column = x.trace.constant(
      "columns", try Tensor((0..<columns).map { Float($0) }, extents: [1, 1, 1, columns]))
    return try column.compare(.lessOrEqual, row)
  }

  private func paddingMask(_ padding: SymbolicTensor, _ context: SymbolicTensor) throws(NNError)
    -> SymbolicTensor
  {
    guard padding.rank == 2, padding.dtype == .bool, padding.shape[1].mayEqual(context.shape[1]) else {
      throw NNError(
        .shapeMismatch,
        "a padding mask of shape \(padding.shapeDescription) for a context \(context.shapeDescription)")
    }
    return try padding.reshaped(Shape([padding.shape[0], .fixed(1), .fixed(1), padding.shape[1]]))
  }

  private func combined(_ a: SymbolicTensor?, _ b: SymbolicTensor) throws(NNError) -> SymbolicTensor {
    guard let a else { return b }
    let both = try a.cast(to: .f32) * b.cast(to: .f32)
    return try both.compare(.greater, 0.5)
  }
}

// One position at a time
extension MultiHeadAttention {
  /// The number of positions seen so far, of shape (1).
  private func stepPosition(_ x: SymbolicTensor) throws(NNError) -> SymbolicTensor {
    guard x.shape == [1, 1, x.shape[2].extent ?? -1] else {
      throw NNError(.shapeMismatch, "takes one position at a time, (1, 1, D), not \(x.shapeDescription)")
    }
    guard cacheLength >= 1 else { throw NNError(.invalidArgument, "a cache of \(cacheLength) positions") }
    let position = try x.trace.state("position", [1])
    try x.trace.setState("position", to: (position + 1).minimum(x.trace.scalar(Float(cacheLength - 1))))
    return position
  }

  /// Puts the position's key and value into the cache.
  ///
  /// - Returns: all keys and values (1, heads, L, d), and which of them are there (1, 1, 1, L).
  private func remember(
    _ key: SymbolicTensor, _ value: SymbolicTensor, _ position: SymbolicTensor, _ width: Int
  ) throws(NNError) -> (key: SymbolicTensor, value: SymbolicTensor, visible: SymbolicTensor) {
    let trace = key.trace
    let positions = trace.constant(
      "positions", try Tensor((0..<cacheLength).map { Float($0) }, extents: [1, 1, cacheLength, 1]))
    let here = try positions.compare(.equal, position)
    func store(_ role: String, _ now: SymbolicTensor) throws(NNError) -> SymbolicTensor {
      let known = try trace.state(role, [1, heads, cacheLength, width / heads])
      let next = try here.select(now, known)
      try trace.setState(role, to: next)
      return next
    }
    let visible = try positions.compare(.lessOrEqual, position).reshaped([1, 1, 1, cacheLength])
    return (try store("keys", key), try store("values", value), visible)
  }
}
