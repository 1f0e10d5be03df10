import CAllocationCounter
import CPlatform
import Foundation
import NNFormat
import NNGraph
import NNRuntime
import NNTraining
import Testing

@Suite struct TrainerTests {
  @Test func reinitializingWhatThereIsNotIsRefused() throws {
    let trainer = try smallConvolutionalTrainer()
    let before = trainer.bits
    #expect(throws: NNError.self) { try trainer.reinitialize("densee_1") }
    #expect(trainer.bits == before)
    try trainer.fit(try stripes(), epochs: 1)
    try trainer.reinitialize("")
    #expect(trainer.bits == before)
  }

  @Test func exclusiveOrIsLearnt() throws {
    let data = try exclusiveOr()
    let trainer = try Trainer(
      Sequential {
        Dense(8, activation: .tanh)
        Dense(1)
      },
      sampleShape: [2], loss: .binaryCrossEntropy, optimizer: Adam(learningRate: 0.05),
      metrics: [.binaryAccuracy], seed: 1)
    let before = try trainer.evaluate(data)
    try trainer.fit(data, epochs: 60, batchSize: 16)
    let after = try trainer.evaluate(data)
    #expect(before.loss > 0.5)
    #expect(after.loss < 0.05)
    #expect(after["accuracy"] == 1)
  }

  @Test func blobsAndStripesAreClassified() throws {
    let (training, held) = try blobs().split(fraction: 0.3, seed: 1, stratified: true)
    let trainer = try Trainer(
      Sequential {
        try! training.standardization()
        Dense(16, activation: .relu)
        Dense(3)
      },
      sampleShape: [2], loss: .softmaxCrossEntropy, optimizer: SGD(learningRate: 0.1, momentum: 0.9),
      metrics: [.accuracy], seed: 2)
    let reports = try trainer.fit(training, epochs: 20, batchSize: 16, validation: held)
    #expect(reports.count == 20)
    #expect(try #require(reports.last?.validation?["accuracy"]) > 0.95)

    let images = try stripes()
    let network = try smallConvolutionalTrainer()
    try network.fit(images, epochs: 25, batchSize: 16)
    #expect(try #require(try network.evaluate(images)["accuracy"]) > 0.95)
  }

  @Test func sameSeedGivesTheSameBitsAndAnotherSeedOthers() throws {
    let data = try stripes()
    var results: [[[UInt32]]] = []
    for seed: UInt64 in [3, 3, 4] {
      let trainer = try smallConvolutionalTrainer(seed: seed)
      try trainer.fit(data, epochs: 3, batchSize: 16)
      results.append(trainer.bits)
    }
    #expect(results[0] == results[1])
    #expect(results[0] != results[2])
  }

  @Test func evaluationIsWhatTheExportedFileComputes() throws {
    let data = try stripes()
    let trainer = try smallConvolutionalTrainer()
    try trainer.fit(data, epochs: 4, batchSize: 16)
    let path = temporaryPath("exported.nnrt")
    defer { unlink(path) }
    try trainer.export(
      to: path, head: .softmax, selfTestInputs: Array(data.features.prefix(5 * data.sampleSize)))
    let model = try Model.open(path: path)
    try model.selfTest()
    let session = try Session(model)
    let probabilities = try session(data.features, extents: [data.count, 1, 6, 6])
    let predicted = try trainer.predict(data.features, head: .softmax, batchSize: 7)
    #expect(probabilities.map(\.bitPattern) == predicted.map(\.bitPattern))
    guard case .classes(let classes) = data.targets else { return }
    var hits = 0
    for (sample, label) in classes.enumerated() {
      hits += (probabilities[2 * sample + 1] > probabilities[2 * sample] ? 1 : 0) == label ? 1 : 0
    }
    #expect(try trainer.evaluate(data)["accuracy"] == Double(hits) / Double(data.count))
  }

  @Test func batchNormalisationIsFrozenInEvaluation() throws {
    let data = try stripes()
    let trainer = try smallConvolutionalTrainer()
    try trainer.fit(data, epochs: 2, batchSize: 16)
    let together = try trainer.predict(data.features, batchSize: data.count)
    let alone = try trainer.predict(data.features, batchSize: 1)
    #expect(together.map(\.bitPattern) == alone.map(\.bitPattern))
    let graph = try trainer.exportedGraph()
    #expect(graph.nodes.contains { if case .normalize(let n) = $0.op { n.kind == .batch } else { false } })
    #expect(!graph.nodes.contains { if case .random = $0.op { true } else { false } })
    let mean = try #require(trainer.parameters.first { $0.name == "batchnorm_1.running_mean" })
    #expect(mean.values.contains { $0 != 0 })
  }

  @Test(.enabled(if: nnrt_test_counts_allocations() != 0, "a sanitizer's malloc cannot be counted"))
  func aTrainingStepAllocatesNothingAfterTheFirst() throws {
    let data = try stripes(count: 32)
    let trainer = try smallConvolutionalTrainer(optimizer: AdamW(learningRate: 0.01))
    let rows = Array(0..<32)[...]
    try trainer.trainBatch(data, rows)
    try trainer.trainBatch(data, rows)

    let start = nnrt_test_allocations()
    for _ in 0..<10 { try trainer.trainBatch(data, rows) }
    let taken = nnrt_test_allocations() - start
    #expect(taken == 0, "10 steps made \(taken) allocations")

    // The counter does count: one allocation of C's, one of Swift's.
    let before = nnrt_test_allocations()
    nnp_free(nnp_allocate(100))
    let afterC = nnrt_test_allocations()
    withExtendedLifetime([Int](repeating: rows.count, count: rows.count)) {}
    #expect(afterC - before == 1)
    #expect(nnrt_test_allocations() > afterC)
  }

  @Test func batchesThatDoNotFitAreRefused() throws {
    let data = try stripes(count: 8)
    let trainer = try smallConvolutionalTrainer()
    let before = trainer.bits
    let wide = try Dataset(
      features: [Float](repeating: 0, count: 8 * 4900), sampleShape: [1, 70, 70],
      targets: .classes([Int](repeating: 0, count: 8)))
    let numbers = try Dataset(
      features: data.features, sampleShape: [1, 6, 6],
      targets: .values([Float](repeating: 0, count: 8), shape: [1]))
    let words = try Dataset(
      tokens: [Int32](repeating: 0, count: 8 * 36), sampleShape: [1, 6, 6],
      targets: .classes([Int](repeating: 0, count: 8)))
    let classes = try Dataset(
      features: data.features, sampleShape: [1, 6, 6], targets: .classes([0, 1, 0, 1, 7, 0, 0, 1]))
    let cases: [(Dataset, [Int], ErrorCode)] = [
      (wide, [0, 1], .shapeMismatch), (numbers, [0, 1], .dtypeMismatch), (words, [0, 1], .dtypeMismatch),
      (data, [0, 8], .invalidArgument), (data, [-1, 0], .invalidArgument), (data, [.max], .invalidArgument),
      (data, [.min], .invalidArgument), (data, [], .invalidArgument), (classes, [3, 4], .indexOutOfRange),
    ]
    for (data, indices, code) in cases {
      let error = #expect(throws: NNError.self) { try trainer.trainBatch(data, indices[...]) }
      #expect(error?.code == code, "\(indices): \(error?.message ?? "")")
      #expect(throws: NNError.self) { try trainer.profileStep(data, indices[...], runs: 1) }
    }
    #expect(throws: NNError.self) { try trainer.profileStep(data, [0, 1], runs: 0) }
    #expect(trainer.bits == before && trainer.step == 0)
    try trainer.trainBatch(data, [7, 0, 7])
    #expect(trainer.bits != before)
  }

  @Test func twoThreadsGiveTheBitsOfOne() throws {
    let data = try stripes()
    var results: [[[UInt32]]] = []
    for threads in [1, 2] {
      var options = Trainer.Options()
      options.threads = threads
      let trainer = try Trainer(
        Sequential {
          Conv2D(16, kernelSize: 3, padding: .same, activation: .relu)
          BatchNorm()
          Flatten()
          Dense(2)
        }, sampleShape: [1, 6, 6], loss: .softmaxCrossEntropy, optimizer: Adam(), seed: 8, options: options)
      try trainer.fit(data, epochs: 2, batchSize: 60)
      results.append(trainer.bits)
    }
    #expect(results[0] == results[1])
  }

  @Test func openBLASAndTheRuntimesProductsAgree() throws {
    let data = try stripes()
    var options = Trainer.Options()
    var losses: [Double] = []
    for usesOpenBLAS in [true, false] {
      options.usesOpenBLAS = usesOpenBLAS
      let trainer = try Trainer(
        Sequential {
          Flatten()
          Dense(96, activation: .gelu)
          Dense(96, activation: .silu)
          Dense(2)
        }, sampleShape: [1, 6, 6], loss: .softmaxCrossEntropy, optimizer: SGD(learningRate: 0.05), seed: 8,
        options: options)
      let reports = try trainer.fit(data, epochs: 3, batchSize: 20)
      losses.append(try #require(reports.last).training.loss)
    }
    #expect(abs(losses[0] - losses[1]) < 1e-5 * losses[1])
  }
}

func temporaryPath(_ name: String) -> String {
  FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString + "-" + name).path
}
