import NNFormat
import NNGraph
import NNTraining

extension Example {
  /// A small vision transformer: an 8×8 digit is sixteen patches of 2×2 pixels. Dosovitskiy et al. 2021.
  static let digitsViT = Example(
    name: "digits-vit", family: "transformer", summary: "small vision transformer on 8×8 digits",
    settings: Settings(epochs: 60, batchSize: 32, learningRate: 2e-3, seed: 1)
  ) { (run) throws(NNError) in
    let (training, held) = try Digits.split(sampleShape: [1, 8, 8], seed: run.settings.seed)
    let trainer = try Trainer(
      Sequential {
        Rescaling(scale: 1.0 / 16)
        Patches(size: 2)
        Dense(48)
        LearnedPositions(16, initializer: .normal(standardDeviation: 0.1))
        for _ in 0..<3 { TransformerEncoderBlock(heads: 4, hidden: 96, dropout: 0.1) }
        LayerNorm()
        MeanOverPositions()
        Dense(10)
      }, sampleShape: [1, 8, 8], loss: SoftmaxCrossEntropy(labelSmoothing: 0.1),
      optimizer: AdamW(learningRate: run.settings.learningRate, weightDecay: 0.05), metrics: [.accuracy],
      clipping: .globalNorm(1), seed: run.settings.seed)
    // Half of the digits stay where they are.
    try trainer.fitScheduled(training, held: held, run, augmentation: [.oneOf(.shift(0), .shift(1))])
    let result = try trainer.evaluate(held)
    run.say(result.line(of: "held-out"))
    let metadata = Digits.metadata(
      name: "digits-vit", input: "an image (channel, row, column) of 1×8×8 pixels")
    return ExampleResult(
      metric: "accuracy", value: result["accuracy"] ?? 0, mark: .atLeast(0.96),
      exports: [.init(file: try trainer.trained.file(head: .softmax, metadata: metadata, testedOn: held))],
      held: held)
  }

  /// Images (N, C, H, W) as rows of patches (N, patches, C·size·size).
  private struct Patches: Layer {
    let size: Int

    func forward(_ x: SymbolicTensor) throws(NNError) -> SymbolicTensor {
      let extents = x.shape.dimensions.dropFirst().map { $0.extent ?? 0 }
      let (channels, rows, columns) = (extents[0], extents[1] / size, extents[2] / size)
      let apart = try x.reshaped(
        Shape([x.shape[0]] + [channels, rows, size, columns, size].map { .fixed($0) }))
      return try apart.transposed([0, 2, 4, 1, 3, 5]).reshaped(
        Shape([x.shape[0], .fixed(rows * columns), .fixed(channels * size * size)]))
    }
  }

  /// (N, T, D) → (N, D)
  private struct MeanOverPositions: Layer {
    func forward(_ x: SymbolicTensor) throws(NNError) -> SymbolicTensor { try x.mean(axes: [1]) }
  }
}
