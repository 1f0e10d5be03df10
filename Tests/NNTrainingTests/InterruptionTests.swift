import Foundation
import NNGraph
@testable import NNTraining
import Testing

/// Shortens the steps after every epoch, and, if asked, ends the training after some batch by an error, as a signal would.
private final class Schedule: Callback {
  private let interruption: (epoch: Int, batch: Int)?

  init(interruption: (epoch: Int, batch: Int)? = nil) { self.interruption = interruption }

  func batchEnded(_ progress: BatchProgress, _ trainer: Trainer) throws(NNError) {
    if let interruption, progress.epoch == interruption.epoch, progress.batch == interruption.batch {
      throw NNError(.invalidState, "interrupted")
    }
  }

  func epochEnded(_ report: EpochReport, _ trainer: Trainer) throws(NNError) { trainer.learningRate *= 0.7 }
}

@Suite struct InterruptionTests {
  @Test(arguments: [(0, 2), (1, 1), (2, 4), (3, 3)])
  func resumedTrainingEndsInTheSameBits(epoch: Int, batch: Int) throws {
    let data = try stripes(count: 58)
    let straight = try smallConvolutionalTrainer()
    let reports = try straight.fit(data, epochs: 4, batchSize: 16, validation: data, callbacks: [Schedule()])

    let path = temporaryPath("checkpoint")
    defer { unlink(path) }
    let checkpoint = Checkpointing(path: path, everyBatches: 3)
    let interrupted = try smallConvolutionalTrainer()
    #expect(throws: NNError.self) {
      try interrupted.fit(
        data, epochs: 4, batchSize: 16, validation: data,
        callbacks: [Schedule(interruption: (epoch, batch))],
        checkpoint: checkpoint)
    }
    #expect(interrupted.bits != straight.bits)
    let resumed = try smallConvolutionalTrainer()
    let rest = try resumed.fit(
      data, epochs: 4, batchSize: 16, validation: data, callbacks: [Schedule()], checkpoint: checkpoint)
    #expect(resumed.bits == straight.bits)
    #expect(resumed.step == straight.step)
    #expect(rest.last?.training == reports.last?.training)
    #expect(rest.last?.validation == reports.last?.validation)
  }

  @Test func everyEpochHasAnOrderOfItsOwnDrawnFromTheSeed() throws {
    let data = try blobs(count: 60)
    let settings = try FitSettings(
      data: data, epochs: 2, batchSize: 25, accumulating: 1, dropsLastBatch: false,
      validation: nil,
      callbacks: [],
      checkpoint: nil, sampling: EpochSampling(.shuffled, data))
    let order = settings.order(epoch: 0, seed: 1)
    #expect(order.sorted() == Array(0..<60) && order != Array(0..<60))
    #expect(settings.order(epoch: 0, seed: 1) == order)
    #expect(settings.order(epoch: 1, seed: 1) != order)
    #expect(settings.order(epoch: 0, seed: 2) != order)
    #expect((0..<settings.batches).flatMap { settings.rows(order, batch: $0) } == order)
    #expect(settings.stepKinds.map { $0.size } == [25, 10])
  }

  @Test func earlyStoppingRestoresTheBestWeights() throws {
    let data = try blobs(count: 60)
    // Labels of the validation data are wrong, so that its loss rises from some epoch on.
    guard case .classes(let classes) = data.targets else { return }
    let wrong = try Dataset(
      features: data.features, sampleShape: [2], targets: .classes(classes.map { ($0 + 1) % 3 }))
    let stopping = EarlyStopping(.loss, patience: 3)
    let snapshots = Snapshots()
    let trainer = try blobTrainer()
    let reports = try trainer.fit(
      data, epochs: 50, batchSize: 20, validation: wrong, callbacks: [stopping, snapshots])
    let best = try #require(stopping.best)
    #expect(reports.count == best.epoch + 1 + 3)
    #expect(best.value == reports.compactMap { $0.validation?.loss }.min())
    #expect(trainer.bits == snapshots.bits[best.epoch])
    #expect(trainer.bits != snapshots.bits.last)
  }

  @Test func onlyChangesBeyondTheMinimumCountAsImprovement() throws {
    let trainer = try blobTrainer()
    func epochs(_ stopping: EarlyStopping, _ values: [(loss: Double, accuracy: Double)]) throws -> Int {
      for (epoch, value) in values.enumerated() {
        let evaluation = Evaluation(loss: value.loss, metrics: [("accuracy", value.accuracy)])
        try stopping.epochEnded(
          EpochReport(
            epoch: epoch, epochs: values.count, training: evaluation, validation: nil, seconds: 1,
            samplesPerSecond: 1), trainer)
      }
      return try #require(stopping.best).epoch
    }
    let values = [(1.0, 0.5), (0.95, 0.52), (.nan, .nan), (0.7, 0.51), (0.65, 0.9)]
    #expect(try epochs(EarlyStopping(.loss, patience: 9), values) == 4)
    #expect(try epochs(EarlyStopping(.loss, patience: 9, minimumDelta: 0.1), values) == 3)
    #expect(try epochs(EarlyStopping(.loss, patience: 9, minimumDelta: 0.5), values) == 0)
    #expect(try epochs(EarlyStopping(.metric("accuracy"), patience: 9, minimumDelta: 0.1), values) == 4)
    let unknown = EarlyStopping(.metric("recall"))
    #expect(throws: NNError.self) { try epochs(unknown, values) }
  }

  @Test func earlyStoppingGoesOnFromACheckpoint() throws {
    let data = try blobs(count: 60)
    let straight = try blobTrainer()
    try straight.fit(
      data, epochs: 6, batchSize: 20, callbacks: [EarlyStopping(.metric("accuracy"), patience: 2)])
    let path = temporaryPath("checkpoint")
    defer { unlink(path) }
    for epochs in [2, 6, 6] {
      let trainer = try blobTrainer()
      try trainer.fit(
        data, epochs: epochs, batchSize: 20, callbacks: [EarlyStopping(.metric("accuracy"), patience: 2)],
        checkpoint: Checkpointing(path: path))
      if epochs == 6 { #expect(trainer.bits == straight.bits) }
    }
  }

  @Test func checkpointOfAnotherTrainingIsRefused() throws {
    let data = try blobs(count: 60)
    let path = temporaryPath("checkpoint")
    defer { unlink(path) }
    try blobTrainer().fit(data, epochs: 1, batchSize: 20, checkpoint: Checkpointing(path: path))
    let other = try blobTrainer(seed: 10)
    let before = other.bits
    let error = #expect(throws: NNError.self) {
      try other.fit(data, epochs: 1, batchSize: 20, checkpoint: Checkpointing(path: path))
    }
    #expect(error?.code == .invalidArgument)
    #expect(other.bits == before)
  }

  @Test func damagedCheckpointIsRefusedAtEveryByte() throws {
    let data = try blobs(count: 60)
    let path = temporaryPath("checkpoint")
    defer { unlink(path) }
    try blobTrainer().fit(data, epochs: 1, batchSize: 20, checkpoint: Checkpointing(path: path))
    let whole = try Data(contentsOf: URL(fileURLWithPath: path))
    let victim = try blobTrainer()
    let before = victim.bits
    for position in stride(from: 0, to: whole.count, by: 61) {
      var damaged = whole
      damaged[position] ^= 0x10
      for bytes in [damaged, whole.prefix(position)] {
        try bytes.write(to: URL(fileURLWithPath: path))
        #expect(throws: NNError.self) {
          try victim.fit(data, epochs: 1, batchSize: 20, checkpoint: Checkpointing(path: path))
        }
      }
    }
    #expect(victim.bits == before)
  }

  /// Checksums can be made right: what a checkpoint says must be possible.
  @Test func checkpointsThatStandNowhereAreRefused() throws {
    let data = try blobs(count: 60)
    try withTemporaryPath { path in
      let trainer = try blobTrainer()
      try trainer.fit(data, epochs: 1, batchSize: 25)
      let before = trainer.bits
      let settings = try FitSettings(
        data: data, epochs: 9, batchSize: 25, dropsLastBatch: false, validation: nil, callbacks: [],
        checkpoint: nil, sampling: EpochSampling(.shuffled, data))
      func resume(step: Int, _ epoch: Int, _ batch: Int, _ samples: Int) throws {
        trainer.step = step
        try trainer.writeCheckpoint(
          path, settings, FitPosition(epoch: epoch, batch: batch, samples: samples, sums: [0, 0]))
        trainer.step = 3
        try trainer.fit(
          data, epochs: 9, batchSize: 25, callbacks: [Scheduled(CosineDecay())],
          checkpoint: Checkpointing(path: path))
      }
      for (step, epoch, batch, samples) in [
        (.max, 0, 0, 0), (-1, 0, 0, 0), (3, -1, 0, 0), (3, .max, 0, 0), (3, 0, -1, 0), (3, 0, 4, 60),
        (3, 0, .max, 60), (3, 0, 1, 24), (3, 0, 1, -25), (3, 0, 3, 75),
      ] {
        let error = #expect(throws: NNError.self) { try resume(step: step, epoch, batch, samples) }
        #expect(
          [.corruptFile, .invalidArgument].contains(error?.code), "\(step) \(epoch) \(batch) \(samples)")
      }
      #expect(trainer.bits == before && trainer.step == 3)
    }
  }

  @Test func aCheckpointWithOtherCallbacksChangesNothing() throws {
    let data = try blobs(count: 60)
    try withTemporaryPath { path in
      let checkpoint = Checkpointing(path: path)
      try blobTrainer().fit(
        data, epochs: 2, batchSize: 20, callbacks: [EarlyStopping(patience: 9)], checkpoint: checkpoint)
      let other = try blobTrainer()
      let before = other.bits
      for callbacks: [any Callback] in [[], [EarlyStopping(), EarlyStopping()], [ReduceOnPlateau()]] {
        let error = #expect(throws: NNError.self) {
          try other.fit(data, epochs: 4, batchSize: 20, callbacks: callbacks, checkpoint: checkpoint)
        }
        #expect(error?.message.contains("checkpoint") == true)
        #expect(other.bits == before && other.step == 0)
      }
    }
  }

  /// The step that goes wrong had another learning rate than the epoch began with.
  @Test func aLossThatExplodesWithinAnEpochNamesTheTensor() throws {
    let trainer = try Trainer(
      Dense(1), sampleShape: [2], loss: .meanSquaredError, optimizer: SGD(learningRate: 0.05), seed: 3)
    let error = #expect(throws: NNError.self) {
      try trainer.fit(exclusiveOr(), epochs: 2, batchSize: 8, callbacks: [Explosion(epoch: 1, batch: 3)])
    }
    let message = try #require(error).message
    #expect(message.contains("in epoch 2, batch 5 of 8"), "\(message)")
    #expect(message.contains("the first tensor that is not finite is the result of"), "\(message)")
    #expect(message.hasSuffix("in batch 5"), "\(message)")
  }

  @Test func earlyStoppingRestoresTheAveragesOfTheBestEpoch() throws {
    let data = try blobs(count: 60)
    guard case .classes(let classes) = data.targets else { return }
    let wrong = try Dataset(
      features: data.features, sampleShape: [2], targets: .classes(classes.map { ($0 + 1) % 3 }))
    let stopping = EarlyStopping(.loss, patience: 3)
    let snapshots = AverageSnapshots()
    let trainer = try Trainer(
      Dense(3), sampleShape: [2], loss: .softmaxCrossEntropy,
      optimizer: Averaged(SGD(learningRate: 0.05), decay: 0.9), seed: 9)
    try trainer.fit(data, epochs: 50, batchSize: 20, validation: wrong, callbacks: [stopping, snapshots])
    let best = try #require(stopping.best)
    let averages = try trainer.withAveragedParameters { $0.bits }
    #expect(averages == snapshots.bits[best.epoch] && averages != snapshots.bits.last)
    #expect(trainer.step == 3 * (best.epoch + 1))
  }

  private final class AverageSnapshots: Callback {
    var bits: [[[UInt32]]] = []
    func epochEnded(_ report: EpochReport, _ trainer: Trainer) throws(NNError) {
      bits.append(try trainer.withAveragedParameters { $0.bits })
    }
  }

  /// Makes steps of absurd length from the one after some batch on.
  private final class Explosion: Callback {
    private let place: (epoch: Int, batch: Int)
    init(epoch: Int, batch: Int) { place = (epoch, batch) }
    func batchEnded(_ progress: BatchProgress, _ trainer: Trainer) throws(NNError) {
      if (progress.epoch, progress.batch) == place { trainer.learningRate = 1e30 }
    }
  }

  private func blobTrainer(seed: UInt64 = 9) throws -> Trainer {
    try Trainer(
      Sequential {
        Dense(8, activation: .relu)
        Dense(3)
      },
      sampleShape: [2], loss: .softmaxCrossEntropy, optimizer: SGD(learningRate: 0.05, momentum: 0.9),
      metrics: [.accuracy], seed: seed)
  }

  private final class Snapshots: Callback {
    var bits: [[[UInt32]]] = []
    func epochEnded(_ report: EpochReport, _ trainer: Trainer) throws(NNError) { bits.append(trainer.bits) }
  }
}
