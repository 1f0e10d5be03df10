import ArgumentParser
import Examples
import Files
import NNDescription
import NNFormat
import NNGraph
import NNTraining

/// Training on data without a line of code: what the options do not say follows from the data.
struct DataTraining {
  let data: DataOptions
  let model: ModelOptions
  let optimization: OptimizationOptions
  let output: OutputOptions

  func run() throws {
    let path = output.output ?? "model.nnrt"
    if !model.showModel { try output.prepare(filesRead, model: path) }
    let task = try LearningTask(data, seed: optimization.seed ?? 1)
    for note in task.notes { StandardError.write("nnpack: warning: \(note)\n") }
    let description = try model.description(sampleShape: task.samples.sampleShape)
    if model.showModel { return print(description.json.text, terminator: "") }
    let setup = try TrainingSetup(self, task, description)
    let trainer = try setup.trainer()
    if let file = model.initFrom { try initialize(trainer, from: file) }
    print(setup.summary(trainer))
    try trainer.fit(
      setup.training, epochs: setup.epochs, batchSize: setup.batchSize,
      accumulating: optimization.accumulate ?? 1, augmentation: setup.augmentation,
      validation: setup.validation, callbacks: setup.callbacks,
      checkpoint: output.checkpointing)
    if let text = setup.earlyStopping?.outcomeText { print(text) }
    // The averages are in place of the weights while the file is made and the held-out samples are told.
    let end = { (trainer: Trainer) throws(NNError) in try finish(setup, trainer, path) }
    if optimization.average == nil || trainer.step == 0 {
      try end(trainer)
    } else {
      try trainer.withAveragedParameters(end)
    }
  }

  /// What is read, which nothing may be written over.
  private var filesRead: FileRoles {
    var files = FileRoles()
    for path in [data.source, data.images, data.labels].compactMap({ $0 }) {
      files.reads(path, as: "the data")
    }
    if let file = model.file { files.reads(file, as: "--model") }
    if let file = model.initFrom { files.reads(file, as: "--init-from") }
    return files
  }

  /// Takes over the weights of a file.
  private func initialize(_ trainer: Trainer, from path: String) throws {
    let report = try trainer.store.load(
      NamedWeights.read(path: path), layout: model.pytorch ? .pyTorch : .own)
    print("\(path): \(report.description)")
    guard !report.matched.isEmpty else {
      throw NNError(.invalidArgument, "\(path): no weight has the name and shape of one of the network's")
    }
  }

  /// Writes what came of a training: the model first, which nothing after it can take away again.
  private func finish(_ setup: TrainingSetup, _ trainer: Trainer, _ path: String) throws(NNError) {
    let trained = TrainedModel(
      Sequential([setup.model] + (setup.prepared.scale.map { [$0.layer] } ?? [])),
      parameters: trainer.store, sampleShape: trainer.sampleShape, options: trainer.options)
    let prepared = setup.prepared
    let file = try trained.file(
      head: setup.lossName.head, metadata: setup.metadata(name: path.fileStem),
      testedOn: prepared.held ?? prepared.training)
    try ModelOutput.write(file, to: path)
    let isBinary = setup.lossName.signs != nil
    let results = try HeldOutResults(setup.task, prepared.held, signs: isBinary, predicting: trained)
    print(results.text)
    if let folder = output.heldOut, let held = prepared.held {
      try HeldOutSamples.write(held, to: folder)
    }
    if let report = setup.report, let path = output.report {
      let held = try prepared.held.map { (data) throws(NNError) in
        try prepared.encoded(data, signs: setup.lossName.signs)
      }
      try report.write(
        to: path, trainer: trainer, held: held, classNames: isBinary ? [] : setup.task.classNames)
    }
  }
}

extension EarlyStopping {
  /// What it did, for people; nil if the last epoch was the best.
  var outcomeText: String? {
    guard let best, epochsWithout > 0 else { return nil }
    let last = best.epoch + epochsWithout + 1
    let kept = "the weights are those of epoch \(best.epoch + 1), the best"
    return hasStopped ? "stopped after epoch \(last), \(epochsWithout) without improvement; \(kept)" : kept
  }
}
