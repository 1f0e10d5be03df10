import NNGraph
import NNRuntime
import NNTraining
import Testing

@Suite struct ScalingTests {
  private func images() throws -> Dataset {
    try Dataset(
      features: [0, 10, 5, 5, 4, 2, 5, 5], sampleShape: [2, 1, 2], targets: .classes([0, 1]))
  }

  private func output(_ layer: any Layer, _ data: Dataset) throws -> [Float] {
    try withTemporaryPath { path in
      let trainer = try Trainer(
        layer, sampleShape: data.sampleShape, loss: .meanSquaredError, optimizer: SGD(), seed: 1)
      // Through the exported file, of which the numbers are a part.
      try trainer.export(to: path)
      let session = try Session(Model.open(path: path))
      return try session(data.features, extents: [data.count] + data.sampleShape)
    }
  }

  @Test func aFeatureThatIsNotFiniteIsNamed() throws {
    let data = try Dataset(features: [1, 2, 3, .nan], sampleShape: [2], targets: .classes([0, 1]))
    func message(_ body: () throws(NNError) -> Void) -> String {
      do throws(NNError) {
        try body()
        return ""
      } catch {
        return error.message
      }
    }
    let expected = "sample 1 has nan in feature 1, hence no mean and no range"
    #expect(message { () throws(NNError) in _ = try data.standardization() } == expected)
    #expect(message { () throws(NNError) in _ = try data.normalization() } == expected)
  }

  @Test func normalisedFeaturesFillTheirRange() throws {
    let data = try images()
    #expect(try output(data.normalization(), data) == [0, 1, 0, 0, 1, 0, 0, 0])
    #expect(try output(data.normalization(to: -1...1), data) == [-1, 1, -1, -1, 1, -1, -1, -1])
    let shared = try output(data.normalization(perChannel: true), data)
    for (value, expected) in zip(shared, [0, 1, 0, 0, 0.4, 0.2, 0, 0] as [Float]) {
      #expect((value - expected).magnitude < 1e-6)
    }
  }

  @Test func channelsShareMeanAndDeviation() throws {
    let data = try images()
    let layer = try data.standardization(perChannel: true)
    #expect(layer.mean == [4, 5] && layer.inverseDeviation[1] == 1)
    let deviation = Float((16 + 36 + 0 + 4) / 4).squareRoot()
    for (value, raw) in zip(try output(layer, data), data.features) {
      #expect((value - (raw == 5 ? 0 : (raw - 4) / deviation)).magnitude < 1e-6)
    }
    #expect(try data.standardization().mean == [2, 6, 5, 5])
  }

  @Test func whatHasNoRangeIsRefused() throws {
    let tokens = try Dataset(tokens: [1], sampleShape: [1], targets: .classes([0]))
    #expect(throws: NNError.self) { try tokens.normalization() }
    #expect(throws: NNError.self) { try images().normalization(to: 1...1) }
    let none = try Dataset(features: [], sampleShape: [2], targets: .classes([]))
    #expect(throws: NNError.self) { try none.normalization() }
    let error = #expect(throws: NNError.self) {
      try Trainer(
        images().normalization(), sampleShape: [3], loss: .meanSquaredError, optimizer: SGD(), seed: 1)
    }
    #expect(error?.message.contains("has 4 features") == true)
  }
}
