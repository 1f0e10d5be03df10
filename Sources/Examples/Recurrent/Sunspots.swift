import NNFormat
import NNGraph
import NNTraining

extension Example {
  /// Sunspot numbers one year ahead, from the thirty years before.
  static let sunspots = Example(
    name: "sunspots", family: "recurrent",
    summary: "sunspot numbers one year ahead, by GRU, against a linear autoregression",
    settings: Settings(epochs: 150, batchSize: 16, learningRate: 2e-3, seed: 1), quickEpochs: 2
  ) { (run) throws(NNError) in
    let years = try ExampleData.reading(run) { () throws(NNError) in
      try CSVTable(path: ExampleData.path("sunspots/sunspots.csv", run)).samples(
        target: "sunspots", as: .values)
    }.dataset
    guard case .values(let numbers, _) = years.targets else {
      throw NNError(.invalidArgument, "sunspots are numbers")
    }
    let (window, held) = (30, 60)
    let training = try windows(numbers, window, until: numbers.count - held)
    let test = try windows(Array(numbers.suffix(held + window)), window, until: held + window)
    guard case .values(let truth, _) = test.targets else {
      throw NNError(.invalidArgument, "sunspots are numbers")
    }

    // Several networks from different seeds, averaged by the exported model itself.
    let trainer = try Trainer(
      Ensemble(members: run.isQuick ? 1 : 4), sampleShape: [window, 1], loss: Huber(delta: 20),
      optimizer: AdamW(learningRate: run.settings.learningRate, weightDecay: 0.05), clipping: .globalNorm(1),
      seed: run.settings.seed)
    try trainer.fitScheduled(training, held: test, run)
    let ours = try Scores.rootMeanSquaredError(predicted: trainer.predict(test.features), targets: truth)
    let lastYear = (0..<held).map { test.features[$0 * window + window - 1] }
    let persistence = try Scores.rootMeanSquaredError(predicted: lastYear, targets: truth)
    let linear = try Scores.rootMeanSquaredError(
      predicted: autoregression(training, order: 9, on: test), targets: truth)
    run.say(
      "root mean squared error: network \(ours), the year before \(persistence), linear autoregression \(linear)"
    )
    var metadata = Metadata()
    metadata.name = "sunspots"
    metadata.description = "Predicts a year's sunspot number from those of the thirty years before."
    return ExampleResult(
      metric: "RMSE", value: ours, mark: .below(min(persistence, linear)),
      exports: [.init(file: try trainer.trained.file(metadata: metadata, testedOn: test))], held: test)
  }

  /// The mean of several recurrent networks. Numbers 0…200 are brought to about 0…2; the prediction is the last year's number
  /// and a correction.
  private struct Ensemble: Layer {
    let members: Int

    func forward(_ x: SymbolicTensor) throws(NNError) -> SymbolicTensor {
      let scaled = try x * 0.01
      let batch = x.shape[0]
      let last = try scaled.sliced([.all, SliceRange(start: -1, end: Int.max), .all]).reshaped(
        Shape([batch, .fixed(1)]))
      var sum: SymbolicTensor?
      for member in 0..<members {
        let network = Network("member\(member)") {
          GRU(24)
          Dropout(0.2)
          Dense(1)
        }
        let output = try network(scaled)
        sum = try sum.map { (sum) throws(NNError) in try sum + output } ?? output
      }
      guard let sum else { return last }
      return try (last + sum / Float(members)) * 100
    }
  }

  /// The `window` numbers before each one, as samples (window, 1).
  private static func windows(_ numbers: [Float], _ window: Int, until end: Int) throws(NNError) -> Dataset {
    var (features, targets): ([Float], [Float]) = ([], [])
    for year in window..<end {
      features += numbers[year - window..<year]
      targets.append(numbers[year])
    }
    return try Dataset(features: features, sampleShape: [window, 1], targets: .values(targets, shape: [1]))
  }

  /// Predictions of the linear autoregression of the given order, fitted by least squares.
  private static func autoregression(_ training: Dataset, order: Int, on test: Dataset) throws(NNError)
    -> [Float]
  {
    guard case .values(let targets, _) = training.targets else { return [] }
    func row(_ data: Dataset, _ sample: Int) -> [Double] {
      let end = (sample + 1) * data.sampleSize
      return [1] + data.features[end - order..<end].map { Double($0) }
    }
    var normal = [[Double]](repeating: [Double](repeating: 0, count: order + 2), count: order + 1)
    for sample in 0..<training.count {
      let inputs = row(training, sample)
      for i in inputs.indices {
        for j in inputs.indices { normal[i][j] += inputs[i] * inputs[j] }
        normal[i][order + 1] += inputs[i] * Double(targets[sample])
      }
    }
    let weights = solve(normal)
    return (0..<test.count).map { sample in
      Float(zip(row(test, sample), weights).reduce(0) { $0 + $1.0 * $1.1 })
    }
  }

  /// Gaussian elimination with pivoting of an augmented square system.
  private static func solve(_ system: [[Double]]) -> [Double] {
    var rows = system
    let count = rows.count
    for column in 0..<count {
      let pivot = (column..<count).max { rows[$0][column].magnitude < rows[$1][column].magnitude } ?? column
      rows.swapAt(column, pivot)
      for other in 0..<count where other != column {
        let factor = rows[other][column] / rows[column][column]
        for index in column...count { rows[other][index] -= factor * rows[column][index] }
      }
    }
    return (0..<count).map { rows[$0][count] / rows[$0][$0] }
  }
}
