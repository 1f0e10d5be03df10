import Files
import NNGraph

/// Gathers how a training goes, and writes one HTML page about it and the model: settings, layers, curves, how good the
/// model is and where it errs, what it looks at, and how its last hidden layer arranges the samples.
///
/// ```swift
/// let report = try TrainingReport(title: "Digits", of: training)
/// try trainer.fit(training, epochs: 20, validation: held, callbacks: [report])
/// try report.write(to: "report.html", trainer: trainer, held: held, classNames: names)
/// ```
///
/// The page holds its drawings and pictures, loads nothing, needs no scripts, is XML as well as HTML, and reads in light and
/// dark and on paper. The curves of a resumed training begin with its first epoch.
public final class TrainingReport: Callback {
  /// What an epoch came to.
  struct Epoch: Equatable {
    var training: Evaluation
    var validation: Evaluation?
    var seconds: Double
  }

  /// The gradient's Euclidean norm over the parameters of a layer.
  struct GradientNorm: Equatable {
    /// From 0, over all calls of ``Trainer/fit``.
    var epoch: Int
    var layer: String
    var norm: Double
  }

  public let title: String
  /// Rows of the table of settings that the report cannot know: where the data are from, say.
  public var settings: [(name: String, value: String)]
  private(set) var epochs: [Epoch] = []
  /// Step lengths over the training, up to eight an epoch; positions in epochs.
  private(set) var learningRates: [(position: Double, rate: Double)] = []
  private(set) var gradientNorms: [GradientNorm] = []
  /// What the last ``Trainer/fit`` was asked for.
  private(set) var plan: TrainingPlan?
  private let gradientSamples: Dataset?

  /// - Parameters:
  ///   - title: the page's heading.
  ///   - gradientSamples: a batch or so of training samples. The norms of their loss's gradient are taken after each epoch,
  ///     which takes about a step each; nil for no curves of them.
  ///   - settings: rows for the table of settings, before the report's own.
  public init(
    title: String, gradientSamples: Dataset? = nil, settings: [(name: String, value: String)] = []
  ) {
    self.title = title
    self.gradientSamples = gradientSamples
    self.settings = settings
  }

  /// A report that watches the gradients of up to 64 of the samples that are trained on, evenly spaced.
  public convenience init(
    title: String, of training: Dataset, settings: [(name: String, value: String)] = []
  ) throws(NNError) {
    let step = max((training.count + 63) / 64, 1)
    let probed = try training.selecting(Array(stride(from: 0, to: training.count, by: step)))
    self.init(title: title, gradientSamples: probed, settings: settings)
  }

  public func trainingBegan(_ plan: TrainingPlan, _ trainer: Trainer) throws(NNError) { self.plan = plan }

  public func batchEnded(_ progress: BatchProgress, _ trainer: Trainer) throws(NNError) {
    let batches = max(progress.batches, 1)
    // The rate of the first batch, and of the last of each eighth of the epoch.
    guard progress.batch == 1 || progress.batch * 8 / batches > (progress.batch - 1) * 8 / batches else {
      return
    }
    learningRates.append(
      (Double(epochs.count) + Double(progress.batch) / Double(batches), progress.learningRate))
  }

  public func epochEnded(_ report: EpochReport, _ trainer: Trainer) throws(NNError) {
    if let gradientSamples, gradientSamples.count > 0 {
      let watch = GradientWatch(gradientSamples)
      try watch.epochEnded(report, trainer)
      for row in watch.rows {
        let layer = row.parameter.split(separator: ".").dropLast().joined(separator: ".")
        let name = layer.isEmpty ? row.parameter : layer
        let square = row.gradientNorm * row.gradientNorm
        // Parameters of a layer stand one after the other.
        if let last = gradientNorms.last, last.epoch == epochs.count, last.layer == name {
          gradientNorms[gradientNorms.count - 1].norm = (last.norm * last.norm + square).squareRoot()
        } else {
          gradientNorms.append(GradientNorm(epoch: epochs.count, layer: name, norm: row.gradientNorm))
        }
      }
    }
    epochs.append(
      Epoch(training: report.training, validation: report.validation, seconds: report.seconds))
  }

  /// Writes the page.
  ///
  /// - Parameters:
  ///   - held: samples that were not trained on, for the parts about how good the model is and what it looks at.
  ///   - classNames: of the classes, by index; the indices where there are none.
  ///   - imageShape: (C, H, W) or (H, W) if the samples are images and their shape does not say so.
  ///   - folder: where to write the page's pictures as PNG files too; made if it is not there.
  /// - Throws: ``ErrorCode/fileAccess``; ``ErrorCode/shapeMismatch`` for held-out samples that do not fit the model.
  public func write(
    to path: String, trainer: Trainer, held: Dataset? = nil, classNames: [String] = [],
    imageShape: [Int]? = nil, picturesTo folder: String? = nil
  ) throws(NNError) {
    let page = try page(trainer: trainer, held: held, classNames: classNames, imageShape: imageShape)
    if let folder {
      try WholeFile.makeFolder(folder)
      for picture in page.pictures {
        try WholeFile.write(picture.png, to: folder + "/" + picture.name + ".png")
      }
    }
    try WholeFile.write(Array(page.html.utf8), to: path)
  }

  /// The page that ``write(to:trainer:held:classNames:imageShape:picturesTo:)`` writes, as text.
  public func html(
    trainer: Trainer, held: Dataset? = nil, classNames: [String] = [], imageShape: [Int]? = nil
  ) throws(NNError) -> String {
    try page(trainer: trainer, held: held, classNames: classNames, imageShape: imageShape).html
  }

  private func page(
    trainer: Trainer, held: Dataset?, classNames: [String], imageShape: [Int]?
  ) throws(NNError) -> (html: String, pictures: [ReportPicture]) {
    let writer = try ReportWriter(
      self, trainer: trainer, held: held, classNames: classNames, imageShape: imageShape)
    return (writer.html(), writer.pictures)
  }
}

// What a checkpoint keeps
extension TrainingReport {
  private static var version: Int { 1 }

  public func save() -> [UInt8] {
    var writer = CheckpointWriter()
    func write(_ evaluation: Evaluation) {
      writer.write(evaluation.loss)
      writer.write(evaluation.metrics.count)
      for metric in evaluation.metrics {
        writer.write(Array(metric.name.utf8))
        writer.write(metric.value)
      }
    }
    writer.write(TrainingReport.version)
    writer.write(learningRates.count)
    for rate in learningRates {
      writer.write(rate.position)
      writer.write(rate.rate)
    }
    writer.write(gradientNorms.count)
    for norm in gradientNorms {
      writer.write(norm.epoch)
      writer.write(Array(norm.layer.utf8))
      writer.write(norm.norm)
    }
    writer.write(epochs.count)
    for epoch in epochs {
      write(epoch.training)
      writer.write(epoch.validation == nil ? 0 : 1)
      if let validation = epoch.validation { write(validation) }
      writer.write(epoch.seconds)
    }
    return writer.bytes
  }

  public func restore(_ bytes: [UInt8], _ trainer: Trainer) throws(NNError) {
    var reader = CheckpointReader(bytes)
    // Every element takes bytes, so that a count too large ends with an error when they do.
    func count() throws(NNError) -> Int {
      let count = try reader.integer()
      guard count >= 0 else { throw NNError(.corruptFile, "the checkpoint's report has \(count) entries") }
      return count
    }
    func evaluation() throws(NNError) -> Evaluation {
      let loss = try reader.double()
      var metrics: [(name: String, value: Double)] = []
      for _ in 0..<(try count()) { metrics.append((try reader.name().string, try reader.double())) }
      return Evaluation(loss: loss, metrics: metrics)
    }
    guard try reader.integer() == TrainingReport.version else {
      throw NNError(.unsupportedVersion, "the checkpoint's report is of another version")
    }
    var rates: [(position: Double, rate: Double)] = []
    for _ in 0..<(try count()) { rates.append((try reader.double(), try reader.double())) }
    var norms: [GradientNorm] = []
    for _ in 0..<(try count()) {
      norms.append(
        GradientNorm(
          epoch: try reader.integer(), layer: try reader.name().string, norm: try reader.double()))
    }
    var epochs: [Epoch] = []
    for _ in 0..<(try count()) {
      let training = try evaluation()
      let validation = try reader.integer() == 0 ? nil : try evaluation()
      epochs.append(Epoch(training: training, validation: validation, seconds: try reader.double()))
    }
    try reader.end()
    (learningRates, gradientNorms, self.epochs) = (rates, norms, epochs)
  }
}
