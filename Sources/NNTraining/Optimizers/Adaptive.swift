import NNGraph

/// RMSprop, Tieleman and Hinton 2012, in PyTorch's form: v ← αv + (1 − α)g²; p ← p − η·g/(√v + ε), or with momentum
/// b ← μb + g/(√v + ε); p ← p − η·b.
public struct RMSprop: Optimizer {
  public let learningRate: Float
  public let alpha: Float
  public let epsilon: Float
  public let momentum: Float
  /// λ, an L2 penalty: the gradient of λ/2·p².
  public let weightDecay: Float

  public init(
    learningRate: Float = 0.01, alpha: Float = 0.99, epsilon: Float = 1e-8, momentum: Float = 0,
    weightDecay: Float = 0
  ) {
    self.learningRate = learningRate
    self.alpha = alpha
    self.epsilon = epsilon
    self.momentum = momentum
    self.weightDecay = weightDecay
  }

  public var slotNames: [String] { momentum == 0 ? ["square_average"] : ["square_average", "momentum"] }

  public func update(
    _ parameter: SymbolicTensor, gradient: SymbolicTensor, slots: [SymbolicTensor], scalars: [SymbolicTensor]
  ) throws(NNError) -> (parameter: SymbolicTensor, slots: [SymbolicTensor]) {
    let gradient = weightDecay == 0 ? gradient : try gradient + parameter * weightDecay
    let square = try slots[0] * alpha + gradient.squared() * (1 - alpha)
    let direction = try gradient / (square.squareRoot() + epsilon)
    if momentum == 0 { return (try parameter - direction * scalars[0], [square]) }
    let velocity = try slots[1] * momentum + direction
    return (try parameter - velocity * scalars[0], [square, velocity])
  }

  public func validate() throws(NNError) {
    try Hyperparameter.requireNotNegative(learningRate, "RMSprop: a learning rate")
    try Hyperparameter.requireFraction(alpha, "RMSprop: an alpha")
    try Hyperparameter.requireNotNegative(epsilon, "RMSprop: an epsilon")
    try Hyperparameter.requireFraction(momentum, "RMSprop: a momentum")
    try Hyperparameter.requireNotNegative(weightDecay, "RMSprop: a weight decay")
  }

  public var description: String {
    "RMSprop alpha=\(alpha) epsilon=\(epsilon) momentum=\(momentum) weightDecay=\(weightDecay)"
  }
}

/// Adagrad, Duchi et al. 2011: s ← s + g²; p ← p − η·g/(√s + ε).
public struct Adagrad: Optimizer {
  public let learningRate: Float
  public let epsilon: Float
  /// λ, an L2 penalty: the gradient of λ/2·p².
  public let weightDecay: Float

  public init(learningRate: Float = 0.01, epsilon: Float = 1e-10, weightDecay: Float = 0) {
    self.learningRate = learningRate
    self.epsilon = epsilon
    self.weightDecay = weightDecay
  }

  public var slotNames: [String] { ["square_sum"] }

  public func update(
    _ parameter: SymbolicTensor, gradient: SymbolicTensor, slots: [SymbolicTensor], scalars: [SymbolicTensor]
  ) throws(NNError) -> (parameter: SymbolicTensor, slots: [SymbolicTensor]) {
    let gradient = weightDecay == 0 ? gradient : try gradient + parameter * weightDecay
    let sum = try slots[0] + gradient.squared()
    return (try parameter - gradient / (sum.squareRoot() + epsilon) * scalars[0], [sum])
  }

  public func validate() throws(NNError) {
    try Hyperparameter.requireNotNegative(learningRate, "Adagrad: a learning rate")
    try Hyperparameter.requireNotNegative(epsilon, "Adagrad: an epsilon")
    try Hyperparameter.requireNotNegative(weightDecay, "Adagrad: a weight decay")
  }

  public var description: String { "Adagrad epsilon=\(epsilon) weightDecay=\(weightDecay)" }
}

/// Lion, Chen et al. 2023, algorithm 2: p ← p − η·(sign(β₁m + (1 − β₁)g) + λp); m ← β₂m + (1 − β₂)g.
public struct Lion: Optimizer {
  public let learningRate: Float
  public let beta1: Float
  public let beta2: Float
  /// λ, decoupled weight decay.
  public let weightDecay: Float

  public init(
    learningRate: Float = 1e-4, beta1: Float = 0.9, beta2: Float = 0.99, weightDecay: Float = 0
  ) {
    self.learningRate = learningRate
    self.beta1 = beta1
    self.beta2 = beta2
    self.weightDecay = weightDecay
  }

  public var slotNames: [String] { ["momentum"] }

  public func update(
    _ parameter: SymbolicTensor, gradient: SymbolicTensor, slots: [SymbolicTensor], scalars: [SymbolicTensor]
  ) throws(NNError) -> (parameter: SymbolicTensor, slots: [SymbolicTensor]) {
    var direction = try (slots[0] * beta1 + gradient * (1 - beta1)).unary(.sign)
    if weightDecay != 0 { direction = try direction + parameter * weightDecay }
    let momentum = try slots[0] * beta2 + gradient * (1 - beta2)
    return (try parameter - direction * scalars[0], [momentum])
  }

  public func validate() throws(NNError) {
    try Hyperparameter.requireNotNegative(learningRate, "Lion: a learning rate")
    try Hyperparameter.requireFraction(beta1, "Lion: a beta1")
    try Hyperparameter.requireFraction(beta2, "Lion: a beta2")
    try Hyperparameter.requireNotNegative(weightDecay, "Lion: a weight decay")
  }

  public var description: String { "Lion beta1=\(beta1) beta2=\(beta2) weightDecay=\(weightDecay)" }
}

/// Any optimiser with an L1 penalty: the gradient of λ·|p| joins g, so that small weights become zero. Tibshirani 1996.
public struct L1Penalty<Base: Optimizer>: Optimizer {
  public let base: Base
  /// λ
  public let strength: Float

  public init(_ strength: Float, _ base: Base) {
    self.base = base
    self.strength = strength
  }

  public var learningRate: Float { base.learningRate }
  public var slotNames: [String] { base.slotNames }
  public var scalarNames: [String] { base.scalarNames }

  public func scalars(step: Int, learningRate: Double, into values: UnsafeMutableBufferPointer<Float>) {
    base.scalars(step: step, learningRate: learningRate, into: values)
  }

  public func update(
    _ parameter: SymbolicTensor, gradient: SymbolicTensor, slots: [SymbolicTensor], scalars: [SymbolicTensor]
  ) throws(NNError) -> (parameter: SymbolicTensor, slots: [SymbolicTensor]) {
    let penalised = try gradient + parameter.unary(.sign) * strength
    return try base.update(parameter, gradient: penalised, slots: slots, scalars: scalars)
  }

  public func validate() throws(NNError) {
    try base.validate()
    try Hyperparameter.requireNotNegative(strength, "an L1 penalty")
  }

  public var description: String { "\(base.description) L1=\(strength)" }
}

/// Any optimiser that also keeps an exponential moving average of each parameter: a ← d·a + (1 − d)·p after each step,
/// corrected for its start at zero by 1 − dᵗ as Adam corrects its moments. Polyak and Juditsky 1992.
///
/// ``Trainer/withAveragedParameters(_:)`` evaluates and exports the averages.
public struct Averaged<Base: Optimizer>: Optimizer {
  public let base: Base
  /// d, 0..<1.
  public let decay: Float

  public init(_ base: Base, decay: Float = 0.999) {
    self.base = base
    self.decay = decay
  }

  public var learningRate: Float { base.learningRate }
  public var slotNames: [String] { base.slotNames + [AveragedSlot.name] }
  public var scalarNames: [String] { base.scalarNames }

  public func scalars(step: Int, learningRate: Double, into values: UnsafeMutableBufferPointer<Float>) {
    base.scalars(step: step, learningRate: learningRate, into: values)
  }

  public func update(
    _ parameter: SymbolicTensor, gradient: SymbolicTensor, slots: [SymbolicTensor], scalars: [SymbolicTensor]
  ) throws(NNError) -> (parameter: SymbolicTensor, slots: [SymbolicTensor]) {
    let next = try base.update(
      parameter, gradient: gradient, slots: Array(slots.dropLast()), scalars: scalars)
    let average = try slots[slots.count - 1] * decay + next.parameter * (1 - decay)
    return (next.parameter, next.slots + [average])
  }

  public func validate() throws(NNError) {
    try base.validate()
    try Hyperparameter.requireFraction(decay, "averages with a decay")
  }

  public var description: String { "\(base.description) averaged=\(decay)" }
}

/// What a trainer needs to know of an optimiser that averages.
protocol AveragingOptimizer {
  var decay: Float { get }
}

extension Averaged: AveragingOptimizer {}

enum AveragedSlot {
  static let name = "average"
}
