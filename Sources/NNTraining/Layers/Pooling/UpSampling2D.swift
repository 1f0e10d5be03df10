import NNGraph

/// Images made larger by a whole factor: x (N, C, H, W) → (N, C, H·factor, W·factor).
public struct UpSampling2D: Layer {
  public enum Interpolation: Sendable {
    /// Each pixel repeated.
    case nearest
    /// Linear along both axes between pixel centres, as PyTorch with align_corners=False.
    case bilinear
  }

  public let factor: Extent2D
  public let interpolation: Interpolation

  public init(_ factor: Extent2D = 2, interpolation: Interpolation = .nearest) {
    self.factor = factor
    self.interpolation = interpolation
  }

  public func forward(_ x: SymbolicTensor) throws(NNError) -> SymbolicTensor {
    try x.require(rank: 4, "(N, C, H, W)")
    guard factor.height >= 1, factor.width >= 1 else {
      throw NNError(.invalidArgument, "a factor of (\(factor.height), \(factor.width))")
    }
    let (height, width) = (try x.requireExtent(axis: 2), try x.requireExtent(axis: 3))
    switch interpolation {
    case .nearest:
      let (batch, channels) = (x.shape[0], x.shape[1])
      let apart = try x.reshaped(
        Shape([batch, channels, .fixed(height), .fixed(1), .fixed(width), .fixed(1)]))
      let repeated = Shape([
        batch, channels, .fixed(height), .fixed(factor.height), .fixed(width), .fixed(factor.width),
      ])
      return try apart.expanded(repeated).reshaped(
        Shape([batch, channels, .fixed(height * factor.height), .fixed(width * factor.width)]))
    case .bilinear:
      let byWidth = try x.matmul(weights(x, width, factor.width), transposesB: true)
      return try weights(x, height, factor.height).matmul(byWidth)
    }
  }

  /// (extent·factor, extent): how much of each input pixel each output pixel has.
  private func weights(_ x: SymbolicTensor, _ extent: Int, _ factor: Int) throws(NNError) -> SymbolicTensor {
    var values = [Float](repeating: 0, count: try tableSize(extent, factor, extent))
    let axis = ResizingAxis(from: extent, to: extent * factor, .bilinear)
    for (output, span) in axis.spans.enumerated() {
      for (offset, weight) in span.weights.enumerated() {
        values[output * extent + span.first + offset] = Float(weight)
      }
    }
    return x.trace.constant("interpolation", try Tensor(values, extents: [extent * factor, extent]))
  }
}

/// Zeros around images: x (N, C, H, W) → (N, C, top + H + bottom, left + W + right).
public struct ZeroPadding2D: Layer {
  public let before: Extent2D
  public let after: Extent2D

  /// The same number of zeros on all sides, or on both sides of height and of width.
  public init(_ padding: Extent2D) {
    before = padding
    after = padding
  }

  public init(top: Int, bottom: Int, left: Int, right: Int) {
    before = Extent2D(top, left)
    after = Extent2D(bottom, right)
  }

  public func forward(_ x: SymbolicTensor) throws(NNError) -> SymbolicTensor {
    try x.require(rank: 4, "(N, C, H, W)")
    return try x.trace.apply(.pad(Pad(before: [0, 0] + before.array, after: [0, 0] + after.array)), [x])
  }
}
