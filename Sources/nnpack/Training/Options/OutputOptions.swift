import ArgumentParser
import Examples
import Files
import NNGraph
import NNTraining

/// What a training writes and tells.
struct OutputOptions: ParsableArguments {
  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("The file to write: model.nnrt, or an example's name.", valueName: "file"))
  var output: String?

  @Option(
    help: ArgumentHelp("Save all of the training's state to this file after every epoch.", valueName: "file"))
  var checkpoint: String?

  @Option(
    parsing: .unconditional, help: ArgumentHelp("Save it after so many batches too.", valueName: "batches"))
  var checkpointEvery: Int?

  @Flag(help: "Go on from the checkpoint if there is one; the result has the same bits as without a break.")
  var resume = false

  @Option(
    help: ArgumentHelp(
      "Write the held-out samples to this folder: inputs.npy, and labels.npy or targets.npy.",
      valueName: "folder"))
  var heldOut: String?

  @Option(help: ArgumentHelp("Write a row for each epoch to this CSV file.", valueName: "file"))
  var csvLog: String?

  @Option(
    help: ArgumentHelp("Write each epoch's numbers to this folder for TensorBoard.", valueName: "folder"))
  var tensorboard: String?

  @Option(
    help: ArgumentHelp(
      "Write a page about the network and its training to this HTML file: layers, curves, results, what it looks at.",
      valueName: "file"))
  var report: String?

  @Option(
    help: ArgumentHelp(
      "What is told beside the loss: accuracy, top-K and cross-entropy for classes; squared-error and absolute-error for "
        + "numbers.",
      valueName: "name,…"))
  var metrics: [String] = []

  @Flag(help: "Say which gradients vanish or explode, after every epoch.") var gradientWatch = false

  /// What was given and examples do not take, as it is called.
  var givenForData: [String] {
    [
      ("--metrics", !metrics.isEmpty), ("--gradient-watch", gradientWatch),
    ].filter { $0.1 }.map { $0.0 }
  }

  /// What was asked for and an example does not give, as it is called.
  func notGiven(by example: Example) -> [String] {
    [
      (Example.Output.checkpoint, "--checkpoint", checkpoint != nil), (.log, "--csv-log", csvLog != nil),
      (.log, "--tensorboard", tensorboard != nil), (.report, "--report", report != nil),
      (.heldOut, "--held-out", heldOut != nil),
    ].filter { $0.2 && !example.outputs.contains($0.0) }.map { $0.1 }
  }

  func validate() throws {
    if resume && checkpoint == nil { throw ValidationError("--resume needs --checkpoint FILE") }
    if let checkpointEvery {
      if checkpoint == nil { throw ValidationError("--checkpoint-every needs --checkpoint FILE") }
      if checkpointEvery < 1 { throw ValidationError("--checkpoint-every takes a number of at least 1") }
    }
  }

  var checkpointing: Checkpointing? {
    checkpoint.map { Checkpointing(path: $0, everyBatches: checkpointEvery ?? 0, resumes: resume) }
  }

  /// Makes the folders that are asked for. Throws if a file could not be written, or would be written over what is read or over
  /// another one: better before the training than after it.
  ///
  /// - Parameters:
  ///   - files: what is read.
  ///   - model: where the model is written.
  func prepare(_ files: FileRoles, model: String) throws(NNError) {
    var files = files
    var outputs = [(path: model, role: "the model")]
    for (path, role) in [(checkpoint, "--checkpoint"), (csvLog, "--csv-log"), (report, "--report")] {
      if let path { outputs.append((path, role)) }
    }
    for output in outputs { try files.writes(output.path, as: output.role) }
    for name in heldOut == nil ? [] : HeldOutSamples.fileNames {
      try files.writes((heldOut ?? "") + "/" + name, as: "--held-out's \(name)")
    }
    for output in outputs { try ModelOutput.requireWritable(output.path, as: output.role) }
    for (folder, role) in [(heldOut, "--held-out"), (tensorboard, "--tensorboard")] {
      guard let folder else { continue }
      guard !folder.isEmpty else { throw NNError(.fileAccess, "\(role) has no name") }
      try WholeFile.makeFolder(folder)
      try WholeFile.requireWritable(folder + "/inputs.npy")
    }
  }

  /// What logs a training.
  var logs: [any Callback] {
    var callbacks: [any Callback] = [ProgressCallback()]
    if let csvLog { callbacks.append(CSVLog(csvLog)) }
    if let tensorboard { callbacks.append(TensorBoardLog(tensorboard)) }
    return callbacks
  }
}
