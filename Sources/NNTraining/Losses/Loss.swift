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

  /// What stands in for this loss where targets are mixtures, as ``MixUp`` makes them: numbers of the shape of the output, for
  /// classes a probability of each. Where a target is one class, it must come to the same. Nil, unless given, if there is none.
  var mixedTargetLoss: (any Loss)? { get }

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

  public var mixedTargetLoss: (any Loss)? { nil }
}

extension Loss where Self == MeanSquaredError {
  public static var meanSquaredError: MeanSquaredError { MeanSquaredError() }
}

extension Loss where Self == MeanAbsoluteError {
  public static var meanAbsoluteError: MeanAbsoluteError { MeanAbsoluteError() }
}

extension Loss where Self == Huber {
  public static var huber: Huber { Huber() }
}

extension Loss where Self == BinaryCrossEntropy {
  public static var binaryCrossEntropy: BinaryCrossEntropy { BinaryCrossEntropy() }
}

extension Loss where Self == SoftmaxCrossEntropy {
  public static var softmaxCrossEntropy: SoftmaxCrossEntropy { SoftmaxCrossEntropy() }
}

/// - Throws: ``ErrorCode/shapeMismatch`` with both shapes.
func requireSameShape(_ prediction: SymbolicTensor, _ target: SymbolicTensor) throws(NNError) {
  guard prediction.dtype == target.dtype else {
    throw NNError(.dtypeMismatch, "takes numbers as targets, not class indices")
  }
  guard prediction.shape.mayEqual(target.shape) else {
    throw NNError(
      .shapeMismatch,
      "targets \(target.shapeDescription) do not have the shape of the predictions \(prediction.shapeDescription)"
    )
  }
}
