import NNGraph

/// What a model is trained against.
public enum TargetKind: Equatable, Sendable {
  /// Class indices: i64 (N), or (N, …) for one at each position of a sample.
  case classes
  /// Numbers of the shape of the model's output: f32 (N, …).
  case values
}

extension TargetKind {
  var dtype: DType {
    switch self {
    case .classes: .i64
    case .values: .f32
    }
  }
}

/// What training makes small: one number from a batch of predictions and targets.
public protocol Loss: Sendable {
  var targetKind: TargetKind { get }

  /// Extents of one sample's target for a model whose output has `outputShape` for one sample. Unless given, values
  /// have the output's shape, and classes the output's without its last axis.
  func targetShape(outputShape: [Int]) -> [Int]

  /// How many classes targets may name, from 0; nil if the output's shape does not say it. The last axis unless given.
  func classCount(outputShape: [Int]) -> Int?

  /// The mean over the batch, of shape (). `prediction` is the model's output.
  ///
  /// - Throws: ``ErrorCode/shapeMismatch`` if the two do not fit together.
  func callAsFunction(prediction: SymbolicTensor, target: SymbolicTensor) throws(NNError) -> SymbolicTensor
}

extension Loss {
  public func targetShape(outputShape: [Int]) -> [Int] {
    switch targetKind {
    case .classes: outputShape.dropLast()
    case .values: outputShape
    }
  }

  public func classCount(outputShape: [Int]) -> Int? { outputShape.last ?? 0 }
}

extension Loss where Self == MeanSquaredError {
  public static var meanSquaredError: MeanSquaredError { MeanSquaredError() }
}

extension Loss where Self == BinaryCrossEntropy {
  public static var binaryCrossEntropy: BinaryCrossEntropy { BinaryCrossEntropy() }
}

extension Loss where Self == SoftmaxCrossEntropy {
  public static var softmaxCrossEntropy: SoftmaxCrossEntropy { SoftmaxCrossEntropy() }
}

/// The mean of (prediction − target)² over all elements.
public struct MeanSquaredError: Loss {
  public init() {}

  public var targetKind: TargetKind { .values }

  public func callAsFunction(
    prediction: SymbolicTensor, target: SymbolicTensor
  ) throws(NNError) -> SymbolicTensor {
    try requireSameShape(prediction, target)
    return try (prediction - target).squared().mean()
  }
}

/// Cross-entropy of targets in [0, 1] with sigmoid(prediction), taken from logits, the mean over all elements.
///
/// −t·ln σ(z) − (1 − t)·ln(1 − σ(z)) = softplus(z) − t·z, which neither overflows nor loses digits.
public struct BinaryCrossEntropy: Loss {
  public init() {}

  public var targetKind: TargetKind { .values }

  public func callAsFunction(
    prediction: SymbolicTensor, target: SymbolicTensor
  ) throws(NNError) -> SymbolicTensor {
    try requireSameShape(prediction, target)
    return try (prediction.unary(.softplus) - target * prediction).mean()
  }
}

/// Cross-entropy of class indices with softmax(prediction), taken from logits (N, C), the mean over the batch.
///
/// −ln softmax(z)ₖ for the class k of each sample.
public struct SoftmaxCrossEntropy: Loss {
  public init() {}

  public var targetKind: TargetKind { .classes }

  public func callAsFunction(
    prediction: SymbolicTensor, target: SymbolicTensor
  ) throws(NNError) -> SymbolicTensor {
    let hits = try classMask(prediction, target)
    let zero = try prediction.trace.scalar(0)
    let chosen = try hits.select(prediction.logSoftmax(), zero)
    return try -chosen.sum(axes: [1]).mean()
  }
}

/// A bool (N, C) that is true where the column is the sample's class.
private func classMask(_ prediction: SymbolicTensor, _ target: SymbolicTensor) throws(NNError)
  -> SymbolicTensor
{
  try prediction.require(rank: 2, "predictions (N, C)")
  guard target.rank == 1, target.shape[0].mayEqual(prediction.shape[0]) else {
    throw NNError(
      .shapeMismatch,
      "targets \(target.shapeDescription) do not fit predictions \(prediction.shapeDescription): one class per sample"
    )
  }
  let classes = try prediction.requireExtent(axis: 1)
  let columns = prediction.trace.constant(
    "classes", try Tensor((0..<classes).map { Int64($0) }, extents: [1, classes]))
  return try target.reshaped(Shape([target.shape[0], .fixed(1)])).compare(.equal, columns)
}

/// - Throws: ``ErrorCode/shapeMismatch`` with both shapes.
func requireSameShape(_ prediction: SymbolicTensor, _ target: SymbolicTensor) throws(NNError) {
  guard prediction.shape.mayEqual(target.shape) else {
    throw NNError(
      .shapeMismatch,
      "targets \(target.shapeDescription) do not have the shape of the predictions \(prediction.shapeDescription)"
    )
  }
}
