import NNGraph

/// Joins all axes after the batch: x (N, …) → (N, product of the others).
public struct Flatten: Layer {
  public init() {}

  public func forward(_ x: SymbolicTensor) throws(NNError) -> SymbolicTensor {
    guard x.rank >= 1 else { throw NNError(.shapeMismatch, "takes (N, …), not a scalar") }
    return try Reshape.keepingBatch(of: x, [.unknown])
  }
}

/// Gives each sample another shape: x (N, …) → (N, shape…).
public struct Reshape: Layer {
  public let shape: [Int]

  public init(_ shape: Int...) {
    self.shape = shape
  }

  public init(_ shape: [Int]) {
    self.shape = shape
  }

  public func forward(_ x: SymbolicTensor) throws(NNError) -> SymbolicTensor {
    let extents = shape.map { Dimension.fixed($0) }
    guard x.rank >= 1 else { throw NNError(.shapeMismatch, "takes (N, …), not a scalar") }
    let sample = Shape(Array(x.shape.dimensions.dropFirst()))
    guard let given = sample.elementCount, let asked = Shape(shape).elementCount, given == asked else {
      throw NNError(
        .shapeMismatch, "samples of shape \(sample.description) cannot become \(Shape(shape).description)")
    }
    return try Reshape.keepingBatch(of: x, extents)
  }

  static func keepingBatch(of x: SymbolicTensor, _ rest: [Dimension]) throws(NNError) -> SymbolicTensor {
    let target =
      try x.shape.dimensions.dropFirst().allSatisfy { $0.extent != nil }
      ? resolved(x, rest) : Shape([x.shape[0]] + rest)
    return try x.reshaped(target)
  }

  /// With the samples' extents known, no extent is left to infer, which also serves an empty batch.
  private static func resolved(_ x: SymbolicTensor, _ rest: [Dimension]) throws(NNError) -> Shape {
    guard rest == [.unknown] else { return Shape([x.shape[0]] + rest) }
    guard let count = Shape(Array(x.shape.dimensions.dropFirst())).elementCount else {
      throw NNError(.limitExceeded, "samples of shape \(x.shapeDescription) have too many elements")
    }
    return Shape([x.shape[0], .fixed(count)])
  }
}

/// Puts the axes of each sample in another order: axis i of the result is axis `axes[i]` of the input, counted from 1 as in
/// Keras, the batch being axis 0. `Permute(2, 1)` makes (N, C, T) of (N, T, C).
public struct Permute: Layer {
  public let axes: [Int]

  public init(_ axes: Int...) {
    self.axes = axes
  }

  public init(_ axes: [Int]) {
    self.axes = axes
  }

  public func forward(_ x: SymbolicTensor) throws(NNError) -> SymbolicTensor {
    guard axes.count == x.rank - 1, axes.sorted() == Array(1..<max(x.rank, 1)) else {
      throw NNError(
        .shapeMismatch,
        "axes \(axes.map { "\($0)" }.joined(separator: ", ")) are no order of those of \(x.shapeDescription)")
    }
    return try x.transposed([0] + axes)
  }
}

/// y = x·scale + offset: brings raw values, such as pixels 0…255, into range. Part of the exported model.
public struct Rescaling: Layer {
  public let scale: Float
  public let offset: Float

  public init(scale: Float, offset: Float = 0) {
    self.scale = scale
    self.offset = offset
  }

  public func forward(_ x: SymbolicTensor) throws(NNError) -> SymbolicTensor {
    let scaled = scale == 1 ? x : try x * scale
    return offset == 0 ? scaled : try scaled + offset
  }
}

/// y = (x − mean)·(1/standard deviation), feature by feature, with numbers taken from the training data by
/// ``Dataset/standardization()``. Part of the exported model, which therefore takes raw features.
public struct Standardization: Layer {
  /// As many numbers as a sample has features, in row-major order; or as it has channels, for images (C, H, W).
  public let mean: [Float]
  /// 1/standard deviation of each feature; 1 for a constant feature.
  public let inverseDeviation: [Float]

  public init(mean: [Float], inverseDeviation: [Float]) {
    self.mean = mean
    self.inverseDeviation = inverseDeviation
  }

  public func forward(_ x: SymbolicTensor) throws(NNError) -> SymbolicTensor {
    let shift = try x.perFeature("mean", mean)
    return try (x - shift) * x.perFeature("inverse_deviation", inverseDeviation)
  }
}

/// y = (x − minimum)·scale + offset, feature by feature: brings each into a range, with numbers taken from the training data by
/// ``Dataset/normalization(to:perChannel:)``. Part of the exported model, which therefore takes raw features.
public struct Normalization: Layer {
  /// As many numbers as a sample has features, in row-major order; or as it has channels, for images (C, H, W).
  public let minimum: [Float]
  /// What a feature is multiplied by, once its minimum is 0; 0 for a constant feature.
  public let scale: [Float]
  /// Where the range begins.
  public let offset: Float

  public init(minimum: [Float], scale: [Float], offset: Float = 0) {
    self.minimum = minimum
    self.scale = scale
    self.offset = offset
  }

  public func forward(_ x: SymbolicTensor) throws(NNError) -> SymbolicTensor {
    let shift = try x.perFeature("minimum", minimum)
    let scaled = try (x - shift) * x.perFeature("scale", scale)
    return offset == 0 ? scaled : try scaled + offset
  }
}

extension SymbolicTensor {
  /// A constant with a number for each feature of samples (N, …), or for each channel of (N, C, …).
  fileprivate func perFeature(_ name: Name, _ numbers: [Float]) throws(NNError) -> SymbolicTensor {
    let sample = Shape(Array(shape.dimensions.dropFirst()))
    guard let extents = sample.extents, let channels = extents.first,
      sample.elementCount == numbers.count || channels == numbers.count
    else {
      throw NNError(
        .shapeMismatch, "has \(numbers.count) features, but samples have shape \(sample.description)")
    }
    let ones = [Int](repeating: 1, count: extents.count - 1)
    return trace.constant(
      name, try Tensor(numbers, extents: sample.elementCount == numbers.count ? extents : [channels] + ones))
  }
}
