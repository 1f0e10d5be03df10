import NNGraph
import NNRuntime
import Testing

@testable import NNTraining

/// What `Golden/make_metrics.py` wrote: scikit-learn's numbers.
private struct MetricsGolden: Decodable {
  let truth, said, binary, segments, labels: [Int]
  let logits, ranked, expected, values, iou: [Double]
  let balanced, weightedF1, matthews, kappa, macroAUC, crossEntropy, averagePrecision, brier: Double
  let median, largest, percentage, explained: Double
}

@Suite struct AgreementTests {
  private let golden: MetricsGolden = Golden.load("metrics.json")

  private func close(_ a: Double, _ b: Double) -> Bool { (a - b).magnitude < 2e-6 * max(b.magnitude, 1) }

  @Test func classificationScoresAgreeWithScikitLearn() throws {
    let matrix = try ConfusionMatrix(predicted: golden.said, targets: golden.truth, classes: 4)
    #expect(close(matrix.balancedAccuracy, golden.balanced))
    #expect(close(matrix.weightedMean(matrix.f1), golden.weightedF1))
    #expect(close(matrix.matthewsCorrelation, golden.matthews))
    #expect(close(matrix.cohensKappa, golden.kappa))
    #expect(matrix.support.reduce(0, +) == 60)
    // One class, and none.
    let one = try ConfusionMatrix(predicted: [1, 1], targets: [1, 1], classes: 2)
    #expect(one.matthewsCorrelation == 0 && one.cohensKappa == 0 && one.balancedAccuracy == 1)
    let none = try ConfusionMatrix(predicted: [], targets: [], classes: 2)
    #expect(none.matthewsCorrelation == 0 && none.cohensKappa == 0 && none.weightedMean([1, 1]) == 0)
  }

  @Test func rankingScoresAgreeWithScikitLearn() throws {
    let (scores, positive) = (golden.ranked.map { Float($0) }, golden.binary.map { $0 == 1 })
    #expect(try close(Scores.averagePrecision(scores: scores, isPositive: positive), golden.averagePrecision))
    #expect(try close(Scores.brier(probabilities: scores, happened: positive), golden.brier))
    // Along a column, probabilities have another order than logits.
    var probabilities: [Float] = []
    for row in 0..<60 {
      let powers = golden.logits[4 * row..<4 * row + 4].map { Scores.perplexity(crossEntropy: $0) }
      probabilities += powers.map { Float($0 / powers.reduce(0, +)) }
    }
    #expect(
      try close(Scores.macroAUC(scores: probabilities, targets: golden.truth, classes: 4), golden.macroAUC))
    #expect(throws: NNError.self) { try Scores.macroAUC(scores: [1, 0, 1, 0], targets: [0, 0], classes: 2) }
    #expect(throws: NNError.self) { try Scores.averagePrecision(scores: [1], isPositive: [false]) }
    #expect(throws: NNError.self) { try Scores.averagePrecision(scores: [.nan], isPositive: [true]) }
  }

  @Test func regressionScoresAgreeWithScikitLearn() throws {
    let (values, expected) = (golden.values.map { Float($0) }, golden.expected.map { Float($0) })
    #expect(try close(Scores.medianAbsoluteError(predicted: values, targets: expected), golden.median))
    #expect(try close(Scores.maximumError(predicted: values, targets: expected), golden.largest))
    #expect(
      try close(Scores.meanAbsolutePercentageError(predicted: values, targets: expected), golden.percentage))
    #expect(try close(Scores.explainedVariance(predicted: values, targets: expected), golden.explained))
    #expect(try Scores.medianAbsoluteError(predicted: [0, 0], targets: [1, 4]) == 2.5)
    #expect(throws: NNError.self) { try Scores.maximumError(predicted: [], targets: []) }
    #expect(throws: NNError.self) { try Scores.medianAbsoluteError(predicted: [.nan], targets: [1]) }
    #expect(throws: NNError.self) { try Scores.explainedVariance(predicted: [1, 2], targets: [3, 3]) }
  }

  @Test func metricsOfATrainerAgreeWithScikitLearn() throws {
    let trace = Trace(mode: .inference, parameters: ParameterStore(seed: 1))
    func constant(_ values: [Double], _ extents: [Int]) throws -> SymbolicTensor {
      trace.constant("p", try Tensor(values.map { Float($0) }, extents: extents))
    }
    func classes(_ values: [Int], _ extents: [Int]) throws -> SymbolicTensor {
      trace.constant("t", try Tensor(values.map { Int64($0) }, extents: extents))
    }
    let logits = try constant(golden.logits, [60, 4])
    try trace.output(CrossEntropy()(prediction: logits, target: classes(golden.truth, [60])), name: "ce")
    // The likeliest class of each position is the label.
    var scores: [Double] = []
    for label in golden.labels { scores += (0..<3).map { $0 == label ? 2 : Double($0) / 2 } }
    var targets = golden.segments
    (targets[11], targets[23]) = (-1, -1)
    let segments = (try constant(scores, [2, 12, 3]), try classes(targets, [2, 12]))
    try trace.output(
      MeanIntersectionOverUnion()(prediction: segments.0, target: segments.1), name: "iou")
    try trace.output(CrossEntropy()(prediction: segments.0, target: segments.1), name: "positions")
    try trace.output(
      AbsoluteError()(
        prediction: constant([1, -2, 3, 4], [2, 2]), target: constant([0, 0, 0, 8], [2, 2])),
      name: "absolute")
    let plan = try Plan(trace.graph, inputExtents: [])
    try plan.run()
    func output(_ index: Int) -> [Double] { plan.output(index).bindMemory(to: Float.self).map { Double($0) } }
    #expect(close(output(0).reduce(0, +) / 60, golden.crossEntropy))
    #expect(zip(output(1), golden.iou).allSatisfy { close($0, $1) } && output(1).count == 2)
    for sample in 0..<2 {
      let terms = (0..<11).map { position -> Double in
        let index = 12 * sample + position
        let row = scores[3 * index..<3 * index + 3].map { Scores.perplexity(crossEntropy: $0) }
        return -naturalLogarithm(row[targets[index]] / row.reduce(0, +))
      }
      #expect(close(output(2)[sample], terms.reduce(0, +) / 11))
    }
    #expect(output(3) == [1.5, 3.5])
  }
}
