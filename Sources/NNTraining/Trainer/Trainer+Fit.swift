import NNGraph

/// When and where a training saves everything it needs to go on.
public struct Checkpointing: Sendable {
  public let path: String
  /// Saves after every so many batches as well as after every epoch; 0 for epochs alone.
  public let everyBatches: Int
  /// Whether a training goes on from the file if there is one. Otherwise it starts anew and replaces it.
  public let resumes: Bool

  public init(path: String, everyBatches: Int = 0, resumes: Bool = true) {
    self.path = path
    self.everyBatches = everyBatches
    self.resumes = resumes
  }

  func isDue(_ batch: Int) -> Bool { everyBatches > 0 && batch % everyBatches == 0 }
}

/// Where a training stands: what a checkpoint keeps besides tensors.
struct FitPosition: Equatable {
  var epoch = 0
  /// Batches done in the epoch.
  var batch = 0
  var samples = 0
  /// Sums over the samples of the epoch so far: of the loss, then of each metric.
  var sums: [Double]
}

extension Trainer {
  /// Trains for some epochs, each over all samples once unless `sampling` says otherwise, in an order drawn from the seed.
  ///
  /// - Parameters:
  ///   - batchSize: samples of one step; the last batch of an epoch may have fewer.
  ///   - accumulating: how many batches make one update, by the mean of their gradients over all their samples: the result is
  ///     that of a batch so many times as large, in the memory of a small one, where the loss is a mean over samples and no
  ///     layer looks at the batch, as batch normalisation does. What is left at the end of an epoch makes an update too.
  ///     ``Trainer/step`` counts updates, schedules count batches.
  ///   - dropsLastBatch: leaves that smaller batch out.
  ///   - augmentation: random changes of the samples, new in every epoch and prepared on threads of their own.
  ///   - sampling: which samples an epoch goes through.
  ///   - validation: evaluated after every epoch, as it is.
  ///   - checkpoint: where to save, and to go on from. A training that was killed and resumed ends in the same bits.
  /// - Returns: the reports of the epochs done by this call.
  /// - Throws: ``ErrorCode/shapeMismatch`` and the like for data that do not fit; ``ErrorCode/invalidState`` when the loss is
  ///   not finite, naming the first tensor that is not, and its batch (the parameters are then those before that batch).
  @discardableResult
  public func fit(
    _ data: Dataset, epochs: Int, batchSize: Int = 32, accumulating: Int = 1, dropsLastBatch: Bool = false,
    augmentation: [any Augmentation] = [], sampling: Sampling = .shuffled,
    validation: Dataset? = nil, callbacks: [any Callback] = [], checkpoint: Checkpointing? = nil
  ) throws(NNError) -> [EpochReport] {
    try require(data)
    if let validation { try require(validation) }
    guard batchSize >= 1, accumulating >= 1, epochs >= 0, data.count >= 1 else {
      throw NNError(
        .invalidArgument,
        "\(epochs) epochs of \(data.count) samples in batches of \(batchSize), \(accumulating) to an update")
    }
    var settings = FitSettings(
      data: data, epochs: epochs, batchSize: batchSize, dropsLastBatch: dropsLastBatch,
      validation: validation,
      callbacks: callbacks, checkpoint: checkpoint, augmentation: augmentation,
      sampling: try EpochSampling(sampling, data))
    guard settings.batches >= 1 else {
      throw NNError(.invalidArgument, "\(settings.samples) samples do not fill one batch of \(batchSize)")
    }
    guard !epochs.multipliedReportingOverflow(by: settings.batches).overflow else {
      throw NNError(.limitExceeded, "\(epochs) epochs of \(settings.batches) batches")
    }
    settings.accumulating = min(accumulating, settings.batches)
    beginTraining()
    var position = FitPosition(sums: [Double](repeating: 0, count: 1 + recipe.metrics.count))
    // All plans and slots exist before anything is restored into them.
    for kind in settings.stepKinds { _ = try trainingStep(batch: kind.size, kind.accumulation, settings) }
    emptyAccumulators()
    if checkpoint != nil { settings.fingerprint = try fingerprint(settings) }
    let augmented = try augmentedBatches(settings)
    if let checkpoint, checkpoint.resumes, let saved = try readCheckpoint(checkpoint.path) {
      try restore(saved, settings, &position)
    }
    let plan = TrainingPlan(
      epoch: position.epoch, batch: position.batch, epochs: epochs, batches: settings.batches,
      samples: settings.samples)
    for callback in callbacks { try callback.trainingBegan(plan, self) }
    var prefetcher: BatchPrefetcher?
    if let augmented, position.epoch < epochs {
      prefetcher = try BatchPrefetcher(
        augmented, from: position, epochs: epochs, threads: options.dataThreads)
    }
    defer { prefetcher?.stop() }
    var reports: [EpochReport] = []
    while position.epoch < epochs, !isStopped {
      if let report = try runEpoch(settings, prefetcher, &position) { reports.append(report) }
    }
    for callback in callbacks { try callback.trainingEnded(self) }
    return reports
  }

  /// The rest of the epoch at `position`; nil if it was stopped on the way.
  private func runEpoch(
    _ settings: FitSettings, _ prefetcher: BatchPrefetcher?, _ position: inout FitPosition
  ) throws(NNError) -> EpochReport? {
    let order = settings.order(epoch: position.epoch, seed: seed)
    var begin = Recovery(self, position)
    let clock = ContinuousClock()
    let start = clock.now
    let samplesBefore = position.samples
    func samplesPerSecond() -> Double {
      let seconds = (clock.now - start).inSeconds
      return seconds > 0 ? Double(position.samples - samplesBefore) / seconds : 0
    }
    while position.batch < settings.batches {
      let rows = settings.rows(order, batch: position.batch)
      let place = settings.place(of: position.batch, samples: rows.count)
      begin.learningRates.append(learningRate)
      let step: TrainingStep
      if let prefetcher {
        step = try runStep(prefetcher, count: rows.count, place)
      } else {
        step = try runStep(settings.data, rows, place)
      }
      let loss = step.loss
      guard loss.isFinite else { throw try diagnose(loss, settings, order, begin, position) }
      position.sums[0] += Double(loss) * Double(rows.count)
      for index in recipe.metrics.indices {
        position.sums[1 + index] += Double(step.metricSum(index))
      }
      position.batch += 1
      position.samples += rows.count
      if !settings.callbacks.isEmpty {
        let progress = BatchProgress(
          epoch: position.epoch, epochs: settings.epochs, batch: position.batch, batches: settings.batches,
          samples: position.samples, batchLoss: Double(loss),
          running: evaluation(sums: position.sums, samples: position.samples),
          samplesPerSecond: samplesPerSecond(), learningRate: learningRate)
        for callback in settings.callbacks { try callback.batchEnded(progress, self) }
      }
      if let checkpoint = settings.checkpoint, checkpoint.isDue(position.batch) || isStopped {
        try writeCheckpoint(checkpoint.path, settings, position)
      }
      if isStopped { return nil }
    }
    let report = EpochReport(
      epoch: position.epoch, epochs: settings.epochs,
      training: evaluation(sums: position.sums, samples: position.samples),
      validation: try validate(settings), seconds: (clock.now - start).inSeconds,
      samplesPerSecond: samplesPerSecond())
    position = FitPosition(
      epoch: position.epoch + 1, sums: [Double](repeating: 0, count: position.sums.count))
    for callback in settings.callbacks { try callback.epochEnded(report, self) }
    if let checkpoint = settings.checkpoint { try writeCheckpoint(checkpoint.path, settings, position) }
    return report
  }

  /// The batches of a training whose samples are augmented; nil if they are not.
  private func augmentedBatches(_ settings: FitSettings) throws(NNError) -> AugmentedBatches? {
    guard !settings.augmentation.isEmpty else { return nil }
    var classes: Int?
    if settings.mixesTargets {
      switch settings.data.targets {
      case .values: break
      case .classes: classes = outputShape.last
      case .positions:
        throw NNError(.invalidArgument, "targets with a class at each position cannot be mixed")
      }
    }
    return try AugmentedBatches(settings, mixedClasses: classes, seed: seed)
  }

  private func validate(_ settings: FitSettings) throws(NNError) -> Evaluation? {
    guard let validation = settings.validation else { return nil }
    return try evaluate(validation)
  }

  /// Repeats the epoch, with the learning rates that its steps had, up to the step whose loss is not finite, and looks at every
  /// tensor of that step and the one before.
  private func diagnose(
    _ loss: Float, _ settings: FitSettings, _ order: [Int], _ begin: Recovery, _ position: FitPosition
  ) throws(NNError) -> NNError {
    let message =
      "the loss is \(loss) in epoch \(position.epoch + 1), batch \(position.batch + 1) of \(settings.batches)"
    try begin.restore(self)
    let augmented = try augmentedBatches(settings)
    let prepared = try augmented?.makeBatch()
    for batch in begin.position.batch...position.batch {
      let rows = settings.rows(order, batch: batch)
      let place = settings.place(of: batch, samples: rows.count)
      let training = try trainingStep(batch: rows.count, place.accumulation, settings)
      learningRate = begin.learningRates[batch - begin.position.batch]
      if let augmented, let prepared {
        try augmented.prepare(order, epoch: position.epoch, batch: batch, into: prepared)
        training.load(prepared, step: step + 1, seed: seed, learningRate: learningRate)
      } else {
        training.load(settings.data, rows, step: step + 1, seed: seed, learningRate: learningRate)
      }
      training.set(place, updates: step, seed: seed)
      // The update before the bad loss may have gone wrong already: that names the cause, not the consequence.
      if batch >= position.batch - 1, let culprit = try training.plan.firstNonFinite() {
        return NNError(
          .invalidState,
          message + "; the first tensor that is not finite is \(culprit), in batch \(batch + 1)")
      }
      if batch < position.batch { try run(training) }
    }
    return NNError(.invalidState, Message(text: message))
  }
}

/// What one call of ``Trainer/fit`` was asked for.
struct FitSettings {
  let data: Dataset
  let epochs: Int
  let batchSize: Int
  var accumulating = 1
  let dropsLastBatch: Bool
  let validation: Dataset?
  let callbacks: [any Callback]
  let checkpoint: Checkpointing?
  var augmentation: [any Augmentation] = []
  let sampling: EpochSampling
  /// Known once if there is a checkpoint.
  var fingerprint: TrainingFingerprint?

  var mixesTargets: Bool { augmentation.contains { $0.mixesTargets } }

  /// Samples of one epoch.
  var samples: Int { sampling.count }

  /// Batches of one epoch.
  var batches: Int {
    dropsLastBatch ? samples / batchSize : (samples - 1) / batchSize + 1
  }

  /// Samples of the epoch's batches before one.
  func samplesBefore(batch: Int) -> Int {
    let (count, overflow) = batch.multipliedReportingOverflow(by: batchSize)
    return overflow ? samples : min(count, samples)
  }

  func order(epoch: Int, seed: UInt64) -> [Int] { sampling.order(epoch: epoch, seed: seed) }

  func rows(_ order: [Int], batch: Int) -> ArraySlice<Int> {
    order[batch * batchSize..<min((batch + 1) * batchSize, order.count)]
  }
}

/// A copy of everything a step changes, to repeat steps from.
struct Recovery {
  let position: FitPosition
  /// Of each step since, as callbacks set them.
  var learningRates: [Double] = []
  private let step: Int
  private let learningRate: Double
  private let tensors: [(parameter: Parameter, values: [Float])]

  init(_ trainer: Trainer, _ position: FitPosition) {
    self.position = position
    step = trainer.step
    learningRate = trainer.learningRate
    tensors = trainer.carried.map { ($0, Array($0.values)) }
  }

  func restore(_ trainer: Trainer) throws(NNError) {
    trainer.step = step
    trainer.learningRate = learningRate
    for (parameter, values) in tensors {
      for index in values.indices { parameter.values[index] = values[index] }
    }
  }
}

extension Duration {
  var inSeconds: Double {
    Double(components.seconds) + Double(components.attoseconds) * 1e-18
  }
}
