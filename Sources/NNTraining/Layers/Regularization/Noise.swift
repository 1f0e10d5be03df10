import NNGraph

/// Drops whole channels with probability `rate` while training, and divides the others by 1 − rate: neighbouring pixels are
/// too alike for dropping them one by one. Tompson et al. 2015.
///
/// x (N, C, …) → as x.
public struct SpatialDropout: Layer {
  public let rate: Float

  /// - Parameter rate: at least 0 and less than 1.
  public init(_ rate: Float) {
    self.rate = rate
  }

  public func forward(_ x: SymbolicTensor) throws(NNError) -> SymbolicTensor {
    guard rate >= 0, rate < 1 else { throw NNError(.invalidArgument, "a rate of \(rate), not in 0..<1") }
    guard x.rank >= 2 else { throw NNError(.shapeMismatch, "takes (N, C, …), not \(x.shapeDescription)") }
    if !x.trace.isTraining || rate == 0 { return x }
    let channels = Shape([x.shape[0], x.shape[1]] + [Dimension](repeating: .fixed(1), count: x.rank - 2))
    let kept = try x.trace.random(.uniform, channels).compare(.greaterOrEqual, rate)
    return try x * kept.select(x.trace.scalar(1 / (1 - rate)), x.trace.scalar(0))
  }
}

/// Adds normal noise of the given standard deviation while training; does nothing in evaluation and export.
public struct GaussianNoise: Layer {
  public let standardDeviation: Float

  public init(_ standardDeviation: Float) {
    self.standardDeviation = standardDeviation
  }

  public func forward(_ x: SymbolicTensor) throws(NNError) -> SymbolicTensor {
    guard standardDeviation >= 0 else {
      throw NNError(.invalidArgument, "a standard deviation of \(standardDeviation)")
    }
    if !x.trace.isTraining || standardDeviation == 0 { return x }
    return try x + x.trace.random(.normal, like: x) * standardDeviation
  }
}
