import NNGraph

/// Cross-entropy of targets in [0, 1] with sigmoid(prediction), taken from logits, the mean over all elements.
///
/// −t·ln σ(z) − (1 − t)·ln(1 − σ(z)) = softplus(z) − t·z, which neither overflows nor loses digits.
public struct BinaryCrossEntropy: Loss {
  public init() {}

  public var targetKind: TargetKind { .values }
  public var mixedTargetLoss: (any Loss)? { self }

  public func callAsFunction(
    prediction: SymbolicTensor, target: SymbolicTensor
  ) throws(NNError) -> SymbolicTensor {
    try requireSameShape(prediction, target)
    return try (prediction.unary(.softplus) - target * prediction).mean()
  }
}

/// Cross-entropy of class indices with softmax(prediction), taken from logits (N, …, C), the mean over all targets (N, …).
///
/// −Σ q·ln softmax(z) with q = 1 − s + s/C for the target's class and s/C for the others, s being the label smoothing of
/// Szegedy et al. 2016, section 7. Class weights multiply each class's term, and the mean divides by the weights of the
/// targets, as in PyTorch. A target of −1 does not count.
public struct SoftmaxCrossEntropy: Loss {
  /// s, 0..<1.
  public let labelSmoothing: Float
  /// One for each class; nil for all ones.
  public let classWeights: [Float]?

  public init(labelSmoothing: Float = 0, classWeights: [Float]? = nil) {
    self.labelSmoothing = labelSmoothing
    self.classWeights = classWeights
  }

  public var targetKind: TargetKind { .classes }

  public var mixedTargetLoss: (any Loss)? {
    SoftTargetCrossEntropy(labelSmoothing: labelSmoothing, classWeights: classWeights)
  }

  public func callAsFunction(
    prediction: SymbolicTensor, target: SymbolicTensor
  ) throws(NNError) -> SymbolicTensor {
    let (hits, classes) = try classMask(prediction, target)
    try requireSmoothing(labelSmoothing)
    let trace = prediction.trace
    let zero = try trace.scalar(0)
    var logProbabilities = try prediction.logSoftmax()
    var counts = try hits.cast(to: .f32)
    if let weights = try classWeightTensor(classWeights, for: prediction) {
      logProbabilities = try logProbabilities * weights
      counts = try counts * weights
    }
    var terms = try hits.select(logProbabilities, zero).sum(axes: [-1])
    if labelSmoothing > 0 {
      let counted = try target.compare(
        .greaterOrEqual, trace.constant("first", try Tensor([Int64(0)], extents: [1])))
      let all = try counted.select(logProbabilities.sum(axes: [-1]), zero)
      terms = try terms * (1 - labelSmoothing) + all * (labelSmoothing / Float(classes))
    }
    // One class for each sample, equally weighted: all count.
    if classWeights == nil, target.rank == 1 { return try -terms.mean() }
    return try -terms.sum() / counts.sum().maximum(trace.scalar(1e-12))
  }
}

/// Cross-entropy of probabilities (N, …, C) with softmax(prediction) over the last axis, the mean over all but that axis: for
/// targets that are mixtures of classes.
///
/// Label smoothing and class weights mean what they mean to ``SoftmaxCrossEntropy``, to which this is equal where all targets are
/// single classes: a probability q becomes (1 − s)·q + s/C, class weights w multiply each class's term, and the mean divides by
/// Σ w·q. (PyTorch's cross_entropy divides by the number of targets when they are probabilities.)
public struct SoftTargetCrossEntropy: Loss {
  /// s, 0..<1.
  public let labelSmoothing: Float
  /// One for each class; nil for all ones.
  public let classWeights: [Float]?

  public init(labelSmoothing: Float = 0, classWeights: [Float]? = nil) {
    self.labelSmoothing = labelSmoothing
    self.classWeights = classWeights
  }

  public var targetKind: TargetKind { .values }
  public var mixedTargetLoss: (any Loss)? { self }

  public func callAsFunction(
    prediction: SymbolicTensor, target: SymbolicTensor
  ) throws(NNError) -> SymbolicTensor {
    try requireSameShape(prediction, target)
    try requireSmoothing(labelSmoothing)
    var logProbabilities = try prediction.logSoftmax()
    var counts: SymbolicTensor?
    if let weights = try classWeightTensor(classWeights, for: prediction) {
      logProbabilities = try logProbabilities * weights
      counts = try (target * weights).sum()
    }
    var terms = try (target * logProbabilities).sum(axes: [-1])
    if labelSmoothing > 0 {
      let classes = Float(try prediction.requireExtent(axis: -1))
      terms =
        try terms * (1 - labelSmoothing) + logProbabilities.sum(axes: [-1]) * (labelSmoothing / classes)
    }
    guard let counts else { return try -terms.mean() }
    return try -terms.sum() / counts.maximum(prediction.trace.scalar(1e-12))
  }
}

/// The Kullback–Leibler divergence Σ t·(ln t − ln softmax(z)) of the model's distribution from the target's, over the last
/// axis, the mean over all others. Targets of 0 contribute 0.
public struct KLDivergence: Loss {
  public init() {}

  public var targetKind: TargetKind { .values }
  public var mixedTargetLoss: (any Loss)? { self }

  public func callAsFunction(
    prediction: SymbolicTensor, target: SymbolicTensor
  ) throws(NNError) -> SymbolicTensor {
    try requireSameShape(prediction, target)
    let zero = try prediction.trace.scalar(0)
    let isThere = try target.compare(.greater, zero)
    let logarithm = try isThere.select(target, prediction.trace.scalar(1)).logarithm()
    return try (target * (logarithm - prediction.logSoftmax())).sum(axes: [-1]).mean()
  }
}

private func requireSmoothing(_ labelSmoothing: Float) throws(NNError) {
  guard labelSmoothing >= 0, labelSmoothing < 1 else {
    throw NNError(.invalidArgument, "a label smoothing of \(labelSmoothing), not in 0..<1")
  }
}

/// Class weights (C) as a constant; nil if there are none.
private func classWeightTensor(
  _ weights: [Float]?, for prediction: SymbolicTensor
) throws(NNError) -> SymbolicTensor? {
  guard let weights else { return nil }
  let classes = try prediction.requireExtent(axis: -1)
  guard weights.count == classes else {
    throw NNError(.shapeMismatch, "\(weights.count) class weights for \(classes) classes")
  }
  return prediction.trace.constant("class_weights", try Tensor(weights, extents: [classes]))
}

/// Throws unless there is the index of a class for each row of predictions (N, …, C).
func requireClasses(_ prediction: SymbolicTensor, _ target: SymbolicTensor) throws(NNError) {
  guard target.dtype == .i64 else {
    throw NNError(.dtypeMismatch, "takes class indices as targets, not \(target.dtype.name) numbers")
  }
  guard Shape(Array(prediction.shape.dimensions.dropLast())).mayEqual(target.shape) else {
    throw NNError(
      .shapeMismatch,
      "targets \(target.shapeDescription) do not fit predictions \(prediction.shapeDescription): one class for each"
    )
  }
}

/// A bool (N, …, C) that is true where the column is the target's class, and the number of classes.
func classMask(
  _ prediction: SymbolicTensor, _ target: SymbolicTensor
) throws(NNError) -> (hits: SymbolicTensor, classes: Int) {
  guard prediction.rank >= 2 else {
    throw NNError(.shapeMismatch, "takes predictions (N, …, C), not \(prediction.shapeDescription)")
  }
  try requireClasses(prediction, target)
  let classes = try prediction.requireExtent(axis: -1)
  let columns = prediction.trace.constant(
    "classes", try Tensor((0..<classes).map { Int64($0) }, extents: [classes]))
  let column = try target.reshaped(Shape(target.shape.dimensions + [.fixed(1)]))
  return (try column.compare(.equal, columns), classes)
}
