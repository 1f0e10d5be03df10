import NNGraph
import NNTraining

/// Feeds the printer with what the trainer reports.
final class ProgressCallback: Callback {
  private let printer = ProgressPrinter()
  /// Of the epoch that is running: the last batch may be smaller than the others.
  private var samplesPerEpoch = 0

  func batchEnded(_ progress: BatchProgress, _ trainer: Trainer) throws(NNError) {
    samplesPerEpoch = max(samplesPerEpoch, progress.samples * progress.batches / max(progress.batch, 1))
    printer.batchEnded(
      Progress(
        epoch: progress.epoch + 1, epochs: progress.epochs, samples: progress.samples,
        samplesPerEpoch: samplesPerEpoch, loss: progress.running.loss, accuracy: progress.running["accuracy"],
        samplesPerSecond: progress.samplesPerSecond))
  }

  func epochEnded(_ report: EpochReport, _ trainer: Trainer) throws(NNError) {
    printer.epochEnded(
      Progress(
        epoch: report.epoch + 1, epochs: report.epochs, samples: samplesPerEpoch,
        samplesPerEpoch: samplesPerEpoch,
        loss: report.training.loss, accuracy: report.training["accuracy"],
        samplesPerSecond: report.samplesPerSecond),
      validation: report.validation.map { validation in
        ([("loss", validation.loss)] + validation.metrics).map { ("validation " + $0.0, $0.1) }
      } ?? [])
    samplesPerEpoch = 0
  }

  func trainingEnded(_ trainer: Trainer) throws(NNError) { printer.ended() }
}
