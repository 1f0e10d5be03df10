import NNGraph

/// The mean of (prediction − target)² over all elements.
public struct MeanSquaredError: Loss {
  public init() {}

  public var targetKind: TargetKind { .values }
  public var mixedTargetLoss: (any Loss)? { self }

  public func callAsFunction(
    prediction: SymbolicTensor, target: SymbolicTensor
  ) throws(NNError) -> SymbolicTensor {
    try requireSameShape(prediction, target)
    return try (prediction - target).squared().mean()
  }
}

/// The mean of |prediction − target| over all elements.
public struct MeanAbsoluteError: Loss {
  public init() {}

  public var targetKind: TargetKind { .values }
  public var mixedTargetLoss: (any Loss)? { self }

  public func callAsFunction(
    prediction: SymbolicTensor, target: SymbolicTensor
  ) throws(NNError) -> SymbolicTensor {
    try requireSameShape(prediction, target)
    return try (prediction - target).absolute().mean()
  }
}

/// The mean over all elements of ½d² for |d| ≤ δ, else δ·(|d| − ½δ), d being prediction − target. Huber 1964.
public struct Huber: Loss {
  /// Where the square becomes a straight line; positive.
  public let delta: Float

  public init(delta: Float = 1) {
    self.delta = delta
  }

  public var targetKind: TargetKind { .values }
  public var mixedTargetLoss: (any Loss)? { self }

  public func callAsFunction(
    prediction: SymbolicTensor, target: SymbolicTensor
  ) throws(NNError) -> SymbolicTensor {
    try requireSameShape(prediction, target)
    guard delta > 0 else { throw NNError(.invalidArgument, "Huber: a delta of \(delta)") }
    let difference = try prediction - target
    // With c = d clipped to ±δ, both branches are c·(d − ½c).
    let clipped = try difference.apply(Activation(.clip, alpha: -delta, beta: delta))
    return try (clipped * (difference - clipped * 0.5)).mean()
  }
}
