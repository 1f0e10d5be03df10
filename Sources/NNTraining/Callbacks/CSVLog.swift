import Files
import Glibc
import NNGraph

/// Writes a row for each epoch to a CSV file: epoch, seconds, learning rate, loss and metrics of training, then of validation.
///
/// A new training begins the file anew. A resumed one keeps the rows of the epochs before, and drops those of epochs that the
/// checkpoint does not know of.
public final class CSVLog: Callback {
  public let path: String
  private var rows: [String] = []
  /// Whether the rows are of the training to come, taken from its checkpoint.
  private var areRestored = false

  public init(_ path: String) {
    self.path = path
  }

  public func trainingBegan(_ plan: TrainingPlan, _ trainer: Trainer) throws(NNError) {
    if !areRestored { rows = [] }
    areRestored = false
  }

  public func epochEnded(_ report: EpochReport, _ trainer: Trainer) throws(NNError) {
    if rows.isEmpty { rows.append(CSVLog.header(report)) }
    var fields = ["\(report.epoch + 1)", "\(report.seconds)", "\(trainer.learningRate)"]
    for evaluation in [report.training, report.validation].compactMap({ $0 }) {
      fields.append("\(evaluation.loss)")
      fields += evaluation.metrics.map { "\($0.value)" }
    }
    rows.append(fields.joined(separator: ","))
    // In one piece: who reads the file while training goes on never sees half a row.
    try WholeFile.write(Array((rows.joined(separator: "\n") + "\n").utf8), to: path)
  }

  private static func header(_ report: EpochReport) -> String {
    var names = ["epoch", "seconds", "learning_rate"]
    names += ["loss"] + report.training.metrics.map { $0.name }
    if let validation = report.validation {
      names += ["validation_loss"] + validation.metrics.map { "validation_" + $0.name }
    }
    return names.joined(separator: ",")
  }

  public func save() -> [UInt8] { Array(rows.joined(separator: "\n").utf8) }

  public func restore(_ bytes: [UInt8], _ trainer: Trainer) throws(NNError) {
    rows = String(decoding: bytes, as: UTF8.self).split(separator: "\n").map { String($0) }
    areRestored = true
  }
}
