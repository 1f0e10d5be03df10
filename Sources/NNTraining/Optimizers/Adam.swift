import NNGraph

/// Adam, Kingma and Ba 2015, algorithm 1: m ← β₁m + (1 − β₁)g; v ← β₂v + (1 − β₂)g²;
/// p ← p − η/(1 − β₁ᵗ)·m / (√v/√(1 − β₂ᵗ) + ε).
public struct Adam: Optimizer {
  public let learningRate: Float
  public let beta1: Double
  public let beta2: Double
  public let epsilon: Float
  /// λ, an L2 penalty: the gradient of λ/2·p² joins g before the moments, as in PyTorch's Adam.
  public let weightDecay: Float

  public init(
    learningRate: Float = 0.001, beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Float = 1e-8,
    weightDecay: Float = 0
  ) {
    self.learningRate = learningRate
    self.beta1 = beta1
    self.beta2 = beta2
    self.epsilon = epsilon
    self.weightDecay = weightDecay
  }

  public var slotNames: [String] { ["first_moment", "second_moment"] }
  public var scalarNames: [String] { ["step_size", "second_moment_correction"] }

  /// η/(1 − β₁ᵗ) and 1/√(1 − β₂ᵗ).
  public func scalars(step: Int, learningRate: Double, into values: UnsafeMutableBufferPointer<Float>) {
    values[0] = Float(learningRate / (1 - integerPower(beta1, step)))
    values[1] = Float(1 / (1 - integerPower(beta2, step)).squareRoot())
  }

  public func update(
    _ parameter: SymbolicTensor, gradient: SymbolicTensor, slots: [SymbolicTensor], scalars: [SymbolicTensor]
  ) throws(NNError) -> (parameter: SymbolicTensor, slots: [SymbolicTensor]) {
    let gradient = weightDecay == 0 ? gradient : try gradient + parameter * weightDecay
    let first = try slots[0] * Float(beta1) + gradient * Float(1 - beta1)
    let second = try slots[1] * Float(beta2) + gradient.squared() * Float(1 - beta2)
    let denominator = try second.squareRoot() * scalars[1] + epsilon
    return (try parameter - first / denominator * scalars[0], [first, second])
  }

  public func validate() throws(NNError) { try validate("Adam") }

  fileprivate func validate(_ name: String) throws(NNError) {
    try Hyperparameter.requireNotNegative(learningRate, "\(name): a learning rate")
    try Hyperparameter.requireFraction(beta1, "\(name): a beta1")
    try Hyperparameter.requireFraction(beta2, "\(name): a beta2")
    try Hyperparameter.requireNotNegative(epsilon, "\(name): an epsilon")
    try Hyperparameter.requireNotNegative(weightDecay, "\(name): a weight decay")
  }

  public var description: String {
    "Adam beta1=\(beta1) beta2=\(beta2) epsilon=\(epsilon) weightDecay=\(weightDecay)"
  }
}

/// Adam with decoupled weight decay, Loshchilov and Hutter 2019, algorithm 2, in PyTorch's form:
/// p ← p − η·λ·p first, then Adam's step without a penalty in the gradient.
public struct AdamW: Optimizer {
  private let adam: Adam
  /// λ; per step the parameters shrink by the factor 1 − η·λ.
  public let weightDecay: Float

  public init(
    learningRate: Float = 0.001, beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Float = 1e-8,
    weightDecay: Float = 0.01
  ) {
    adam = Adam(learningRate: learningRate, beta1: beta1, beta2: beta2, epsilon: epsilon)
    self.weightDecay = weightDecay
  }

  public var learningRate: Float { adam.learningRate }
  public var slotNames: [String] { adam.slotNames }
  public var scalarNames: [String] { adam.scalarNames + ["shrinkage"] }

  public func scalars(step: Int, learningRate: Double, into values: UnsafeMutableBufferPointer<Float>) {
    adam.scalars(step: step, learningRate: learningRate, into: values)
    values[2] = Float(1 - learningRate * Double(weightDecay))
  }

  public func update(
    _ parameter: SymbolicTensor, gradient: SymbolicTensor, slots: [SymbolicTensor], scalars: [SymbolicTensor]
  ) throws(NNError) -> (parameter: SymbolicTensor, slots: [SymbolicTensor]) {
    try adam.update(parameter * scalars[2], gradient: gradient, slots: slots, scalars: scalars)
  }

  public func validate() throws(NNError) {
    try adam.validate("AdamW")
    try Hyperparameter.requireNotNegative(weightDecay, "AdamW: a weight decay")
  }

  public var description: String { "AdamW \(adam.description) decoupled=\(weightDecay)" }
}
