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
    try requireClasses(prediction, target)
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

/// The mean absolute error of each sample's numbers.
public struct AbsoluteError: Metric {
  public init() {}

  public var name: String { "absolute_error" }

  public func callAsFunction(
    prediction: SymbolicTensor, target: SymbolicTensor
  ) throws(NNError) -> SymbolicTensor {
    try requireSameShape(prediction, target)
    let error = try (prediction - target).absolute()
    return error.rank == 1 ? error : try error.mean(axes: Array(1..<error.rank))
  }
}

/// The cross-entropy of each sample's class with softmax(prediction) over the last axis, in nats: without the label smoothing
/// and the class weights that a loss may have. Of sequences (N, …, C), the mean over the positions of a sample, those with a
/// target of −1 left out. e to its mean is the perplexity.
public struct CrossEntropy: Metric {
  public init() {}

  public var name: String { "cross_entropy" }

  public func callAsFunction(
    prediction: SymbolicTensor, target: SymbolicTensor
  ) throws(NNError) -> SymbolicTensor {
    let zero = try prediction.trace.scalar(0)
    let hits = try classMask(prediction, target).hits
    let terms = try -hits.select(prediction.logSoftmax(), zero).sum(axes: [-1])
    if terms.rank == 1 { return terms }
    let axes = Array(1..<terms.rank)
    let counted = try hits.cast(to: .f32).sum(axes: [-1]).sum(axes: axes)
    return try terms.sum(axes: axes) / counted.maximum(prediction.trace.scalar(1))
  }
}

/// Intersection over union of each sample's positions (N, …, C), the mean over the classes that occur among its predictions or
/// targets; positions with a target of −1 are left out. Also called the Jaccard index.
public struct MeanIntersectionOverUnion: Metric {
  public init() {}

  public var name: String { "mean_iou" }

  public func callAsFunction(
    prediction: SymbolicTensor, target: SymbolicTensor
  ) throws(NNError) -> SymbolicTensor {
    guard prediction.rank >= 3 else {
      throw NNError(.shapeMismatch, "takes predictions (N, …, C), not \(prediction.shapeDescription)")
    }
    let trace = prediction.trace
    let one = try trace.scalar(1)
    let truth = try classMask(prediction, target).hits.cast(to: .f32)
    let counted = try truth.sum(axes: [-1], keepsDimensions: true)
    let said = try classMask(prediction, prediction.argmax()).hits.cast(to: .f32) * counted
    let axes = Array(1..<prediction.rank - 1)
    let both = try (truth * said).sum(axes: axes)
    let either = try truth.sum(axes: axes) + said.sum(axes: axes) - both
    let occurring = try either.minimum(one)
    return try (both / either.maximum(one)).sum(axes: [-1]) / occurring.sum(axes: [-1]).maximum(one)
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
