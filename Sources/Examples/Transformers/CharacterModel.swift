import NNFormat
import NNGraph
import NNTraining

extension Example {
  /// A language model of characters, read and written one at a time. Its rival is an interpolated 5-gram.
  static let characterModel = Example(
    name: "char-lm", family: "transformer", summary: "language model of characters on The Devil's Dictionary",
    settings: Settings(epochs: 9, batchSize: 16, learningRate: 2e-3, seed: 1)
  ) { (run) throws(NNError) in
    let corpus = try ExampleData.reading(run) { () throws(NNError) in
      try TextCorpus(path: ExampleData.path("text/devils-dictionary.txt", run))
    }
    let length = 128
    let count = corpus.tokens.count
    // The last tenth is held out, the part before it tunes the 5-gram.
    let (trained, tuned) = (count * 85 / 100, count * 90 / 100)
    let part = run.isQuick ? 0..<length * 40 : 0..<tuned
    let training = try corpus.windows(of: length, in: part, stride: length / 2)
    let held = try corpus.windows(
      of: length, in: tuned..<(run.isQuick ? tuned + 2000 : count), stride: length)
    let trainer = try Trainer(
      model(letters: corpus.alphabet.count, length: length), sampleShape: [length], inputType: .i64,
      loss: .softmaxCrossEntropy, optimizer: AdamW(learningRate: run.settings.learningRate, weightDecay: 0.1),
      metrics: [.accuracy], clipping: .globalNorm(1), seed: run.settings.seed)
    try trainer.fitScheduled(training, held: held, run)
    let ours = try trainer.evaluate(held, batchSize: 16).loss * 1.4426950408889634
    let rival = NGramModel(corpus.tokens[0..<trained], order: 5, letters: corpus.alphabet.count)
      .tuned(on: corpus.tokens[trained..<tuned]).learning(corpus.tokens[trained..<tuned])
      .bitsPerToken(corpus.tokens[tuned..<count])
    run.say("held-out bits per character: transformer \(ours), interpolated 5-gram \(rival)")

    let stateful = trainer.stateful(sampleShape: [1])
    let (steps, written) = try write(stateful, corpus, 160, seed: run.settings.seed)
    run.say("it writes: \(written)")
    var metadata = Metadata()
    metadata.name = "char-lm"
    metadata.description = "Gives the logits of the next character of a text."
    metadata.labels = corpus.alphabet.map { Name(utf8: [$0]) }
    return ExampleResult(
      metric: "bits", value: ours, mark: .below(rival),
      exports: [
        .init(file: try trainer.trained.file(metadata: metadata, testedOn: held)),
        .init(name: "stateful", file: try stateful.file(metadata: metadata), steps: steps),
      ], held: held)
  }

  private static func model(letters: Int, length: Int) -> Sequential {
    Sequential {
      Embedding(letters, dimension: 128, initializer: .normal(standardDeviation: 0.1))
      for _ in 0..<3 {
        TransformerEncoderBlock(
          heads: 4, hidden: 384, dropout: 0.1, isCausal: true, isRotary: true, cacheLength: length)
      }
      LayerNorm()
      Dense(letters)
    }
  }

  /// Text drawn from the model, one character at a time, its state in the session.
  private static func write(
    _ model: TrainedModel, _ corpus: TextCorpus, _ limit: Int, seed: UInt64
  ) throws(NNError) -> (steps: [(input: Tensor, output: Tensor)], text: String) {
    let session = try model.session()
    var generator = Philox(seed: seed, stream: Philox.stream(of: "writing"))
    var token = corpus.alphabet.firstIndex(of: UInt8(ascii: "\n")) ?? 0
    var (steps, written): ([(input: Tensor, output: Tensor)], [Int]) = ([], [])
    for _ in 0..<min(limit, 127) {
      let input = try Tensor([Int64(token)], extents: [1, 1])
      try session.setInput(0, input)
      try session.run()
      let output = try session.copyOutput(0)
      steps.append((input, output))
      token = generator.draw(logits: output.floats ?? [], temperature: 0.7)
      written.append(token)
    }
    return (steps, corpus.text(written))
  }
}

extension Philox {
  /// An index with the probability that softmax(logits/temperature) gives it.
  mutating func draw(logits: [Float], temperature: Double) -> Int {
    let largest = Double(logits.max() ?? 0)
    let weights = logits.map { exponential((Double($0) - largest) / temperature) }
    var left = uniform() * weights.reduce(0, +)
    for (index, weight) in weights.enumerated() {
      left -= weight
      if left < 0 { return index }
    }
    return max(weights.count - 1, 0)
  }
}
