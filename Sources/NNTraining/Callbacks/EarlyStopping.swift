import NNGraph

/// Stops when a number has not improved for some epochs, and brings back the parameters of the best epoch; if the optimiser
/// averages them, their averages too, with the number of steps that these are of.
public final class EarlyStopping: Callback {
  /// What is watched.
  public enum Quantity: Equatable, Sendable {
    /// The loss, of the validation data if there is any; smaller is better.
    case loss
    /// A metric, of the validation data if there is any; larger is better.
    case metric(String)
  }

  public let quantity: Quantity
  /// Epochs without improvement after which training stops.
  public let patience: Int
  /// The least change that counts as an improvement.
  public let minimumDelta: Double
  public let restoresBestWeights: Bool
  /// The epoch of the best value so far, from 0, with that value.
  public private(set) var best: (epoch: Int, value: Double)?
  private var bestValues: [UInt8] = []
  /// Epochs since the best one.
  public private(set) var epochsWithout = 0
  /// Whether it has ended the training.
  public var hasStopped: Bool { epochsWithout >= patience }

  public init(
    _ quantity: Quantity = .loss, patience: Int = 5, minimumDelta: Double = 0,
    restoresBestWeights: Bool = true
  ) {
    self.quantity = quantity
    self.patience = patience
    self.minimumDelta = minimumDelta
    self.restoresBestWeights = restoresBestWeights
  }

  public func epochEnded(_ report: EpochReport, _ trainer: Trainer) throws(NNError) {
    let evaluation = report.validation ?? report.training
    let value: Double
    let improves: Bool
    switch quantity {
    case .loss:
      value = evaluation.loss
      improves = best.map { value < $0.value - minimumDelta } ?? !value.isNaN
    case .metric(let name):
      guard let metric = evaluation[name] else {
        throw NNError(
          .invalidArgument, "early stopping watches \"\(name)\", which is no metric of the trainer")
      }
      value = metric
      improves = best.map { value > $0.value + minimumDelta } ?? !value.isNaN
    }
    if improves {
      best = (report.epoch, value)
      epochsWithout = 0
      if restoresBestWeights { bestValues = trainer.weightBytes() }
    } else {
      epochsWithout += 1
      if hasStopped { trainer.stop() }
    }
  }

  public func trainingEnded(_ trainer: Trainer) throws(NNError) {
    if restoresBestWeights, best != nil { try trainer.setWeightBytes(bestValues) }
  }

  public func save() -> [UInt8] {
    var writer = CheckpointWriter()
    writer.write(best != nil ? 1 : 0)
    writer.write(best?.epoch ?? 0)
    writer.write(best?.value ?? 0)
    writer.write(epochsWithout)
    writer.write(bestValues)
    return writer.bytes
  }

  public func restore(_ bytes: [UInt8], _ trainer: Trainer) throws(NNError) {
    var reader = CheckpointReader(bytes)
    let hasBest = try reader.integer() != 0
    let epoch = try reader.count()
    let value = try reader.double()
    epochsWithout = try reader.count()
    bestValues = try reader.byteArray()
    try reader.end()
    best = hasBest ? (epoch, value) : nil
    // The training that wrote the checkpoint had ended.
    if hasStopped { trainer.stop() }
  }
}
