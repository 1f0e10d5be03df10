import NNGraph

/// scale·x for x ≥ 0, else scale·alpha·(eˣ − 1), with the constants of Klambauer et al. 2017 that keep mean 0 and variance 1.
public struct SELU: Layer {
  public init() {}

  public func forward(_ x: SymbolicTensor) throws(NNError) -> SymbolicTensor {
    try x.apply(.elu(scale: 1.6732632423543772)) * 1.0507009873554805
  }
}

/// x·tanh(softplus(x)). Misra 2019.
public struct Mish: Layer {
  public init() {}

  public func forward(_ x: SymbolicTensor) throws(NNError) -> SymbolicTensor {
    try x * x.unary(.softplus).unary(.tanh)
  }
}

/// min(max(x/6 + ½, 0), 1).
public struct HardSigmoid: Layer {
  public init() {}

  public func forward(_ x: SymbolicTensor) throws(NNError) -> SymbolicTensor {
    try (x * (1 / 6) + 0.5).apply(Activation(.clip, alpha: 0, beta: 1))
  }
}

/// x·hardSigmoid(x). Howard et al. 2019.
public struct HardSwish: Layer {
  public init() {}

  public func forward(_ x: SymbolicTensor) throws(NNError) -> SymbolicTensor {
    try x * HardSigmoid().forward(x)
  }
}

/// x for x ≥ 0, else slope·x with a learned slope for each channel, axis 1: weight (C). He et al. 2015.
public struct PReLU: Layer {
  public let initialSlope: Float

  public init(initialSlope: Float = 0.25) {
    self.initialSlope = initialSlope
  }

  public func forward(_ x: SymbolicTensor) throws(NNError) -> SymbolicTensor {
    guard x.rank >= 2 else { throw NNError(.shapeMismatch, "takes (N, C, …), not \(x.shapeDescription)") }
    let channels = try x.requireExtent(axis: 1)
    let slope = try x.trace.parameter("weight", [channels], initializer: .constant(initialSlope))
    let negative = try x.minimum(x.trace.scalar(0)) * slope.alongChannels(rank: x.rank)
    return try x.unary(.relu) + negative
  }
}
