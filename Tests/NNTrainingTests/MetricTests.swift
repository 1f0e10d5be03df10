import NNGraph
import NNRuntime
import Testing

@testable import NNTraining

@Suite struct MetricTests {
  private let golden = Golden.further.metrics

  private func close(_ a: Double, _ b: Double) -> Bool { (a - b).magnitude < 1e-6 }

  @Test func aMetricOfTheOtherKindOfTargetsIsNamed() {
    func message(_ loss: any Loss, _ metric: any Metric) -> String {
      do throws(NNError) {
        _ = try Trainer(
          Dense(3), sampleShape: [2], loss: loss, optimizer: SGD(), metrics: [metric], seed: 1)
        return ""
      } catch {
        return error.message
      }
    }
    let classes = "takes class indices as targets, not f32 numbers"
    #expect(message(.meanSquaredError, .accuracy) == "metric \"accuracy\": \(classes)")
    #expect(message(.meanSquaredError, TopKAccuracy(2)) == "metric \"top_2_accuracy\": \(classes)")
    let numbers = "takes numbers as targets, not class indices"
    #expect(message(.softmaxCrossEntropy, .binaryAccuracy) == "metric \"accuracy\": \(numbers)")
    #expect(message(.softmaxCrossEntropy, SquaredError()) == "metric \"squared_error\": \(numbers)")
  }

  @Test func classificationScoresAgreeWithScikitLearn() throws {
    let scores = golden.scores.map { Float($0) }
    let said = try Scores.classes(of: scores, classes: 4)
    let matrix = try ConfusionMatrix(predicted: said, targets: golden.truth, classes: 4)
    #expect(matrix.counts == golden.confusion)
    for (values, expected) in [
      (matrix.precision, golden.precision), (matrix.recall, golden.recall), (matrix.f1, golden.f1),
      (matrix.intersectionOverUnion, golden.iou),
    ] {
      #expect(values.count == 4 && zip(values, expected).allSatisfy { close($0, $1) })
    }
    #expect(try close(Scores.topK(2, scores: scores, targets: golden.truth, classes: 4), golden.top2))
    #expect(matrix.description.split(separator: "\n").count == 5)
  }

  @Test func areaUnderTheCurveCountsTiesHalf() throws {
    let positive = golden.binary.map { $0 == 1 }
    #expect(
      try close(Scores.rocAUC(scores: golden.ranked.map { Float($0) }, isPositive: positive), golden.auc))
    #expect(try Scores.rocAUC(scores: [1, 1, 1, 1], isPositive: [true, false, true, false]) == 0.5)
    #expect(throws: NNError.self) { try Scores.rocAUC(scores: [1, 2], isPositive: [true, true]) }
  }

  @Test func regressionScoresAgreeWithScikitLearn() throws {
    let (values, expected) = (golden.values.map { Float($0) }, golden.expected.map { Float($0) })
    #expect(try close(Scores.r2(predicted: values, targets: expected), golden.r2))
    #expect(try close(Scores.rootMeanSquaredError(predicted: values, targets: expected), golden.rmse))
    #expect(try close(Scores.meanAbsoluteError(predicted: values, targets: expected), golden.mae))
    #expect(throws: NNError.self) { try Scores.r2(predicted: [1], targets: [1, 2]) }
    #expect(close(Scores.perplexity(crossEntropy: 2.5), 12.182493960703473))
  }

  @Test func severalTargetsAreScoredEachByItself() throws {
    // sklearn.metrics.r2_score([[0.5, 1], [-1, 1], [7, -6]], [[0, 2], [-1, 2], [8, -5]]): its manual's numbers.
    let (truth, told): ([Float], [Float]) = ([0.5, 1, -1, 1, 7, -6], [0, 2, -1, 2, 8, -5])
    #expect(try close(Scores.r2(predicted: told, targets: truth, columns: 2), 0.9368005266622779))
    // A column that is the same everywhere counts 1 if it was told exactly, else 0, as there.
    #expect(try Scores.r2(predicted: [1, 5, 2, 5], targets: [1, 5, 2, 5], columns: 2) == 1)
    #expect(try Scores.r2(predicted: [1, 5, 2, 6], targets: [1, 5, 2, 5], columns: 2) == 0.5)
    #expect(throws: NNError.self) { try Scores.r2(predicted: [1, 2], targets: [3, 4], columns: 2) }
    #expect(throws: NNError.self) { try Scores.r2(predicted: [1, 2, 3], targets: [3, 4, 5], columns: 2) }
  }

  @Test func graphMetricsCountPositionsThatCount() throws {
    let trace = Trace(mode: .inference, parameters: ParameterStore(seed: 1))
    let prediction = trace.constant(
      "p", try Tensor([1, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1] as [Float], extents: [2, 3, 2]))
    let target = trace.constant("t", try Tensor([0, 1, -1, 1, 1, -1] as [Int64], extents: [2, 3]))
    try trace.output(Accuracy()(prediction: prediction, target: target), name: "accuracy")
    try trace.output(ExactMatch()(prediction: prediction, target: target), name: "exact")
    let plan = try Plan(trace.graph, inputExtents: [])
    try plan.run()
    #expect(Array(plan.output(0).bindMemory(to: Float.self)) == [1, 0.5])
    #expect(Array(plan.output(1).bindMemory(to: Float.self)) == [1, 0])
  }
}

@Suite struct ScheduleTests {
  @Test(arguments: ["step", "exponential", "cosine", "one cycle"])
  func factorsAgreeWithPyTorch(name: String) throws {
    let schedules: [String: any LearningRateSchedule] = [
      "step": StepDecay(every: 2, gamma: 0.3), "exponential": ExponentialDecay(gamma: 0.8),
      "cosine": CosineDecay(minimum: 0.1), "one cycle": OneCycle(),
    ]
    let schedule = try #require(schedules[name])
    let expected = try #require(Golden.further.schedules[name])
    for (step, factor) in expected.enumerated() {
      let ours = schedule.factor(step: step, stepsPerEpoch: 5, steps: 40)
      #expect((ours - factor).magnitude < 1e-9, "step \(step): \(ours), not \(factor)")
    }
  }

  @Test func warmUpRisesInAStraightLine() {
    let schedule = CosineDecay(warmUp: 4)
    let factors = (0..<5).map { schedule.factor(step: $0, stepsPerEpoch: 10, steps: 20) }
    #expect(zip(factors, [0.2, 0.4, 0.6, 0.8, 1]).allSatisfy { ($0 - $1).magnitude < 1e-12 })
  }

  @Test func anyScheduleCanBeWarmedUp() {
    let (whole, warmed) = (CosineDecay(warmUp: 4, minimum: 0.1), WarmUp(4, then: CosineDecay(minimum: 0.1)))
    for step in 0..<30 {
      let factor = warmed.factor(step: step, stepsPerEpoch: 10, steps: 20)
      #expect((factor - whole.factor(step: step, stepsPerEpoch: 10, steps: 20)).magnitude < 1e-12)
    }
    let stepped = WarmUp(10, then: StepDecay(every: 1, gamma: 0.5))
    #expect(
      [0, 9, 10, 19, 20].map { stepped.factor(step: $0, stepsPerEpoch: 10, steps: 40) } == [
        1.0 / 11, 10.0 / 11, 1, 1, 0.5,
      ])
    // Longer than the training, and of no length.
    #expect(WarmUp(.max).factor(step: 1, stepsPerEpoch: 1, steps: 3) == 0.5)
    for (epochs, steps) in [(1.5, 3), (0, 0), (-1, 0), (.nan, 0)] as [(Double, Int)] {
      let (given, same) = (WarmUp(.epochs(epochs)), WarmUp(steps))
      for step in 0..<6 {
        #expect(
          given.factor(step: step, stepsPerEpoch: 2, steps: 6)
            == same.factor(step: step, stepsPerEpoch: 2, steps: 6))
      }
    }
    #expect(WarmUp(-1).factor(step: 0, stepsPerEpoch: 1, steps: 3) == 1)
  }

  @Test func scheduledTrainingResumesWithTheSameRates() throws {
    let data = try Dataset(
      features: (0..<40).map { Float($0) / 40 }, sampleShape: [1],
      targets: .values((0..<40).map { Float($0) / 20 }, shape: [1]))
    func trainer() throws -> Trainer {
      try Trainer(
        Dense(1), sampleShape: [1], loss: .meanSquaredError,
        optimizer: Averaged(Adam(learningRate: 0.1), decay: 0.9),
        seed: 2)
    }
    let whole = try trainer()
    let rates = Rates()
    try whole.fit(data, epochs: 4, batchSize: 10, callbacks: [Scheduled(CosineDecay(warmUp: 3)), rates])
    #expect(rates.seen.count == 16 && Set(rates.seen).count == 16)
    try withTemporaryPath { path in
      let first = try trainer()
      let stop = StopAfter(7)
      try first.fit(
        data, epochs: 4, batchSize: 10, callbacks: [Scheduled(CosineDecay(warmUp: 3)), stop],
        checkpoint: Checkpointing(path: path))
      let second = try trainer()
      try second.fit(
        data, epochs: 4, batchSize: 10, callbacks: [Scheduled(CosineDecay(warmUp: 3)), StopAfter(100)],
        checkpoint: Checkpointing(path: path))
      #expect(second.parameters.map { Array($0.values) } == whole.parameters.map { Array($0.values) })
      let averages = try second.withAveragedParameters { (trainer) throws(NNError) in
        trainer.parameters.map { Array($0.values) }
      }
      #expect(averages != second.parameters.map { Array($0.values) })
      #expect(
        try averages
          == whole.withAveragedParameters { (trainer) throws(NNError) in
            trainer.parameters.map { Array($0.values) }
          })
    }
  }

  @Test func plateauLowersTheRate() throws {
    let trainer = try Trainer(Dense(1), sampleShape: [1], loss: .meanSquaredError, optimizer: SGD(), seed: 2)
    let callback = ReduceOnPlateau(factor: 0.5, patience: 1)
    let start = trainer.learningRate
    for (epoch, loss) in [1.0, 0.5, 0.5, 0.5, 0.4].enumerated() {
      let report = EpochReport(
        epoch: epoch, epochs: 5, training: Evaluation(loss: loss, metrics: []), validation: nil, seconds: 0,
        samplesPerSecond: 0)
      try callback.epochEnded(report, trainer)
    }
    #expect(trainer.learningRate == start * 0.5)
  }
}

private final class Rates: Callback {
  var seen: [Double] = []
  func batchEnded(_ progress: BatchProgress, _ trainer: Trainer) throws(NNError) {
    seen.append(progress.learningRate)
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

@Suite struct InitializerTests {
  private func fill(_ initializer: Initializer, _ extents: [Int], fans: Fans = Fans(input: 50, output: 20))
    -> [Float]
  {
    var generator = Philox(seed: 8, stream: 3)
    let values = UnsafeMutableBufferPointer<Float>.allocate(capacity: extents.reduce(1, *))
    defer { values.deallocate() }
    values.initialize(repeating: 0)
    initializer.fill(values, fans: fans, extents: extents, using: &generator)
    return Array(values)
  }

  @Test(arguments: [[6, 6], [4, 9], [9, 4], [3, 2, 4]])
  func orthogonalRowsOrColumnsAreOrthonormal(extents: [Int]) {
    let values = fill(.orthogonal(gain: 2), extents).map { Double($0) / 2 }
    let (rows, columns) = (extents[0], extents.dropFirst().reduce(1, *))
    let vectors =
      rows <= columns
      ? (0..<rows).map { row in (0..<columns).map { values[row * columns + $0] } }
      : (0..<columns).map { column in (0..<rows).map { values[$0 * columns + column] } }
    for (i, a) in vectors.enumerated() {
      for (j, b) in vectors.enumerated() {
        let product = zip(a, b).reduce(0) { $0 + $1.0 * $1.1 }
        #expect((product - (i == j ? 1 : 0)).magnitude < 1e-6)
      }
    }
  }

  @Test func truncatedNormalEndsAtTwoDeviations() {
    let values = fill(.truncatedNormal(standardDeviation: 0.5), [20_000])
    #expect(values.allSatisfy { $0.magnitude <= 1 } && values.contains { $0 > 0.9 })
    // The variance of a normal distribution cut off at two deviations is 0.7737 of its own.
    let variance = values.reduce(0.0) { $0 + Double($1) * Double($1) } / Double(values.count)
    #expect((variance / 0.25 - 0.7737).magnitude < 0.02)
  }

  @Test func leCunHasTheVarianceOfItsFanIn() {
    for initializer in [Initializer.leCunNormal, .leCunUniform] {
      let values = fill(initializer, [20_000])
      let variance = values.reduce(0.0) { $0 + Double($1) * Double($1) } / Double(values.count)
      #expect((variance * 50 - 1).magnitude < 0.05)
    }
  }
}
