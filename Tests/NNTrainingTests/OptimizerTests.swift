import NNGraph
import NNRuntime
import NNTraining
import Reference
import Testing

@Suite struct OptimizerTests {
  private let optimizers: [String: any Optimizer] = [
    "SGD": SGD(learningRate: 0.1), "SGD momentum": SGD(learningRate: 0.05, momentum: 0.9),
    "SGD Nesterov": SGD(learningRate: 0.05, momentum: 0.9, nesterov: true),
    "SGD L2": SGD(learningRate: 0.05, momentum: 0.8, weightDecay: 0.1), "Adam": Adam(learningRate: 0.02),
    "Adam L2": Adam(learningRate: 0.02, beta1: 0.8, beta2: 0.99, weightDecay: 0.1),
    "AdamW": AdamW(learningRate: 0.02, weightDecay: 0.1), "rmsprop": RMSprop(learningRate: 0.02),
    "rmsprop momentum": RMSprop(learningRate: 0.02, alpha: 0.9, momentum: 0.8, weightDecay: 0.1),
    "adagrad": Adagrad(learningRate: 0.1, weightDecay: 0.05),
    "lion": Lion(learningRate: 0.01, weightDecay: 0.1),
    "l1": L1Penalty(0.05, SGD(learningRate: 0.1)),
  ]

  /// Runs as a training step does: one plan whose states carry the parameter and the slots from step to step.
  @Test(arguments: Golden.shared.optimizers.cases.indices)
  func twentyStepsAgreeWithPyTorch(index: Int) throws {
    try expectAgreement(Golden.shared.optimizers, index)
  }

  @Test(arguments: Golden.further.optimizers.cases.indices)
  func twentyStepsOfFurtherOptimizersAgree(index: Int) throws {
    try expectAgreement(Golden.further.optimizers, index)
  }

  private func expectAgreement(_ golden: Golden.Optimizers, _ index: Int) throws {
    let name = golden.cases[index].name
    let optimizer = try #require(optimizers[name])
    let count = golden.start.values.count
    let trace = Trace(mode: .training, parameters: ParameterStore(seed: 1))
    let parameter = trace.input("parameter", .f32, [count])
    let gradient = trace.input("gradient", .f32, [count])
    let slots = optimizer.slotNames.map { trace.input(Name($0), .f32, [count]) }
    let scalars = optimizer.scalarNames.map { trace.input(Name($0), .f32, []) }
    let next = try optimizer.update(parameter, gradient: gradient, slots: slots, scalars: scalars)
    try trace.output(next.parameter, name: "next")
    for (slot, tensor) in next.slots.enumerated() { try trace.output(tensor, name: Name("slot\(slot)")) }
    var graph = trace.graph
    graph.states = [CarriedState(input: graph.inputs[0], output: graph.outputs[0])]
    for slot in slots.indices {
      graph.states.append(CarriedState(input: graph.inputs[2 + slot], output: graph.outputs[1 + slot]))
    }
    try graph.verify()
    let plan = try Plan(graph, inputExtents: graph.inputs.map { graph[$0].type.shape.extents ?? [] })
    for input in graph.inputs.indices { plan.input(input).initializeMemory(as: UInt8.self, repeating: 0) }
    fill(plan.input(0), golden.start.values)
    var values = [Float](repeating: 0, count: max(scalars.count, 1))
    for (step, numbers) in golden.gradients.enumerated() {
      values.withUnsafeMutableBufferPointer {
        optimizer.scalars(step: step + 1, learningRate: Double(optimizer.learningRate), into: $0)
      }
      fill(plan.input(1), numbers.values)
      for scalar in scalars.indices { fill(plan.input(2 + slots.count + scalar), [Double(values[scalar])]) }
      try plan.run()
      let result = plan.input(0).bindMemory(to: Float.self).map { Double($0) }
      let difference = relativeDifference(result, golden.cases[index].steps[step].values)
      // float32 against float64: the error may grow by about one ulp of the largest parameter a step.
      #expect(difference < Double(step + 2) * 1.2e-7, "\(name), step \(step + 1): \(difference)")
    }
  }

  private func fill(_ memory: UnsafeMutableRawBufferPointer, _ values: [Double]) {
    let floats = memory.bindMemory(to: Float.self)
    for (index, value) in values.enumerated() { floats[index] = Float(value) }
  }

  @Test(arguments: Golden.shared.clipping.cases.indices)
  func clippedGradientsAgreeWithPyTorch(index: Int) throws {
    let golden = Golden.shared.clipping
    let clipping: GradientClipping =
      golden.cases[index].name == "norm"
      ? .globalNorm(golden.cases[index].bound) : .value(golden.cases[index].bound)
    let trace = Trace(mode: .training, parameters: ParameterStore(seed: 1))
    let gradients = golden.gradients.enumerated().map { trace.input(Name("g\($0)"), .f32, Shape($1.shape)) }
    for (number, clipped) in try clipping.apply(gradients).enumerated() {
      try trace.output(clipped, name: Name("clipped\(number)"))
    }
    let outputs = try ReferenceEvaluator(trace.graph).run(inputs: golden.gradients.map(\.tensor))
    for (output, expected) in zip(outputs, golden.cases[index].clipped) {
      #expect(relativeDifference(output.values, expected.values) < 1e-8)
    }
  }

  /// L2 in the gradient is scaled by Adam like the gradient itself; decoupled decay is not.
  @Test func decoupledDecayShrinksByLearningRateTimesDecay() throws {
    let trace = Trace(mode: .training, parameters: ParameterStore(seed: 1))
    let parameter = trace.input("p", .f32, [1])
    let zero = try trace.filled(0, [1])
    let scalars = ["a", "b", "c"].map { trace.input(Name($0), .f32, []) }
    let decoupled = AdamW(learningRate: 0.1, weightDecay: 0.5)
    let l2 = Adam(learningRate: 0.1, weightDecay: 0.5)
    try trace.output(
      decoupled.update(parameter, gradient: zero, slots: [zero, zero], scalars: scalars).parameter,
      name: "decoupled")
    try trace.output(
      l2.update(parameter, gradient: zero, slots: [zero, zero], scalars: scalars).parameter, name: "l2")
    var values: [Float] = [0, 0, 0]
    values.withUnsafeMutableBufferPointer { decoupled.scalars(step: 1, learningRate: 0.1, into: $0) }
    let outputs = try ReferenceEvaluator(trace.graph).run(
      inputs: [ReferenceTensor([4], extents: [1])] + values.map { ReferenceTensor([Double($0)], extents: []) }
    )
    // 4·(1 − 0.1·0.5); and one Adam step of 0.1 along the sign of the penalty's gradient.
    #expect(abs(outputs[0].values[0] - 3.8) < 1e-6)
    #expect(abs(outputs[1].values[0] - 3.9) < 1e-6)
  }

  @Test func numbersThatNoTrainingWorksWithAreRefused() throws {
    let cases: [(optimizer: any Optimizer, message: String)] = [
      (SGD(learningRate: -1), "SGD: a learning rate of -1.0"),
      (SGD(learningRate: .nan), "SGD: a learning rate"),
      (SGD(momentum: 1), "SGD: a momentum of 1.0, not in 0..<1"), (SGD(nesterov: true), "needs a momentum"),
      (SGD(weightDecay: -0.5), "SGD: a weight decay of -0.5"), (Adam(beta1: 1), "Adam: a beta1 of 1.0"),
      (Adam(beta2: 1.5), "Adam: a beta2 of 1.5"), (Adam(epsilon: -1), "Adam: an epsilon of -1.0"),
      (AdamW(learningRate: .infinity), "AdamW: a learning rate"),
      (AdamW(weightDecay: -1), "AdamW: a weight decay"),
      (RMSprop(alpha: 2), "RMSprop: an alpha of 2.0"),
      (Adagrad(weightDecay: .nan), "Adagrad: a weight decay"),
      (Lion(beta2: -0.5), "Lion: a beta2 of -0.5"), (L1Penalty(-1, SGD()), "an L1 penalty of -1.0"),
      (Averaged(SGD(), decay: 1), "a decay of 1.0"), (Averaged(SGD(momentum: 2)), "SGD: a momentum of 2.0"),
    ]
    func message(_ optimizer: any Optimizer, groups: [ParameterGroup] = []) -> String {
      do throws(NNError) {
        _ = try Trainer(
          Dense(1), sampleShape: [2], loss: .meanSquaredError, optimizer: optimizer, groups: groups, seed: 1)
        return ""
      } catch {
        return error.message
      }
    }
    for (optimizer, expected) in cases {
      #expect(message(optimizer).contains(expected))
      #expect(message(SGD(), groups: [ParameterGroup("dense_1", optimizer: optimizer)]).contains(expected))
      #expect(throws: NNError.self) {
        _ = try CustomStep(parameters: ParameterStore(seed: 1), inputs: [.init("x", [1, 2])]) {
          (step) throws(NNError) in
          try step.minimize(Dense(1)(step["x"]).sum(), with: optimizer)
        }
      }
    }
    #expect(message(SGD(learningRate: 0)) == "")
  }

  @Test func aLearningRateThatIsNoNumberStopsBeforeItSpoilsTheParameters() throws {
    let trainer = try Trainer(
      Dense(1), sampleShape: [2], loss: .meanSquaredError, optimizer: SGD(), seed: 1)
    let data = try exclusiveOr()
    let before = trainer.parameters.map { Array($0.values) }
    for rate in [Double.nan, .infinity, -0.1] {
      trainer.learningRate = rate
      #expect(throws: NNError.self) { try trainer.fit(data, epochs: 1) }
    }
    #expect(trainer.parameters.map { Array($0.values) } == before && trainer.step == 0)
  }
}
