import Foundation
import NNGraph
import Testing

@testable import NNTraining

@Suite struct CallbackTests {
  private func trainer() throws -> Trainer {
    try Trainer(
      Dense(1), sampleShape: [1], loss: .meanSquaredError, optimizer: Adam(learningRate: 0.05),
      metrics: [SquaredError()], seed: 2)
  }

  private let data = Result {
    try Dataset(
      features: (0..<40).map { Float($0) / 40 }, sampleShape: [1],
      targets: .values((0..<40).map { Float($0) / 20 + 1 }, shape: [1]))
  }

  @Test func csvLogOfAResumedTrainingHasEachEpochOnce() throws {
    try withTemporaryPath { path in
      let (log, checkpoint) = (path + ".csv", path + ".checkpoint")
      defer { for file in [log, checkpoint] { try? FileManager.default.removeItem(atPath: file) } }
      for epochs in [2, 4] {
        try trainer().fit(
          data.get(), epochs: epochs, batchSize: 10, validation: data.get(), callbacks: [CSVLog(log)],
          checkpoint: Checkpointing(path: checkpoint))
      }
      let lines = try String(contentsOfFile: log, encoding: .utf8).split(separator: "\n")
      #expect(
        lines.first
          == "epoch,seconds,learning_rate,loss,squared_error,validation_loss,validation_squared_error")
      #expect(lines.dropFirst().map { $0.prefix(2) } == ["1,", "2,", "3,", "4,"])
      let table = try CSVTable(path: log)
      let losses = try (0..<4).map { try #require(try table.number(row: $0, column: 5)) }
      #expect(losses[3] < losses[0])
    }
  }

  @Test func csvLogBeginsAnewWithEachTraining() throws {
    try withTemporaryPath { path in
      let log = CSVLog(path)
      for epochs in [3, 2] { try trainer().fit(data.get(), epochs: epochs, batchSize: 10, callbacks: [log]) }
      #expect(try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").count == 3)
    }
  }

  @Test func tensorBoardRecordsHaveTheKnownChecksums() {
    // The record of "abc", its masked checksums computed by TensorBoard's own writer.
    let record = TensorBoardLog.record(Array("abc".utf8))
    #expect(
      record == [3, 0, 0, 0, 0, 0, 0, 0] + [0xb0, 0x99, 0x49, 0x0e] + Array("abc".utf8) + [
        0x6e, 0x57, 0xf1, 0x21,
      ])
  }

  @Test func tensorBoardGetsAFileForEachRun() throws {
    try withTemporaryPath { folder in
      try trainer().fit(
        data.get(), epochs: 3, batchSize: 10, validation: data.get(), callbacks: [TensorBoardLog(folder)])
      let files = try FileManager.default.contentsOfDirectory(atPath: folder)
      #expect(files.count == 1 && files[0].hasPrefix("events.out.tfevents."))
      let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: folder + "/" + files[0])))
      // Whole records one after the other: a header's, then one for each epoch.
      var (position, records) = (0, 0)
      while position < bytes.count {
        let length = (0..<8).reduce(0) { $0 | Int(bytes[position + $1]) << (8 * $1) }
        let content = Array(bytes[position + 12..<position + 12 + length])
        #expect(TensorBoardLog.record(content) == Array(bytes[position..<position + 16 + length]))
        position += 16 + length
        records += 1
      }
      #expect(position == bytes.count && records == 4)
      let text = String(decoding: bytes, as: UTF8.self)
      for tag in ["loss", "validation/squared_error", "learning_rate"] { #expect(text.contains(tag)) }
    }
  }

  @Test func learningRateFinderLeavesEverythingAsItWas() throws {
    let trainer = try trainer()
    let before = trainer.parameters.map { Array($0.values) }
    let curve = try trainer.findLearningRate(data.get(), batchSize: 8, from: 1e-4, to: 10, steps: 60)
    #expect(trainer.parameters.map { Array($0.values) } == before)
    #expect(trainer.step == 0 && trainer.learningRate == Double(Float(0.05)))
    let suggestion = try #require(curve.suggestion)
    #expect(suggestion > 1e-4 && suggestion < 10 && curve.points.count > 10)
    #expect(throws: NNError.self) { try trainer.findLearningRate(data.get(), from: 1, to: 0.1) }
  }

  @Test func gradientWatchSeesGradientsVanishInADeepSigmoidNetwork() throws {
    func watch(_ activation: Activation) throws -> GradientWatch {
      let deep = Sequential {
        for _ in 0..<12 { Dense(8, activation: activation) }
        Dense(1)
      }
      let trainer = try Trainer(deep, sampleShape: [1], loss: .meanSquaredError, optimizer: SGD(), seed: 3)
      let watch = GradientWatch(try data.get(), limits: 1e-4...1e3)
      try trainer.fit(data.get(), epochs: 1, batchSize: 40, callbacks: [watch])
      return watch
    }
    let sigmoid = try watch(.sigmoid)
    #expect(sigmoid.rows.count == 26)
    let names = sigmoid.findings(epoch: 0).map { finding in
      if case .vanishing(let parameter, _) = finding { parameter } else { "" }
    }
    #expect(names.contains("dense_1.weight") && !names.contains("dense_13.weight"))
    #expect(try watch(.tanh).findings(epoch: 0).isEmpty)
  }

  @Test func gradientsAreThoseThatPlainDescentFollows() throws {
    let trainer = try Trainer(
      Dense(1), sampleShape: [1], loss: .meanSquaredError, optimizer: SGD(learningRate: 0.25), seed: 2)
    let gradients = try trainer.gradients(of: data.get())
    let before = trainer.parameters.map { Array($0.values) }
    try trainer.fit(data.get(), epochs: 1, batchSize: 40)
    for (index, entry) in gradients.enumerated() {
      let moved = before[index][0] - 0.25 * entry.gradient[0]
      #expect((trainer.parameters[index].values[0] - moved).magnitude < 1e-6)
    }
  }
}
