import NNGraph

/// Normalisation over groups of channels of each sample, with scale and shift per channel. Wu and He 2018.
///
/// x (N, C, …) → as x; weight (C), bias (C). Works alike for every batch size, in training and evaluation.
public struct GroupNorm: Layer {
  public let groups: Int
  public let epsilon: Float

  public init(_ groups: Int, epsilon: Float = 1e-5) {
    self.groups = groups
    self.epsilon = epsilon
  }

  public func forward(_ x: SymbolicTensor) throws(NNError) -> SymbolicTensor {
    guard x.rank >= 2 else { throw NNError(.shapeMismatch, "takes (N, C, …), not \(x.shapeDescription)") }
    let channels = try x.requireExtent(axis: 1)
    guard groups >= 1, channels % groups == 0 else {
      throw NNError(.invalidArgument, "\(channels) channels do not split into \(groups) groups")
    }
    var size = channels / groups
    for axis in 2..<max(x.rank, 2) { size *= try x.requireExtent(axis: axis) }
    let grouped = try x.reshaped(Shape([x.shape[0], .fixed(groups), .fixed(size)]))
    let normal = try grouped.normalized(epsilon).reshaped(x.shape)
    return try normal.scaledByChannel()
  }
}

/// Normalisation of each channel of each sample, with scale and shift per channel. Ulyanov et al. 2016.
///
/// x (N, C, …) → as x; weight (C), bias (C).
public struct InstanceNorm: Layer {
  public let epsilon: Float

  public init(epsilon: Float = 1e-5) {
    self.epsilon = epsilon
  }

  public func forward(_ x: SymbolicTensor) throws(NNError) -> SymbolicTensor {
    guard x.rank >= 3 else { throw NNError(.shapeMismatch, "takes (N, C, …), not \(x.shapeDescription)") }
    return try GroupNorm(x.requireExtent(axis: 1), epsilon: epsilon).forward(x)
  }
}

/// x/√(mean of x² + ε)·weight over the last axis. Zhang and Sennrich 2019.
///
/// x (N, …, D) → as x; weight (D).
public struct RMSNorm: Layer {
  public let epsilon: Float

  public init(epsilon: Float = 1e-5) {
    self.epsilon = epsilon
  }

  public func forward(_ x: SymbolicTensor) throws(NNError) -> SymbolicTensor {
    guard x.rank >= 2 else { throw NNError(.shapeMismatch, "takes (N, …, D), not \(x.shapeDescription)") }
    try Hyperparameter.requireNotNegative(epsilon, "an epsilon")
    let weight = try x.trace.parameter("weight", [x.requireExtent(axis: -1)], initializer: .ones)
    let mean = try x.squared().mean(axes: [-1], keepsDimensions: true)
    return try x * (mean + epsilon).unary(.reciprocalSquareRoot) * weight
  }
}

extension SymbolicTensor {
  /// (x − μ)/√(σ² + ε) with mean and biased variance of the last axis.
  fileprivate func normalized(_ epsilon: Float) throws(NNError) -> SymbolicTensor {
    try Hyperparameter.requireNotNegative(epsilon, "an epsilon")
    let centred = try self - mean(axes: [-1], keepsDimensions: true)
    let variance = try centred.squared().mean(axes: [-1], keepsDimensions: true)
    return try centred * (variance + epsilon).unary(.reciprocalSquareRoot)
  }

  /// With the layer's weight and bias for each channel, axis 1.
  fileprivate func scaledByChannel() throws(NNError) -> SymbolicTensor {
    let channels = try requireExtent(axis: 1)
    let weight = try trace.parameter("weight", [channels], initializer: .ones)
    let bias = try trace.parameter("bias", [channels], initializer: .zeros)
    return try self * weight.alongChannels(rank: rank) + bias.alongChannels(rank: rank)
  }
}
