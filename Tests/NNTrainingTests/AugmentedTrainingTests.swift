import CAllocationCounter
import Foundation
import NNGraph
import Testing

@testable import NNTraining

/// Throws after some batch, as a signal would.
private final class Interruption: Callback {
  private let epoch: Int
  private let batch: Int

  init(_ epoch: Int, _ batch: Int) {
    self.epoch = epoch
    self.batch = batch
  }

  func batchEnded(_ progress: BatchProgress, _ trainer: Trainer) throws(NNError) {
    if progress.epoch == epoch, progress.batch == batch { throw NNError(.invalidState, "interrupted") }
  }
}

@Suite struct AugmentedTrainingTests {
  private let everything: [any Augmentation] = [
    .flip(), .shift(1), .rotation(degrees: 20), .noise(0.05), .colorJitter(brightness: 0.2, maximum: 2),
    .oneOf(.mixUp(alpha: 0.4), .cutMix()),
  ]

  private func trainer(dataThreads: Int = 1, usesOpenBLAS: Bool = true) throws -> Trainer {
    var options = Trainer.Options()
    options.usesOpenBLAS = usesOpenBLAS
    options.dataThreads = dataThreads
    return try Trainer(
      smallConvolutionalModel(), sampleShape: [1, 6, 6],
      loss: SoftmaxCrossEntropy(labelSmoothing: 0.1, classWeights: [1, 2]),
      optimizer: Adam(learningRate: 0.01),
      metrics: [.accuracy], seed: 3, options: options)
  }

  @Test func threadsDoNotChangeABit() throws {
    let data = try stripes(count: 58)
    var bits: [[[UInt32]]] = []
    for threads in [0, 1, 2, 5] {
      let trainer = try trainer(dataThreads: threads)
      try trainer.fit(data, epochs: 3, batchSize: 16, augmentation: everything)
      bits.append(trainer.bits)
    }
    for other in bits.dropFirst() { #expect(other == bits[0]) }
    let plain = try trainer()
    try plain.fit(data, epochs: 3, batchSize: 16)
    #expect(plain.bits != bits[0])
  }

  @Test(arguments: [(0, 2), (1, 4), (2, 1)])
  func resumedAugmentedTrainingEndsInTheSameBits(epoch: Int, batch: Int) throws {
    let data = try stripes(count: 58)
    let straight = try trainer()
    try straight.fit(data, epochs: 3, batchSize: 16, augmentation: everything, sampling: .balanced)
    let path = temporaryPath("checkpoint")
    defer { unlink(path) }
    let checkpoint = Checkpointing(path: path, everyBatches: 1)
    let interrupted = try trainer()
    #expect(throws: NNError.self) {
      try interrupted.fit(
        data, epochs: 3, batchSize: 16, augmentation: everything, sampling: .balanced,
        callbacks: [Interruption(epoch, batch)], checkpoint: checkpoint)
    }
    let resumed = try trainer(dataThreads: 2)
    // Callbacks belong to a checkpoint: one that does not interrupt.
    try resumed.fit(
      data, epochs: 3, batchSize: 16, augmentation: everything, sampling: .balanced,
      callbacks: [Interruption(-1, 0)], checkpoint: checkpoint)
    #expect(resumed.bits == straight.bits)

    let other = try trainer()
    let error = #expect(throws: NNError.self) {
      try other.fit(
        data, epochs: 3, batchSize: 16, augmentation: [.flip()], sampling: .balanced,
        callbacks: [Interruption(-1, 0)], checkpoint: checkpoint)
    }
    #expect(error?.message.contains("RandomFlip") == true)
  }

  @Test func samplesAreNewInEveryEpochAndTheSameForASeed() throws {
    let data = try stripes(count: 20)
    func batches(seed: UInt64) throws -> AugmentedBatches {
      try AugmentedBatches(
        FitSettings(
          data: data, epochs: 2, batchSize: 20, dropsLastBatch: false, validation: nil, callbacks: [],
          checkpoint: nil, augmentation: [.shift(1), .mixUp()], sampling: EpochSampling(.shuffled, data)),
        mixedClasses: 2, seed: seed)
    }
    func prepared(seed: UInt64, epoch: Int) throws -> (features: [Float], targets: [Float]) {
      let source = try batches(seed: seed)
      let memory = try source.makeBatch()
      try source.prepare(Array(0..<20), epoch: epoch, batch: 0, into: memory)
      var (x, y) = ([Float](repeating: 0, count: 720), [Float](repeating: 0, count: 40))
      x.withUnsafeMutableBytes { x in y.withUnsafeMutableBytes { memory.copy(features: x, targets: $0) } }
      return (x, y)
    }
    let first = try prepared(seed: 1, epoch: 0)
    #expect(try prepared(seed: 1, epoch: 0) == first)
    #expect(try prepared(seed: 1, epoch: 1).features != first.features)
    #expect(try prepared(seed: 2, epoch: 0).features != first.features)
    for sample in 0..<20 {
      #expect((first.targets[2 * sample] + first.targets[2 * sample + 1] - 1).magnitude < 1e-6)
    }
    #expect(data.features == (try stripes(count: 20)).features)
  }

  /// With mixtures that are single classes, the step is the one without mixing, weights and smoothing included.
  @Test func unmixedTargetsTrainAsClassesDo() throws {
    struct MixNothing: Augmentation {
      var mixesTargets: Bool { true }
    }
    let data = try stripes(count: 60)
    let (soft, hard) = (try trainer(), try trainer())
    let softReport = try soft.fit(data, epochs: 2, batchSize: 20, augmentation: [MixNothing()])[1].training
    let hardReport = try hard.fit(data, epochs: 2, batchSize: 20)[1].training
    #expect((softReport.loss - hardReport.loss).magnitude < 1e-5)
    #expect(softReport["accuracy"] == hardReport["accuracy"])
    #expect(
      zip(soft.parameters, hard.parameters).allSatisfy {
        zip($0.values, $1.values).allSatisfy { ($0 - $1).magnitude < 1e-4 }
      })
    #expect(try soft.evaluate(data) == soft.evaluate(data))
  }

  @Test func mixedSamplesAreJudgedByTheirDominantClass() throws {
    /// Every target is 0.7 of class 1.
    struct MostlyOne: Augmentation {
      var mixesTargets: Bool { true }
      func augment(_ batch: SampleBatch, using generator: inout Philox) {
        for sample in 0..<batch.count {
          batch.targets[2 * sample] = 0.3
          batch.targets[2 * sample + 1] = 0.7
        }
      }
    }
    let trainer = try Trainer(
      Sequential {
        Flatten()
        Dense(2)
      }, sampleShape: [1, 6, 6], loss: .softmaxCrossEntropy, optimizer: SGD(learningRate: 0.5),
      metrics: [.accuracy], seed: 3)
    let reports = try trainer.fit(stripes(), epochs: 30, batchSize: 60, augmentation: [MostlyOne()])
    #expect(reports.last?.training["accuracy"] == 1)
    // The least loss for such targets is their entropy.
    let entropy = -(0.3 * Foundation.log(0.3) + 0.7 * Foundation.log(0.7))
    #expect((try #require(reports.last).training.loss - entropy).magnitude < 0.01)
  }

  @Test func numbersAsTargetsAreMixedToo() throws {
    let data = try exclusiveOr()
    let trainer = try Trainer(
      Dense(1), sampleShape: [2], loss: .binaryCrossEntropy, optimizer: SGD(), metrics: [.binaryAccuracy],
      seed: 1)
    try trainer.fit(data, epochs: 2, augmentation: [.noise(0.1), .mixUp()])
  }

  @Test func whatCannotBeAugmentedIsRefused() throws {
    let images = try stripes(count: 8)
    let masks = try Dataset(
      features: images.features, sampleShape: [1, 6, 6], targets: .values(images.features, shape: [1, 6, 6]))
    let same = try Trainer(
      Conv2D(1, kernelSize: 3, padding: .same), sampleShape: [1, 6, 6], loss: .meanSquaredError,
      optimizer: SGD(), seed: 1)
    try same.fit(masks, epochs: 1, augmentation: [.noise(0.1), .mixUp()])
    let moved = #expect(throws: NNError.self) { try same.fit(masks, epochs: 1, augmentation: [.flip()]) }
    #expect(moved?.message.contains("would not move the targets") == true)

    let hinge = try Trainer(
      Dense(1), sampleShape: [2], loss: Hinge(), optimizer: SGD(), seed: 1)
    let loss = #expect(throws: NNError.self) {
      try hinge.fit(exclusiveOr(), epochs: 1, augmentation: [.mixUp(alpha: 0.2)])
    }
    #expect(loss?.code == .invalidArgument)
    #expect(loss?.message.contains("MixUp(alpha: 0.2) mixes targets, which the loss Hinge()") == true)

    let shape = #expect(throws: NNError.self) {
      try hinge.fit(exclusiveOr(), epochs: 1, augmentation: [.rotation(degrees: 3)])
    }
    #expect(shape?.message.contains("augmentation RandomRotation") == true)
  }

  @Test(arguments: [0, 1, 3]) func anErrorOfAnAugmentationEndsTheTraining(threads: Int) throws {
    struct Failing: Augmentation {
      func augment(_ image: ImageSample, using generator: inout Philox) throws(NNError) {
        if image.pixels[0] > 100 { throw NNError(.invalidArgument, "too bright") }
      }
    }
    var features = try stripes(count: 40).features
    features[36 * 17] = 1000
    let data = try Dataset(
      features: features, sampleShape: [1, 6, 6], targets: stripes(count: 40).targets)
    let trainer = try trainer(dataThreads: threads)
    let error = #expect(throws: NNError.self) {
      try trainer.fit(data, epochs: 1, batchSize: 8, augmentation: [Failing()])
    }
    #expect(error?.message == "augmentation Failing() of sample 17: too bright")
    // The trainer is as usable as before.
    try trainer.fit(stripes(count: 40), epochs: 1, batchSize: 8, augmentation: [Failing()])
  }

  @Test func threadsAreJoinedWhenTrainingEnds() throws {
    /// Fails if it is used after the training that it belongs to.
    final class Watch: @unchecked Sendable {
      var isOver = false
      var lateCalls = 0
    }
    struct Slow: Augmentation {
      let watch: Watch
      func augment(_ image: ImageSample, using generator: inout Philox) {
        usleep(2000)
        if watch.isOver { watch.lateCalls += 1 }
      }
    }
    let watch = Watch()
    let trainer = try trainer(dataThreads: 4)
    #expect(throws: NNError.self) {
      try trainer.fit(
        stripes(), epochs: 2, batchSize: 2, augmentation: [Slow(watch: watch)],
        callbacks: [Interruption(0, 3)])
    }
    watch.isOver = true
    usleep(30000)
    #expect(watch.lateCalls == 0)
  }

  @Test(.enabled(if: nnrt_test_counts_allocations() != 0, "a sanitizer's malloc cannot be counted"))
  func takingAPreparedBatchAndTrainingOnItAllocatesNothing() throws {
    // Without OpenBLAS, whose products allocate on some processors.
    let trainer = try trainer(usesOpenBLAS: false)
    let data = try stripes(count: 64)
    let settings = try FitSettings(
      data: data, epochs: 20, batchSize: 16, dropsLastBatch: false, validation: nil,
      callbacks: [], checkpoint: nil, augmentation: everything, sampling: EpochSampling(.shuffled, data))
    let prefetcher = try BatchPrefetcher(
      AugmentedBatches(settings, mixedClasses: 2, seed: 3), from: FitPosition(sums: []), epochs: 20,
      threads: 2)
    defer { prefetcher.stop() }
    var start = 0
    for number in 0..<40 {
      if number == 4 { start = nnrt_test_allocations() }
      _ = try trainer.runStep(prefetcher, count: 16)
    }
    let taken = nnrt_test_allocations() - start
    #expect(taken == 0, "36 steps made \(taken) allocations")
  }

  @Test func batchesEndWithTheTraining() throws {
    let data = try stripes(count: 10)
    let settings = try FitSettings(
      data: data, epochs: 2, batchSize: 4, dropsLastBatch: false, validation: nil,
      callbacks: [], checkpoint: nil, augmentation: [.flip()], sampling: EpochSampling(.shuffled, data))
    let source = try AugmentedBatches(settings, mixedClasses: nil, seed: 1)
    let prefetcher = try BatchPrefetcher(
      source, from: FitPosition(epoch: 1, batch: 1, sums: []), epochs: 2, threads: 2)
    for _ in 0..<2 {
      _ = try prefetcher.take()
      prefetcher.release()
    }
    #expect(throws: NNError.self) { try prefetcher.take() }
    prefetcher.stop()
    prefetcher.stop()
  }

  @Test func aLossThatIsNotFiniteIsTracedThroughAugmentedBatches() throws {
    var features = try stripes(count: 40).features
    features[36 * 5] = .infinity
    let data = try Dataset(
      features: features, sampleShape: [1, 6, 6], targets: stripes(count: 40).targets)
    let trainer = try trainer()
    let error = #expect(throws: NNError.self) {
      try trainer.fit(data, epochs: 1, batchSize: 8, augmentation: [.flip(), .mixUp()])
    }
    #expect(error?.message.contains("\"features\"") == true, "\(error?.message ?? "")")
  }
}
