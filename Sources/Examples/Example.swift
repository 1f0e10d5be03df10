import NNFormat
import NNGraph
import NNTraining

/// A network trained on data, from the data to the exported file, with a mark that it must reach.
///
/// Each example is a page of code; ``Example/all`` lists them. Most train one model on one data set:
/// ``supervised(name:family:summary:settings:head:metadata:metric:mark:data:trainer:)`` puts those together. The others
/// say in ``train`` what happens.
public struct Example: Sendable {
  /// What a run may change.
  public struct Settings: Sendable {
    /// Times through the training data, or rounds of what the example repeats.
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
  /// The family of networks it belongs to, as the table of results calls it.
  public let family: String
  /// One line about model and data.
  public let summary: String
  public let settings: Settings
  /// Epochs that are enough to see that it runs; the mark is not reached then.
  public let quickEpochs: Int
  /// What a run may ask for beside the model.
  public enum Output: CaseIterable, Sendable {
    /// Callbacks that see the training go by.
    case log
    case checkpoint
    case report
    case heldOut
  }

  /// What it gives of that.
  public let outputs: Set<Output>
  /// Trains and evaluates.
  public let train: @Sendable (ExampleRun) throws(NNError) -> ExampleResult

  public init(
    name: String, family: String, summary: String, settings: Settings, quickEpochs: Int = 1,
    outputs: Set<Output> = Set(Output.allCases),
    train: @escaping @Sendable (ExampleRun) throws(NNError) -> ExampleResult
  ) {
    self.name = name
    self.family = family
    self.summary = summary
    self.settings = settings
    self.quickEpochs = quickEpochs
    self.outputs = outputs
    self.train = { (run) throws(NNError) in
      var run = run
      run.title = "\(name): \(summary)"
      return try train(run)
    }
  }

  public static func named(_ name: String) -> Example? {
    all.first { $0.name == name }
  }
}

/// What one run of an example was asked for, and where it tells how it goes.
public struct ExampleRun {
  public var settings: Example.Settings
  /// Whether the run is only to see that the example works: examples then use fewer data, rounds and checks.
  public var isQuick: Bool
  /// The folder of the data sets that `tools/fetch-data` makes.
  public var dataFolder: String
  /// The folder for pictures and the like; nil for none.
  public var artifactFolder: String?
  /// Where to write a report of the training as an HTML page, see ``TrainingReport``; nil for none.
  public var reportPath: String?
  /// What went wrong with the report: the model that has been trained is not lost for it.
  public final class ReportFailure {
    public internal(set) var error: NNError?
  }
  public let reportFailure = ReportFailure()
  /// What the example is, for the report's heading.
  var title = ""
  /// What ``Trainer/fit`` is to call: a progress bar, logs.
  public var callbacks: [any Callback]
  public var checkpoint: Checkpointing?
  /// Prints a line.
  public var say: (String) -> Void

  public init(
    settings: Example.Settings, isQuick: Bool = false, dataFolder: String = "build/data",
    artifactFolder: String? = nil, reportPath: String? = nil, callbacks: [any Callback] = [],
    checkpoint: Checkpointing? = nil, say: @escaping (String) -> Void = { _ in }
  ) {
    self.settings = settings
    self.isQuick = isQuick
    self.dataFolder = dataFolder
    self.artifactFolder = artifactFolder
    self.reportPath = reportPath
    self.callbacks = callbacks
    self.checkpoint = checkpoint
    self.say = say
  }
}

/// What an example came to.
public struct ExampleResult {
  /// What value is to reach, and from which side.
  public enum Mark: Sendable {
    case atLeast(Double)
    case below(Double)

    public var value: Double {
      switch self {
      case .atLeast(let value), .below(let value): value
      }
    }

    public func isReached(by value: Double) -> Bool {
      switch self {
      case .atLeast(let least): value >= least
      case .below(let bound): value < bound
      }
    }
  }

  /// A model to write.
  public struct Export {
    /// What tells this model from the example's others; empty for the first or only one.
    public var name: String
    /// Its self-test vectors hold the first held-out samples, so that any program can check its bits.
    public var file: ModelFile
    /// Of a model that is run step by step: the inputs of some steps and what Swift computed, one after the other.
    public var steps: [(input: Tensor, output: Tensor)]

    public init(name: String = "", file: ModelFile, steps: [(input: Tensor, output: Tensor)] = []) {
      self.name = name
      self.file = file
      self.steps = steps
    }
  }

  /// The number the example is judged by, on held-out data.
  public var metric: String
  public var value: Double
  public var mark: Mark
  public var exports: [Export]
  /// The held-out data, to be written where the user asks for it.
  public var held: Dataset?

  public init(metric: String, value: Double, mark: Mark, exports: [Export], held: Dataset? = nil) {
    self.metric = metric
    self.value = value
    self.mark = mark
    self.exports = exports
    self.held = held
  }
}
