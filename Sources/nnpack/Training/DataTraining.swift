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
    if !model.showModel {
      // What cannot be written is better said before the training than after it.
      try ModelOutput.requireFolder(of: path)
      if let report = output.report { try ModelOutput.requireFolder(of: report) }
      if let folder = output.heldOut { try WholeFile.makeFolder(folder) }
    }
    let task = try LearningTask(data)
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
    // The averages are in place of the weights while the file is made and the held-out samples are told.
    let end = { (trainer: Trainer) throws(NNError) -> Ending in try Ending(setup, trainer, name: path) }
    let ending =
      optimization.average == nil || trainer.step == 0
      ? try end(trainer) : try trainer.withAveragedParameters(end)
    try ModelOutput.write(ending.file, to: path)
    if let folder = output.heldOut, let held = setup.prepared.held {
      try HeldOutSamples.write(held, to: folder)
    }
    print(ending.results.text)
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

  /// What came of a training.
  private struct Ending {
    let file: ModelFile
    let results: HeldOutResults

    init(_ setup: TrainingSetup, _ trainer: Trainer, name: String) throws(NNError) {
      let trained = TrainedModel(
        Sequential([setup.model] + (setup.prepared.scale.map { [$0.layer] } ?? [])),
        parameters: trainer.store, sampleShape: trainer.sampleShape, options: trainer.options)
      file = try trained.file(
        head: setup.lossName.head, metadata: setup.metadata(name: name),
        testedOn: setup.prepared.held ?? setup.prepared.training)
      if let report = setup.report, let path = setup.options.output.report {
        let held = try setup.prepared.held.map { (data) throws(NNError) in
          try setup.prepared.encoded(data, signs: setup.lossName.signs)
        }
        try report.write(
          to: path, trainer: trainer, held: held,
          classNames: setup.lossName.signs == nil ? setup.task.classNames : [])
      }
      results = try HeldOutResults(
        setup.task, setup.prepared.held, signs: setup.lossName.signs != nil, predicting: trained)
    }
  }
}
