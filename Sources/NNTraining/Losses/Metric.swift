import NNGraph

/// A number that tells people how good predictions are: a mean over samples.
public protocol Metric: Sendable {
  /// What progress and reports call it.
  var name: String { get }

  /// One number for each sample, of shape (N); what is reported is their mean.
  func callAsFunction(prediction: SymbolicTensor, target: SymbolicTensor) throws(NNError) -> SymbolicTensor
}

extension Metric where Self == Accuracy {
  public static var accuracy: Accuracy { Accuracy() }
}

extension Metric where Self == BinaryAccuracy {
  public static var binaryAccuracy: BinaryAccuracy { BinaryAccuracy() }
}

/// The fraction of samples whose largest logit (N, C) is that of their class.
public struct Accuracy: Metric {
  public init() {}

  public var name: String { "accuracy" }

  public func callAsFunction(
    prediction: SymbolicTensor, target: SymbolicTensor
  ) throws(NNError) -> SymbolicTensor {
    try prediction.require(rank: 2, "predictions (N, C)")
    return try prediction.argmax().compare(.equal, target).cast(to: .f32)
  }
}

/// The fraction of logits that are positive where the target is above one half, and not where it is not,
/// over all outputs of a sample.
public struct BinaryAccuracy: Metric {
  public init() {}

  public var name: String { "accuracy" }

  public func callAsFunction(
    prediction: SymbolicTensor, target: SymbolicTensor
  ) throws(NNError) -> SymbolicTensor {
    try requireSameShape(prediction, target)
    let said = try prediction.compare(.greater, 0)
    let hits = try said.compare(.equal, target.compare(.greater, 0.5)).cast(to: .f32)
    return hits.rank == 1 ? hits : try hits.mean(axes: Array(1..<hits.rank))
  }
}
