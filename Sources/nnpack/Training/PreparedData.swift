import NNGraph
import NNTraining

/// A task's samples in parts, with what is taken from those that are trained on.
struct PreparedData {
  /// To train on.
  let training: Dataset
  /// To stop by; nil for none.
  let validation: Dataset?
  /// Never seen in training; nil for none.
  let held: Dataset?
  /// What standardises the features.
  let standardization: Standardization?
  /// What brings the network's numbers to the range of the targets; nil for classes.
  let scale: TargetScale?

  /// - Throws: ``ErrorCode/invalidArgument`` if there are too few samples for a part.
  init(_ task: LearningTask, _ options: DataOptions, seed: UInt64) throws(NNError) {
    let parts =
      if let known = task.parts { known } else { try SampleParts(task.samples, options, seed: seed) }
    training = try task.samples.selecting(parts.training)
    validation = parts.validation.isEmpty ? nil : try task.samples.selecting(parts.validation)
    held = parts.held.isEmpty ? nil : try task.samples.selecting(parts.held)
    // The pixels of a channel have one scale, wherever they stand.
    let isImages = training.sampleShape.count == 3
    standardization =
      options.standardize ?? true ? try training.standardization(perChannel: isImages) : nil
    scale = try TargetScale(training)
  }

  /// Samples with the targets that the network is trained against: numbers of mean 0 and variance 1, or what stands for two
  /// classes.
  func encoded(_ data: Dataset, signs: (first: Float, second: Float)?) throws(NNError) -> Dataset {
    let targets: Targets
    switch data.targets {
    case .classes(let classes):
      guard let signs else { return data }
      targets = .values(classes.map { $0 == 0 ? signs.first : signs.second }, shape: [1])
    case .values(let values, let shape):
      guard let scale else { return data }
      targets = .values(scale.standardized(values), shape: shape)
    case .positions: return data
    }
    return try Dataset(features: data.features, sampleShape: data.sampleShape, targets: targets)
  }
}

/// Which samples go into which part, by their indices.
struct SampleParts {
  let training: [Int]
  let validation: [Int]
  let held: [Int]

  /// Depends on the number of samples, their classes and the seed alone.
  ///
  /// - Throws: ``ErrorCode/invalidArgument`` if there are too few samples for a part.
  init(_ samples: Dataset, _ options: DataOptions, seed: UInt64) throws(NNError) {
    var isClassification = false
    if case .classes = samples.targets { isClassification = true }
    func split(_ data: Dataset, _ fraction: Double, _ seed: UInt64) throws(NNError) -> (
      rest: [Int], held: [Int]
    ) {
      if fraction == 0 { return (Array(0..<data.count), []) }
      let parts = try data.splitIndices(fraction: fraction, seed: seed, stratified: isClassification)
      guard !parts.rest.isEmpty, !parts.held.isEmpty else {
        throw NNError(.invalidArgument, "\(samples.count) samples are too few to hold some out")
      }
      return parts
    }
    let outer = try split(samples, options.holdOut ?? 0.2, seed)
    let inner = try split(try samples.selecting(outer.rest), options.validation ?? 0.1, seed &+ 1)
    training = inner.rest.map { outer.rest[$0] }
    validation = inner.held.map { outer.rest[$0] }
    held = outer.held
  }
}

/// Mean and deviation of targets that are numbers, one of each for each number of a target.
struct TargetScale {
  let means: [Float]
  let deviations: [Float]

  /// - Returns: nil for targets that are classes.
  /// - Throws: ``ErrorCode/invalidArgument`` if all targets are the same.
  init?(_ data: Dataset) throws(NNError) {
    guard case .values(let values, let shape) = data.targets else { return nil }
    let width = max(shape.reduce(1, *), 1)
    var (means, deviations): ([Float], [Float]) = ([], [])
    for column in 0..<width {
      let numbers = stride(from: column, to: values.count, by: width).map { Double(values[$0]) }
      let count = Double(max(numbers.count, 1))
      let mean = numbers.reduce(0, +) / count
      let variance = numbers.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count
      means.append(Float(mean))
      deviations.append(Float(variance.squareRoot()))
    }
    guard deviations.contains(where: { $0 > 0 }) else {
      throw NNError(.invalidArgument, "all targets are the same: nothing is to be learnt")
    }
    self.means = means
    self.deviations = deviations.map { $0 > 0 ? $0 : 1 }
  }

  func standardized(_ values: [Float]) -> [Float] {
    values.indices.map { (values[$0] - means[$0 % means.count]) / deviations[$0 % means.count] }
  }

  /// Brings the network's numbers to the range of the targets.
  var layer: any Layer {
    if means.count == 1 { return Rescaling(scale: deviations[0], offset: means[0]) }
    // z·σ + μ = (z − (−μ/σ))·σ
    return Standardization(mean: zip(means, deviations).map { -$0 / $1 }, inverseDeviation: deviations)
  }
}
