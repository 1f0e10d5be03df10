import NNFormat
import NNGraph
import NNTraining

extension Example {
  /// Which of three growers a wine is from, by thirteen measurements.
  static let wine = table(
    "wine", file: "wine/wine.csv", target: "grower",
    summary: "which grower a wine is from, by 13 measurements (CSV)",
    about: "Tells which of three growers a wine is from.",
    settings: Settings(epochs: 60, batchSize: 16, learningRate: 3e-3, seed: 1),
    mark: 0.97)

  /// Whether a tumour is malignant or benign, by thirty measurements of cell nuclei.
  static let breastCancer = table(
    "breast-cancer", file: "breast-cancer/breast-cancer.csv", target: "diagnosis",
    summary: "whether a tumour is malignant, by 30 measurements (CSV)",
    about: "Tells whether a tumour is malignant or benign.",
    settings: Settings(epochs: 60, batchSize: 32, learningRate: 1e-3, seed: 1),
    mark: 0.96)

  private static func table(
    _ name: String, file: String, target: String, summary: String, about: String, settings: Settings,
    mark: Double
  ) -> Example {
    Example(name: name, family: "feedforward", summary: summary, settings: settings, quickEpochs: 3) {
      (run) throws(NNError) in
      let (parts, classes) = try ExampleData.table(file, target: target, run)
      let (training, held) = parts
      // The exported model takes raw measurements: what standardises them is its first layer.
      let standardization = try training.standardization()
      let trainer = try Trainer(
        Sequential {
          standardization
          Dense(32, activation: .relu, initializer: .heUniform)
          Dropout(0.2)
          Dense(16, activation: .relu, initializer: .heUniform)
          Dense(classes.count)
        }, sampleShape: training.sampleShape, loss: SoftmaxCrossEntropy(labelSmoothing: 0.05),
        optimizer: AdamW(learningRate: run.settings.learningRate), metrics: [.accuracy],
        seed: run.settings.seed)
      try trainer.fit(training, held: held, run, classNames: classes)
      let result = try trainer.evaluate(held)
      run.say(result.line(of: "held-out"))
      let said = try Scores.classes(of: trainer.predict(held.features), classes: classes.count)
      if case .classes(let truth) = held.targets {
        run.say("\(try ConfusionMatrix(predicted: said, targets: truth, classes: classes.count))")
      }
      var metadata = Metadata()
      metadata.name = Name(name)
      metadata.description = Name(about)
      metadata.labels = classes.map { Name($0) }
      return ExampleResult(
        metric: "accuracy", value: result["accuracy"] ?? 0, mark: .atLeast(mark),
        exports: [.init(file: try trainer.trained.file(head: .softmax, metadata: metadata, testedOn: held))],
        held: held)
    }
  }

  /// How far diabetes progresses within a year, by ten measurements.
  static let diabetes = Example(
    name: "diabetes", family: "feedforward",
    summary: "progression of diabetes within a year, by 10 measurements (CSV)",
    settings: Settings(epochs: 150, batchSize: 32, learningRate: 1e-3, seed: 1), quickEpochs: 3
  ) { (run) throws(NNError) in
    let (training, held) = try ExampleData.table("diabetes/diabetes.csv", target: "progression", run).parts
    guard case .values(let progress, _) = training.targets, case .values(let truth, _) = held.targets else {
      throw NNError(.invalidArgument, "the progression of diabetes is a number")
    }
    // Targets around 150 become numbers around 0 and 1 for training; the model's last layer brings them back.
    let mean = progress.reduce(0.0) { $0 + Double($1) } / Double(progress.count)
    let variance =
      progress.reduce(0.0) { $0 + (Double($1) - mean) * (Double($1) - mean) } / Double(progress.count)
    let deviation = Float(variance.squareRoot())
    let standardization = try training.standardization()
    let trainer = try Trainer(
      Sequential {
        standardization
        Dropout(0.1)
        Dense(64, activation: .tanh)
        Dropout(0.5)
        Dense(1, initializer: .glorotUniform)
        Rescaling(scale: deviation, offset: Float(mean))
      }, sampleShape: training.sampleShape, loss: .meanSquaredError,
      optimizer: AdamW(learningRate: run.settings.learningRate, weightDecay: 0.1), seed: run.settings.seed)
    try trainer.fit(training, held: held, run)
    let value = try Scores.r2(predicted: trainer.predict(held.features), targets: truth)
    var metadata = Metadata()
    metadata.name = "diabetes"
    metadata.description = "Estimates the progression of diabetes a year after ten measurements."
    // What scikit-learn's MLPRegressor reaches on the same split: tools/example-baselines prints it.
    return ExampleResult(
      metric: "R2", value: value, mark: .atLeast(diabetesBaseline),
      exports: [.init(file: try trainer.trained.file(metadata: metadata, testedOn: held))], held: held)
  }

  static let diabetesBaseline = 0.4547
}
