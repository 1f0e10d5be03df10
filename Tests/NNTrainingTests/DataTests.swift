import NNGraph
import NNTraining
import Testing

@Suite struct DataTests {
  @Test func stratifiedSplitKeepsProportionsAndLosesNoSample() throws {
    let classes = (0..<100).map { $0 < 80 ? 0 : 7 }
    let data = try Dataset(
      features: (0..<100).map { Float($0) }, sampleShape: [1], targets: .classes(classes))
    let (rest, held) = try data.split(fraction: 0.25, seed: 4, stratified: true)
    #expect((rest.features + held.features).sorted() == data.features)
    guard case .classes(let heldClasses) = held.targets, case .classes(let restClasses) = rest.targets else {
      return
    }
    #expect(heldClasses.filter { $0 == 7 }.count == 5 && heldClasses.count == 25)
    for (feature, label) in zip(rest.features + held.features, restClasses + heldClasses) {
      #expect(label == classes[Int(feature)])
    }
    #expect(try data.split(fraction: 0.25, seed: 4, stratified: true).held.features == held.features)
    #expect(try data.split(fraction: 0.25, seed: 5, stratified: true).held.features != held.features)
  }

  @Test func countsBeyondAllNumbersAreRefused() throws {
    let features = [Float](repeating: 0, count: 1 << 17)
    for targets in [Targets.values([], shape: [1 << 47]), .positions([], shape: [1 << 47])] {
      let error = #expect(throws: NNError.self) {
        try Dataset(features: features, sampleShape: [1], targets: targets)
      }
      #expect(error?.code == .shapeMismatch)
    }
    for classes in [.max, 1 << 62] {
      #expect(throws: NNError.self) {
        try Scores.macroAUC(scores: [1, 0, 1, 0], targets: [0, 1, 0, 1], classes: classes)
      }
      #expect(throws: NNError.self) {
        try Scores.topK(1, scores: [1, 0, 1, 0], targets: [0, 1, 0, 1], classes: classes)
      }
    }
  }

  @Test func dataThatDoNotFitAreRefused() throws {
    #expect(throws: NNError.self) {
      try Dataset(features: [1, 2, 3], sampleShape: [2], targets: .classes([0]))
    }
    #expect(throws: NNError.self) {
      try Dataset(features: [1, 2, 3, 4], sampleShape: [2], targets: .classes([0]))
    }
    let trainer = try Trainer(
      Dense(3), sampleShape: [2], loss: .softmaxCrossEntropy, optimizer: SGD(), seed: 1)
    let cases: [(Dataset, ErrorCode, [String])] = [
      (
        try Dataset(features: [1, 2, 3], sampleShape: [3], targets: .classes([0])), .shapeMismatch,
        ["(3)", "(2)"]
      ),
      (
        try Dataset(features: [1, 2, 3, 4], sampleShape: [2], targets: .classes([0, 3])), .indexOutOfRange,
        ["sample 1", "class 3", "3 outputs"]
      ),
      (
        try Dataset(features: [1, 2], sampleShape: [2], targets: .values([1], shape: [1])), .dtypeMismatch,
        ["class indices"]
      ),
    ]
    for (data, code, parts) in cases {
      let error = #expect(throws: NNError.self) { try trainer.fit(data, epochs: 1) }
      #expect(error?.code == code)
      for part in parts { #expect(error?.message.contains(part) == true, "\(error?.message ?? "")") }
    }
    let error = #expect(throws: NNError.self) {
      try Trainer(
        Flatten(), sampleShape: [2, 2], loss: .meanSquaredError, optimizer: SGD(), metrics: [.binaryAccuracy],
        seed: 1
      ).fit(
        Dataset(features: [1, 2, 3, 4], sampleShape: [2, 2], targets: .values([1], shape: [1])), epochs: 1)
    }
    #expect(error?.code == .shapeMismatch)
  }

  @Test func aBatchNormalisedBatchOfOneIsRefused() throws {
    let data = try Dataset(features: [1, 2, 3], sampleShape: [1], targets: .values([1, 2, 3], shape: [1]))
    let model = Sequential {
      Dense(2)
      BatchNorm()
      Dense(1)
    }
    let trainer = try Trainer(
      model, sampleShape: [1], loss: .meanSquaredError, optimizer: SGD(), seed: 1)
    let error = #expect(throws: NNError.self) { try trainer.fit(data, epochs: 1, batchSize: 2) }
    #expect(error?.message.contains("batchnorm_1") == true)
    #expect(try trainer.fit(data, epochs: 1, batchSize: 2, dropsLastBatch: true).count == 1)
  }

  @Test func lossThatIsNotFiniteNamesTheTensor() throws {
    // Data that are not finite: the features are named.
    let broken = try Dataset(
      features: [1, 2, .nan, 4], sampleShape: [1], targets: .values([1, 2, 3, 4], shape: [1]))
    let plain = try Trainer(Dense(1), sampleShape: [1], loss: .meanSquaredError, optimizer: SGD(), seed: 1)
    let before = plain.parameters.map { Array($0.values) }
    let first = #expect(throws: NNError.self) { try plain.fit(broken, epochs: 1, batchSize: 4) }
    #expect(first?.code == .invalidState)
    #expect(first?.message.contains("\"features\"") == true, "\(first?.message ?? "")")
    #expect(plain.parameters.map { Array($0.values) } == before)

    // A step far too long: after some updates a layer's product overflows.
    let data = try Dataset(
      features: [1, 2, 3, 4], sampleShape: [1], targets: .values([1, 2, 3, 4], shape: [1]))
    let wild = try Trainer(
      Sequential {
        Dense(4)
        Dense(1)
      }, sampleShape: [1], loss: .meanSquaredError, optimizer: SGD(learningRate: 1e6), seed: 1)
    let second = #expect(throws: NNError.self) { try wild.fit(data, epochs: 50, batchSize: 2) }
    #expect(second?.message.contains("first tensor that is not finite is") == true)
    #expect(second?.message.contains("node") == true, "\(second?.message ?? "")")
    #expect(wild.parameters.allSatisfy { $0.values.allSatisfy(\.isFinite) })
  }
}
