import NNFormat
import NNGraph
import NNTraining

/// Training on a table or on an IDX pair without a line of code: task, loss and model follow from the data.
struct DataTraining {
  /// The data to learn from, with what an exported model says about them.
  struct Task {
    var data: Dataset
    var classNames: [String]
    var input: String
  }

  var hidden: [Int]
  var dropout: Float
  var epochs: Int
  var batchSize: Int
  var learningRate: Float
  var seed: UInt64
  var callbacks: [any Callback]
  var checkpoint: Checkpointing?

  /// What came of a training.
  struct Outcome {
    var trainer: Trainer
    var held: Dataset
    var head: OutputHead
    var metadata: Metadata
  }

  /// A fifth of the samples is held out; of the others a tenth says when to stop.
  func train(_ task: Task, name: String, say: (String) -> Void) throws(NNError) -> Outcome {
    let isClassification = !task.classNames.isEmpty
    let parts = try task.data.split(fraction: 0.2, seed: seed, stratified: isClassification)
    let inner = try parts.rest.split(fraction: 0.1, seed: seed &+ 1, stratified: isClassification)
    guard inner.rest.count > 0, inner.held.count > 0, parts.held.count > 0 else {
      throw NNError(.invalidArgument, "\(task.data.count) samples are too few to hold some out")
    }
    let standardization = try inner.rest.standardization()
    let scale = try targetScale(inner.rest)
    let outputs = isClassification ? task.classNames.count : 1
    let model = Sequential {
      standardization
      if task.data.sampleShape.count == 3 { convolutions } else { dense }
      Dense(outputs)
      if let scale { Rescaling(scale: scale.deviation, offset: scale.mean) }
    }
    let loss: any Loss = isClassification ? .softmaxCrossEntropy : .meanSquaredError
    let trainer = try Trainer(
      model, sampleShape: task.data.sampleShape, loss: loss, optimizer: AdamW(learningRate: learningRate),
      metrics: isClassification ? [.accuracy] : [], clipping: .globalNorm(5 * max(scale?.deviation ?? 1, 1)),
      seed: seed)
    say(
      "\(isClassification ? "\(outputs) classes" : "a number") to tell from \(task.input); "
        + "\(inner.rest.count) samples to train on, \(inner.held.count) to stop by, \(parts.held.count) held out, "
        + "\(trainer.trainableParameterCount) parameters, seed \(seed)")
    try trainer.fit(
      inner.rest, epochs: epochs, batchSize: batchSize, validation: inner.held,
      callbacks: callbacks + [
        EarlyStopping(patience: max(epochs / 5, 5)), Scheduled(CosineDecay(minimum: 0.05)),
      ],
      checkpoint: checkpoint)
    var metadata = Metadata()
    metadata.name = Name(name)
    metadata.labels = task.classNames.map { Name($0) }
    metadata.setInputDescription("input", Name(task.input))
    return Outcome(
      trainer: trainer, held: parts.held, head: isClassification ? .softmax : .none, metadata: metadata)
  }

  private var dense: Sequential {
    Sequential {
      Flatten()
      for units in hidden {
        Dense(units, activation: .relu, initializer: .heUniform)
        Dropout(dropout)
      }
    }
  }

  private var convolutions: Sequential {
    Sequential {
      for filters in [16, 32] {
        Conv2D(filters, kernelSize: 3, padding: .same, useBias: false, initializer: .heUniform)
        BatchNorm()
        Activation.relu
        MaxPool2D(2)
      }
      dense
    }
  }

  /// Mean and deviation of targets that are numbers, which the model's last layer brings back.
  private func targetScale(_ data: Dataset) throws(NNError) -> (mean: Float, deviation: Float)? {
    guard case .values(let values, _) = data.targets else { return nil }
    let mean = values.reduce(0.0) { $0 + Double($1) } / Double(max(values.count, 1))
    let variance =
      values.reduce(0.0) { $0 + (Double($1) - mean) * (Double($1) - mean) } / Double(max(values.count, 1))
    guard variance > 0 else {
      throw NNError(.invalidArgument, "all targets are the same: nothing is to be learnt")
    }
    return (Float(mean), Float(variance.squareRoot()))
  }
}

extension DataTraining.Task {
  /// The rows of a CSV file.
  init(table path: String, target: String, missing: MissingValues) throws(NNError) {
    let samples = try CSVTable(path: path).samples(target: target, missing: missing)
    self.init(
      data: samples.dataset, classNames: samples.classNames,
      input: samples.featureNames.joined(separator: ", "))
  }

  /// Images and labels of an IDX pair.
  init(images: String, labels: String) throws(NNError) {
    let data = try IDXFile.dataset(images: images, labels: labels)
    guard case .classes(let classes) = data.targets, let last = classes.max() else {
      throw NNError(.invalidArgument, "\(labels): no labels")
    }
    let shape = data.sampleShape.map { "\($0)" }.joined(separator: "×")
    self.init(
      data: data, classNames: (0...last).map { "\($0)" },
      input: "an image (channel, row, column) of \(shape) pixels, 0 to 255")
  }
}
