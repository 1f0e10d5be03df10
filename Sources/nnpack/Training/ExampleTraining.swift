import Examples
import Files
import NNGraph
import NNTraining

/// Trains an example and writes what comes of it.
struct ExampleTraining {
  let options: ExampleOptions
  let optimization: OptimizationOptions
  let output: OutputOptions

  func run(_ example: Example) throws {
    print("\(example.name): \(example.summary)")
    let path = output.output ?? example.name + ".nnrt"
    try output.prepare(FileRoles(), model: path)
    if let folder = options.pictures { try WholeFile.makeFolder(folder) }
    let run = ExampleRun(
      settings: settings(of: example), isQuick: options.quick, dataFolder: options.data ?? "build/data",
      artifactFolder: options.pictures, reportPath: output.report, callbacks: output.logs,
      checkpoint: output.checkpointing
    ) { print($0) }
    let result = try example.train(run)
    for export in result.exports {
      try ModelOutput.write(export.file, to: export.name.isEmpty ? path : path.withSuffix("-" + export.name))
      if let folder = output.heldOut, !export.steps.isEmpty {
        try HeldOutSamples.write(export.steps, to: folder)
      }
    }
    if let folder = output.heldOut, let held = result.held { try HeldOutSamples.write(held, to: folder) }
    print(
      "result: \(example.name) \(result.metric)=\(result.value.fixed(4)) mark=\(result.mark.value.significant(4))"
        + (result.mark.isReached(by: result.value) ? "" : " (not reached)"))
    if let error = run.reportFailure.error { throw error }
  }

  private func settings(of example: Example) -> Example.Settings {
    var settings = example.settings
    if options.quick { settings.epochs = example.quickEpochs }
    if let epochs = optimization.epochs { settings.epochs = epochs }
    if let batchSize = optimization.batchSize { settings.batchSize = batchSize }
    if let learningRate = optimization.learningRate { settings.learningRate = learningRate }
    if let seed = optimization.seed { settings.seed = seed }
    return settings
  }
}

extension String {
  /// The path with `suffix` in front of its extension: `digits-sampler.nnrt`.
  fileprivate func withSuffix(_ suffix: String) -> String {
    let ending = ".nnrt"
    return hasSuffix(ending) ? String(dropLast(ending.count)) + suffix + ending : self + suffix
  }
}
