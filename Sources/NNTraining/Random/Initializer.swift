/// How many numbers feed one output of a layer, and how many outputs one input feeds.
public struct Fans: Equatable, Sendable {
  public var input: Int
  public var output: Int

  public init(input: Int, output: Int) {
    self.input = input
    self.output = output
  }
}

/// How a parameter gets its first values.
public enum Initializer: Equatable, Sendable {
  case zeros
  case ones
  case constant(Float)
  /// Uniform in [−a, a], a = √(6/(fan in + fan out)). Glorot and Bengio 2010, equation 16. The default of weights.
  case glorotUniform
  /// Normal with variance 2/(fan in + fan out). Glorot and Bengio 2010, equation 12.
  case glorotNormal
  /// Uniform in [−a, a], a = √(6/fan in), for ReLU. He et al. 2015, equation 10, as a uniform distribution.
  case heUniform
  /// Normal with variance 2/fan in, for ReLU. He et al. 2015, equation 10.
  case heNormal
  /// Uniform in [−a, a].
  case uniform(Float)
  /// Normal with mean 0 and the given standard deviation.
  case normal(standardDeviation: Float)

  /// Draws all elements in row-major order.
  public func fill(
    _ values: UnsafeMutableBufferPointer<Float>, fans: Fans, using generator: inout Philox
  ) {
    let fanIn = Double(max(fans.input, 1))
    let fanSum = Double(max(fans.input + fans.output, 1))
    switch self {
    case .zeros: values.update(repeating: 0)
    case .ones: values.update(repeating: 1)
    case .constant(let value): values.update(repeating: value)
    case .glorotUniform: uniform(values, (6 / fanSum).squareRoot(), &generator)
    case .glorotNormal: normal(values, (2 / fanSum).squareRoot(), &generator)
    case .heUniform: uniform(values, (6 / fanIn).squareRoot(), &generator)
    case .heNormal: normal(values, (2 / fanIn).squareRoot(), &generator)
    case .uniform(let bound): uniform(values, Double(bound), &generator)
    case .normal(let deviation): normal(values, Double(deviation), &generator)
    }
  }

  private func uniform(
    _ values: UnsafeMutableBufferPointer<Float>, _ bound: Double, _ generator: inout Philox
  ) {
    for index in values.indices { values[index] = Float((2 * generator.uniform() - 1) * bound) }
  }

  private func normal(
    _ values: UnsafeMutableBufferPointer<Float>, _ deviation: Double, _ generator: inout Philox
  ) {
    for index in values.indices { values[index] = Float(generator.normal() * deviation) }
  }
}
