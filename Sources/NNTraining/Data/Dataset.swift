import NNGraph

/// What the samples of a data set are to be mapped to.
public enum Targets: Equatable, Sendable {
  /// One class index per sample, from 0.
  case classes([Int])
  /// Numbers, sample after sample, each of the given shape (without the batch).
  case values([Float], shape: [Int])
}

/// Samples in memory: features and targets.
///
/// Readers for CSV, IDX and images, and augmentation, take their place beside this file.
public struct Dataset: Sendable {
  /// Sample after sample, each row-major.
  public let features: [Float]
  /// The shape of one sample, without the batch: (C, H, W) for images.
  public let sampleShape: [Int]
  public let targets: Targets
  /// How many samples there are.
  public let count: Int

  /// - Throws: ``ErrorCode/shapeMismatch`` if features and targets are not as many as the shapes ask for.
  public init(features: [Float], sampleShape: [Int], targets: Targets) throws(NNError) {
    let width = try Dataset.elementCount(sampleShape)
    guard width > 0, features.count % width == 0 else {
      throw NNError(
        .shapeMismatch,
        "\(features.count) numbers do not divide into samples of shape \(Shape(sampleShape).description)")
    }
    count = features.count / width
    sampleSize = width
    switch targets {
    case .classes(let classes):
      targetSize = 1
      guard classes.count == count else {
        throw NNError(.shapeMismatch, "\(classes.count) class indices for \(count) samples")
      }
    case .values(let values, let shape):
      targetSize = try Dataset.elementCount(shape)
      guard values.count == count * targetSize else {
        throw NNError(
          .shapeMismatch,
          "\(values.count) target numbers for \(count) samples with targets of shape \(Shape(shape).description)"
        )
      }
    }
    self.features = features
    self.sampleShape = sampleShape
    self.targets = targets
  }

  /// Elements of one sample.
  public let sampleSize: Int
  /// Elements of one sample's target; 1 for a class.
  let targetSize: Int

  private static func elementCount(_ shape: [Int]) throws(NNError) -> Int {
    try Shape(shape).validate()
    return Shape(shape).elementCount ?? 0
  }

  /// The samples at the given indices, in their order.
  ///
  /// - Throws: ``ErrorCode/invalidArgument`` for an index out of range.
  public func selecting(_ indices: [Int]) throws(NNError) -> Dataset {
    for index in indices where index < 0 || index >= count {
      throw NNError(.invalidArgument, "sample \(index) of \(count)")
    }
    let width = sampleSize
    var chosen: [Float] = []
    chosen.reserveCapacity(indices.count * width)
    for index in indices { chosen += features[index * width..<(index + 1) * width] }
    let chosenTargets: Targets
    switch targets {
    case .classes(let classes): chosenTargets = .classes(indices.map { classes[$0] })
    case .values(let values, let shape):
      let targetWidth = targetSize
      var kept: [Float] = []
      for index in indices { kept += values[index * targetWidth..<(index + 1) * targetWidth] }
      chosenTargets = .values(kept, shape: shape)
    }
    return try Dataset(features: chosen, sampleShape: sampleShape, targets: chosenTargets)
  }

  /// The samples in two parts that have none in common, drawn with a seed.
  ///
  /// - Parameters:
  ///   - fraction: the part of the samples that goes into `held`, 0…1.
  ///   - stratified: whether each class is split by itself, so that both parts have the same proportions; class targets only.
  /// - Throws: ``ErrorCode/invalidArgument`` for a fraction out of range, or for stratifying without classes.
  public func split(
    fraction: Double, seed: UInt64, stratified: Bool = false
  ) throws(NNError) -> (rest: Dataset, held: Dataset) {
    guard fraction >= 0, fraction <= 1 else { throw NNError(.invalidArgument, "a fraction of \(fraction)") }
    var groups: [[Int]] = [Array(0..<count)]
    if stratified {
      guard case .classes(let classes) = targets else {
        throw NNError(.invalidArgument, "only class targets can be split class by class")
      }
      // Classes may be any numbers, so they are grouped by sorting instead of by a table.
      let order = (0..<count).sorted { (classes[$0], $0) < (classes[$1], $1) }
      groups = []
      for index in order {
        if let last = groups.last?.first, classes[last] == classes[index] {
          groups[groups.count - 1].append(index)
        } else {
          groups.append([index])
        }
      }
    }
    var generator = Philox(seed: seed, stream: Philox.stream(of: "split"))
    var rest: [Int] = []
    var held: [Int] = []
    for group in groups {
      let shuffled = group.shuffled(using: &generator)
      let size = Int((Double(group.count) * fraction).rounded())
      held += shuffled.prefix(size)
      rest += shuffled.dropFirst(size)
    }
    return (try selecting(rest.sorted()), try selecting(held.sorted()))
  }

  /// A layer that brings each feature to mean 0 and variance 1 over these samples. Put it first in the model: it is exported
  /// with it, so that a program gives raw features.
  ///
  /// - Throws: ``ErrorCode/invalidArgument`` without samples.
  public func standardization() throws(NNError) -> Standardization {
    guard count > 0 else { throw NNError(.invalidArgument, "no samples to take mean and deviation from") }
    let width = sampleSize
    var means: [Float] = []
    var inverses: [Float] = []
    for feature in 0..<width {
      var sum = 0.0
      for sample in 0..<count { sum += Double(features[sample * width + feature]) }
      let mean = sum / Double(count)
      var squares = 0.0
      for sample in 0..<count {
        let difference = Double(features[sample * width + feature]) - mean
        squares += difference * difference
      }
      let deviation = (squares / Double(count)).squareRoot()
      means.append(Float(mean))
      inverses.append(deviation > 0 ? Float(1 / deviation) : 1)
    }
    return Standardization(mean: means, inverseDeviation: inverses)
  }

  /// Throws unless the targets are of the kind and of the shape that a model with `outputShape` is trained against.
  func require(_ kind: TargetKind, outputShape: [Int]) throws(NNError) {
    switch (kind, targets) {
    case (.classes, .classes(let classes)):
      let limit = outputShape.last ?? 0
      for (sample, value) in classes.enumerated() where value < 0 || value >= limit {
        throw NNError(
          .indexOutOfRange, "sample \(sample) has class \(value), but the model has \(limit) outputs")
      }
    case (.values, .values(_, let shape)):
      guard shape == outputShape else {
        throw NNError(
          .shapeMismatch,
          "targets have shape \(Shape(shape).description) each, the model's outputs \(Shape(outputShape).description)"
        )
      }
    case (.classes, .values):
      throw NNError(.dtypeMismatch, "the loss takes class indices, the data has numbers as targets")
    case (.values, .classes):
      throw NNError(.dtypeMismatch, "the loss takes numbers as targets, the data has class indices")
    }
  }
}

// Copying samples into the memory a plan reads. These run in every step and allocate nothing, not even in unoptimised
// builds, whose iterators would: hence the loops counted by hand.
extension Dataset {
  func copyFeatures(_ indices: ArraySlice<Int>, into memory: UnsafeMutableRawBufferPointer) {
    let size = sampleSize * 4
    features.withUnsafeBytes { Dataset.copy($0, size, indices, into: memory) }
  }

  func copyTargets(_ indices: ArraySlice<Int>, into memory: UnsafeMutableRawBufferPointer) {
    switch targets {
    case .classes(let classes):
      let target = memory.assumingMemoryBound(to: Int64.self)
      var position = 0
      while position < indices.count {
        target[position] = Int64(classes[indices[indices.startIndex + position]])
        position += 1
      }
    case .values(let values, _):
      let size = targetSize * 4
      values.withUnsafeBytes { Dataset.copy($0, size, indices, into: memory) }
    }
  }

  /// Rows of `size` bytes; `memory` has room for all of them.
  private static func copy(
    _ source: UnsafeRawBufferPointer, _ size: Int, _ indices: ArraySlice<Int>,
    into memory: UnsafeMutableRawBufferPointer
  ) {
    guard let from = source.baseAddress, let to = memory.baseAddress else { return }
    var position = 0
    while position < indices.count {
      let row = indices[indices.startIndex + position]
      (to + position * size).copyMemory(from: from + row * size, byteCount: size)
      position += 1
    }
  }
}
