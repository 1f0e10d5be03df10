import NNGraph

/// A loss and metrics, as means over samples.
public struct Evaluation: Equatable, Sendable {
  public var loss: Double
  /// In the order in which the trainer's metrics were given.
  public var metrics: [(name: String, value: Double)]

  public init(loss: Double, metrics: [(name: String, value: Double)]) {
    self.loss = loss
    self.metrics = metrics
  }

  public static func == (a: Evaluation, b: Evaluation) -> Bool {
    a.loss == b.loss && a.metrics.elementsEqual(b.metrics) { $0.name == $1.name && $0.value == $1.value }
  }

  /// The value of the metric called `name`.
  public subscript(name: String) -> Double? {
    metrics.first { $0.name == name }?.value
  }
}

/// Where a training stands after a batch.
public struct BatchProgress: Sendable {
  /// From 0.
  public var epoch: Int
  public var epochs: Int
  /// Batches done in this epoch, and in an epoch altogether.
  public var batch: Int
  public var batches: Int
  /// Samples done in this epoch.
  public var samples: Int
  /// The batch's own loss.
  public var batchLoss: Double
  /// Means over the epoch so far, of predictions made while training.
  public var running: Evaluation
  /// Samples per second over the epoch so far.
  public var samplesPerSecond: Double
  public var learningRate: Double
}

/// What an epoch came to.
public struct EpochReport: Sendable {
  /// From 0.
  public var epoch: Int
  public var epochs: Int
  /// Means over the epoch, of predictions made while training: with dropout, and with parameters that were changing.
  public var training: Evaluation
  /// The validation data evaluated after the epoch, as ``Trainer/evaluate(_:batchSize:)`` does.
  public var validation: Evaluation?
  public var seconds: Double
  public var samplesPerSecond: Double

  public init(
    epoch: Int, epochs: Int, training: Evaluation, validation: Evaluation?, seconds: Double,
    samplesPerSecond: Double
  ) {
    self.epoch = epoch
    self.epochs = epochs
    self.training = training
    self.validation = validation
    self.seconds = seconds
    self.samplesPerSecond = samplesPerSecond
  }
}

/// What a call of ``Trainer/fit`` is about to do, and where it begins.
public struct TrainingPlan: Sendable {
  /// The epoch and the batch to begin with, both from 0: not the first if the training was resumed.
  public var epoch: Int
  public var batch: Int
  public var epochs: Int
  /// Batches of an epoch.
  public var batches: Int
  /// Samples of an epoch.
  public var samples: Int
}

/// Sees a training go by, and may stop it with ``Trainer/stop()``.
///
/// Logs, schedules, progress bars and the like are callbacks. One that keeps state which changes the course of training
/// gives it to checkpoints.
public protocol Callback: AnyObject {
  /// What of it changes the course of training and must be the same in one that is resumed, in words; empty for nothing.
  var settings: String { get }
  /// Before the first step, after a checkpoint was restored.
  func trainingBegan(_ plan: TrainingPlan, _ trainer: Trainer) throws(NNError)
  func batchEnded(_ progress: BatchProgress, _ trainer: Trainer) throws(NNError)
  func epochEnded(_ report: EpochReport, _ trainer: Trainer) throws(NNError)
  /// After the last epoch, or after a stop.
  func trainingEnded(_ trainer: Trainer) throws(NNError)
  /// What a checkpoint keeps of this callback.
  func save() -> [UInt8]
  /// Goes on from what ``save()`` gave.
  func restore(_ bytes: [UInt8], _ trainer: Trainer) throws(NNError)
}

extension Callback {
  public var settings: String { "" }
  public func trainingBegan(_ plan: TrainingPlan, _ trainer: Trainer) throws(NNError) {}
  public func batchEnded(_ progress: BatchProgress, _ trainer: Trainer) throws(NNError) {}
  public func epochEnded(_ report: EpochReport, _ trainer: Trainer) throws(NNError) {}
  public func trainingEnded(_ trainer: Trainer) throws(NNError) {}
  public func save() -> [UInt8] { [] }
  public func restore(_ bytes: [UInt8], _ trainer: Trainer) throws(NNError) {}
}
