import NNGraph

/// The largest element of each window: x (N, C, H, W) → (N, C, oH, oW). Padding never wins.
public struct MaxPool2D: Layer {
  public let poolSize: Extent2D
  public let strides: Extent2D
  public let padding: Padding

  /// - Parameter strides: the pool's size unless given.
  public init(_ poolSize: Extent2D = 2, strides: Extent2D? = nil, padding: Padding = .valid) {
    self.poolSize = poolSize
    self.strides = strides ?? poolSize
    self.padding = padding
  }

  public func forward(_ x: SymbolicTensor) throws(NNError) -> SymbolicTensor {
    let window = try padding.window(poolSize, strides: strides, over: x)
    return try x.trace.apply(.pool(Pool(.maximum, window: window)), [x])
  }
}

/// The mean of each window: x (N, C, H, W) → (N, C, oH, oW).
public struct AveragePool2D: Layer {
  public let poolSize: Extent2D
  public let strides: Extent2D
  public let padding: Padding
  public let countsPadding: Bool

  /// - Parameters:
  ///   - strides: the pool's size unless given.
  ///   - countsPadding: whether the mean divides by the whole window (padding counted as zeros, PyTorch's default) or
  ///     by the elements inside the image (Keras's, and the default here).
  public init(
    _ poolSize: Extent2D = 2, strides: Extent2D? = nil, padding: Padding = .valid, countsPadding: Bool = false
  ) {
    self.poolSize = poolSize
    self.strides = strides ?? poolSize
    self.padding = padding
    self.countsPadding = countsPadding
  }

  public func forward(_ x: SymbolicTensor) throws(NNError) -> SymbolicTensor {
    let window = try padding.window(poolSize, strides: strides, over: x)
    return try x.trace.apply(.pool(Pool(.average, window: window, countsPadding: countsPadding)), [x])
  }
}

/// The mean over height and width: x (N, C, H, W) → (N, C).
public struct GlobalAveragePool2D: Layer {
  public init() {}

  public func forward(_ x: SymbolicTensor) throws(NNError) -> SymbolicTensor {
    try x.require(rank: 4, "(N, C, H, W)")
    return try x.mean(axes: [2, 3])
  }
}
