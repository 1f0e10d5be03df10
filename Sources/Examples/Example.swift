import NNFormat
import NNGraph
import NNTraining

/// A network trained on real data, from the data to the exported file.
///
/// Each example is a page of code in a folder of its own; ``Example/all`` lists them.
public struct Example: Sendable {
  /// What a run may change.
  public struct Settings: Sendable {
    public var epochs: Int
    public var batchSize: Int
    public var learningRate: Float
    /// What data are split by and everything random is drawn from.
    public var seed: UInt64

    public init(epochs: Int, batchSize: Int, learningRate: Float, seed: UInt64) {
      self.epochs = epochs
      self.batchSize = batchSize
      self.learningRate = learningRate
      self.seed = seed
    }
  }

  /// The name it is called by on the command line.
  public let name: String
  /// One line about model and data.
  public let summary: String
  public let settings: Settings
  /// What goes in front of the exported file's outputs.
  public let head: OutputHead
  /// The samples to train on and those held out, which training never sees.
  public let data: @Sendable (Settings) throws(NNError) -> (training: Dataset, held: Dataset)
  public let trainer: @Sendable (Settings) throws(NNError) -> Trainer
  /// What the exported file says about itself.
  public let metadata: Metadata
  /// The metric that the example is judged by on held-out data, and the least value it must reach.
  public let mark: (metric: String, least: Double)

  public static let all: [Example] = [.digitsMLP, .digitsCNN]

  public static func named(_ name: String) -> Example? {
    all.first { $0.name == name }
  }
}

extension Example {
  /// The trained model as a file, with the first held-out samples as a self-test vector.
  public func file(_ trainer: Trainer, held: Dataset) throws(NNError) -> ModelFile {
    let samples = min(4, held.count)
    return try trainer.modelFile(
      head: head, metadata: metadata, selfTestInputs: Array(held.features.prefix(samples * held.sampleSize)))
  }
}
