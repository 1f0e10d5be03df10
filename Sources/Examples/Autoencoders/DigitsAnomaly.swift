import NNFormat
import NNGraph
import NNTraining

extension Example {
  /// An autoencoder that never saw one of the digits reconstructs it badly, which tells it from the others. Every digit takes its
  /// turn as the unseen one, and the example is judged by the mean over them.
  static let digitsAnomaly = Example(
    name: "digits-anomaly", family: "autoencoder",
    summary: "tells a digit it never saw by its reconstruction error",
    settings: Settings(epochs: 200, batchSize: 32, learningRate: 3e-3, seed: 1), quickEpochs: 3,
    outputs: [.heldOut]
  ) { (run) throws(NNError) in
    let (training, held) = try Digits.split(sampleShape: [64], seed: run.settings.seed)
    guard case .classes(let trained) = training.targets, case .classes(let shown) = held.targets else {
      throw NNError(.invalidArgument, "the digits have classes")
    }
    let images = training.features.map { $0 / 16 }
    let test = try Dataset(
      features: held.features.map { $0 / 16 }, sampleShape: [64], targets: .classes(shown))
    var areas: [Double] = []
    var first: Trainer?
    for unseen in 0..<(run.isQuick ? 1 : 10) {
      let all = try Dataset(features: images, sampleShape: [64], targets: .values(images, shape: [64]))
      let known = try all.selecting(trained.indices.filter { trained[$0] != unseen })
      let trainer = try anomalyTrainer(run.settings)
      try trainer.fit(
        known, epochs: run.settings.epochs, batchSize: run.settings.batchSize,
        callbacks: [Scheduled(OneCycle())])
      let errors = zip(try trainer.predict(test.features), test.features).map { ($0 - $1) * ($0 - $1) }
      let scores = (0..<test.count).map { errors[$0 * 64..<($0 + 1) * 64].reduce(0, +) / 64 }
      areas.append(try Scores.rocAUC(scores: scores, isPositive: shown.map { $0 == unseen }))
      run.say("area under the curve with \(unseen) unseen: \(areas[unseen])")
      if first == nil { first = trainer }
    }
    let exports = try first.map { (trainer) throws(NNError) in
      [
        ExampleResult.Export(
          file: try trainer.trained.file(metadata: metadata("digits-anomaly"), testedOn: test))
      ]
    }
    return ExampleResult(
      metric: "AUC", value: areas.reduce(0, +) / Double(areas.count), mark: .atLeast(0.95),
      exports: exports ?? [], held: test)
  }

  private static func anomalyTrainer(_ settings: Settings) throws(NNError) -> Trainer {
    try Trainer(
      Sequential {
        GaussianNoise(0.1)
        Dense(128, activation: .relu, initializer: .heUniform)
        Dense(64, activation: .relu, initializer: .heUniform)
        Dense(6)
        Dense(64, activation: .relu, initializer: .heUniform)
        Dense(128, activation: .relu, initializer: .heUniform)
        Dense(64, activation: .sigmoid)
      }, sampleShape: [64], loss: .meanSquaredError, optimizer: AdamW(learningRate: settings.learningRate),
      seed: settings.seed)
  }
}
