import NNGraph

/// Follows a schedule: sets the trainer's learning rate before every step.
///
/// A resumed training goes on where it was, since the rate follows from the step alone.
public final class Scheduled: Callback {
  public let schedule: any LearningRateSchedule
  public let settings: String
  private var initial: Double?

  /// - Parameter settings: what must be the same in a resumed training; the schedule with its numbers unless given.
  public init(_ schedule: any LearningRateSchedule, settings: String? = nil) {
    self.schedule = schedule
    self.settings = settings ?? "\(schedule)"
  }

  public func trainingBegan(_ plan: TrainingPlan, _ trainer: Trainer) throws(NNError) {
    let rate = initial ?? Double(trainer.recipe.optimizer.learningRate)
    initial = rate
    let step = plan.epoch * plan.batches + plan.batch
    trainer.learningRate =
      rate
      * schedule.factor(
        step: step, stepsPerEpoch: plan.batches, steps: plan.epochs * plan.batches)
  }

  public func batchEnded(_ progress: BatchProgress, _ trainer: Trainer) throws(NNError) {
    let rate = initial ?? Double(trainer.recipe.optimizer.learningRate)
    let step = progress.epoch * progress.batches + progress.batch
    trainer.learningRate =
      rate
      * schedule.factor(
        step: step, stepsPerEpoch: progress.batches, steps: progress.epochs * progress.batches)
  }
}

/// Multiplies the learning rate by `factor` when the loss (of the validation data if there is any) has not improved for
/// `patience` epochs.
public final class ReduceOnPlateau: Callback {
  public let factor: Double
  public let patience: Int
  /// The least relative improvement that counts, PyTorch's default being 10⁻⁴.
  public let threshold: Double
  public let minimum: Double
  /// All but the patience, which may follow from the number of epochs.
  public var settings: String { "plateau factor=\(factor) threshold=\(threshold) minimum=\(minimum)" }
  private var best = Double.infinity
  private var epochsWithout = 0

  public init(factor: Double = 0.1, patience: Int = 10, threshold: Double = 1e-4, minimum: Double = 0) {
    self.factor = factor
    self.patience = patience
    self.threshold = threshold
    self.minimum = minimum
  }

  public func epochEnded(_ report: EpochReport, _ trainer: Trainer) throws(NNError) {
    let loss = (report.validation ?? report.training).loss
    if loss < best * (1 - threshold) {
      best = loss
      epochsWithout = 0
    } else {
      epochsWithout += 1
    }
    if epochsWithout > patience {
      trainer.learningRate = max(trainer.learningRate * factor, minimum)
      epochsWithout = 0
    }
  }

  public func save() -> [UInt8] {
    var writer = CheckpointWriter()
    writer.write(best)
    writer.write(epochsWithout)
    return writer.bytes
  }

  public func restore(_ bytes: [UInt8], _ trainer: Trainer) throws(NNError) {
    var reader = CheckpointReader(bytes)
    best = try reader.double()
    epochsWithout = try reader.count()
    try reader.end()
  }
}
