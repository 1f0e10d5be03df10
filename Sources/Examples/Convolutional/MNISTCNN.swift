import NNFormat
import NNGraph
import NNTraining

extension Example {
  /// A residual network with batch normalisation, on MNIST digits that are shifted a little anew in every epoch.
  static let mnistCNN = Example(
    name: "mnist-cnn", family: "CNN",
    summary: "residual network with batch normalisation and augmentation on 28×28 digits",
    settings: Settings(epochs: 48, batchSize: 64, learningRate: 2e-3, seed: 1)
  ) { (run) throws(NNError) in
    let (training, held) = try ExampleData.mnist(run)
    let trainer = try Trainer(
      mnistResidualNetwork(), sampleShape: [1, 28, 28], loss: SoftmaxCrossEntropy(labelSmoothing: 0.05),
      optimizer: AdamW(learningRate: run.settings.learningRate, weightDecay: 0.02), metrics: [.accuracy],
      seed: run.settings.seed)
    try trainer.fitScheduled(training, held: held, run, augmentation: [.shift(2)])
    let result = try trainer.evaluate(held)
    run.say(result.line(of: "held-out"))
    var metadata = Metadata()
    metadata.name = "mnist-cnn"
    metadata.description = "Tells which digit from 0 to 9 a 28×28 image shows, as ten probabilities."
    metadata.labels = (0..<10).map { Name("\($0)") }
    metadata.setInputDescription(
      "input", "an image (channel, row, column) of 1×28×28 pixels, each from 0 (paper) to 255 (ink)")
    return ExampleResult(
      metric: "accuracy", value: result["accuracy"] ?? 0, mark: .atLeast(0.975),
      exports: [.init(file: try trainer.trained.file(head: .softmax, metadata: metadata, testedOn: held))],
      held: held)
  }

  private static func mnistResidualNetwork() -> Sequential {
    Sequential {
      Rescaling(scale: 1.0 / 255)
      Conv2D(16, kernelSize: 3, strides: 2, padding: .same, useBias: false, initializer: .heNormal)
      BatchNorm()
      Activation.relu
      for filters in [32, 64] {
        Residual {
          Conv2D(filters, kernelSize: 3, strides: 2, padding: .same, useBias: false, initializer: .heNormal)
          BatchNorm()
          Activation.relu
          Conv2D(filters, kernelSize: 3, padding: .same, useBias: false, initializer: .heNormal)
          BatchNorm()
        } shortcut: {
          Conv2D(filters, kernelSize: 1, strides: 2, padding: .same, useBias: false)
          BatchNorm()
        }
        Activation.relu
      }
      GlobalAveragePool2D()
      Dropout(0.2)
      Dense(10)
    }
  }
}

extension Trainer {
  /// Trains with a learning rate that rises and falls once.
  func fitScheduled(
    _ training: Dataset, held: Dataset, _ run: ExampleRun, augmentation: [any Augmentation] = []
  ) throws(NNError) {
    var run = run
    run.callbacks.append(Scheduled(OneCycle()))
    try fit(training, held: held, run, augmentation: augmentation)
  }
}
