import NNFormat
import NNGraph
import NNTraining

extension Example {
  /// The samples to train on and those held out, which training never sees.
  public typealias Parts = (training: Dataset, held: Dataset)

  /// An example of one model trained on one data set with ``Trainer/fit``, judged by a metric on the held-out part.
  ///
  /// - Parameters:
  ///   - head: what goes in front of the exported file's output.
  ///   - metadata: what the exported file says about itself.
  ///   - metric: one of the trainer's metrics, or "loss".
  ///   - imageShape: (C, H, W) of samples that are images though their shape does not say so, for a report.
  public static func supervised(
    name: String, family: String, summary: String, settings: Settings, quickEpochs: Int = 1,
    head: OutputHead = .none, metadata: Metadata, metric: String, mark: ExampleResult.Mark,
    imageShape: [Int]? = nil,
    data: @escaping @Sendable (ExampleRun) throws(NNError) -> Parts,
    trainer make: @escaping @Sendable (Settings, Dataset) throws(NNError) -> Trainer
  ) -> Example {
    Example(name: name, family: family, summary: summary, settings: settings, quickEpochs: quickEpochs) {
      (run) throws(NNError) in
      let (training, held) = try data(run)
      let trainer = try make(run.settings, training)
      try trainer.fit(
        training, held: held, run, classNames: metadata.labels.map { $0.string }, imageShape: imageShape)
      let result = try trainer.evaluate(held)
      run.say(result.line(of: "held-out"))
      let value = metric == "loss" ? result.loss : result[metric]
      guard let value else { throw NNError(.invalidArgument, "the trainer has no metric \"\(metric)\"") }
      let file = try trainer.trained.file(head: head, metadata: metadata, testedOn: held)
      return ExampleResult(
        metric: metric, value: value, mark: mark, exports: [ExampleResult.Export(file: file)], held: held)
    }
  }
}

extension Trainer {
  /// Trains as a run asks for, and says what is trained on what, and how long it took. Writes the run's report, if it wants
  /// one; the held-out samples are then evaluated after every epoch too, which training never sees. If the report cannot be written,
  /// ``ExampleRun/reportFailure`` says so, and the model is not lost for it.
  ///
  /// - Parameters:
  ///   - classNames: what the report calls the classes.
  ///   - imageShape: (C, H, W) of samples that are images though their shape does not say so.
  public func fit(
    _ training: Dataset, held: Dataset, _ run: ExampleRun, augmentation: [any Augmentation] = [],
    classNames: [String] = [], imageShape: [Int]? = nil
  ) throws(NNError) {
    run.say(
      "\(training.count) samples to train on, \(held.count) held out, \(trainableParameterCount) parameters, "
        + "seed \(seed)")
    let start = ContinuousClock.now
    let report = try run.reportPath.map { (_) throws(NNError) in
      try TrainingReport(title: run.title, of: training)
    }
    try fit(
      training, epochs: run.settings.epochs, batchSize: run.settings.batchSize,
      augmentation: augmentation, validation: report == nil ? nil : held,
      callbacks: run.callbacks + [report].compactMap { $0 }, checkpoint: run.checkpoint)
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    run.say("trained in \((seconds * 10).rounded() / 10) s")
    if let report, let path = run.reportPath {
      do throws(NNError) {
        try report.write(
          to: path, trainer: self, held: held, classNames: classNames, imageShape: imageShape,
          picturesTo: run.artifactFolder)
        run.say("report: \(path)")
      } catch {
        run.reportFailure.error = error
      }
    }
  }
}

extension Evaluation {
  /// `held-out loss 0.0612, held-out accuracy 0.9861`
  func line(of part: String) -> String {
    ([("loss", loss)] + metrics).map { "\(part) \($0.0) \(($0.1 * 10000).rounded() / 10000)" }
      .joined(separator: ", ")
  }
}

extension TrainedModel {
  /// The model as a file, with the first samples of `held` as a self-test vector.
  public func file(
    head: OutputHead = .none, metadata: Metadata, testedOn held: Dataset, samples: Int = 4
  ) throws(NNError) -> ModelFile {
    let count = min(samples, held.count) * held.sampleSize
    return try file(
      head: head, metadata: metadata, selfTestInputs: Array(held.features.prefix(count)),
      selfTestTokens: Array(held.tokens.prefix(count)))
  }
}
