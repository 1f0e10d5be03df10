import NNGraph

/// How a window treats the border of an image.
public enum Padding: Equatable, Sendable {
  /// No padding: only windows that lie inside.
  case valid
  /// Zeros so that the output has ⌈extent/stride⌉ elements; of an odd number the extra one goes to the bottom and
  /// right, as in Keras.
  case same
  /// The given numbers of zeros on each side of height and width, as in PyTorch.
  case explicit(Int, Int)
}

/// A pair (height, width) for windows; one number stands for both.
public struct Extent2D: Equatable, Sendable, ExpressibleByIntegerLiteral {
  public let height: Int
  public let width: Int

  public init(_ height: Int, _ width: Int) {
    self.height = height
    self.width = width
  }

  public init(integerLiteral value: Int) {
    self.init(value, value)
  }

  var array: [Int] { [height, width] }
}

extension Padding {
  /// The window over x (N, C, H, W).
  func window(
    _ extent: Extent2D, strides: Extent2D, dilation: Extent2D = 1, over x: SymbolicTensor
  ) throws(NNError) -> Window {
    try x.require(rank: 4, "(N, C, H, W)")
    var window = Window(extent: extent.array, strides: strides.array, dilations: dilation.array)
    for axis in 0..<2 {
      guard window.extent[axis] >= 1, window.strides[axis] >= 1, window.dilations[axis] >= 1 else {
        throw NNError(.invalidArgument, "window, strides and dilation must be at least 1")
      }
      let total: Int
      switch self {
      case .valid: total = 0
      case .same:
        let input = try x.requireExtent(axis: 2 + axis)
        let output = (input + window.strides[axis] - 1) / window.strides[axis]
        let reach = (window.extent[axis] - 1) * window.dilations[axis] + 1
        total = max((output - 1) * window.strides[axis] + reach - input, 0)
      case .explicit(let height, let width): total = 2 * (axis == 0 ? height : width)
      }
      window.paddingBefore[axis] = total / 2
      window.paddingAfter[axis] = total - total / 2
      if let input = x.shape[2 + axis].extent, window.outputExtent(axis: axis, of: input) < 1 {
        throw NNError(
          .shapeMismatch,
          "a window of (\(extent.height), \(extent.width)) does not fit into \(x.shapeDescription)")
      }
    }
    return window
  }
}

/// A convolution over images: y = f(x ⋆ W + b), the cross-correlation that every framework calls convolution.
///
/// x (N, C, H, W) → y (N, filters, oH, oW); weight (filters, C/groups, kH, kW), bias (filters).
public struct Conv2D: Layer {
  public let filters: Int
  public let kernelSize: Extent2D
  public let strides: Extent2D
  public let padding: Padding
  public let dilation: Extent2D
  public let groups: Int
  public let activation: Activation
  public let useBias: Bool
  public let initializer: Initializer

  public init(
    _ filters: Int, kernelSize: Extent2D, strides: Extent2D = 1, padding: Padding = .valid,
    dilation: Extent2D = 1, groups: Int = 1, activation: Activation = .identity, useBias: Bool = true,
    initializer: Initializer = .glorotUniform
  ) {
    self.filters = filters
    self.kernelSize = kernelSize
    self.strides = strides
    self.padding = padding
    self.dilation = dilation
    self.groups = groups
    self.activation = activation
    self.useBias = useBias
    self.initializer = initializer
  }

  public func forward(_ x: SymbolicTensor) throws(NNError) -> SymbolicTensor {
    let window = try padding.window(kernelSize, strides: strides, dilation: dilation, over: x)
    let channels = try x.requireExtent(axis: 1)
    guard filters >= 1, groups >= 1, channels % groups == 0, filters % groups == 0 else {
      throw NNError(
        .invalidArgument, "\(channels) channels and \(filters) filters do not split into \(groups) groups")
    }
    let taps = kernelSize.height * kernelSize.width
    let weight = try x.trace.parameter(
      "weight", [filters, channels / groups, kernelSize.height, kernelSize.width], initializer: initializer,
      fans: Fans(input: channels / groups * taps, output: filters / groups * taps))
    var inputs = [x, weight]
    if useBias { inputs.append(try x.trace.parameter("bias", [filters], initializer: .zeros)) }
    let op = Op.convolution(Convolution(window: window, groups: groups))
    return try x.trace.apply(op, inputs).apply(activation)
  }
}
