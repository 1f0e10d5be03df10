import NNGraph
import Testing

@testable import NNTraining

@Suite struct SamplingTests {
  private func data(_ classes: [Int]) throws -> Dataset {
    try Dataset(
      features: classes.indices.map { Float($0) }, sampleShape: [1], targets: .classes(classes))
  }

  @Test func balancedEpochsHaveEachClassEquallyOften() throws {
    let classes = [Int](repeating: 0, count: 70) + [Int](repeating: 5, count: 20) + [9, 9, 9]
    let data = try data(classes)
    #expect(try EpochSampling(.balanced, data).count == 93)
    let order = try EpochSampling(.balanced, data).order(epoch: 2, seed: 4)
    #expect(order.count == 93)
    for label in [0, 5, 9] {
      let drawn = order.filter { classes[$0] == label }
      #expect(drawn.count == 31)
      let times = Dictionary(grouping: drawn) { $0 }.values.map { $0.count }
      // No sample is drawn again before all others of its class were.
      #expect((times.max() ?? 0) - (drawn.count < 70 && label == 0 ? 1 : times.min() ?? 0) <= 1)
    }
    #expect(try EpochSampling(.balanced, data).order(epoch: 2, seed: 4) == order)
    #expect(try EpochSampling(.balanced, data).order(epoch: 3, seed: 4) != order)
    #expect(try EpochSampling(.balanced, data).order(epoch: 2, seed: 5) != order)
  }

  @Test func oversampledEpochsHaveTheLargestClassOnce() throws {
    let classes = [1, 1, 1, 1, 1, 0, 0, 2]
    let data = try data(classes)
    let order = try EpochSampling(.oversampled, data).order(epoch: 0, seed: 1)
    #expect(try EpochSampling(.oversampled, data).count == 15 && order.count == 15)
    let times = (0..<8).map { index in order.count { $0 == index } }
    #expect(Array(times[0..<5]) == [1, 1, 1, 1, 1] && times[7] == 5)
    #expect(times[5] + times[6] == 5 && (times[5] - times[6]).magnitude == 1)
    #expect(order.map { classes[$0] } != order.map { classes[$0] }.sorted())
  }

  @Test func oversampledTrainingRunsItsLargerEpochs() throws {
    let trainer = try Trainer(
      Dense(3), sampleShape: [1], loss: .softmaxCrossEntropy, optimizer: SGD(), metrics: [.accuracy], seed: 1)
    try trainer.fit(data([1, 1, 1, 1, 1, 0, 0, 2]), epochs: 2, batchSize: 4, sampling: .oversampled)
    #expect(trainer.step == 8)
    let values = try Dataset(features: [1, 2], sampleShape: [1], targets: .values([1, 2], shape: [1]))
    let regression = try Trainer(
      Dense(1), sampleShape: [1], loss: .meanSquaredError, optimizer: SGD(), seed: 1)
    let error = #expect(throws: NNError.self) { try regression.fit(values, epochs: 1, sampling: .balanced) }
    #expect(error?.message.contains("one class each") == true)
  }

  @Test func classWeightsAreThoseOfScikitLearn() throws {
    // sklearn.utils.class_weight.compute_class_weight("balanced", classes=[0, 1, 2], y=[0, 0, 0, 0, 1, 1, 2, 2, 2, 2])
    #expect(try data([0, 0, 0, 0, 1, 1, 2, 2, 2, 2]).classWeights() == [0.8333333, 1.6666666, 0.8333333])
    #expect(try data([0, 0, 2]).classWeights(classes: 4) == [0.75, 0, 1.5, 0])
    let positions = try Dataset(
      features: [1, 2], sampleShape: [1], targets: .positions([0, -1, 1, 1], shape: [2]))
    #expect(try positions.classWeights() == [1.5, 0.75])
    #expect(throws: NNError.self) { try data([0, 3]).classWeights(classes: 3) }
    #expect(throws: NNError.self) { try data([0, -2]).classWeights() }
    #expect(throws: NNError.self) { try data([0, Int.max]).classWeights() }
  }
}
