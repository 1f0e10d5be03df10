import NNFormat
import NNGraph
import NNTraining

extension Example {
  /// A small convolutional network with batch normalisation, on the handwritten digits.
  static let digitsCNN = Example.supervised(
    name: "digits-cnn", family: "CNN",
    summary: "convolutional network with batch normalisation on 8×8 handwritten digits",
    settings: Settings(epochs: 25, batchSize: 32, learningRate: 1e-3, seed: 1),
    head: .softmax,
    metadata: Digits.metadata(name: "digits-cnn", input: "an image (channel, row, column) of 1×8×8 pixels"),
    metric: "accuracy", mark: .atLeast(0.98),
    data: { (run) throws(NNError) in try Digits.split(sampleShape: [1, 8, 8], seed: run.settings.seed) },
    trainer: { (settings, _) throws(NNError) in
      let model = Sequential {
        Rescaling(scale: 1.0 / 16)
        for filters in [16, 32] {
          Conv2D(filters, kernelSize: 3, padding: .same, useBias: false, initializer: .heUniform)
          BatchNorm()
          Activation.relu
        }
        MaxPool2D(2)
        Conv2D(64, kernelSize: 3, padding: .same, activation: .relu, initializer: .heUniform)
        MaxPool2D(2)
        Flatten()
        Dropout(0.4)
        Dense(10)
      }
      return try Trainer(
        model, sampleShape: [1, 8, 8], loss: .softmaxCrossEntropy,
        optimizer: Adam(learningRate: settings.learningRate), metrics: [.accuracy], seed: settings.seed)
    })
}
