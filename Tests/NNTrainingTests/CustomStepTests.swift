import NNGraph
import NNRuntime
import Testing

@testable import NNTraining

@Suite struct CustomStepTests {
  @Test func twoLossesMoveTheirOwnNetworks() throws {
    let store = ParameterStore(seed: 3)
    let first = Network("first") { Dense(1, useBias: false) }
    let second = Network("second") { Dense(1, useBias: false) }
    let step = try CustomStep(parameters: store, inputs: [.init("x", [1, 2])]) { (step) throws(NNError) in
      let x = try step["x"]
      let a = try first(x).sum()
      let b = try second(x).sum()
      try step.minimize(a + b, of: "first", with: SGD(learningRate: 0.5))
      try step.minimize(a * 3 + b * 2, of: "second", with: SGD(learningRate: 0.25))
      try step.output(a, "a")
    }
    let before = try values(store, "first.dense_1.weight", "second.dense_1.weight")
    try step.set("x", [1, 2])
    try step.run()
    #expect(try step["a"] == before[0][0] + 2 * before[0][1])
    let after = try values(store, "first.dense_1.weight", "second.dense_1.weight")
    #expect(after[0] == [before[0][0] - 0.5, before[0][1] - 1])
    #expect(after[1] == [before[1][0] - 0.25 * 2, before[1][1] - 0.25 * 4])
  }

  @Test func aLossThatNoGradientPassesFromIsRefused() {
    let generator = Network("generator") { Dense(1) }
    let critic = Network("critic") { Dense(1) }
    func message(stops: Bool) -> String {
      do throws(NNError) {
        _ = try CustomStep(parameters: ParameterStore(seed: 3), inputs: [.init("x", [1, 2])]) {
          (step) throws(NNError) in
          let made = try generator(step["x"])
          let loss = try critic(stops ? made.stoppingGradient() : made).sum()
          try step.minimize(loss, of: "generator", with: SGD())
        }
        return ""
      } catch {
        return error.message
      }
    }
    #expect(message(stops: false) == "")
    #expect(message(stops: true) == "no gradient passes from the loss to a parameter of generator")
  }

  @Test func anOutputOfIndicesIsReadAsNumbers() throws {
    let step = try CustomStep(parameters: ParameterStore(seed: 1), inputs: [.init("x", [2, 3])]) {
      (step) throws(NNError) in
      try step.output(step["x"].argmax(), "best")
      try step.output(step["x"].compare(.greater, 4), "large")
    }
    try step.set("x", [0, 5, 1, 3, 2, 9])
    try step.run()
    #expect(try step.values("best") == [1, 2])
    #expect(try step.values("large") == [0, 1, 0, 0, 0, 1])
  }

  @Test func noGradientPassesAStop() throws {
    let store = ParameterStore(seed: 3)
    let encoder = Network("encoder") { Dense(1, useBias: false) }
    let head = Network("head") { Dense(1, useBias: false) }
    let step = try CustomStep(parameters: store, inputs: [.init("x", [1, 2])]) { (step) throws(NNError) in
      let hidden = try encoder(step["x"])
      try step.minimize(head(hidden.stoppingGradient()).sum(), with: SGD(learningRate: 1))
    }
    let before = try values(store, "encoder.dense_1.weight", "head.dense_1.weight")
    try step.set("x", [1, 2])
    try step.run()
    let after = try values(store, "encoder.dense_1.weight", "head.dense_1.weight")
    #expect(after[0] == before[0])
    #expect(after[1] != before[1])
  }

  @Test func networkCalledTwiceSharesItsParameters() throws {
    let store = ParameterStore(seed: 3)
    let network = Network("shared") {
      Dense(2)
      Dense(1)
    }
    let step = try CustomStep(parameters: store, inputs: [.init("x", [1, 2])]) { (step) throws(NNError) in
      let x = try step["x"]
      try step.output(network(x) - network(x), "difference")
    }
    #expect(
      store.parameters.map { $0.name.string } == [
        "shared.dense_1.weight", "shared.dense_1.bias", "shared.dense_2.weight", "shared.dense_2.bias",
      ])
    try step.set("x", [1, 2])
    try step.run()
    #expect(try step["difference"] == 0)
  }

  @Test func targetNetworkFollowsItsSource() throws {
    let store = ParameterStore(seed: 3)
    let online = Network("online") { Dense(1, useBias: false) }
    let target = Network("target") { Dense(1, useBias: false) }
    let step = try CustomStep(parameters: store, inputs: [.init("x", [1, 1])]) { (step) throws(NNError) in
      let x = try step["x"]
      try step.output(online(x) + target(x), "sum")
      try step.move("target", towards: "online", rate: 0.25)
    }
    let before = try values(store, "online.dense_1.weight", "target.dense_1.weight").map { $0[0] }
    try step.run()
    let after = try values(store, "online.dense_1.weight", "target.dense_1.weight").map { $0[0] }
    #expect(after[0] == before[0])
    #expect(after[1] == before[1] + (before[0] - before[1]) * 0.25)
  }

  @Test func mistakesAreNamed() throws {
    let store = ParameterStore(seed: 3)
    let network = Network("net") { Dense(1) }
    #expect(throws: NNError.self) {
      try CustomStep(parameters: store, inputs: [.init("x", [1, 1])]) { (step) throws(NNError) in
        try step.minimize(network(step["x"]).sum(), of: "nut", with: SGD())
      }
    }
    #expect(throws: NNError.self) {
      try CustomStep(parameters: store, inputs: [.init("x", [1, 1])]) { (step) throws(NNError) in
        let loss = try network(step["x"]).sum()
        try step.minimize(loss, with: SGD())
        try step.minimize(loss, with: SGD())
      }
    }
    let step = try CustomStep(parameters: store, inputs: [.init("x", [1, 1])]) { (step) throws(NNError) in
      try step.output(network(step["x"]), "y")
    }
    #expect(throws: NNError.self) { try step.set("y", [1]) }
    #expect(throws: NNError.self) { try step.set("x", [1, 2]) }
    #expect(throws: NNError.self) { try step.set("x", indices: [1]) }
    #expect(throws: NNError.self) { try step.values("x") }
  }

  private func values(_ store: ParameterStore, _ names: Name...) throws -> [[Float]] {
    try names.map { Array(try #require(store[$0]).values) }
  }
}

@Suite struct ParameterGroupTests {
  private func trainer(_ groups: [ParameterGroup], optimizer: SGD = SGD(learningRate: 0.125)) throws
    -> Trainer
  {
    try Trainer(
      Sequential {
        Network("body") { Dense(2, useBias: false) }
        Network("head") { Dense(2, useBias: false) }
      }, sampleShape: [2], loss: .meanSquaredError, optimizer: optimizer, groups: groups, seed: 5)
  }

  private let data = Result {
    try Dataset(features: [1, 2, 3, 4], sampleShape: [2], targets: .values([1, 0, 0, 1], shape: [2]))
  }

  @Test func frozenParametersKeepTheirBits() throws {
    let trainer = try trainer([.frozen("body")])
    let before = trainer.parameters.map { Array($0.values) }
    try trainer.fit(data.get(), epochs: 2, batchSize: 2)
    let after = trainer.parameters.map { Array($0.values) }
    #expect(after[0] == before[0])
    #expect(after[1] != before[1])
  }

  @Test func groupsFollowTheirOwnOptimizer() throws {
    let whole = try trainer([], optimizer: SGD(learningRate: 0.5))
    let grouped = try trainer([ParameterGroup("head", optimizer: SGD(learningRate: 0.5))])
    let plain = try trainer([])
    for trainer in [whole, grouped, plain] { try trainer.fit(data.get(), epochs: 1, batchSize: 2) }
    #expect(Array(grouped.parameters[1].values) == Array(whole.parameters[1].values))
    #expect(Array(grouped.parameters[0].values) == Array(plain.parameters[0].values))
    #expect(Array(grouped.parameters[0].values) != Array(whole.parameters[0].values))
  }

  @Test func frozenBatchNormKeepsItsStatistics() throws {
    let trainer = try Trainer(
      Sequential {
        Network("body") { BatchNorm() }
        Dense(2)
      }, sampleShape: [2], loss: .meanSquaredError, optimizer: SGD(), groups: [.frozen("body")], seed: 5)
    let before = trainer.parameters.map { Array($0.values) }
    try trainer.fit(data.get(), epochs: 2, batchSize: 2)
    for (index, parameter) in trainer.parameters.enumerated() where parameter.name.string.hasPrefix("body.") {
      #expect(Array(parameter.values) == before[index])
    }
  }

  @Test func groupWithoutParametersIsRefused() throws {
    let trainer = try trainer([.frozen("bod")])
    #expect(throws: NNError.self) { try trainer.fit(data.get(), epochs: 1) }
  }
}

@Suite struct StatefulModelTests {
  /// y = x + what came before.
  private struct RunningSum: Layer {
    func forward(_ x: SymbolicTensor) throws(NNError) -> SymbolicTensor {
      guard x.trace.isStateful else { return x }
      let sum = try x + x.trace.state("sum", x.knownExtents())
      try x.trace.setState("sum", to: sum)
      return sum
    }
  }

  @Test func stateStaysInTheSession() throws {
    let trainer = try Trainer(
      RunningSum(), sampleShape: [2], loss: .meanSquaredError, optimizer: SGD(), seed: 1)
    let session = try trainer.stateful(sampleShape: [2]).session()
    var results: [[Float]] = []
    for input in [[1, 2], [10, 20], [100, 200]] as [[Float]] {
      try input.withUnsafeBytes { bytes in
        try [1, 2].withUnsafeBufferPointer { extents in
          try session.setInput(0, dtype: .f32, extents: extents, bytes: bytes)
        }
      }
      try session.run()
      results.append(Array(try session.output(0).bytes.bindMemory(to: Float.self)))
    }
    #expect(results == [[1, 2], [11, 22], [111, 222]])
  }
}
