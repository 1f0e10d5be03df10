import NNGraph

/// Layers one after the other under a name of their own: parameters are called `generator.dense_1.weight`.
///
/// A network that is called again in the same step, or traced again, has the same parameters, so it can be applied to
/// several inputs. Parameter groups, custom steps and transfer learning choose parts of a model by network.
public struct Network: Layer {
  public let name: String
  public let body: Sequential

  /// - Parameter name: not empty; unique in the model, unless parameters are to be shared.
  public init(_ name: String, @SequentialBuilder _ layers: () -> [any Layer]) {
    self.name = name
    body = Sequential(layers)
  }

  public init(_ name: String, _ layers: [any Layer]) {
    self.name = name
    body = Sequential(layers)
  }

  public var kind: String { "" }

  public func forward(_ x: SymbolicTensor) throws(NNError) -> SymbolicTensor {
    try x.trace.within(scope: name) { () throws(NNError) in try body(x) }
  }
}
