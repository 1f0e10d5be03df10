import ArgumentParser
import Examples
import NNFormat
import NNGraph
import NNTraining
import Files
import NumPyFiles

struct Train: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Trains a network and writes it as a .nnrt file.",
    discussion: """
      Part of the data is held out: training never sees it, and the result on it ends the output, beside the mark it \
      must reach. On a terminal a bar shows loss, accuracy, samples per second and time left; otherwise there is a line \
      per epoch. The same seed gives the same file again.

      A CSV file or an IDX pair needs no example: whether classes or numbers are to be told, loss and model follow from the data. \
      What standardises the features is part of the file, which takes raw ones.

      EXAMPLE:
        nnpack train wine.csv --target grower --output wine.nnrt
        nnpack train --images train-images-idx3-ubyte --labels train-labels-idx1-ubyte --epochs 10
        nnpack train --list
        nnpack train --example digits-mlp --output digits.nnrt
        nnpack train --example digits-cnn --checkpoint cnn.checkpoint --resume
      """)

  @Argument(help: ArgumentHelp("A CSV file with a header, to train on its rows.", valueName: "table"))
  var table: String?

  @Option(help: ArgumentHelp("The column of the table to predict.", valueName: "column")) var target: String?

  @Option(help: "What a missing field becomes: error, drop (the row is left out), mean or a number.")
  var missing = "error"

  @Option(help: ArgumentHelp("IDX file of images, 0 to 255.", valueName: "file")) var images: String?

  @Option(help: ArgumentHelp("IDX file of the images' classes.", valueName: "file")) var labels: String?

  @Option(help: ArgumentHelp("Units of the hidden layers.", valueName: "n,n,…")) var hidden = "64,32"

  @Option(help: "The probability of dropping a hidden unit.") var dropout: Float = 0.1

  @Option(help: ArgumentHelp("Which network to train on which data; --list names them.", valueName: "name"))
  var example: String?

  @Flag(help: "List the examples.") var list = false

  @Option(help: "Times to go through the training data; the example's own number unless told.") var epochs:
    Int?

  @Option(help: "Samples of one step.") var batchSize: Int?

  @Option(help: "Step length of the optimiser.") var learningRate: Float?

  @Option(help: "What the split of the data and everything random is drawn from.") var seed: UInt64?

  @Option(
    name: .shortAndLong, help: ArgumentHelp("The file to write; NAME.nnrt unless told.", valueName: "file"))
  var output: String?

  @Option(
    help: ArgumentHelp("Save all of the training's state to this file after every epoch.", valueName: "file"))
  var checkpoint: String?

  @Flag(help: "Go on from the checkpoint if there is one; the result has the same bits as without a break.")
  var resume = false

  @Option(
    help: ArgumentHelp(
      "Write the held-out samples to this folder: inputs.npy and labels.npy.", valueName: "folder"))
  var heldOut: String?

  @Flag(help: "A short run to see that the example works; the mark is not reached.") var quick = false

  @Option(help: ArgumentHelp("Where tools/fetch-data put the data sets.", valueName: "folder"))
  var data = "build/data"

  @Option(help: ArgumentHelp("Write the example's pictures to this folder.", valueName: "folder"))
  var pictures: String?

  @Option(help: ArgumentHelp("Write a row for each epoch to this CSV file.", valueName: "file"))
  var csvLog: String?

  @Option(
    help: ArgumentHelp("Write each epoch's numbers to this folder for TensorBoard.", valueName: "folder"))
  var tensorboard: String?

  func validate() throws {
    if list { return }
    if table != nil || images != nil || labels != nil { return try validateData() }
    guard let example else {
      throw ValidationError("give a CSV file, --images and --labels, or --example NAME (--list names them)")
    }
    if Example.named(example) == nil {
      let names = Example.all.map { $0.name }.joined(separator: ", ")
      throw ValidationError("no example '\(example)'; there are \(names)")
    }
    if let epochs, epochs < 1 { throw ValidationError("--epochs takes a number of at least 1") }
    if let batchSize, batchSize < 1 { throw ValidationError("--batch-size takes a number of at least 1") }
    if let learningRate, !(learningRate > 0 && learningRate.isFinite) {
      throw ValidationError("--learning-rate takes a positive number")
    }
    if resume && checkpoint == nil { throw ValidationError("--resume needs --checkpoint FILE") }
  }

  private func validateData() throws {
    guard example == nil, table == nil || images == nil else {
      throw ValidationError("give one of: a CSV file, --images with --labels, --example")
    }
    if table != nil, target == nil { throw ValidationError("--target COLUMN says what to predict") }
    guard (images == nil) == (labels == nil) else {
      throw ValidationError("--images and --labels belong together")
    }
    guard missingValues != nil else { throw ValidationError("--missing takes error, drop, mean or a number") }
    guard let units = hiddenUnits, units.allSatisfy({ $0 >= 1 }) else {
      throw ValidationError("--hidden takes numbers with commas between")
    }
    guard dropout >= 0, dropout < 1 else { throw ValidationError("--dropout takes a number in 0..<1") }
    if let epochs, epochs < 1 { throw ValidationError("--epochs takes a number of at least 1") }
    if let batchSize, batchSize < 1 { throw ValidationError("--batch-size takes a number of at least 1") }
    if resume && checkpoint == nil { throw ValidationError("--resume needs --checkpoint FILE") }
  }

  private var missingValues: MissingValues? {
    switch missing {
    case "error": .error
    case "drop": .dropRow
    case "mean": .mean
    default: Float(missing).map { .constant($0) }
    }
  }

  private var hiddenUnits: [Int]? {
    let parts = hidden.split(separator: ",", omittingEmptySubsequences: false)
    let units = parts.compactMap { Int($0) }
    return units.count == parts.count ? units : nil
  }

  private func trainOnData() throws {
    let path = output ?? "model.nnrt"
    try requireFolder(of: path)
    if let heldOut { try WholeFile.makeFolder(heldOut) }
    let task =
      if let table, let target {
        try DataTraining.Task(table: table, target: target, missing: missingValues ?? .error)
      } else {
        try DataTraining.Task(images: images ?? "", labels: labels ?? "")
      }
    let training = DataTraining(
      hidden: hiddenUnits ?? [], dropout: dropout, epochs: epochs ?? (images == nil ? 100 : 10),
      batchSize: batchSize ?? 32, learningRate: learningRate ?? 2e-3, seed: seed ?? 1, callbacks: callbacks,
      checkpoint: checkpoint.map { Checkpointing(path: $0, resumes: resume) })
    let outcome = try training.train(task, name: path) { print($0) }
    let model = outcome.trainer.trained
    try write(
      .init(file: try model.file(head: outcome.head, metadata: outcome.metadata, testedOn: outcome.held)),
      to: path)
    if let heldOut { try HeldOutSamples.write(outcome.held, to: heldOut) }
    if case .values(let truth, _) = outcome.held.targets {
      let r2 = try Scores.r2(predicted: model.predict(outcome.held), targets: truth)
      print("result: held-out R2=\(r2.fixed(4))")
    } else {
      let accuracy = try outcome.trainer.evaluate(outcome.held)["accuracy"] ?? 0
      print("result: held-out accuracy=\(accuracy.fixed(4))")
    }
  }

  private var callbacks: [any Callback] {
    var callbacks: [any Callback] = [ProgressCallback()]
    if let csvLog { callbacks.append(CSVLog(csvLog)) }
    if let tensorboard { callbacks.append(TensorBoardLog(tensorboard)) }
    return callbacks
  }

  func run() throws {
    if table != nil || images != nil { return try trainOnData() }
    if list {
      var table = Table(["name", "family", "about"], alignments: [.left, .left, .left])
      for example in Example.all { table.append([example.name, example.family, example.summary]) }
      print(table.text)
      return
    }
    guard let example = example.flatMap({ Example.named($0) }) else { return }
    var settings = example.settings
    if quick { settings.epochs = example.quickEpochs }
    if let epochs { settings.epochs = epochs }
    if let batchSize { settings.batchSize = batchSize }
    if let learningRate { settings.learningRate = learningRate }
    if let seed { settings.seed = seed }
    try train(example, settings)
  }

  private func train(_ example: Example, _ settings: Example.Settings) throws {
    print("\(example.name): \(example.summary)")
    // What cannot be written is better said before the training than after it.
    let path = output ?? example.name + ".nnrt"
    try requireFolder(of: path)
    for folder in [heldOut, pictures].compactMap({ $0 }) { try WholeFile.makeFolder(folder) }
    let run = ExampleRun(
      settings: settings, isQuick: quick, dataFolder: data, artifactFolder: pictures,
      callbacks: callbacks, checkpoint: checkpoint.map { Checkpointing(path: $0, resumes: resume) }
    ) { print($0) }
    let result = try example.train(run)
    for export in result.exports {
      try write(export, to: export.name.isEmpty ? path : path.withSuffix("-" + export.name))
      if let heldOut, !export.steps.isEmpty {
        try HeldOutSamples.write(export.steps, to: heldOut)
      }
    }
    if let heldOut, let held = result.held { try HeldOutSamples.write(held, to: heldOut) }
    print(
      "result: \(example.name) \(result.metric)=\(result.value.fixed(4)) mark=\(result.mark.value.significant(4))"
        + (result.mark.isReached(by: result.value) ? "" : " (not reached)"))
  }

  private func write(_ export: ExampleResult.Export, to path: String) throws {
    try export.file.write(to: path)
    let size = try WholeFile.read(path) { (bytes) throws(NNError) in bytes.count }
    let weights = export.file.graph.values.reduce(0) { $0 + ($1.constant?.bytes.count ?? 0) }
    print(
      "\(path): \(size.grouped) bytes, \((Double(size) / Double(max(weights, 1))).fixed(3)) of "
        + "\(weights.grouped) bytes of weights")
  }
}

extension String {
  /// The path with `suffix` in front of its extension: `digits-sampler.nnrt`.
  fileprivate func withSuffix(_ suffix: String) -> String {
    let ending = ".nnrt"
    return hasSuffix(ending) ? String(dropLast(ending.count)) + suffix + ending : self + suffix
  }
}

private func requireFolder(of path: String) throws(NNError) {
  let folder = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
  guard WholeFile.isFolder(folder) else {
    throw NNError(.fileAccess, "\(path): there is no folder \(folder)")
  }
}

/// Feeds the printer with what the trainer reports.
private final class ProgressCallback: Callback {
  private let printer = ProgressPrinter()
  /// Of the epoch that is running: the last batch may be smaller than the others.
  private var samplesPerEpoch = 0

  func batchEnded(_ progress: BatchProgress, _ trainer: Trainer) throws(NNError) {
    samplesPerEpoch = max(samplesPerEpoch, progress.samples * progress.batches / max(progress.batch, 1))
    printer.batchEnded(
      Progress(
        epoch: progress.epoch + 1, epochs: progress.epochs, samples: progress.samples,
        samplesPerEpoch: samplesPerEpoch, loss: progress.running.loss, accuracy: progress.running["accuracy"],
        samplesPerSecond: progress.samplesPerSecond))
  }

  func epochEnded(_ report: EpochReport, _ trainer: Trainer) throws(NNError) {
    printer.epochEnded(
      Progress(
        epoch: report.epoch + 1, epochs: report.epochs, samples: samplesPerEpoch,
        samplesPerEpoch: samplesPerEpoch,
        loss: report.training.loss, accuracy: report.training["accuracy"],
        samplesPerSecond: report.samplesPerSecond),
      validation: (report.validation?.metrics ?? []).map { ("validation " + $0.name, $0.value) })
    samplesPerEpoch = 0
  }

  func trainingEnded(_ trainer: Trainer) throws(NNError) { printer.ended() }
}

/// Held-out samples as files that any program can read.
private enum HeldOutSamples {
  static func write(_ data: Dataset, to folder: String) throws {
    let extents = [data.count] + data.sampleShape
    if data.inputType == .i64 {
      try write(data.tokens.map { Int64($0) }, .i64, extents, to: folder + "/inputs.npy")
    } else {
      try write(data.features, .f32, extents, to: folder + "/inputs.npy")
    }
    switch data.targets {
    case .classes(let classes):
      try write(classes.map { Int64($0) }, .i64, [data.count], to: folder + "/labels.npy")
    case .positions(let classes, let shape):
      try write(classes.map { Int64($0) }, .i64, [data.count] + shape, to: folder + "/labels.npy")
    case .values(let values, let shape):
      try write(values, .f32, [data.count] + shape, to: folder + "/targets.npy")
    }
  }

  /// Inputs and outputs of a model that was run step by step, each step a row.
  static func write(_ steps: [(input: Tensor, output: Tensor)], to folder: String) throws {
    for (name, tensors) in [
      ("step-inputs", steps.map { $0.input }), ("step-outputs", steps.map { $0.output }),
    ] {
      guard let first = tensors.first else { continue }
      var bytes: [UInt8] = []
      for tensor in tensors { bytes += tensor.bytes }
      try bytes.withUnsafeBytes {
        try NPYFile.write(
          dtype: first.dtype, extents: [tensors.count] + first.extents, bytes: $0, to: folder + "/\(name).npy"
        )
      }
    }
  }

  private static func write<Element>(_ values: [Element], _ dtype: DType, _ extents: [Int], to path: String)
    throws
  {
    try values.withUnsafeBytes { try NPYFile.write(dtype: dtype, extents: extents, bytes: $0, to: path) }
  }
}
