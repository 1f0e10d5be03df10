import NNFormat
import NNGraph
import NNTraining

extension Example {
  /// What a network learnt from the digits 0 to 4 helps to tell 5 to 9 from ten images of each: its body is frozen and
  /// gets a new head. The same network trained from scratch on those fifty images is what it is compared with, over ten
  /// draws of the images.
  static let mnistTransfer = Example(
    name: "mnist-transfer", family: "transfer",
    summary: "trained on 28×28 digits 0–4, frozen, learns 5–9 from 10 images each, ten times",
    settings: Settings(epochs: 60, batchSize: 10, learningRate: 1e-3, seed: 1), quickEpochs: 2,
    outputs: [.heldOut]
  ) { (run) throws(NNError) in
    let all = try ExampleData.mnist(run)
    let low = try all.training.ofClasses(0..<5)
    let source = try network(head: "head", run.settings, seed: run.settings.seed)
    run.say("source task: \(low.count) images of the digits 0 to 4")
    // Shifts teach the body not to care where a stroke stands.
    try source.fit(low, epochs: run.isQuick ? 1 : 20, batchSize: 64, augmentation: [.shift(3)])

    let (pool, held) = (try all.training.ofClasses(5..<10), try all.held.ofClasses(5..<10))
    var margins: [Double] = []
    var last: Trainer?
    for seed in 0..<UInt64(run.isQuick ? 2 : 10) {
      let few = try pool.drawing(perClass: 10, seed: seed)
      let transferred = try network(
        head: "new_head", run.settings, seed: seed, groups: [.frozen("body")], parameters: source.store)
      // The store is shared: a head of an earlier draw would be found in it.
      try transferred.reinitialize("new_head")
      try transferred.fit(few, epochs: run.settings.epochs, batchSize: run.settings.batchSize)
      let scratch = try network(head: "head", run.settings, seed: seed)
      try scratch.fit(few, epochs: run.settings.epochs, batchSize: run.settings.batchSize)
      let (with, without) = (try transferred.evaluate(held), try scratch.evaluate(held))
      margins.append((with["accuracy"] ?? 0) - (without["accuracy"] ?? 0))
      run.say(
        "draw \(seed): transferred \(with.line(of: "held-out")); from scratch \(without.line(of: "held-out"))"
      )
      last = transferred
    }
    let mean = margins.reduce(0, +) / Double(margins.count)
    let wins = margins.count { $0 > 0 }
    run.say("transfer is better in \(wins) of \(margins.count) draws")
    var exports: [ExampleResult.Export] = []
    if let last {
      var metadata = Metadata()
      metadata.name = "mnist-transfer"
      metadata.description = "Tells which digit from 5 to 9 a 28×28 image shows, as probabilities."
      metadata.labels = (5..<10).map { Name("\($0)") }
      exports = [.init(file: try last.trained.file(head: .softmax, metadata: metadata, testedOn: held))]
    }
    // The mark asks for a margin beyond chance: the mean must be above twice its standard error.
    let variance = margins.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(max(margins.count - 1, 1))
    let error = (variance / Double(margins.count)).squareRoot()
    run.say("mean margin in accuracy over scratch, with its standard error: \(mean) ± \(error)")
    return ExampleResult(
      metric: "margin", value: mean, mark: .atLeast(max(2 * error, 0.01)), exports: exports, held: held)
  }

  /// A small convolutional network in two parts, body and head.
  private static func network(
    head: String, _ settings: Settings, seed: UInt64, groups: [ParameterGroup] = [],
    parameters: ParameterStore? = nil
  ) throws(NNError) -> Trainer {
    let model = Sequential {
      Network("body") {
        Rescaling(scale: 1.0 / 255)
        for filters in [16, 32, 64] {
          Conv2D(filters, kernelSize: 3, padding: .same, useBias: false, initializer: .heUniform)
          BatchNorm()
          Activation.relu
          MaxPool2D(2)
        }
        Flatten()
        Dropout(0.3)
      }
      Network(head) {
        Dense(5)
      }
    }
    return try Trainer(
      model, sampleShape: [1, 28, 28], loss: .softmaxCrossEntropy,
      optimizer: Adam(learningRate: settings.learningRate), metrics: [.accuracy], groups: groups, seed: seed,
      parameters: parameters)
  }
}

extension Dataset {
  /// The samples of some classes, which become 0, 1, ….
  fileprivate func ofClasses(_ range: Range<Int>) throws(NNError) -> Dataset {
    guard case .classes(let classes) = targets else {
      throw NNError(.invalidArgument, "only class targets have classes")
    }
    let rows = classes.indices.filter { range.contains(classes[$0]) }
    let chosen = try selecting(rows)
    return try Dataset(
      features: chosen.features, sampleShape: sampleShape,
      targets: .classes(rows.map { classes[$0] - range.lowerBound }))
  }

  /// So many samples of each class, drawn with a seed.
  fileprivate func drawing(perClass: Int, seed: UInt64) throws(NNError) -> Dataset {
    guard case .classes(let classes) = targets else {
      throw NNError(.invalidArgument, "only class targets have classes")
    }
    var generator = Philox(seed: seed, stream: Philox.stream(of: "few"))
    var left: [Int: Int] = [:]
    let rows = (0..<count).shuffled(using: &generator).filter { row in
      left[classes[row], default: perClass] -= 1
      return left[classes[row], default: 0] >= 0
    }
    return try selecting(rows)
  }
}
