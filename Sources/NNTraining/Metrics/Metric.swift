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

/// The fraction of samples whose largest logit (N, C) is that of their class; of sequences (N, …, C), the mean over samples of
/// the fraction of positions, those with a target of −1 left out.
public struct Accuracy: Metric {
  public init() {}

  public var name: String { "accuracy" }

  public func callAsFunction(
    prediction: SymbolicTensor, target: SymbolicTensor
  ) throws(NNError) -> SymbolicTensor {
    guard prediction.rank >= 2 else {
      throw NNError(.shapeMismatch, "takes predictions (N, …, C), not \(prediction.shapeDescription)")
    }
    let hits = try prediction.argmax().compare(.equal, target).cast(to: .f32)
    if hits.rank == 1 { return hits }
    // Of the positions that count.
    let zero = prediction.trace.constant("zero", try Tensor([Int64(0)], extents: [1]))
    let counted = try target.compare(.greaterOrEqual, zero).cast(to: .f32)
    let axes = Array(1..<hits.rank)
    return try (hits * counted).sum(axes: axes) / counted.sum(axes: axes).maximum(prediction.trace.scalar(1))
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

/// The fraction of sequences (N, …, C) all of whose positions are right, those with a target of −1 left out.
public struct ExactMatch: Metric {
  public init() {}

  public var name: String { "exact_match" }

  public func callAsFunction(
    prediction: SymbolicTensor, target: SymbolicTensor
  ) throws(NNError) -> SymbolicTensor {
    let share = try Accuracy()(prediction: prediction, target: target)
    return try share.compare(.greaterOrEqual, 1).cast(to: .f32)
  }
}

extension Metric where Self == ExactMatch {
  public static var exactMatch: ExactMatch { ExactMatch() }
}

/// The fraction of samples whose class is among the `k` largest logits (N, C); equal logits count in favour.
public struct TopKAccuracy: Metric {
  public let k: Int

  public init(_ k: Int) {
    self.k = k
  }

  public var name: String { "top_\(k)_accuracy" }

  public func callAsFunction(
    prediction: SymbolicTensor, target: SymbolicTensor
  ) throws(NNError) -> SymbolicTensor {
    try prediction.require(rank: 2, "predictions (N, C)")
    let hits = try classMask(prediction, target).hits
    let own = try hits.select(prediction, prediction.trace.scalar(0)).sum(axes: [1], keepsDimensions: true)
    let above = try prediction.compare(.greater, own).cast(to: .f32).sum(axes: [1])
    return try above.compare(.less, Float(k)).cast(to: .f32)
  }
}

/// The mean squared error of each sample's numbers.
public struct SquaredError: Metric {
  public init() {}

  public var name: String { "squared_error" }

  public func callAsFunction(
    prediction: SymbolicTensor, target: SymbolicTensor
  ) throws(NNError) -> SymbolicTensor {
    try requireSameShape(prediction, target)
    let square = try (prediction - target).squared()
    return square.rank == 1 ? square : try square.mean(axes: Array(1..<square.rank))
  }
}
