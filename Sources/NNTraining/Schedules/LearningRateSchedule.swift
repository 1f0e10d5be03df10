import NNGraph

/// The learning rate as a function of the step, as a factor of the one that training starts with.
public protocol LearningRateSchedule: Sendable {
  /// The factor for step 0, 1, ….
  ///
  /// - Parameters:
  ///   - step: steps done.
  ///   - stepsPerEpoch: how many make an epoch.
  ///   - steps: how many the training has altogether.
  func factor(step: Int, stepsPerEpoch: Int, steps: Int) -> Double
}

/// Multiplied by `gamma` every `epochs` epochs.
public struct StepDecay: LearningRateSchedule {
  public let epochs: Int
  public let gamma: Double

  public init(every epochs: Int, gamma: Double = 0.1) {
    self.epochs = epochs
    self.gamma = gamma
  }

  public func factor(step: Int, stepsPerEpoch: Int, steps: Int) -> Double {
    integerPower(gamma, step / max(stepsPerEpoch, 1) / max(epochs, 1))
  }
}

/// Multiplied by `gamma` every epoch.
public struct ExponentialDecay: LearningRateSchedule {
  public let gamma: Double

  public init(gamma: Double) {
    self.gamma = gamma
  }

  public func factor(step: Int, stepsPerEpoch: Int, steps: Int) -> Double {
    integerPower(gamma, step / max(stepsPerEpoch, 1))
  }
}

/// A straight rise over `warmUp` steps, then half a cosine down to `minimum`, where the last step ends. Loshchilov and Hutter 2017
/// without restarts; the warm-up is that of Goyal et al. 2017.
public struct CosineDecay: LearningRateSchedule {
  public let warmUp: Int
  public let minimum: Double

  public init(warmUp: Int = 0, minimum: Double = 0) {
    self.warmUp = warmUp
    self.minimum = minimum
  }

  public func factor(step: Int, stepsPerEpoch: Int, steps: Int) -> Double {
    if step < warmUp { return Double(step + 1) / Double(warmUp + 1) }
    let length = max(steps - warmUp, 1)
    let progress = min(Double(step - warmUp) / Double(length), 1)
    return minimum + (1 - minimum) * (1 + halfTurnCosine(progress)) / 2
  }
}

/// From `initial` up to 1 over the first part of training, then down to `final`, both along half a cosine. Smith and Topin
/// 2018, in PyTorch's form: initial 1/25 of the largest rate, final 1/10000 of the initial one.
public struct OneCycle: LearningRateSchedule {
  /// The part of training with a rising rate, in 0…1.
  public let rising: Double
  public let initial: Double
  public let final: Double

  public init(rising: Double = 0.3, initial: Double = 0.04, final: Double = 4e-6) {
    self.rising = rising
    self.initial = initial
    self.final = final
  }

  public func factor(step: Int, stepsPerEpoch: Int, steps: Int) -> Double {
    let peak = max(rising * Double(steps) - 1, 0)
    let position = Double(min(step, steps - 1))
    if position <= peak, peak > 0 { return anneal(initial, 1, position / peak) }
    return anneal(1, final, (position - peak) / max(Double(steps - 1) - peak, 1))
  }

  private func anneal(_ from: Double, _ to: Double, _ progress: Double) -> Double {
    to + (from - to) * (1 + halfTurnCosine(progress)) / 2
  }
}

/// The learning rate that training starts with, throughout.
public struct ConstantRate: LearningRateSchedule {
  public init() {}

  public func factor(step: Int, stepsPerEpoch: Int, steps: Int) -> Double { 1 }
}

/// A straight rise over some steps up to where another schedule begins, which has the steps that are left. Goyal et al. 2017.
public struct WarmUp: LearningRateSchedule {
  /// How long the rise lasts.
  public enum Length: Equatable, Sendable {
    case steps(Int)
    /// So many epochs or parts of them, to the nearest whole step.
    case epochs(Double)
  }

  public let length: Length
  public let rest: any LearningRateSchedule

  public init(_ length: Length, then rest: any LearningRateSchedule = ConstantRate()) {
    self.length = length
    self.rest = rest
  }

  public init(_ steps: Int, then rest: any LearningRateSchedule = ConstantRate()) {
    self.init(.steps(steps), then: rest)
  }

  public func factor(step: Int, stepsPerEpoch: Int, steps: Int) -> Double {
    let wanted =
      switch self.length {
      case .steps(let count): count
      case .epochs(let count): WarmUp.whole(count * Double(stepsPerEpoch))
      }
    let length = min(max(wanted, 0), max(steps, 0))
    let later = rest.factor(
      step: max(step - length, 0), stepsPerEpoch: stepsPerEpoch, steps: max(steps - length, 1))
    return step < length ? later * Double(step + 1) / Double(length + 1) : later
  }

  private static func whole(_ steps: Double) -> Int { steps >= 1 ? Int(min(steps, 1e9).rounded()) : 0 }
}

/// cos(π·x) for x in 0…1, from basic operations alone, so that a resumed training has the same bits on every platform: the
/// series of the sine around the middle, |argument| ≤ π/2, with an error below 10⁻¹⁵.
func halfTurnCosine(_ x: Double) -> Double {
  let angle = (0.5 - min(max(x, 0), 1)) * 3.141592653589793
  let square = angle * angle
  var sum = 0.0
  for n in stride(from: 21, through: 1, by: -2) {
    sum = 1 - sum * square / Double((n + 1) * (n + 2))
  }
  return angle * sum
}

/// bⁿ by squaring: the same bits on every platform.
func integerPower(_ base: Double, _ exponent: Int) -> Double {
  var (result, square, rest) = (1.0, base, exponent)
  while rest > 0 {
    if rest & 1 == 1 { result *= square }
    square *= square
    rest >>= 1
  }
  return result
}
