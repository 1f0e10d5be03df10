import NNFormat
import NNGraph
import NNTraining

extension Example {
  static let transformerReverse = sequences(
    "transformer-reverse", summary: "reverses sequences of 12 digits (made)"
  ) { Array($0.reversed()) }
  static let transformerSort = sequences(
    "transformer-sort", summary: "sorts sequences of 12 digits (made)"
  ) { $0.sorted() }

  /// A transformer that turns a sequence of digits into another, all positions at once.
  private static func sequences(
    _ name: String, summary: String, _ answer: @escaping @Sendable ([Int]) -> [Int]
  ) -> Example {
    Example(
      name: name, family: "transformer", summary: summary,
      settings: Settings(epochs: 10, batchSize: 64, learningRate: 2e-3, seed: 1)
    ) { (run) throws(NNError) in
      let length = 12
      func made(_ count: Int, _ stream: Name) throws(NNError) -> Dataset {
        var generator = Philox(seed: run.settings.seed, stream: Philox.stream(of: stream))
        var (inputs, targets): ([Int32], [Int]) = ([], [])
        for _ in 0..<count {
          let sequence = (0..<length).map { _ in generator.index(below: 10) }
          inputs += sequence.map { Int32($0) }
          targets += answer(sequence)
        }
        return try Dataset(
          tokens: inputs, sampleShape: [length], targets: .positions(targets, shape: [length]))
      }
      let (training, held) = (try made(run.isQuick ? 512 : 8192, "training"), try made(1000, "held out"))
      let trainer = try Trainer(
        Sequential {
          Embedding(10, dimension: 48, initializer: .normal(standardDeviation: 0.1))
          LearnedPositions(length, initializer: .normal(standardDeviation: 0.1))
          TransformerEncoderBlock(heads: 4, hidden: 96)
          TransformerEncoderBlock(heads: 4, hidden: 96)
          LayerNorm()
          Dense(10)
        }, sampleShape: [length], inputType: .i64, loss: .softmaxCrossEntropy,
        optimizer: AdamW(learningRate: run.settings.learningRate), metrics: [.accuracy, .exactMatch],
        clipping: .globalNorm(1), seed: run.settings.seed)
      try trainer.fitScheduled(training, held: held, run)
      let result = try trainer.evaluate(held)
      run.say(result.line(of: "held-out"))
      var metadata = Metadata()
      metadata.name = Name(name)
      metadata.description = Name(summary)
      return ExampleResult(
        metric: "exact_match", value: result["exact_match"] ?? 0, mark: .atLeast(0.99),
        exports: [.init(file: try trainer.trained.file(metadata: metadata, testedOn: held))], held: held)
    }
  }
}
