import NNFormat
import NNGraph
import NNTraining

extension Example {
  /// An autoencoder that never saw one of the digits reconstructs it badly, which tells it from the others.
  static let digitsAnomaly = Example(
    name: "digits-anomaly", family: "autoencoder",
    summary: "tells a digit it never saw by its reconstruction error",
    settings: Settings(epochs: 150, batchSize: 32, learningRate: 3e-3, seed: 1), quickEpochs: 3
  ) { (run) throws(NNError) in
    let unseen = 6
    let (training, held) = try Digits.split(sampleShape: [64], seed: run.settings.seed)
    guard case .classes(let trained) = training.targets, case .classes(let shown) = held.targets else {
      throw NNError(.invalidArgument, "the digits have classes")
    }
    let known = try training.selecting(trained.indices.filter { trained[$0] != unseen })
    let images = known.features.map { $0 / 16 }
    let data = try Dataset(features: images, sampleShape: [64], targets: .values(images, shape: [64]))
    let trainer = try Trainer(
      Sequential {
        GaussianNoise(0.1)
        Dense(128, activation: .relu, initializer: .heUniform)
        Dense(6)
        Dense(128, activation: .relu, initializer: .heUniform)
        Dense(64, activation: .sigmoid)
      }, sampleShape: [64], loss: .meanSquaredError,
      optimizer: AdamW(learningRate: run.settings.learningRate),
      seed: run.settings.seed)
    let test = try Dataset(
      features: held.features.map { $0 / 16 }, sampleShape: [64], targets: .classes(shown))
    try trainer.fitScheduled(data, held: test, run)
    let errors = zip(try trainer.predict(test.features), test.features).map { ($0 - $1) * ($0 - $1) }
    let scores = (0..<test.count).map { errors[$0 * 64..<($0 + 1) * 64].reduce(0, +) / 64 }
    let value = try Scores.rocAUC(scores: scores, isPositive: shown.map { $0 == unseen })
    run.say(
      "the unseen digit is \(unseen): \(shown.count { $0 == unseen }) of \(shown.count) held-out images")
    return ExampleResult(
      metric: "AUC", value: value, mark: .atLeast(0.95),
      exports: [.init(file: try trainer.trained.file(metadata: metadata("digits-anomaly"), testedOn: test))],
      held: test)
  }
}
