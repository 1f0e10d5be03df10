import NNGraph

/// The largest element over height and width: x (N, C, H, W) → (N, C).
public struct GlobalMaxPool2D: Layer {
  public init() {}

  public func forward(_ x: SymbolicTensor) throws(NNError) -> SymbolicTensor {
    try x.require(rank: 4, "(N, C, H, W)")
    return try x.reduce(.maximum, axes: [2, 3])
  }
}

/// Means over as many windows as the output has elements: x (N, C, H, W) → (N, C, oH, oW). Window i covers
/// ⌊i·H/oH⌋..<⌈(i + 1)·H/oH⌉, as in PyTorch.
public struct AdaptiveAveragePool2D: Layer {
  public let outputSize: Extent2D

  public init(_ outputSize: Extent2D) {
    self.outputSize = outputSize
  }

  public func forward(_ x: SymbolicTensor) throws(NNError) -> SymbolicTensor {
    try x.require(rank: 4, "(N, C, H, W)")
    // A mean over windows is a product with a matrix of their weights, along each axis by itself.
    let byWidth = try x.matmul(weights(x, axis: 3, outputSize.width), transposesB: true)
    return try weights(x, axis: 2, outputSize.height).matmul(byWidth)
  }

  /// (windows, extent): 1/size inside a window, else 0.
  private func weights(_ x: SymbolicTensor, axis: Int, _ windows: Int) throws(NNError) -> SymbolicTensor {
    let extent = try x.requireExtent(axis: axis)
    let ranges = try adaptiveWindows(extent, windows)
    var values = [Float](repeating: 0, count: try tableSize(extent, windows))
    for (window, range) in ranges.enumerated() {
      for index in range { values[window * extent + index] = 1 / Float(range.count) }
    }
    return x.trace.constant("windows", try Tensor(values, extents: [windows, extent]))
  }
}

/// The largest element of as many windows as the output has elements, see ``AdaptiveAveragePool2D``.
public struct AdaptiveMaxPool2D: Layer {
  public let outputSize: Extent2D

  public init(_ outputSize: Extent2D) {
    self.outputSize = outputSize
  }

  public func forward(_ x: SymbolicTensor) throws(NNError) -> SymbolicTensor {
    try x.require(rank: 4, "(N, C, H, W)")
    return try folded(folded(x, axis: 3, outputSize.width), axis: 2, outputSize.height)
  }

  private func folded(_ x: SymbolicTensor, axis: Int, _ windows: Int) throws(NNError) -> SymbolicTensor {
    var parts: [SymbolicTensor] = []
    for range in try adaptiveWindows(x.requireExtent(axis: axis), windows) {
      var ranges = [SliceRange](repeating: .all, count: 4)
      ranges[axis] = SliceRange(start: range.lowerBound, end: range.upperBound)
      parts.append(try x.sliced(ranges).reduce(.maximum, axes: [axis], keepsDimensions: true))
    }
    return parts.count == 1 ? parts[0] : try parts[0].concatenated(with: Array(parts.dropFirst()), axis: axis)
  }
}

private func adaptiveWindows(_ extent: Int, _ windows: Int) throws(NNError) -> [Range<Int>] {
  guard windows >= 1, windows <= 1 << 16, extent >= 1 else {
    throw NNError(.invalidArgument, "\(windows) windows over \(extent) elements")
  }
  return (0..<windows).map { $0 * extent / windows..<(($0 + 1) * extent + windows - 1) / windows }
}

/// The largest element of each window of a sequence: x (N, C, T) → (N, C, oT).
public struct MaxPool1D: Layer {
  private let images: MaxPool2D

  public init(_ poolSize: Int = 2, strides: Int? = nil, padding: Int = 0) {
    images = MaxPool2D(
      Extent2D(1, poolSize), strides: Extent2D(1, strides ?? poolSize), padding: .explicit(0, padding))
  }

  public func forward(_ x: SymbolicTensor) throws(NNError) -> SymbolicTensor {
    try x.asImage { (image) throws(NNError) in try images.forward(image) }
  }
}

/// The mean of each window of a sequence: x (N, C, T) → (N, C, oT).
public struct AveragePool1D: Layer {
  private let images: AveragePool2D

  public init(_ poolSize: Int = 2, strides: Int? = nil, padding: Int = 0, countsPadding: Bool = false) {
    images = AveragePool2D(
      Extent2D(1, poolSize), strides: Extent2D(1, strides ?? poolSize), padding: .explicit(0, padding),
      countsPadding: countsPadding)
  }

  public func forward(_ x: SymbolicTensor) throws(NNError) -> SymbolicTensor {
    try x.asImage { (image) throws(NNError) in try images.forward(image) }
  }
}
