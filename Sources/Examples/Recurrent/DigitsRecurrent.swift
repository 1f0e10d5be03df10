import NNFormat
import NNGraph
import NNTraining

extension Example {
  /// Digits read row by row: each image is a sequence of eight rows of eight pixels.
  static let digitsRNN = rows("digits-rnn", SimpleRNN(64), mark: 0.95)
  static let digitsLSTM = rows("digits-lstm", LSTM(64), mark: 0.97)
  static let digitsGRU = rows("digits-gru", GRU(64), mark: 0.97)

  private static func rows(_ name: String, _ layer: any Layer, mark: Double) -> Example {
    Example(
      name: name, family: "recurrent", summary: "8×8 digits read row by row by \(layer.kind)",
      settings: Settings(epochs: 60, batchSize: 32, learningRate: 4e-3, seed: 1)
    ) { (run) throws(NNError) in
      let (training, held) = try Digits.split(sampleShape: [8, 8], seed: run.settings.seed)
      let trainer = try Trainer(
        Sequential {
          Rescaling(scale: 1.0 / 16)
          layer
          Dropout(0.3)
          Dense(10)
        }, sampleShape: [8, 8], loss: .softmaxCrossEntropy,
        optimizer: AdamW(learningRate: run.settings.learningRate),
        metrics: [.accuracy], clipping: .globalNorm(1), seed: run.settings.seed)
      try trainer.fitScheduled(training, held: held, run)
      let result = try trainer.evaluate(held)
      run.say(result.line(of: "held-out"))
      let metadata = Digits.metadata(name: name, input: "eight rows of eight pixels")
      // The same network one row at a time: after the last one it says the same.
      let steps = try trainer.stateful(sampleShape: [1, 8]).steps(
        of: Array(held.features.prefix(64)), head: .softmax)
      return ExampleResult(
        metric: "accuracy", value: result["accuracy"] ?? 0, mark: .atLeast(mark),
        exports: [
          .init(file: try trainer.trained.file(head: .softmax, metadata: metadata, testedOn: held)),
          .init(
            name: "stateful",
            file: try trainer.stateful(sampleShape: [1, 8]).file(head: .softmax, metadata: metadata),
            steps: steps),
        ], held: held)
    }
  }
}

extension TrainedModel {
  /// What a stateful model gives for the steps of one sequence, one after the other.
  func steps(
    of sequence: [Float], head: OutputHead = .none
  ) throws(NNError) -> [(input: Tensor, output: Tensor)] {
    let session = try session(head: head)
    let width = sampleShape.reduce(1, *)
    var steps: [(input: Tensor, output: Tensor)] = []
    for first in stride(from: 0, to: sequence.count - width + 1, by: width) {
      let input = try Tensor(Array(sequence[first..<first + width]), extents: [1] + sampleShape)
      try session.setInput(0, input)
      try session.run()
      steps.append((input, try session.copyOutput(0)))
    }
    return steps
  }
}
