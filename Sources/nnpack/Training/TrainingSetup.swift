import ArgumentParser
import NNDescription
import NNFormat
import NNGraph
import NNTraining

/// A task, its data in parts, and everything that is chosen about how they are trained on.
struct TrainingSetup {
  let options: DataTraining
  let task: LearningTask
  let prepared: PreparedData
  /// The parts with the targets that the network is trained against.
  let training: Dataset
  let validation: Dataset?
  let description: ModelDescription
  let model: Sequential
  let lossName: LossName
  private let loss: any Loss
  private let metrics: [any Metric]
  private let outputs: Int
  /// What gathers the training for a page, if one is asked for.
  let report: TrainingReport?
  /// What ends the training before its last epoch; nil for nothing.
  let earlyStopping: EarlyStopping?
  let seed: UInt64
  let epochs: Int
  let batchSize: Int

  init(_ options: DataTraining, _ task: LearningTask, _ description: ModelDescription) throws {
    self.options = options
    self.task = task
    self.description = description
    seed = options.optimization.seed ?? 1
    let isImages = task.samples.sampleShape.count == 3
    epochs = options.optimization.epochs ?? (isImages ? 10 : 100)
    batchSize = options.optimization.batchSize ?? 32
    let name = options.optimization.loss ?? (task.classCount == nil ? .mse : .crossEntropy)
    lossName = name
    try TrainingSetup.require(name, for: task, options.optimization)
    let prepared = try PreparedData(task, options.data, seed: seed)
    self.prepared = prepared
    training = try prepared.encoded(prepared.training, signs: name.signs)
    validation = try prepared.validation.map { (data) throws(NNError) in
      try prepared.encoded(data, signs: name.signs)
    }
    outputs = name.signs != nil ? 1 : task.classCount ?? task.valueCount
    model = Sequential(
      (prepared.standardization.map { [$0] } ?? []) + description.model(outputs: outputs).layers)
    let weights = try options.optimization.classWeights.map { (_) throws(NNError) in
      try prepared.training.classWeights(classes: task.classCount)
    }
    loss = name.loss(
      labelSmoothing: options.optimization.labelSmoothing ?? 0, classWeights: weights)
    var names = DataOptions.names(options.output.metrics)
    if names.isEmpty, task.classCount != nil { names = ["accuracy"] }
    metrics = try names.map { try MetricName.metric($0, of: task, isBinary: name.signs != nil) }
    let patience = options.optimization.earlyStopping ?? max(epochs / 5, 5)
    earlyStopping = patience > 0 ? EarlyStopping(patience: patience) : nil
    report =
      options.output.report == nil
      ? nil
      : try TrainingSetup.report(
        (options.output.output ?? "model").fileStem, task, prepared, description, probing: training)
  }

  private static func require(
    _ name: LossName, for task: LearningTask, _ options: OptimizationOptions
  ) throws {
    guard name.isForClasses == (task.classCount != nil) else {
      let what = task.classCount.map { "\($0) classes" } ?? "numbers"
      throw ValidationError("--loss \(name.rawValue) is not for \(what), which the data ask for")
    }
    if name.signs != nil, let count = task.classCount, count != 2 {
      throw ValidationError("--loss \(name.rawValue) tells two classes, and there are \(count)")
    }
    if task.classCount == nil, options.labelSmoothing ?? 0 > 0 || options.classWeights != nil {
      throw ValidationError("--label-smoothing and --class-weights are for classes")
    }
  }

  /// The trainer, with the learning rate that was found if one is to be found.
  func trainer() throws -> Trainer {
    let trainer = try trainer(learningRate: options.optimization.learningRate)
    try description.requireOutput(trainer.outputShape, of: outputs)
    guard options.optimization.findLearningRate else { return trainer }
    let curve = try trainer.findLearningRate(training, batchSize: batchSize)
    print(TrainingSetup.text(curve))
    guard let suggestion = curve.suggestion else {
      throw NNError(
        .invalidState, "no learning rate was found: the loss never fell; give one with --learning-rate")
    }
    return try self.trainer(learningRate: Float(suggestion))
  }

  private func trainer(learningRate: Float?) throws(NNError) -> Trainer {
    let choices = options.optimization
    let optimizer = (choices.optimizer ?? .adamw).optimizer(
      learningRate: learningRate, weightDecay: choices.weightDecay, l1: choices.l1 ?? 0,
      average: choices.average)
    let clipping: GradientClipping
    if let bound = choices.clipValue {
      clipping = bound > 0 ? .value(bound) : .none
    } else {
      let bound = choices.clipNorm ?? 5
      clipping = bound > 0 ? .globalNorm(bound) : .none
    }
    var trainerOptions = Trainer.Options()
    trainerOptions.threads = choices.threads ?? 1
    return try Trainer(
      model, sampleShape: task.samples.sampleShape, loss: loss, optimizer: optimizer, metrics: metrics,
      groups: DataOptions.names(options.model.freeze).map { .frozen($0) }, clipping: clipping, seed: seed,
      options: trainerOptions)
  }

  /// About a dozen points of the curve, and the suggestion.
  private static func text(_ curve: LearningRateCurve) -> String {
    var table = Table(["learning rate", "loss"], alignments: [.right, .right])
    let step = max(curve.points.count / 12, 1)
    for index in stride(from: 0, to: curve.points.count, by: step) {
      let point = curve.points[index]
      table.append([point.rate.significant(2), point.loss.fixed(4)])
    }
    let found = curve.suggestion.map { "the loss falls fastest at a learning rate of \($0.significant(3))" }
    return ([table.text] + (found.map { [$0] } ?? [])).joined(separator: "\n")
  }

  /// The changes of images that are asked for.
  var augmentation: [any Augmentation] {
    options.data.augment?.augmentations(channels: task.samples.sampleShape[0]) ?? []
  }

  /// What logs, schedules and ends the training.
  var callbacks: [any Callback] {
    let choices = options.optimization
    var callbacks = options.output.logs
    if let report { callbacks.append(report) }
    if options.output.gradientWatch {
      let rows = Array(0..<min(training.count, 256))
      if let probe = try? training.selecting(rows) { callbacks.append(GradientWatch(probe) { print($0) }) }
    }
    if let earlyStopping { callbacks.append(earlyStopping) }
    callbacks.append((choices.schedule ?? .cosine).callback(epochs: epochs, warmUp: choices.warmUp ?? 0))
    return callbacks
  }

  private static func report(
    _ title: String, _ task: LearningTask, _ prepared: PreparedData, _ description: ModelDescription,
    probing training: Dataset
  ) throws(NNError) -> TrainingReport {
    var settings = [("network", description.name), ("input", task.input)]
    if let scale = prepared.scale {
      let numbers = zip(scale.means, scale.deviations).prefix(8).map {
        "\(Double($0).significant(4)) ± \(Double($1).significant(4))"
      }
      settings.append(("targets, here brought to mean 0 and deviation 1", numbers.joined(separator: ", ")))
    }
    return try TrainingReport(title: title, of: training, settings: settings.map { ($0.0, $0.1) })
  }

  /// What is told from what, and by what.
  func summary(_ trainer: Trainer) -> String {
    let goal = task.classCount.map { "\($0) classes" } ?? (outputs == 1 ? "a number" : "\(outputs) numbers")
    let features = task.input.count > 300 ? task.input.prefix(300) + "…" : task.input[...]
    let choices = options.optimization
    return
      "\(goal) to tell from \(features); "
      + "\(training.count) samples to train on, \(validation?.count ?? 0) to stop by, "
      + "\(prepared.held?.count ?? 0) held out, \(trainer.trainableParameterCount) parameters, seed \(seed)\n"
      + "\(description.name), loss \(lossName.rawValue), \((choices.optimizer ?? .adamw).rawValue) at a learning rate of "
      + "\(trainer.learningRate.significant(3)), schedule \((choices.schedule ?? .cosine).rawValue)"
  }

  /// What the file says about itself.
  func metadata(name: String) -> Metadata {
    var metadata = Metadata()
    metadata.name = Name(name)
    if let about = description.about { metadata.description = Name(about) }
    metadata.setInputDescription("input", Name(task.input))
    if let encoding = task.encoding { metadata[TableEncoding.metadataKey] = Name(encoding.json.line) }
    // Of two classes that one number tells, too: it is the second's.
    metadata.labels = task.classNames.map { Name($0) }
    if lossName.signs != nil, let second = task.classNames.last {
      let what = lossName.head == .sigmoid ? "the probability of" : "positive for"
      metadata[Metadata.outputDescriptionKey("output")] = Name("\(what) \(second)")
    } else if let output = task.output {
      metadata[Metadata.outputDescriptionKey("output")] = Name(output)
    }
    return metadata
  }
}
