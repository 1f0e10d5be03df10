import CAllocationCounter
import Foundation
import NNGraph
import Testing

@testable import NNTraining

@Suite struct AccumulationTests {
  private func trainer(_ optimizer: any Optimizer = SGD(learningRate: 0.2, momentum: 0.9)) throws -> Trainer {
    try Trainer(
      Sequential {
        Dense(16, activation: .tanh)
        LayerNorm()
        Dense(3)
      }, sampleShape: [2], loss: .softmaxCrossEntropy, optimizer: optimizer, metrics: [.accuracy],
      clipping: .globalNorm(0.5), seed: 4)
  }

  /// Groups that divide the epoch, that leave whole batches over, and that leave a smaller batch over.
  @Test(arguments: [(24, 3), (32, 3), (30, 3), (26, 3), (26, 100), (25, 2)])
  func resultIsThatOfALargeBatch(samples: Int, accumulating: Int) throws {
    let data = try blobs(count: samples)
    let (large, small) = (try trainer(), try trainer())
    let reports = try large.fit(data, epochs: 3, batchSize: min(4 * accumulating, samples))
    let parts = try small.fit(data, epochs: 3, batchSize: 4, accumulating: accumulating)
    #expect(small.step == large.step && large.step == 3 * ((samples - 1) / (4 * accumulating) + 1))
    for (a, b) in zip(small.parameters, large.parameters) {
      let scale = b.values.map { $0.magnitude }.max() ?? 0
      for (x, y) in zip(a.values, b.values) {
        #expect((x - y).magnitude <= 16 * max(scale, 0.1).ulp, "\(a.name.string): \(x), not \(y)")
      }
    }
    for (part, report) in zip(parts, reports) {
      #expect((part.training.loss - report.training.loss).magnitude < 1e-5)
    }
    // One update per small batch is another training.
    let plain = try trainer()
    try plain.fit(data, epochs: 3, batchSize: 4)
    #expect(plain.step > small.step)
  }

  @Test func oneBatchToAnUpdateIsPlainTraining() throws {
    let data = try stripes(count: 40)
    let (plain, grouped) = (try smallConvolutionalTrainer(), try smallConvolutionalTrainer())
    try plain.fit(data, epochs: 2, batchSize: 16)
    try grouped.fit(data, epochs: 2, batchSize: 16, accumulating: 1)
    #expect(plain.bits == grouped.bits)
  }

  @Test(arguments: 1...8) func resumingWithinAGroupIsExact(batches: Int) throws {
    let data = try stripes(count: 58)
    let straight = try smallConvolutionalTrainer()
    try straight.fit(data, epochs: 2, batchSize: 8, accumulating: 3, validation: data)
    try withTemporaryPath { path in
      let checkpoint = Checkpointing(path: path, everyBatches: 1)
      let first = try smallConvolutionalTrainer()
      try first.fit(
        data, epochs: 2, batchSize: 8, accumulating: 3, validation: data, callbacks: [StopAfter(batches)],
        checkpoint: checkpoint)
      let second = try smallConvolutionalTrainer()
      try second.fit(
        data, epochs: 2, batchSize: 8, accumulating: 3, validation: data, callbacks: [StopAfter(1000)],
        checkpoint: checkpoint)
      #expect(second.bits == straight.bits && second.step == straight.step)
      // With other groups it would be another training.
      let other = try smallConvolutionalTrainer()
      let error = #expect(throws: NNError.self) {
        try other.fit(
          data, epochs: 2, batchSize: 8, accumulating: 2, validation: data, callbacks: [StopAfter(1000)],
          checkpoint: checkpoint)
      }
      #expect(error?.code == .invalidArgument)
    }
  }

  @Test func gradientsOfAStoppedTrainingAreForgotten() throws {
    let data = try blobs(count: 40)
    let (fresh, stopped) = (try trainer(SGD(learningRate: 0.2)), try trainer(SGD(learningRate: 0.2)))
    try stopped.fit(data, epochs: 1, batchSize: 4, accumulating: 5, callbacks: [StopAfter(2)])
    #expect(stopped.step == 0 && stopped.bits == fresh.bits)
    try stopped.fit(data, epochs: 1, batchSize: 4, accumulating: 5)
    try fresh.fit(data, epochs: 1, batchSize: 4, accumulating: 5)
    #expect(stopped.bits == fresh.bits)
  }

  @Test func aBadBatchWithinAGroupIsNamed() throws {
    let data = try blobs(count: 24)
    var features = data.features
    features[2 * 7] = .nan
    let bad = try Dataset(features: features, sampleShape: [2], targets: data.targets)
    let trainer = try self.trainer()
    let settings = try FitSettings(
      data: bad, epochs: 1, batchSize: 4, accumulating: 3, dropsLastBatch: false, validation: nil,
      callbacks: [], checkpoint: nil, sampling: EpochSampling(.shuffled, bad))
    let position = try #require(settings.order(epoch: 0, seed: 4).firstIndex(of: 7))
    let error = #expect(throws: NNError.self) {
      try trainer.fit(bad, epochs: 1, batchSize: 4, accumulating: 3)
    }
    #expect(try #require(error).message.contains("batch \(position / 4 + 1) of 6"))
    #expect(try #require(error).message.contains("input \"features\""))
  }

  @Test(.enabled(if: nnrt_test_counts_allocations() != 0, "a sanitizer's malloc cannot be counted"))
  func stepsOfAGroupAllocateNothingAfterTheFirst() throws {
    let data = try stripes(count: 32)
    var options = Trainer.Options()
    // Some of OpenBLAS's products allocate.
    options.usesOpenBLAS = false
    let trainer = try Trainer(
      smallConvolutionalModel(), sampleShape: [1, 6, 6], loss: .softmaxCrossEntropy, optimizer: AdamW(),
      metrics: [.accuracy], clipping: .globalNorm(1), seed: 3, options: options)
    let settings = try FitSettings(
      data: data, epochs: 1, batchSize: 8, accumulating: 2, dropsLastBatch: false, validation: nil,
      callbacks: [], checkpoint: nil, sampling: EpochSampling(.shuffled, data))
    let rows = Array(0..<8)[...]
    for batch in 0..<4 { _ = try trainer.runStep(data, rows, settings.place(of: batch, samples: 8)) }
    let start = nnrt_test_allocations()
    for batch in 0..<4 { _ = try trainer.runStep(data, rows, settings.place(of: batch, samples: 8)) }
    #expect(nnrt_test_allocations() == start)
    #expect(trainer.step == 4)
  }

  /// An epoch of samples that are repeated has more batches than there are samples.
  @Test func groupsReachToTheEndOfALongEpoch() throws {
    let data = try Dataset(
      features: (0..<20).map { Float($0) / 9 - 1 }, sampleShape: [2],
      targets: .classes([1] + [Int](repeating: 0, count: 9)))
    for (accumulating, updates) in [(18, 1), (.max, 1), (17, 2), (1, 18)] {
      let trainer = try self.trainer()
      try trainer.fit(data, epochs: 1, batchSize: 1, accumulating: accumulating, sampling: .oversampled)
      #expect(trainer.step == updates)
    }
  }

  @Test func absurdGroupsAreRefusedOrAWholeEpoch() throws {
    let data = try blobs(count: 20)
    #expect(throws: NNError.self) {
      try self.trainer().fit(data, epochs: 1, batchSize: 4, accumulating: 0)
    }
    let trainer = try self.trainer()
    try trainer.fit(data, epochs: 2, batchSize: 4, accumulating: .max)
    #expect(trainer.step == 2)
  }
}

private final class StopAfter: Callback {
  private var left: Int
  init(_ count: Int) { left = count }
  func batchEnded(_ progress: BatchProgress, _ trainer: Trainer) throws(NNError) {
    left -= 1
    if left == 0 { trainer.stop() }
  }
}
