import NNGraph

/// A convolution over sequences: x (N, C, T) → (N, filters, oT); weight (filters, C/groups, 1, k), bias (filters).
///
/// Padding `.causal` puts all zeros in front, so that no output sees later inputs. van den Oord et al. 2016.
public struct Conv1D: Layer {
  /// How a window treats the ends of a sequence.
  public enum Padding: Equatable, Sendable {
    case valid
    case same
    case causal
    case explicit(Int)
  }

  public let padding: Padding
  private let reach: Int
  private let images: Conv2D

  public init(
    _ filters: Int, kernelSize: Int, strides: Int = 1, padding: Padding = .valid, dilation: Int = 1,
    groups: Int = 1, activation: Activation = .identity, useBias: Bool = true,
    initializer: Initializer = .glorotUniform
  ) {
    self.padding = padding
    reach = (kernelSize - 1) * dilation
    let imagePadding: NNTraining.Padding =
      switch padding {
      case .valid, .causal: .valid
      case .same: .same
      case .explicit(let count): .explicit(0, count)
      }
    images = Conv2D(
      filters, kernelSize: Extent2D(1, kernelSize), strides: Extent2D(1, strides), padding: imagePadding,
      dilation: Extent2D(1, dilation), groups: groups, activation: activation, useBias: useBias,
      initializer: initializer)
  }

  public func forward(_ x: SymbolicTensor) throws(NNError) -> SymbolicTensor {
    try x.asImage { (image) throws(NNError) in
      guard padding == .causal, reach > 0 else { return try images.forward(image) }
      let padded = Op.pad(Pad(before: [0, 0, 0, reach], after: [0, 0, 0, 0]))
      return try images.forward(x.trace.apply(padded, [image]))
    }
  }
}

extension SymbolicTensor {
  /// Runs `body` on this tensor (N, C, T) as images (N, C, 1, T), and gives its result as (N, C′, T′).
  func asImage(
    _ body: (SymbolicTensor) throws(NNError) -> SymbolicTensor
  ) throws(NNError) -> SymbolicTensor {
    try require(rank: 3, "(N, C, T)")
    let image = try reshaped(Shape([shape[0], shape[1], .fixed(1), shape[2]]))
    let result = try body(image)
    return try result.reshaped(Shape([result.shape[0], result.shape[1], result.shape[3]]))
  }
}
