import NNGraph

/// Connectionist temporal classification: −ln of the probability that a sequence of frames reads as a shorter sequence of
/// labels, summed over all alignments. Graves et al. 2006, equations 5 to 8, in logarithms. Divided by the number of labels of
/// each sample and averaged over the batch, as in PyTorch.
///
/// Predictions are logits (N, T, C), class 0 being the blank; targets (N, labels), each 1..<C, filled up with −1 at the end.
/// Every sequence must have at least as many frames as labels and repetitions among them. Other sequences, and targets with a
/// blank among the labels or a −1 before one, give an infinite loss.
public struct CTC: Loss {
  /// The most labels a sample has.
  public let labels: Int

  public init(labels: Int) {
    self.labels = labels
  }

  public var targetKind: TargetKind { .classes }

  public func targetShape(outputShape: [Int]) -> [Int] { [labels] }

  /// What stands for ln 0: small enough to vanish, large enough for differences to exist.
  private static let never: Float = -1e30

  public func callAsFunction(
    prediction: SymbolicTensor, target: SymbolicTensor
  ) throws(NNError) -> SymbolicTensor {
    try prediction.require(rank: 3, "predictions (N, T, C)")
    guard target.rank == 2, target.shape[1] == .fixed(labels), labels >= 1 else {
      throw NNError(.shapeMismatch, "targets \(target.shapeDescription), not (N, \(labels))")
    }
    let trace = prediction.trace
    let (batch, frames) = (try prediction.requireExtent(axis: 0), try prediction.requireExtent(axis: 1))
    let states = 2 * labels + 1
    let never = try trace.scalar(CTC.never)
    let emitted = try emissions(prediction.logSoftmax(), target, batch, frames)
    let maySkip = try skips(target, batch)

    func shifted(_ alpha: SymbolicTensor, _ count: Int) throws(NNError) -> SymbolicTensor {
      let front = try never.expanded([batch, count])
      let kept = try alpha.sliced([.all, SliceRange(start: 0, end: states - count)])
      return try front.concatenated(with: [kept], axis: 1)
    }
    func frame(_ number: Int) throws(NNError) -> SymbolicTensor {
      try emitted.sliced([.all, SliceRange(start: number, end: number + 1), .all]).reshaped([batch, states])
    }
    // A path begins with the blank or the first label.
    let start = (0..<states).map { $0 < 2 ? 0 : CTC.never }
    var alpha = try frame(0) + trace.constant("start", try Tensor(start, extents: [states]))
    for number in 1..<max(frames, 1) {
      let stay = try alpha.logAddExp(shifted(alpha, 1))
      let skip = try maySkip.select(shifted(alpha, 2), never)
      alpha = try stay.logAddExp(skip) + frame(number)
    }
    let (counts, isLast) = try ends(target, batch)
    let reached = try isLast.select(alpha, never)
    let largest = try reached.reduce(.maximum, axes: [1], keepsDimensions: true).stoppingGradient()
    let total = try (reached - largest).exponential().sum(axes: [1]).logarithm() + largest.reshaped([batch])
    let impossible = try trace.scalar(-.infinity)
    let possible = try total.compare(.less, CTC.never / 2).select(impossible, total)
    return try -(misplaced(target).select(impossible, possible) / counts).mean()
  }

  /// bool (N): whether there is a blank among the labels of a sample, or −1 before one.
  private func misplaced(_ target: SymbolicTensor) throws(NNError) -> SymbolicTensor {
    let zero = target.trace.constant("zero", try Tensor([Int64(0)], extents: [1]))
    var faults = try target.compare(.equal, zero).cast(to: .f32).sum(axes: [1])
    if labels > 1 {
      let isLabel = try target.compare(.greaterOrEqual, zero).cast(to: .f32)
      let before = try isLabel.sliced([.all, SliceRange(start: 0, end: labels - 1)])
      let after = try isLabel.sliced([.all, SliceRange(start: 1, end: labels)])
      faults = try faults + (after * (1 - before)).sum(axes: [1])
    }
    return try faults.compare(.greater, 0.5)
  }

  /// (N, T, 2·labels + 1): what each frame says to blank, label, blank, …, blank.
  private func emissions(
    _ logProbabilities: SymbolicTensor, _ target: SymbolicTensor, _ batch: Int, _ frames: Int
  ) throws(NNError) -> SymbolicTensor {
    let trace = target.trace
    let classes = try logProbabilities.requireExtent(axis: 2)
    // Gathering along the last axis per sample: one row for each (frame, class) of the joined batch.
    let zero = trace.constant("zero", try Tensor([Int64(0)], extents: [1]))
    let filled = try target.maximum(zero)
    var first: [Int64] = []
    for sample in 0..<batch { first.append(Int64(sample * frames * classes)) }
    var frameOffsets: [Int64] = []
    for number in 0..<frames { frameOffsets.append(Int64(number * classes)) }
    let base =
      try trace.constant("samples", try Tensor(first, extents: [batch, 1, 1]))
      + trace.constant("frames", try Tensor(frameOffsets, extents: [1, frames, 1]))
    let flat = try logProbabilities.reshaped([batch * frames * classes])
    let ofLabels = try flat.gathered(base + filled.reshaped([batch, 1, labels]))
    let ofBlank = try flat.gathered(base).expanded([batch, frames, labels])
    let pairs = try ofBlank.reshaped([batch, frames, labels, 1]).concatenated(
      with: [ofLabels.reshaped([batch, frames, labels, 1])], axis: 3)
    let lastBlank = try flat.gathered(base)
    return try pairs.reshaped([batch, frames, 2 * labels]).concatenated(with: [lastBlank], axis: 2)
  }

  /// bool (N, states): whether a path may come from two states before, over a blank between different labels.
  private func skips(_ target: SymbolicTensor, _ batch: Int) throws(NNError) -> SymbolicTensor {
    let trace = target.trace
    let none = trace.constant("none", try Tensor([Int64](repeating: -2, count: batch), extents: [batch, 1]))
    let before =
      labels == 1
      ? none
      : try none.concatenated(with: [target.sliced([.all, SliceRange(start: 0, end: labels - 1)])], axis: 1)
    let differs = try target.compare(.notEqual, before).cast(to: .f32)
    // Blank states never, label states where the label before is another; the first label has nothing to skip.
    let isLabel = (0..<labels).map { $0 == 0 ? Float(0) : 1 }
    let mask = try differs * trace.constant("after_first", try Tensor(isLabel, extents: [1, labels]))
    let blanks = try trace.filled(0, [batch, labels, 1])
    let pairs = try blanks.concatenated(with: [mask.reshaped([batch, labels, 1])], axis: 2)
    let all = try pairs.reshaped([batch, 2 * labels]).concatenated(
      with: [trace.filled(0, [batch, 1])], axis: 1)
    return try all.compare(.greater, 0.5)
  }

  /// The number of labels (N), and a bool (N, states) that is true for the two states in which a path may end.
  private func ends(
    _ target: SymbolicTensor, _ batch: Int
  ) throws(NNError) -> (counts: SymbolicTensor, isLast: SymbolicTensor) {
    let trace = target.trace
    let zero = trace.constant("zero", try Tensor([Int64(0)], extents: [1]))
    let counts = try target.compare(.greaterOrEqual, zero).cast(to: .f32).sum(axes: [1])
    let last = try (counts * 2).reshaped([batch, 1])
    let states = trace.constant(
      "states", try Tensor((0...2 * labels).map { Float($0) }, extents: [1, 2 * labels + 1]))
    let distance = try last - states
    let isLast =
      try distance.compare(.greaterOrEqual, -0.5).cast(to: .f32)
      * distance.compare(.lessOrEqual, 1.5).cast(to: .f32)
    return (try counts.maximum(trace.scalar(1)), try isLast.compare(.greater, 0.5))
  }
}

extension SymbolicTensor {
  /// ln(eᵃ + eᵇ) = max(a, b) + ln(1 + e^(−|a − b|)).
  func logAddExp(_ other: SymbolicTensor) throws(NNError) -> SymbolicTensor {
    let distance = try (self - other).absolute()
    return try maximum(other) + (-distance).unary(.softplus)
  }
}
