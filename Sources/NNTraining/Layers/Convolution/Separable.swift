import NNGraph

/// A convolution of each channel by itself: x (N, C, H, W) → (N, C·multiplier, oH, oW);
/// weight (C·multiplier, 1, kH, kW), bias (C·multiplier).
public struct DepthwiseConv2D: Layer {
  public let kernelSize: Extent2D
  public let strides: Extent2D
  public let padding: Padding
  public let dilation: Extent2D
  /// Filters for each channel.
  public let multiplier: Int
  public let activation: Activation
  public let useBias: Bool
  public let initializer: Initializer

  public init(
    kernelSize: Extent2D, strides: Extent2D = 1, padding: Padding = .valid, dilation: Extent2D = 1,
    multiplier: Int = 1, activation: Activation = .identity, useBias: Bool = true,
    initializer: Initializer = .glorotUniform
  ) {
    self.kernelSize = kernelSize
    self.strides = strides
    self.padding = padding
    self.dilation = dilation
    self.multiplier = multiplier
    self.activation = activation
    self.useBias = useBias
    self.initializer = initializer
  }

  public func forward(_ x: SymbolicTensor) throws(NNError) -> SymbolicTensor {
    try x.require(rank: 4, "(N, C, H, W)")
    let channels = try x.requireExtent(axis: 1)
    let (filters, overflow) = channels.multipliedReportingOverflow(by: multiplier)
    guard multiplier >= 1, !overflow else {
      throw NNError(.invalidArgument, "\(multiplier) filters per channel")
    }
    return try Conv2D(
      filters, kernelSize: kernelSize, strides: strides, padding: padding, dilation: dilation,
      groups: channels,
      activation: activation, useBias: useBias, initializer: initializer
    ).forward(x)
  }
}

/// A depthwise convolution followed by a 1×1 convolution across channels. Chollet 2017.
///
/// x (N, C, H, W) → (N, filters, oH, oW).
public struct SeparableConv2D: Layer {
  private let depthwise: DepthwiseConv2D
  private let pointwise: Conv2D

  public init(
    _ filters: Int, kernelSize: Extent2D, strides: Extent2D = 1, padding: Padding = .valid,
    dilation: Extent2D = 1, multiplier: Int = 1, activation: Activation = .identity, useBias: Bool = true,
    initializer: Initializer = .glorotUniform
  ) {
    depthwise = DepthwiseConv2D(
      kernelSize: kernelSize, strides: strides, padding: padding, dilation: dilation, multiplier: multiplier,
      useBias: false, initializer: initializer)
    pointwise = Conv2D(
      filters, kernelSize: 1, activation: activation, useBias: useBias, initializer: initializer)
  }

  public var kind: String { "" }

  public func forward(_ x: SymbolicTensor) throws(NNError) -> SymbolicTensor {
    try pointwise(depthwise(x))
  }
}
