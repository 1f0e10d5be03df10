import NNGraph

/// A transposed convolution, the adjoint of ``Conv2D``: makes images larger. Zeiler et al. 2010.
///
/// x (N, C, H, W) → (N, filters, oH, oW) with oH = (H − 1)·stride − 2·padding + dilation·(kH − 1) + 1 + outputPadding, as in
/// PyTorch; weight (C, filters, kH, kW), bias (filters).
public struct ConvTranspose2D: Layer {
  public let filters: Int
  public let kernelSize: Extent2D
  public let strides: Extent2D
  /// What is cut off on each side of height and width.
  public let padding: Extent2D
  /// Rows and columns added at the bottom and right, fewer than the stride.
  public let outputPadding: Extent2D
  public let dilation: Extent2D
  public let activation: Activation
  public let useBias: Bool
  public let initializer: Initializer

  public init(
    _ filters: Int, kernelSize: Extent2D, strides: Extent2D = 1, padding: Extent2D = 0,
    outputPadding: Extent2D = 0,
    dilation: Extent2D = 1, activation: Activation = .identity, useBias: Bool = true,
    initializer: Initializer = .glorotUniform
  ) {
    self.filters = filters
    self.kernelSize = kernelSize
    self.strides = strides
    self.padding = padding
    self.outputPadding = outputPadding
    self.dilation = dilation
    self.activation = activation
    self.useBias = useBias
    self.initializer = initializer
  }

  public func forward(_ x: SymbolicTensor) throws(NNError) -> SymbolicTensor {
    try x.require(rank: 4, "(N, C, H, W)")
    let (channels, height, width) = (
      try x.requireExtent(axis: 1), try x.requireExtent(axis: 2), try x.requireExtent(axis: 3)
    )
    guard filters >= 1 else { throw NNError(.invalidArgument, "\(filters) filters") }
    let rows = try extent(height, 0)
    let columns = try extent(width, 1)
    let taps = kernelSize.height * kernelSize.width
    let weight = try x.trace.parameter(
      "weight", [channels, filters, kernelSize.height, kernelSize.width], initializer: initializer,
      fans: Fans(input: channels * taps, output: filters * taps))
    let matrix = try weight.reshaped([channels, filters * taps])
    let pixels = try x.reshaped(Shape([x.shape[0], .fixed(channels), .fixed(height * width)]))
    let patches = try matrix.matmul(pixels, transposesA: true)
    let window = Window(
      extent: kernelSize.array, strides: strides.array, dilations: dilation.array,
      paddingBefore: padding.array, paddingAfter: padding.array)
    var y = try x.trace.apply(.fold(window, height: rows, width: columns), [patches])
    if useBias {
      y = try y + x.trace.parameter("bias", [filters], initializer: .zeros).alongChannels(rank: 4)
    }
    return try y.apply(activation)
  }

  private func extent(_ input: Int, _ axis: Int) throws(NNError) -> Int {
    let (kernel, stride, cut) = (kernelSize.array[axis], strides.array[axis], padding.array[axis])
    let (more, distance) = (outputPadding.array[axis], dilation.array[axis])
    guard kernel >= 1, stride >= 1, distance >= 1, cut >= 0, more >= 0, more < stride else {
      throw NNError(
        .invalidArgument,
        "a kernel of \(kernel), stride \(stride), dilation \(distance), padding \(cut) and output padding \(more)"
      )
    }
    let output = (input - 1) * stride - 2 * cut + distance * (kernel - 1) + 1 + more
    guard output >= 1 else {
      throw NNError(.shapeMismatch, "an extent of \(input) would become \(output)")
    }
    return output
  }
}

/// A transposed convolution over sequences: x (N, C, T) → (N, filters, oT), see ``ConvTranspose2D``;
/// weight (C, filters, 1, k), bias (filters).
public struct ConvTranspose1D: Layer {
  private let images: ConvTranspose2D

  public init(
    _ filters: Int, kernelSize: Int, strides: Int = 1, padding: Int = 0, outputPadding: Int = 0,
    dilation: Int = 1,
    activation: Activation = .identity, useBias: Bool = true, initializer: Initializer = .glorotUniform
  ) {
    images = ConvTranspose2D(
      filters, kernelSize: Extent2D(1, kernelSize), strides: Extent2D(1, strides),
      padding: Extent2D(0, padding),
      outputPadding: Extent2D(0, outputPadding), dilation: Extent2D(1, dilation), activation: activation,
      useBias: useBias, initializer: initializer)
  }

  public func forward(_ x: SymbolicTensor) throws(NNError) -> SymbolicTensor {
    try x.asImage { (image) throws(NNError) in try images.forward(image) }
  }
}
