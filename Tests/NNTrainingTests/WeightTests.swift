import NNGraph
import Testing

@testable import NNTraining

@Suite struct WeightTests {
  private func trainer(_ head: String, classes: Int, seed: UInt64) throws -> Trainer {
    try Trainer(
      Sequential {
        Network("body") {
          Dense(20, activation: .relu)
          BatchNorm()
        }
        Network(head) { Dense(classes) }
      }, sampleShape: [5], loss: .softmaxCrossEntropy, optimizer: SGD(), seed: seed)
  }

  @Test func weightsOfAFileComeBack() throws {
    try withTemporaryPath { path in
      let source = try trainer("head", classes: 3, seed: 1)
      try source.export(to: path)
      let target = try trainer("head", classes: 3, seed: 2)
      let samples: [Float] = [1, 2, 3, 4, 5]
      #expect(try source.predict(samples) != target.predict(samples))
      let report = try target.store.load(NamedWeights.read(path: path), isStrict: true)
      #expect(report.matched.count == 8 && report.description == "8 parameters loaded")
      #expect(try source.predict(samples) == target.predict(samples))
    }
  }

  @Test func constantsOfLayersAreNoWeights() throws {
    func trainer(seed: UInt64) throws -> Trainer {
      try Trainer(
        Sequential {
          Standardization(mean: [1, 2], inverseDeviation: [3, 4])
          Rescaling(scale: 0.35)
          SinusoidalPositions(6)
          TransformerEncoderBlock(heads: 2, hidden: 4, isCausal: true, isRotary: true)
          Flatten()
          Activation.leakyRelu
          Dense(3)
        }, sampleShape: [2, 4], loss: .softmaxCrossEntropy, optimizer: SGD(), seed: seed)
    }
    let (source, target) = (try trainer(seed: 1), try trainer(seed: 2))
    try withTemporaryPath { path in
      try source.export(to: path)
      let report = try target.store.load(NamedWeights.read(path: path), isStrict: true)
      #expect(report.matched.count == source.parameters.count && target.bits == source.bits)
    }
  }

  @Test func theReportNamesWhatDoesNotFit() throws {
    let source = try trainer("head", classes: 3, seed: 1)
    let weights = source.parameters.map {
      NamedWeights(name: "old." + $0.name.string, extents: $0.extents, values: Array($0.values))
    }
    let target = try trainer("head", classes: 4, seed: 2)
    let before = target.parameters.map { Array($0.values) }
    #expect(throws: NNError.self) { try target.store.load(weights, isStrict: true) }
    #expect(target.parameters.map { Array($0.values) } == before)
    let report = try target.store.load(weights) { name in
      name == "old.body.dense_1.bias"
        ? nil : name == "old.body.batchnorm_1.bias" ? "other" : String(name.dropFirst(4))
    }
    #expect(
      report.mismatched == ["head.dense_1.weight (20, 4) from (20, 3)", "head.dense_1.bias (4) from (3)"])
    #expect(report.missing == ["body.dense_1.bias", "body.batchnorm_1.bias"])
    #expect(report.unused == ["old.body.batchnorm_1.bias"])
    #expect(Array(target.parameters[0].values) == Array(source.parameters[0].values))
  }
}
