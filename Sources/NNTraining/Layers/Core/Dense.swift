import NNGraph

/// A fully connected layer: y = f(x·W + b).
///
/// x (N, …, K) → y (N, …, units); weight (K, units), bias (units).
public struct Dense: Layer {
  public let units: Int
  public let activation: Activation
  public let useBias: Bool
  public let initializer: Initializer
  public let biasInitializer: Initializer

  public init(
    _ units: Int, activation: Activation = .identity, useBias: Bool = true,
    initializer: Initializer = .glorotUniform, biasInitializer: Initializer = .zeros
  ) {
    self.units = units
    self.activation = activation
    self.useBias = useBias
    self.initializer = initializer
    self.biasInitializer = biasInitializer
  }

  public func forward(_ x: SymbolicTensor) throws(NNError) -> SymbolicTensor {
    guard x.rank >= 2 else {
      throw NNError(.shapeMismatch, "takes (N, …, K), not \(x.shapeDescription)")
    }
    guard units >= 1 else { throw NNError(.invalidArgument, "\(units) units") }
    let inputs = try x.requireExtent(axis: -1)
    let weight = try x.trace.parameter(
      "weight", [inputs, units], initializer: initializer, fans: Fans(input: inputs, output: units))
    let bias = useBias ? try x.trace.parameter("bias", [units], initializer: biasInitializer) : nil
    return try x.matmul(weight, bias: bias).apply(activation)
  }
}
