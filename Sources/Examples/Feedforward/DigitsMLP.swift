import NNFormat
import NNGraph
import NNTraining

extension Example {
  /// A multilayer perceptron 64-256-128-10 with dropout, on the handwritten digits.
  static let digitsMLP = Example.supervised(
    name: "digits-mlp", family: "feedforward",
    summary: "multilayer perceptron 64-256-128-10 on 8×8 handwritten digits",
    settings: Settings(epochs: 60, batchSize: 32, learningRate: 1e-3, seed: 1),
    head: .softmax,
    metadata: Digits.metadata(name: "digits-mlp", input: "64 pixels of an 8×8 image, row by row"),
    metric: "accuracy", mark: .atLeast(0.98), imageShape: [1, 8, 8],
    data: { (run) throws(NNError) in try Digits.split(sampleShape: [64], seed: run.settings.seed) },
    trainer: { (settings, _) throws(NNError) in
      let model = Sequential {
        Rescaling(scale: 1.0 / 16)
        Dense(256, activation: .relu, initializer: .heUniform)
        Dropout(0.3)
        Dense(128, activation: .relu, initializer: .heUniform)
        Dropout(0.3)
        Dense(10)
      }
      return try Trainer(
        model, sampleShape: [64], loss: .softmaxCrossEntropy,
        optimizer: Adam(learningRate: settings.learningRate),
        metrics: [.accuracy], seed: settings.seed)
    })
}
