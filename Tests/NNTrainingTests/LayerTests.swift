import NNGraph
import NNRuntime
import NNTraining
import Reference
import Testing

private struct Skip<Body: Layer>: Layer {
  let body: Body
  func forward(_ x: SymbolicTensor) throws(NNError) -> SymbolicTensor { try body(x) + x }
}

private struct Gain: Layer {
  func forward(_ x: SymbolicTensor) throws(NNError) -> SymbolicTensor {
    try x * x.trace.parameter("gain", [], initializer: .constant(2))
  }
}

@Suite struct LayerTests {
  private func trained(_ model: any Layer, sampleShape: [Int], seed: UInt64 = 1) throws -> Trainer {
    try Trainer(
      model, sampleShape: sampleShape, loss: .meanSquaredError, optimizer: SGD(), seed: seed)
  }

  @Test func parametersAreNamedByLayerAndPosition() throws {
    let trainer = try trained(
      Sequential {
        Dense(4)
        Skip(
          body: Sequential {
            Dense(4, activation: .relu)
            Gain()
          })
        if true { LayerNorm() }
        for width in [3, 2] { Dense(width, useBias: false) }
      }, sampleShape: [5])
    #expect(
      trainer.parameters.map(\.name.string) == [
        "dense_1.weight", "dense_1.bias", "dense_2.weight", "dense_2.bias", "gain_1.gain",
        "layernorm_1.weight",
        "layernorm_1.bias", "dense_3.weight", "dense_4.weight",
      ])
    #expect(trainer.parameters.map(\.extents)[0...1] == [[5, 4], [4]])
    #expect(trainer.trainableParameterCount == 24 + 20 + 1 + 8 + 12 + 6)
    #expect(trainer.outputShape == [2])
  }

  @Test func aResidualConnectionOfOnesOwnComputesAndTrains() throws {
    let model = Sequential {
      Skip(body: Dense(2, initializer: .zeros))
      Gain()
    }
    let trainer = try trained(model, sampleShape: [2])
    #expect(try trainer.predict([1, -2]) == [2, -4])
    let data = try Dataset(
      features: [1, -2, 3, 1], sampleShape: [2], targets: .values([1, -2, 3, 1], shape: [2]))
    let before = try trainer.evaluate(data).loss
    try trainer.fit(data, epochs: 20, batchSize: 2)
    #expect(try trainer.evaluate(data).loss < before / 4)
  }

  @Test func shapeMismatchNamesLayerAndShapes() {
    let cases: [(any Layer, [Int], [String])] = [
      (Conv2D(4, kernelSize: 3), [28, 28], ["conv2d_1", "(N, 28, 28)", "(N, C, H, W)"]),
      (Conv2D(4, kernelSize: 5), [1, 3, 3], ["conv2d_1", "(N, 1, 3, 3)", "(5, 5)"]),
      (Reshape(3, 4), [13], ["reshape_1", "(13)", "(3, 4)"]),
      (
        Skip(body: Dense(3)), [4], ["skip_1", "(N, 3)", "(N, 4)"]
      ),
      (Conv2D(4, kernelSize: 3, groups: 2), [3, 8, 8], ["conv2d_1", "3 channels", "2 groups"]),
      (Standardization(mean: [1], inverseDeviation: [1]), [2], ["standardization_1", "1 features", "(2)"]),
      (Dropout(1), [2], ["dropout_1", "1.0"]),
    ]
    for (layer, shape, parts) in cases {
      let error = #expect(throws: NNError.self) { try trained(layer, sampleShape: shape) }
      for part in parts {
        #expect(error?.message.contains(part) == true, "\(error?.message ?? "") lacks \(part)")
      }
    }
  }

  @Test func dropoutKeepsTheExpectedValueAndDrawsAnewEachStep() throws {
    let (rate, count): (Float, Int) = (0.3, 200_000)
    let trace = Trace(mode: .training, parameters: ParameterStore(seed: 1))
    let x = trace.input("x", .f32, [1, count])
    let first = try Dropout(rate)(x)
    let second = try Dropout(rate)(x)
    let gradient = try trace.gradient(of: first.sum(), withRespectTo: [x])[0]
    for (name, tensor) in [("first", first), ("second", second), ("gradient", gradient)] {
      try trace.output(tensor, name: Name(name))
    }
    let plan = try Plan(trace.graph, inputExtents: [[1, count], [2]])
    plan.input(0).bindMemory(to: Float.self).initialize(repeating: 2)
    func run(seed: Int64, step: Int64) throws -> [[Float]] {
      plan.input(1).storeBytes(of: seed, as: Int64.self)
      plan.input(1).storeBytes(of: step, toByteOffset: 8, as: Int64.self)
      try plan.run()
      return (0..<3).map { Array(plan.output($0).bindMemory(to: Float.self)) }
    }
    let step1 = try run(seed: 7, step: 1)
    let kept = Float(2) * (1 / (1 - rate))
    #expect(step1[0].allSatisfy { $0 == 0 || $0 == kept })
    // Binomial: four standard deviations.
    let dropped = Double(step1[0].filter { $0 == 0 }.count)
    let deviation = (Double(count) * 0.3 * 0.7).squareRoot()
    #expect(abs(dropped - 0.3 * Double(count)) < 4 * deviation)
    #expect(zip(step1[2], step1[0]).allSatisfy { $0 == ($1 == 0 ? 0 : kept / 2) })
    #expect(step1[0] != step1[1])
    #expect(try run(seed: 7, step: 1) == step1)
    for (seed, step) in [(7, 2), (8, 1)] as [(Int64, Int64)] {
      let other = try run(seed: seed, step: step)[0]
      // Independent masks agree in 0.7² + 0.3² of the elements.
      let agreeing = Double(zip(other, step1[0]).filter { $0 == $1 }.count) / Double(count)
      #expect(abs(agreeing - 0.58) < 0.01)
    }
  }

  @Test func dropoutIsAbsentFromTheExportedGraph() throws {
    let trainer = try trained(Dropout(0.5), sampleShape: [3])
    #expect(try trainer.predict([1, 2, 3]) == [1, 2, 3])
  }

  @Test func featuresAreStandardisedAndRescaledByTheModel() throws {
    let data = try Dataset(
      features: [1, 10, 3, 10, 5, 10], sampleShape: [2], targets: .values([0, 0, 0], shape: [1]))
    let trainer = try trained(data.standardization(), sampleShape: [2])
    let values = try trainer.predict(data.features)
    let expected: [Float] = [-1.2247449, 0, 0, 0, 1.2247449, 0]
    for (value, target) in zip(values, expected) { #expect(abs(value - target) < 1e-6) }
    #expect(try trained(Rescaling(scale: 0.5, offset: 1), sampleShape: [1]).predict([4]) == [3])
  }

  @Test func initialisersHaveTheirMomentsAndDependOnSeedAndNameAlone() throws {
    let shape = [200, 300]
    func weights(_ initializer: Initializer, seed: UInt64 = 1, before: Int? = nil) throws -> [Float] {
      let model = Sequential {
        if let before { Reshape(before) }
        Dense(shape[1], initializer: initializer)
      }
      return Array(try trained(model, sampleShape: [shape[0]], seed: seed).parameters[0].values)
    }
    let cases: [(Initializer, bound: Double?, variance: Double)] = [
      (.glorotUniform, (6.0 / 500).squareRoot(), 2.0 / 500), (.glorotNormal, nil, 2.0 / 500),
      (.heUniform, (6.0 / 200).squareRoot(), 2.0 / 200), (.heNormal, nil, 2.0 / 200),
      (.uniform(0.5), 0.5, 0.25 / 3), (.normal(standardDeviation: 3), nil, 9),
    ]
    for (initializer, bound, variance) in cases {
      let values = try weights(initializer).map { Double($0) }
      let mean = values.reduce(0, +) / Double(values.count)
      let spread = values.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / Double(values.count)
      #expect(abs(mean) < 4 * (variance / 60_000).squareRoot(), "\(initializer)")
      #expect(abs(spread / variance - 1) < 0.03, "\(initializer)")
      if let bound {
        let largest = try #require(values.map(\.magnitude).max())
        #expect(largest <= bound && largest > 0.999 * bound, "\(initializer)")
      }
    }
    #expect(try weights(.glorotUniform) == weights(.glorotUniform, before: 200))
    #expect(try weights(.glorotUniform) != weights(.glorotUniform, seed: 2))
    #expect(try weights(.ones).allSatisfy { $0 == 1 })
  }

  /// The answer for an all-zero counter and key is the one in Random123's kat_vectors (Salmon et al. 2011).
  @Test func philoxGivesTheKnownAnswers() {
    var zero = Philox(seed: 0, stream: 0)
    #expect(zero.next() == 0xe169_c58d_6627_e8d5)
    #expect(zero.next() == 0x9b00_dbd8_bc57_ac4c)
    var other = Philox(seed: 0x299f_31d0_a409_3822, stream: 0x0370_7344_1319_8a2e)
    for block: UInt32 in 0..<4 {
      let expected = philox4x32x10(
        counter: [block, 0, 0x1319_8a2e, 0x0370_7344], key: [0xa409_3822, 0x299f_31d0])
      #expect(other.next() == UInt64(expected[0]) | UInt64(expected[1]) << 32)
      #expect(other.next() == UInt64(expected[2]) | UInt64(expected[3]) << 32)
    }
  }

  @Test func shapeMismatchNamesTheLine() throws {
    let line = #line
    let model = Sequential {
      Dense(3)
      Residual {
        Dense(4)
        Conv2D(2, kernelSize: 3)
      }
    }
    let error = #expect(throws: NNError.self) { try trained(model, sampleShape: [5]) }
    let message = error?.message ?? ""
    #expect(
      message.hasPrefix("line \(line + 5) of NNTrainingTests/LayerTests.swift: layer \"conv2d_1\""),
      "\(message)")
    #expect(message.contains("(N, 4)") && message.contains("(N, C, H, W)"), "\(message)")
  }
}
