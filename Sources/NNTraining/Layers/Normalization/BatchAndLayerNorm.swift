import NNGraph

/// Batch normalisation over every axis but the channels, axis 1. Ioffe and Szegedy 2015.
///
/// x (N, C) or (N, C, …) → as x; weight, bias, running_mean and running_variance are (C).
///
/// While training, y = (x − μ)/√(σ² + ε)·weight + bias with the mean μ and the biased variance σ² of the batch, and the
/// running statistics move towards μ and the unbiased variance by `momentum`, as in PyTorch (Keras's momentum is 1 minus
/// this one). In evaluation and export they take the place of the batch's.
public struct BatchNorm: Layer {
  public let momentum: Float
  public let epsilon: Float

  public init(momentum: Float = 0.1, epsilon: Float = 1e-5) {
    self.momentum = momentum
    self.epsilon = epsilon
  }

  public func forward(_ x: SymbolicTensor) throws(NNError) -> SymbolicTensor {
    guard x.rank >= 2 else { throw NNError(.shapeMismatch, "takes (N, C, …), not \(x.shapeDescription)") }
    try Hyperparameter.requireShare(momentum, "a momentum")
    let channels = try x.requireExtent(axis: 1)
    let trace = x.trace
    let weight = try trace.parameter("weight", [channels], initializer: .ones)
    let bias = try trace.parameter("bias", [channels], initializer: .zeros)
    let mean = try trace.parameter("running_mean", [channels], initializer: .zeros, isTrainable: false)
    let variance = try trace.parameter("running_variance", [channels], initializer: .ones, isTrainable: false)
    var statistics = (mean: mean, variance: variance)
    if trace.isTraining {
      let count = Float(try elementsPerChannel(x))
      let moments = try trace.apply(.normalizeTraining(NormalizeTraining(.channelMoments)), [x])
      statistics.mean = try moments.sliced([SliceRange(start: 0, end: 1), .all]).reshaped([channels])
      statistics.variance = try moments.sliced([SliceRange(start: 1, end: 2), .all]).reshaped([channels])
      let unbiased = try statistics.variance * (count / (count - 1))
      try trace.update(mean, to: mean * (1 - momentum) + statistics.mean * momentum)
      try trace.update(variance, to: variance * (1 - momentum) + unbiased * momentum)
    }
    return try trace.apply(
      .normalize(Normalize(.batch, epsilon: epsilon)),
      [x, weight, bias, statistics.mean, statistics.variance])
  }

  private func elementsPerChannel(_ x: SymbolicTensor) throws(NNError) -> Int {
    let extents = try x.knownExtents()
    let count = extents.reduce(1, *) / max(extents[1], 1)
    guard count > 1 else {
      throw NNError(
        .shapeMismatch,
        "a batch of shape \(x.shapeDescription) has one value per channel, hence no variance; "
          + "leave such a batch out with dropsLastBatch, or take another batch size")
    }
    return count
  }
}

/// Normalisation over the last axis with learned scale and shift. Ba, Kiros and Hinton 2016.
///
/// x (N, …, D) → as x; weight (D), bias (D).
public struct LayerNorm: Layer {
  public let epsilon: Float

  public init(epsilon: Float = 1e-5) {
    self.epsilon = epsilon
  }

  public func forward(_ x: SymbolicTensor) throws(NNError) -> SymbolicTensor {
    guard x.rank >= 2 else { throw NNError(.shapeMismatch, "takes (N, …, D), not \(x.shapeDescription)") }
    let width = try x.requireExtent(axis: -1)
    let weight = try x.trace.parameter("weight", [width], initializer: .ones)
    let bias = try x.trace.parameter("bias", [width], initializer: .zeros)
    return try x.trace.apply(.normalize(Normalize(.layer, epsilon: epsilon)), [x, weight, bias])
  }
}
