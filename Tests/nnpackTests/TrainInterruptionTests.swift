import Foundation
import Testing

@testable import nnpack

private func bytes(_ path: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: path)) }

@Suite struct TrainInterruptionTests {
  /// A training with everything that has a state: moments, averages, accumulated gradients, dropout, a schedule, early stopping.
  private func arguments(_ folder: String, epochs: Int) throws -> [String] {
    [
      "train", try TrainingData.houses(folder), "--target", "price", "--epochs", "\(epochs)", "--batch-size",
      "4",
      "--accumulate", "3", "--average", "0.99", "--warm-up", "1.5", "--hidden", "64,32", "--output",
      folder + "/model.nnrt",
    ]
  }

  @Test func aTrainingThatIsKilledAgainAndAgainEndsInTheSameBits() throws {
    try withTemporaryFolder { folder in
      let common = try arguments(folder, epochs: 60) + ["--early-stopping", "50"]
      let straight = try nnpack(common)
      #expect(straight.status == 0, "\(straight.errors)")
      let whole = try bytes(folder + "/model.nnrt")
      try FileManager.default.removeItem(atPath: folder + "/model.nnrt")

      let checkpoint = folder + "/checkpoint"
      let resumed = common + ["--checkpoint", checkpoint, "--checkpoint-every", "4", "--resume"]
      var kills = 0
      var ended: Outcome?
      for _ in 0..<5 {
        let before = identity(checkpoint)
        let outcome = try nnpack(
          resumed,
          killedWhen: {
            // At a moment that nobody knows, some time after it has saved something.
            if identity(checkpoint) == before { return false }
            usleep(UInt32.random(in: 0...60_000))
            return true
          })
        // It may have come to its end before.
        if outcome.status == 0 {
          ended = outcome
          break
        }
        #expect(outcome.status == 9 && outcome.errors.isEmpty, "\(outcome.errors)")
        #expect(!FileManager.default.fileExists(atPath: folder + "/model.nnrt"))
        kills += 1
      }
      #expect(kills >= 2)
      let end = try ended ?? nnpack(resumed)
      #expect(end.status == 0, "\(end.errors)")
      #expect(try bytes(folder + "/model.nnrt") == whole, "after \(kills) kills")
      #expect(end.output.split(separator: "\n").last == straight.output.split(separator: "\n").last)
      // It did not begin anew.
      #expect(end.output.contains("epoch 60/60") && !end.output.contains("epoch 1/60"), "\(end.output)")
    }
  }

  /// Changes whenever the file is replaced.
  private func identity(_ path: String) -> [Int] {
    var status = stat()
    guard stat(path, &status) == 0 else { return [] }
    return [Int(status.st_ino), status.st_mtim.tv_sec, status.st_mtim.tv_nsec]
  }

  @Test func aDiskThatFillsUpLeavesThePreviousCheckpointWhole() throws {
    try withTemporaryFolder { folder in
      let checkpoint = folder + "/checkpoint"
      func options(_ epochs: Int) throws -> [String] {
        try arguments(folder, epochs: epochs) + [
          "--checkpoint", checkpoint, "--resume", "--schedule", "constant",
        ]
      }
      #expect(try nnpack(options(2)).status == 0)
      let before = try bytes(checkpoint)
      #expect(before.count > 4096)
      // Writes beyond the limit fail as on a full disk: part of the file is written, then an error is returned.
      let blocks = before.count / 2 / 512
      let full = try nnpack(options(4), after: "trap '' XFSZ; ulimit -f \(blocks)")
      #expect(full.status == 1 && full.output.contains("epoch 3/4"), "\(full.output)\(full.errors)")
      #expect(full.errors == "nnpack: checkpoint: \(checkpoint): File too large\n")
      #expect(try bytes(checkpoint) == before)
      let left = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.contains(".tmp-") }
      #expect(left.isEmpty)
      // With room again it goes on, to the bits of a training that was never stopped.
      #expect(try nnpack(options(4)).status == 0)
      let model = try bytes(folder + "/model.nnrt")
      try FileManager.default.removeItem(atPath: checkpoint)
      #expect(try nnpack(options(4)).status == 0)
      #expect(try bytes(folder + "/model.nnrt") == model)
    }
  }

  @Test func aLossThatIsNotFiniteNamesTheFirstTensorThatIsNot() throws {
    try withTemporaryFolder { folder in
      let outcome = try nnpack([
        "train", try TrainingData.houses(folder), "--target", "price", "--optimizer", "sgd",
        "--learning-rate", "1e30",
        "--clip-norm", "0", "--schedule", "constant", "--output", folder + "/model.nnrt",
      ])
      #expect(outcome.status == 1)
      #expect(
        outcome.errors.contains("in epoch 1, batch ")
          && outcome.errors.contains("the first tensor that is not finite is "))
      #expect(outcome.errors.contains("dense_"), "\(outcome.errors)")
      #expect(!FileManager.default.fileExists(atPath: folder + "/model.nnrt"))
    }
  }
}
