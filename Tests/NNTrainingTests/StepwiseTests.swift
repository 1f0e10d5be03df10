import NNGraph
import NNRuntime
import Testing

@testable import NNTraining

/// A model that is run step by step with its state in the session gives the bits of the whole sequence.
@Suite struct StepwiseTests {
  private static let models: [(name: String, model: any Layer)] = [
    ("simple rnn", SimpleRNN(7, returnsSequences: true)),
    ("lstm", LSTM(7, returnsSequences: true)),
    (
      "two gru",
      Sequential {
        GRU(5, returnsSequences: true)
        GRU(9, returnsSequences: true)
      }
    ),
    (
      "decoder",
      Sequential {
        Dense(8)
        LearnedPositions(20)
        TransformerEncoderBlock(heads: 2, hidden: 16, isCausal: true, cacheLength: 20)
        TransformerEncoderBlock(heads: 4, hidden: 16, isCausal: true, isRotary: true, cacheLength: 20)
      }
    ),
    (
      "sinusoids",
      Sequential {
        Dense(6)
        SinusoidalPositions(20)
        TransformerEncoderBlock(heads: 3, hidden: 8, norm: .post, isCausal: true, cacheLength: 20)
      }
    ),
  ]

  @Test(arguments: models.indices)
  func stepsHaveTheBitsOfTheWholeSequence(index: Int) throws {
    let (name, model) = StepwiseTests.models[index]
    let (steps, features) = (18, 3)
    let trainer = try Trainer(
      model, sampleShape: [steps, features], loss: .meanSquaredError, optimizer: SGD(), seed: 4)
    let sequence = (0..<steps * features).map { Float(($0 * 37) % 19) / 10 - 0.9 }
    let whole = try trainer.predict(sequence)
    let session = try trainer.stateful(sampleShape: [1, features]).session()
    var pieces: [Float] = []
    for step in 0..<steps {
      try sequence[step * features..<(step + 1) * features].withUnsafeBytes { bytes in
        try [1, 1, features].withUnsafeBufferPointer { extents in
          try session.setInput(0, dtype: .f32, extents: extents, bytes: bytes)
        }
      }
      try session.run()
      pieces += try session.output(0).bytes.bindMemory(to: Float.self)
    }
    #expect(pieces.map(\.bitPattern) == whole.map(\.bitPattern), "\(name)")
  }

  @Test func backwardLayersCannotRunStepByStep() throws {
    let trainer = try Trainer(
      Bidirectional(GRU(3)), sampleShape: [4, 2], loss: .meanSquaredError, optimizer: SGD(), seed: 4)
    #expect(throws: NNError.self) { try trainer.stateful(sampleShape: [1, 2]).session() }
  }
}
