import NNGraph

/// Sets each element to zero with probability `rate` while training and divides the others by 1 − rate, so that the
/// expected value stays; does nothing in evaluation and export. Srivastava et al. 2014, in the inverted form.
public struct Dropout: Layer {
  public let rate: Float

  /// - Parameter rate: at least 0 and less than 1.
  public init(_ rate: Float) {
    self.rate = rate
  }

  public func forward(_ x: SymbolicTensor) throws(NNError) -> SymbolicTensor {
    guard rate >= 0, rate < 1 else { throw NNError(.invalidArgument, "a rate of \(rate), not in 0..<1") }
    if !x.trace.isTraining || rate == 0 { return x }
    let kept = try x.trace.random(.uniform, like: x).compare(.greaterOrEqual, rate)
    return try kept.select(x * (1 / (1 - rate)), x.trace.scalar(0))
  }
}
