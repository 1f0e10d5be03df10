import CPlatform
import NNGraph

/// The memory of one batch that is prepared ahead of its step.
final class PreparedBatch: @unchecked Sendable {
  /// Features and targets as a step reads them, with room for the largest batch.
  fileprivate let features: UnsafeMutableRawBufferPointer
  fileprivate let targets: UnsafeMutableRawBufferPointer
  fileprivate let featureScratch: UnsafeMutableRawBufferPointer
  fileprivate let targetScratch: UnsafeMutableRawBufferPointer
  /// What went wrong when it was prepared.
  var failure: NNError?

  private let memory: UnsafeMutableRawPointer

  fileprivate init(featureBytes: Int, targetBytes: Int) throws(NNError) {
    // Each part begins at a multiple of 64 bytes.
    let (feature, target) = ((featureBytes + 63) & ~63, (targetBytes + 63) & ~63)
    guard let memory = nnp_allocate(2 * (feature + target)) else {
      throw NNError(
        .outOfMemory, "\(2 * (feature + target)) bytes for a batch ahead could not be allocated")
    }
    self.memory = memory
    features = UnsafeMutableRawBufferPointer(start: memory, count: featureBytes)
    featureScratch = UnsafeMutableRawBufferPointer(start: memory + feature, count: featureBytes)
    targets = UnsafeMutableRawBufferPointer(start: memory + 2 * feature, count: targetBytes)
    targetScratch = UnsafeMutableRawBufferPointer(start: memory + 2 * feature + target, count: targetBytes)
  }

  deinit { nnp_free(memory) }

  /// Copies the batch to where a plan reads it. Allocates nothing.
  func copy(features to: UnsafeMutableRawBufferPointer, targets toTargets: UnsafeMutableRawBufferPointer) {
    to.copyMemory(from: UnsafeRawBufferPointer(start: features.baseAddress, count: to.count))
    toTargets.copyMemory(from: UnsafeRawBufferPointer(start: targets.baseAddress, count: toTargets.count))
  }
}

/// The batches of a training whose samples are augmented. Each follows from the seed and its place in the training alone.
struct AugmentedBatches: Sendable {
  private let data: Dataset
  let steps: [any Augmentation]
  private let sampling: EpochSampling
  private let seed: UInt64
  private let batchSize: Int
  /// Samples of the largest batch.
  private let largestBatch: Int
  /// The number of classes if class targets become mixtures.
  private let mixedClasses: Int?
  /// What the random numbers of samples and of batches are drawn from.
  private let sampleSeed: UInt64
  private let batchSeed: UInt64
  /// Batches of an epoch.
  let batches: Int
  /// Whether targets become mixtures.
  let mixesTargets: Bool

  /// - Throws: what the augmentations' own checks throw; ``ErrorCode/dtypeMismatch`` for tokens, ``ErrorCode/invalidArgument`` for
  ///   targets that would have to move along with pixels.
  init(_ settings: FitSettings, mixedClasses: Int?, seed: UInt64) throws(NNError) {
    data = settings.data
    steps = settings.augmentation
    sampling = settings.sampling
    batchSize = settings.batchSize
    largestBatch = settings.stepKinds.map { $0.size }.max() ?? batchSize
    batches = settings.batches
    mixesTargets = settings.mixesTargets
    self.mixedClasses = mixedClasses
    self.seed = seed
    var generator = Philox(seed: seed, stream: Philox.stream(of: "augmentation"))
    sampleSeed = generator.next()
    batchSeed = generator.next()
    guard data.inputType == .f32 else {
      throw NNError(.dtypeMismatch, "samples of indices cannot be augmented")
    }
    for step in steps {
      do throws(NNError) {
        try step.require(sampleShape: data.sampleShape)
        if step.movesPixels { try AugmentedBatches.requireTargetsApart(data) }
      } catch {
        throw error.within("augmentation \(step)")
      }
    }
  }

  private static func requireTargetsApart(_ data: Dataset) throws(NNError) {
    switch data.targets {
    case .classes: return
    case .values(_, let shape) where shape != data.sampleShape: return
    case .positions, .values:
      throw NNError(
        .invalidArgument, "moves pixels, but would not move the targets that each sample has at its positions"
      )
    }
  }

  func makeBatch() throws(NNError) -> PreparedBatch {
    let size = largestBatch
    let (numbers, overflow) = size.multipliedReportingOverflow(by: max(data.sampleSize, targetBytes))
    guard !overflow, numbers <= 1 << 46 else {
      throw NNError(.limitExceeded, "\(size) samples of \(data.sampleSize) numbers in a batch")
    }
    return try PreparedBatch(featureBytes: size * data.sampleSize * 4, targetBytes: size * targetBytes)
  }

  /// Bytes of one sample's target as the step reads it.
  private var targetBytes: Int {
    if let mixedClasses { return mixedClasses * 4 }
    if case .values = data.targets { return data.targetSize * 4 }
    return data.targetSize * 8
  }

  func order(epoch: Int) -> [Int] { sampling.order(epoch: epoch, seed: seed) }

  /// Fills `memory` with a batch.
  ///
  /// - Parameter order: of the epoch.
  /// - Throws: what the augmentations throw, naming the sample.
  func prepare(_ order: [Int], epoch: Int, batch: Int, into memory: PreparedBatch) throws(NNError) {
    let first = batch * batchSize
    let rows = order[first..<min(first + batchSize, order.count)]
    let sampleBytes = data.sampleSize * 4
    data.copyFeatures(rows, into: memory.features)
    copyTargets(rows, into: memory.targets)
    let features = floats(memory.features, rows.count * sampleBytes)
    let scratch = floats(memory.featureScratch, rows.count * sampleBytes)
    let extents = data.sampleShape.count == 3 ? data.sampleShape : [1, 1, data.sampleSize]
    for position in 0..<rows.count {
      let range = position * data.sampleSize..<(position + 1) * data.sampleSize
      let image = ImageSample(
        channels: extents[0], height: extents[1], width: extents[2],
        pixels: UnsafeMutableBufferPointer(rebasing: features[range]),
        scratch: UnsafeMutableBufferPointer(rebasing: scratch[range]))
      var generator = Philox(seed: sampleSeed, stream: AugmentedBatches.stream(epoch, first + position))
      for step in steps {
        do throws(NNError) {
          try step.augment(image, using: &generator)
        } catch {
          throw error.within("augmentation \(step) of sample \(rows[rows.startIndex + position])")
        }
      }
    }
    let targetFloats = hasFloatTargets ? rows.count * targetBytes : 0
    let samples = SampleBatch(
      count: rows.count, sampleShape: data.sampleShape, features: features,
      targets: floats(memory.targets, targetFloats), featureScratch: scratch,
      targetScratch: floats(memory.targetScratch, targetFloats))
    var generator = Philox(seed: batchSeed, stream: AugmentedBatches.stream(epoch, batch))
    for step in steps {
      do throws(NNError) {
        try step.augment(samples, using: &generator)
      } catch {
        throw error.within("augmentation \(step) of batch \(batch + 1)")
      }
    }
  }

  private var hasFloatTargets: Bool {
    if case .values = data.targets { return true }
    return mixedClasses != nil
  }

  private func copyTargets(_ rows: ArraySlice<Int>, into memory: UnsafeMutableRawBufferPointer) {
    guard let mixedClasses, case .classes(let classes) = data.targets else {
      return data.copyTargets(rows, into: memory)
    }
    let mixtures = floats(memory, rows.count * mixedClasses * 4)
    mixtures.update(repeating: 0)
    // The classes were found to be below the model's when the data were checked.
    for (position, row) in rows.enumerated() { mixtures[position * mixedClasses + classes[row]] = 1 }
  }

  private func floats(
    _ memory: UnsafeMutableRawBufferPointer, _ bytes: Int
  ) -> UnsafeMutableBufferPointer<Float> {
    UnsafeMutableRawBufferPointer(rebasing: memory[..<bytes]).bindMemory(to: Float.self)
  }

  private static func stream(_ epoch: Int, _ number: Int) -> UInt64 {
    UInt64(truncatingIfNeeded: epoch) << 40 &+ UInt64(truncatingIfNeeded: number)
  }
}
