import ArgumentParser
import Examples
import NNFormat
import NNGraph
import NNTraining
import NumPyFiles

struct Train: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Trains a network and writes it as a .nnrt file.",
    discussion: """
      A fifth of the data is held out: training never sees it, and the accuracy on it ends the output. On a terminal a \
      bar shows loss, accuracy, samples per second and time left; otherwise there is a line per epoch. The same seed \
      gives the same file again.

      EXAMPLE:
        nnpack train --list
        nnpack train --example digits-mlp --output digits.nnrt
        nnpack train --example digits-cnn --checkpoint cnn.checkpoint --resume
      """)

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

  func validate() throws {
    if list { return }
    guard let example else { throw ValidationError("give --example NAME, or --list to see the names") }
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

  func run() throws {
    if list {
      var table = Table(["name", "about"], alignments: [.left, .left])
      for example in Example.all { table.append([example.name, example.summary]) }
      print(table.text)
      return
    }
    guard let example = example.flatMap({ Example.named($0) }) else { return }
    var settings = example.settings
    if let epochs { settings.epochs = epochs }
    if let batchSize { settings.batchSize = batchSize }
    if let learningRate { settings.learningRate = learningRate }
    if let seed { settings.seed = seed }
    try train(example, settings)
  }

  private func train(_ example: Example, _ settings: Example.Settings) throws {
    let (training, held) = try example.data(settings)
    let trainer = try example.trainer(settings)
    print("\(example.name): \(example.summary)")
    print(
      "\(training.count.grouped) samples to train on, \(held.count.grouped) held out, "
        + "\(trainer.trainableParameterCount.grouped) parameters, seed \(settings.seed)")
    // What cannot be written is better said before the training than after it.
    let path = output ?? example.name + ".nnrt"
    try requireFolder(of: path)
    if let heldOut { try HeldOutSamples.write(held, to: heldOut) }
    let start = ContinuousClock.now
    let progress = ProgressCallback(samplesPerEpoch: training.count)
    try trainer.fit(
      training, epochs: settings.epochs, batchSize: settings.batchSize, callbacks: [progress],
      checkpoint: checkpoint.map { Checkpointing(path: $0, resumes: resume) })
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    try example.file(trainer, held: held).write(to: path)
    let result = try trainer.evaluate(held)
    print("trained in \(seconds.fixed(1)) s")
    var line = "held-out loss \(result.loss.fixed(4))"
    for (name, value) in result.metrics { line += ", held-out \(name) \(value.fixed(4))" }
    print(line)
    let size = try WholeFile.read(path) { (bytes) throws(NNError) in bytes.count }
    let weights = trainer.parameters.reduce(0) { $0 + $1.values.count } * 4
    print(
      "\(path): \(size.grouped) bytes, \((Double(size) / Double(weights)).fixed(3)) of "
        + "\(weights.grouped) bytes of float32 weights")
    if let value = result[example.mark.metric] {
      print("result: \(example.name) \(example.mark.metric)=\(value.fixed(4)) mark=\(example.mark.least)")
    }
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
  private let samplesPerEpoch: Int

  init(samplesPerEpoch: Int) {
    self.samplesPerEpoch = samplesPerEpoch
  }

  func batchEnded(_ progress: BatchProgress, _ trainer: Trainer) throws(NNError) {
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
  }

  func trainingEnded(_ trainer: Trainer) throws(NNError) { printer.ended() }
}

/// Held-out samples as files that any program can read.
private enum HeldOutSamples {
  static func write(_ data: Dataset, to folder: String) throws {
    try WholeFile.makeFolder(folder)
    try data.features.withUnsafeBytes {
      try NPYFile.write(
        dtype: .f32, extents: [data.count] + data.sampleShape, bytes: $0, to: folder + "/inputs.npy")
    }
    guard case .classes(let classes) = data.targets else { return }
    try classes.map { Int64($0) }.withUnsafeBytes {
      try NPYFile.write(dtype: .i64, extents: [data.count], bytes: $0, to: folder + "/labels.npy")
    }
  }
}
