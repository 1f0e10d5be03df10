import NNGraph

/// The mean of max(0, 1 − t·z) over all elements, with targets t of −1 or 1. Cortes and Vapnik 1995.
public struct Hinge: Loss {
  public init() {}

  public var targetKind: TargetKind { .values }

  public func callAsFunction(
    prediction: SymbolicTensor, target: SymbolicTensor
  ) throws(NNError) -> SymbolicTensor {
    try requireSameShape(prediction, target)
    return try (1 - target * prediction).unary(.relu).mean()
  }
}

/// The mean of max(0, d(a, p) − d(a, n) + margin) over triplets of embeddings: an anchor a, one of its kind p and one of another
/// kind n, d being the Euclidean distance. Schroff et al. 2015.
///
/// The model's output holds the three one after the other, (N, 3·D); targets are not looked at.
public struct Triplet: Loss {
  public let margin: Float

  public init(margin: Float = 1) {
    self.margin = margin
  }

  public var targetKind: TargetKind { .values }

  public func targetShape(outputShape: [Int]) -> [Int] { [1] }

  public func callAsFunction(
    prediction: SymbolicTensor, target: SymbolicTensor
  ) throws(NNError) -> SymbolicTensor {
    let parts = try prediction.split(into: 3)
    let near = try parts[0].distance(to: parts[1])
    let far = try parts[0].distance(to: parts[2])
    return try (near - far + margin).unary(.relu).mean()
  }
}

/// The mean of t·d² + (1 − t)·max(0, margin − d)² over pairs of embeddings, t being 1 for a pair of one kind and 0 for others, d
/// the Euclidean distance. Hadsell et al. 2006, without its factor ½.
///
/// The model's output holds the two one after the other, (N, 2·D); targets are (N, 1).
public struct Contrastive: Loss {
  public let margin: Float

  public init(margin: Float = 1) {
    self.margin = margin
  }

  public var targetKind: TargetKind { .values }

  public func targetShape(outputShape: [Int]) -> [Int] { [1] }

  public func callAsFunction(
    prediction: SymbolicTensor, target: SymbolicTensor
  ) throws(NNError) -> SymbolicTensor {
    let parts = try prediction.split(into: 2)
    let distance = try parts[0].distance(to: parts[1])
    let same = try target.reshaped(distance.shape)
    let apart = try (margin - distance).unary(.relu).squared()
    return try (same * distance.squared() + (1 - same) * apart).mean()
  }
}

extension SymbolicTensor {
  /// Equal parts of the last axis of (N, count·D).
  fileprivate func split(into count: Int) throws(NNError) -> [SymbolicTensor] {
    try require(rank: 2, "embeddings (N, \(count)·D)")
    let width = try requireExtent(axis: 1)
    guard width % count == 0, width > 0 else {
      throw NNError(.shapeMismatch, "\(width) numbers do not split into \(count) embeddings")
    }
    var parts: [SymbolicTensor] = []
    for part in 0..<count {
      let range = SliceRange(start: part * (width / count), end: (part + 1) * (width / count))
      parts.append(try sliced([.all, range]))
    }
    return parts
  }

  /// √(Σ (a − b + 10⁻⁶)²) along the last axis: PyTorch's form, whose gradient exists for equal vectors too.
  fileprivate func distance(to other: SymbolicTensor) throws(NNError) -> SymbolicTensor {
    try (self - other + 1e-6).reduce(.sumOfSquares, axes: [-1]).squareRoot()
  }
}
