import NNGraph
import NNTraining
import Testing

@testable import nnpack

@Suite struct PreparedDataTests {
  private func task(_ classes: [Int]) throws -> LearningTask {
    LearningTask(
      samples: try Dataset(features: classes.map { Float($0) }, sampleShape: [1], targets: .classes(classes)),
      classNames: ["a", "b", "c"], input: "x", output: nil)
  }

  @Test func partsHaveTheSizesAskedFor() throws {
    var options = try DataOptions.parse(["--hold-out", "0", "--validation", "0"])
    let task = try task([0, 0, 0, 0, 0, 0, 1, 1, 2, 2, 2, 2])
    let data = try PreparedData(task, options, seed: 1)
    options = try DataOptions.parse(["--hold-out", "0.5", "--validation", "0.5", "--no-standardize"])
    let parts = try PreparedData(task, options, seed: 1)
    #expect(parts.held?.count == 6 && parts.validation?.count == 4 && parts.training.count == 2)
    #expect(parts.standardization == nil && data.standardization != nil)
  }

  @Test func targetsComeBackToTheirRange() throws {
    let data = try Dataset(
      features: [0, 1, 2, 3], sampleShape: [1], targets: .values([10, 5, 20, 5, 30, 5, 40, 5], shape: [2]))
    let scale = try #require(try TargetScale(data))
    #expect(scale.means == [25, 5] && scale.deviations[1] == 1)
    let standard = scale.standardized([10, 5, 40, 5])
    #expect(
      standard[0] == -standard[2] && standard[1] == 0
        && (standard[2] - 15 / 125.0.squareRoot().float).magnitude < 1e-6)
    let trainer = try Trainer(
      Sequential([scale.layer]), sampleShape: [2], loss: .meanSquaredError, optimizer: SGD(), seed: 1)
    for (value, target) in zip(try trainer.predict(standard), [10, 5, 40, 5] as [Float]) {
      #expect((value - target).magnitude < 1e-4)
    }
    let same = try Dataset(features: [0, 1], sampleShape: [1], targets: .values([3, 3], shape: [1]))
    #expect(throws: NNError.self) { try TargetScale(same) }
  }
}

extension Double {
  fileprivate var float: Float { Float(self) }
}
