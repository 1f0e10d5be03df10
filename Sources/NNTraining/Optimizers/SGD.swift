import NNGraph

/// Stochastic gradient descent, with momentum in PyTorch's form of Sutskever et al. 2013:
/// g ← g + λ·p; v ← μ·v + g; p ← p − η·v, or p ← p − η·(g + μ·v) for Nesterov's.
public struct SGD: Optimizer {
  public let learningRate: Float
  public let momentum: Float
  public let nesterov: Bool
  /// λ, an L2 penalty: the gradient of λ/2·p².
  public let weightDecay: Float

  public init(learningRate: Float = 0.01, momentum: Float = 0, nesterov: Bool = false, weightDecay: Float = 0)
  {
    self.learningRate = learningRate
    self.momentum = momentum
    self.nesterov = nesterov
    self.weightDecay = weightDecay
  }

  public var slotNames: [String] { momentum == 0 ? [] : ["velocity"] }

  public func update(
    _ parameter: SymbolicTensor, gradient: SymbolicTensor, slots: [SymbolicTensor], scalars: [SymbolicTensor]
  ) throws(NNError) -> (parameter: SymbolicTensor, slots: [SymbolicTensor]) {
    let gradient = weightDecay == 0 ? gradient : try gradient + parameter * weightDecay
    if momentum == 0 { return (try parameter - gradient * scalars[0], []) }
    let velocity = try slots[0] * momentum + gradient
    let direction = nesterov ? try gradient + velocity * momentum : velocity
    return (try parameter - direction * scalars[0], [velocity])
  }

  public func validate() throws(NNError) {
    try Hyperparameter.requireNotNegative(learningRate, "SGD: a learning rate")
    try Hyperparameter.requireFraction(momentum, "SGD: a momentum")
    try Hyperparameter.requireNotNegative(weightDecay, "SGD: a weight decay")
    guard !nesterov || momentum > 0 else {
      throw NNError(.invalidArgument, "SGD: Nesterov's step needs a momentum above 0")
    }
  }

  public var description: String {
    "SGD momentum=\(momentum) nesterov=\(nesterov) weightDecay=\(weightDecay)"
  }
}
