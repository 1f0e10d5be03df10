import NNGraph

/// A convolution over volumes: x (N, C, D, H, W) → (N, filters, oD, oH, oW); weight (kD, filters, C, kH, kW), bias (filters).
///
/// Each slice of the kernel is a two-dimensional convolution over the slices of the volume that it meets; their sum is the
/// result. PyTorch's weight (filters, C, kD, kH, kW) has the kernel's depth in the middle instead of in front.
public struct Conv3D: Layer {
  public let filters: Int
  public let depth: Int
  public let kernelSize: Extent2D
  public let depthStride: Int
  public let strides: Extent2D
  /// Zeros on each side of depth, height and width.
  public let padding: (depth: Int, height: Int, width: Int)
  public let activation: Activation
  public let useBias: Bool
  public let initializer: Initializer

  /// - Parameters:
  ///   - kernelSize: depth, height and width of the kernel.
  ///   - strides: as many.
  public init(
    _ filters: Int, kernelSize: (depth: Int, height: Int, width: Int),
    strides: (depth: Int, height: Int, width: Int) = (1, 1, 1),
    padding: (depth: Int, height: Int, width: Int) = (0, 0, 0), activation: Activation = .identity,
    useBias: Bool = true, initializer: Initializer = .glorotUniform
  ) {
    self.filters = filters
    depth = kernelSize.depth
    self.kernelSize = Extent2D(kernelSize.height, kernelSize.width)
    depthStride = strides.depth
    self.strides = Extent2D(strides.height, strides.width)
    self.padding = padding
    self.activation = activation
    self.useBias = useBias
    self.initializer = initializer
  }

  public func forward(_ x: SymbolicTensor) throws(NNError) -> SymbolicTensor {
    try x.require(rank: 5, "(N, C, D, H, W)")
    let (channels, slices) = (try x.requireExtent(axis: 1), try x.requireExtent(axis: 2))
    let (rows, columns) = (try x.requireExtent(axis: 3), try x.requireExtent(axis: 4))
    guard filters >= 1, depth >= 1, depthStride >= 1, padding.depth >= 0 else {
      throw NNError(
        .invalidArgument, "\(filters) filters, a depth of \(depth) and a stride of \(depthStride)")
    }
    let results = (slices + 2 * padding.depth - depth) / depthStride + 1
    guard slices + 2 * padding.depth >= depth else {
      throw NNError(.shapeMismatch, "a kernel of depth \(depth) does not fit into \(x.shapeDescription)")
    }
    let taps = depth * kernelSize.height * kernelSize.width
    let weight = try x.trace.parameter(
      "weight", [depth, filters, channels, kernelSize.height, kernelSize.width], initializer: initializer,
      fans: Fans(input: channels * taps, output: filters * taps))
    // Slices join the batch: (N, D, C, H, W).
    var volume = try x.transposed([0, 2, 1, 3, 4])
    if padding.depth > 0 {
      let border = [0, padding.depth, 0, 0, 0]
      volume = try x.trace.apply(.pad(Pad(before: border, after: border)), [volume])
    }
    var sum: SymbolicTensor?
    for tap in 0..<depth {
      let range = SliceRange(start: tap, end: tap + (results - 1) * depthStride + 1, step: depthStride)
      let met = try volume.sliced([.all, range, .all, .all, .all])
      let images = try met.reshaped(Shape([.unknown, .fixed(channels), .fixed(rows), .fixed(columns)]))
      let part = try convolved(images, weight, tap, channels)
      sum = try sum.map { (sum) throws(NNError) in try sum + part } ?? part
    }
    guard var y = sum else { return x }
    if useBias {
      y = try y + x.trace.parameter("bias", [filters], initializer: .zeros).alongChannels(rank: 4)
    }
    let (height, width) = (y.shape[2], y.shape[3])
    y = try y.reshaped(Shape([x.shape[0], .fixed(results), .fixed(filters), height, width]))
    return try y.transposed([0, 2, 1, 3, 4]).apply(activation)
  }

  private func convolved(
    _ images: SymbolicTensor, _ weight: SymbolicTensor, _ tap: Int, _ channels: Int
  ) throws(NNError) -> SymbolicTensor {
    let window = try Padding.explicit(padding.height, padding.width).window(
      kernelSize, strides: strides, over: images)
    let slice = try weight.sliced([SliceRange(start: tap, end: tap + 1), .all, .all, .all, .all])
      .reshaped([filters, channels, kernelSize.height, kernelSize.width])
    return try images.trace.apply(.convolution(Convolution(window: window)), [images, slice])
  }
}
