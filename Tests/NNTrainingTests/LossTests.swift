import NNGraph
import NNTraining
import Reference
import Testing

@Suite struct LossTests {
  @Test(arguments: Golden.allLosses.indices)
  func lossesAgreeWithPyTorchAndWithDifferences(index: Int) throws {
    let golden = Golden.allLosses[index]
    let losses: [String: any Loss] = [
      "mean squared error": .meanSquaredError, "binary cross-entropy": .binaryCrossEntropy,
      "softmax cross-entropy": .softmaxCrossEntropy,
      "mean absolute error": .meanAbsoluteError, "huber": Huber(delta: 0.7),
      "label smoothing": SoftmaxCrossEntropy(labelSmoothing: 0.2),
      "class weights": SoftmaxCrossEntropy(classWeights: [0.5, 2, 1.5]),
      "weights and smoothing": SoftmaxCrossEntropy(labelSmoothing: 0.1, classWeights: [0.5, 2, 1.5]),
      "positions": .softmaxCrossEntropy, "positions smoothed": SoftmaxCrossEntropy(labelSmoothing: 0.3),
      "soft targets": SoftTargetCrossEntropy(), "kl divergence": KLDivergence(), "hinge": Hinge(),
      "triplet": Triplet(margin: 0.8), "contrastive": Contrastive(margin: 1.2), "ctc": CTC(labels: 3),
    ]
    let loss = try #require(losses[golden.name])
    let target = loss.targetKind == .classes ? golden.target.classes : golden.target.tensor
    let trace = Trace(mode: .training, parameters: ParameterStore(seed: 1))
    let prediction = trace.input("prediction", .f32, Shape(golden.prediction.shape))
    let result = try loss(
      prediction: prediction, target: trace.input("target", target.dtype, Shape(target.extents)))
    // Numbers of a loss are f32 in our graphs, as 0.7 is not.
    let tolerance = 1e-6
    #expect(result.shape == [])
    let gradient = try trace.gradient(of: result, withRespectTo: [prediction])[0]
    try trace.output(result, name: "loss")
    try trace.output(gradient, name: "gradient")
    let outputs = try ReferenceEvaluator(trace.graph).run(inputs: [golden.prediction.tensor, target])
    #expect(relativeDifference(outputs[0].values, [golden.loss]) < tolerance)
    #expect(relativeDifference(outputs[1].values, golden.gradient.values) < tolerance)

    let plain = Trace(mode: .training, parameters: ParameterStore(seed: 1))
    let variable = plain.input("prediction", .f32, Shape(golden.prediction.shape))
    let constant = plain.constant("target", try target.tensor())
    try expectGradientsMatchDifferences(
      golden.name, of: loss(prediction: variable, target: constant), values: [golden.prediction.tensor])
  }

  /// The loss of a mixture is the mixture of the losses, the weights of the targets' classes taken into account.
  @Test(arguments: [nil, [0.5, 2, 1.5]] as [[Float]?]) func mixturesOfClassesHaveMixedLosses(
    weights: [Float]?
  ) throws {
    let loss = SoftmaxCrossEntropy(labelSmoothing: 0.2, classWeights: weights)
    let scores = ReferenceTensor([0.3, -1.2, 2, 0.1, 0.7, -0.4], extents: [2, 3])
    func value(_ loss: any Loss, _ target: ReferenceTensor) throws -> Double {
      let trace = Trace(mode: .training, parameters: ParameterStore(seed: 1))
      let result = try loss(
        prediction: trace.input("prediction", .f32, [2, 3]),
        target: trace.input("target", target.dtype, Shape(target.extents)))
      try trace.output(result, name: "loss")
      return try ReferenceEvaluator(trace.graph).run(inputs: [scores, target])[0].values[0]
    }
    let (one, other) = ([2, 0], [1, 1])
    func weight(_ classes: [Int]) -> Double { classes.reduce(0) { $0 + Double(weights?[$1] ?? 1) } }
    let mixture = ReferenceTensor([0, 0.25, 0.75, 0.75, 0.25, 0], extents: [2, 3])
    let sums = try [one, other].map { classes in
      try weight(classes) * value(loss, ReferenceTensor(integers: classes.map { Int64($0) }, extents: [2]))
    }
    let expected = (0.75 * sums[0] + 0.25 * sums[1]) / (0.75 * weight(one) + 0.25 * weight(other))
    let mixed = try value(try #require(loss.mixedTargetLoss), mixture)
    #expect((mixed / expected - 1).magnitude < 1e-6)
  }

  @Test func infeasibleTargetsAreNamed() throws {
    let trace = Trace(mode: .training, parameters: ParameterStore(seed: 1))
    let prediction = trace.input("prediction", .f32, [4, 3])
    let cases: [(any Loss, SymbolicTensor)] = [
      (.softmaxCrossEntropy, trace.input("a", .i64, [5])),
      (.meanSquaredError, trace.input("b", .f32, [4, 2])),
      (SoftmaxCrossEntropy(classWeights: [1, 2]), trace.input("c", .i64, [4])),
      (SoftmaxCrossEntropy(labelSmoothing: 1), trace.input("d", .i64, [4])),
      (Huber(delta: 0), trace.input("e", .f32, [4, 3])), (Triplet(), trace.input("f", .f32, [4, 1])),
      (CTC(labels: 2), trace.input("g", .i64, [4, 2])),
    ]
    for (index, (loss, target)) in cases.enumerated() where index != 5 {
      #expect(throws: NNError.self, "\(index)") { try loss(prediction: prediction, target: target) }
    }
  }

  @Test func labelsThatNoAlignmentReadsAsHaveAnInfiniteLoss() throws {
    func loss(frames: Int, _ labels: [Int]) throws -> Double {
      let trainer = try Trainer(
        Dense(4), sampleShape: [frames, 2], loss: CTC(labels: labels.count), optimizer: SGD(), seed: 1)
      let features = (0..<2 * frames).map { Float($0) / 8 }
      return try trainer.evaluate(
        Dataset(
          features: features, sampleShape: [frames, 2],
          targets: .positions(labels, shape: [labels.count]))
      ).loss
    }
    #expect(try loss(frames: 3, [1, 2, -1]).isFinite)
    #expect(try loss(frames: 3, [1, 1, -1]).isFinite)
    #expect(try loss(frames: 2, [1, 1, -1]) == .infinity)
    #expect(try loss(frames: 2, [1, 2, 3]) == .infinity)
    #expect(try loss(frames: 5, [1, 0, 2]) == .infinity)
    #expect(try loss(frames: 5, [-1, 1, 2]) == .infinity)
    #expect(try loss(frames: 5, [1, -1, 2]) == .infinity)
  }
}
