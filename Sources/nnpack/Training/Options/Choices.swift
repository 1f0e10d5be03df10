import ArgumentParser
import Glibc
import NNGraph
import NNTraining

/// Losses by their names.
enum LossName: String, CaseIterable, ExpressibleByArgument {
  case crossEntropy = "cross-entropy"
  case binaryCrossEntropy = "binary-cross-entropy"
  case hinge
  case mse
  case mae
  case huber

  /// Whether it is for classes.
  var isForClasses: Bool {
    switch self {
    case .crossEntropy, .binaryCrossEntropy, .hinge: true
    case .mse, .mae, .huber: false
    }
  }

  /// What stands for the two classes of a loss that tells them by the sign of one number; nil for other losses.
  var signs: (first: Float, second: Float)? {
    switch self {
    case .binaryCrossEntropy: (0, 1)
    case .hinge: (-1, 1)
    case .crossEntropy, .mse, .mae, .huber: nil
    }
  }

  func loss(labelSmoothing: Float, classWeights: [Float]?) -> any Loss {
    switch self {
    case .crossEntropy: SoftmaxCrossEntropy(labelSmoothing: labelSmoothing, classWeights: classWeights)
    case .binaryCrossEntropy: .binaryCrossEntropy
    case .hinge: Hinge()
    case .mse: .meanSquaredError
    case .mae: .meanAbsoluteError
    case .huber: .huber
    }
  }

  /// What makes probabilities of the network's numbers, if they can be made.
  var head: OutputHead {
    switch self {
    case .crossEntropy: .softmax
    case .binaryCrossEntropy: .sigmoid
    case .hinge, .mse, .mae, .huber: .none
    }
  }
}

/// Optimisers by their names.
enum OptimizerName: String, CaseIterable, ExpressibleByArgument {
  case sgd, momentum, nesterov, rmsprop, adagrad, adam, adamw, lion

  private var ownLearningRate: Float {
    switch self {
    case .sgd: 0.05
    case .momentum, .nesterov, .adagrad: 0.02
    case .adam, .adamw: 0.002
    case .rmsprop, .lion: 0.001
    }
  }

  /// The optimiser; what is nil has its usual value.
  func optimizer(learningRate: Float?, weightDecay: Float?, l1: Float, average: Float?) -> any Optimizer {
    let rate = learningRate ?? ownLearningRate
    let decay = weightDecay ?? (self == .adamw ? 0.01 : 0)
    var optimizer: any Optimizer =
      switch self {
      case .sgd: SGD(learningRate: rate, weightDecay: decay)
      case .momentum: SGD(learningRate: rate, momentum: 0.9, weightDecay: decay)
      case .nesterov: SGD(learningRate: rate, momentum: 0.9, nesterov: true, weightDecay: decay)
      case .rmsprop: RMSprop(learningRate: rate, weightDecay: decay)
      case .adagrad: Adagrad(learningRate: rate, weightDecay: decay)
      case .adam: Adam(learningRate: rate, weightDecay: decay)
      case .adamw: AdamW(learningRate: rate, weightDecay: decay)
      case .lion: Lion(learningRate: rate, weightDecay: decay)
      }
    if l1 > 0 { optimizer = OptimizerName.penalised(optimizer, l1) }
    if let average { optimizer = OptimizerName.averaged(optimizer, average) }
    return optimizer
  }

  private static func penalised(_ base: some Optimizer, _ strength: Float) -> any Optimizer {
    L1Penalty(strength, base)
  }

  private static func averaged(_ base: some Optimizer, _ decay: Float) -> any Optimizer {
    Averaged(base, decay: decay)
  }
}

/// Schedules of the learning rate by their names.
enum ScheduleName: String, CaseIterable, ExpressibleByArgument {
  case constant, step, exponential, cosine
  case oneCycle = "one-cycle"
  case plateau

  /// What follows the schedule over so many epochs.
  ///
  /// - Parameter warmUp: epochs over which the rate rises at first.
  func callback(epochs: Int, warmUp: Double) -> any Callback {
    let schedule: any LearningRateSchedule
    switch self {
    case .constant: schedule = ConstantRate()
    case .step: schedule = StepDecay(every: max(epochs / 3, 1), gamma: 0.1)
    // Down to a hundredth in the end.
    case .exponential: schedule = ExponentialDecay(gamma: pow(0.01, 1 / Double(max(epochs, 1))))
    case .cosine: schedule = CosineDecay(minimum: 0.05)
    case .oneCycle: schedule = OneCycle()
    case .plateau: return ReduceOnPlateau(factor: 0.3, patience: max(epochs / 20, 2))
    }
    // A resumed training may have more epochs, which some of the schedules' numbers follow.
    let settings = warmUp > 0 ? "\(rawValue) after \(warmUp) epochs of warming up" : rawValue
    return Scheduled(
      warmUp > 0 ? WarmUp(.epochs(warmUp), then: schedule) : schedule, settings: settings)
  }
}

enum ClassWeighting: String, CaseIterable, ExpressibleByArgument {
  case balanced
}

/// Metrics by their names.
enum MetricName {
  /// - Throws: `ValidationError` for a name that is none, or not for the task.
  static func metric(_ name: String, of task: LearningTask, isBinary: Bool) throws -> any Metric {
    if let classes = task.classCount {
      switch name {
      case "accuracy": return isBinary ? BinaryAccuracy() : Accuracy()
      case "cross-entropy" where !isBinary: return CrossEntropy()
      case _ where name.hasPrefix("top-") && !isBinary:
        guard let k = Int(name.dropFirst(4)), k >= 1, k <= classes else {
          throw ValidationError(
            "--metrics \(name): top-K takes a number in 1…\(classes), as there are classes")
        }
        return TopKAccuracy(k)
      default: break
      }
      throw ValidationError("no metric \"\(name)\" of classes; there are accuracy, top-K and cross-entropy")
    }
    switch name {
    case "squared-error": return SquaredError()
    case "absolute-error": return AbsoluteError()
    default:
      throw ValidationError("no metric \"\(name)\" of numbers; there are squared-error and absolute-error")
    }
  }
}
