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
  /// Uniform in [−a, a], a = √(3/fan in), for SELU. LeCun et al. 1998, section 4.6.
  case leCunUniform
  /// Normal with variance 1/fan in, for SELU. LeCun et al. 1998, section 4.6.
  case leCunNormal
  /// Orthonormal rows or columns, whichever are fewer, times a gain; the first axis of the shape against the others together.
  /// Saxe et al. 2014.
  case orthogonal(gain: Float)
  /// Normal with mean 0 and the given standard deviation, drawn again beyond two of it.
  case truncatedNormal(standardDeviation: Float)
  /// Uniform in [−a, a].
  case uniform(Float)
  /// Normal with mean 0 and the given standard deviation.
  case normal(standardDeviation: Float)

  /// Orthonormal rows or columns.
  public static var orthogonal: Initializer { .orthogonal(gain: 1) }

  /// Draws all elements in row-major order.
  ///
  /// - Parameter extents: the parameter's shape, which only orthogonal matrices ask for.
  public func fill(
    _ values: UnsafeMutableBufferPointer<Float>, fans: Fans, extents: [Int] = [],
    using generator: inout Philox
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
    case .leCunUniform: uniform(values, (3 / fanIn).squareRoot(), &generator)
    case .leCunNormal: normal(values, (1 / fanIn).squareRoot(), &generator)
    case .orthogonal(let gain): orthogonal(values, extents, Double(gain), &generator)
    case .truncatedNormal(let deviation):
      for index in values.indices {
        var draw = generator.normal()
        while draw.magnitude > 2 { draw = generator.normal() }
        values[index] = Float(draw * Double(deviation))
      }
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

  /// Gram–Schmidt in its stable order, over the rows or columns of normal numbers, each projected twice.
  private func orthogonal(
    _ values: UnsafeMutableBufferPointer<Float>, _ extents: [Int], _ gain: Double, _ generator: inout Philox
  ) {
    guard let rows = extents.first, rows > 0, values.count >= rows else {
      return normal(values, gain, &generator)
    }
    let columns = values.count / rows
    let (count, length) = rows <= columns ? (rows, columns) : (columns, rows)
    var vectors: [[Double]] = []
    while vectors.count < count {
      var vector = (0..<length).map { _ in generator.normal() }
      for _ in 0..<2 {
        for other in vectors {
          let product = zip(vector, other).reduce(0) { $0 + $1.0 * $1.1 }
          for index in vector.indices { vector[index] -= product * other[index] }
        }
      }
      let norm = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
      // Numerically dependent on the others: drawn again.
      if norm > 1e-6 { vectors.append(vector.map { $0 / norm }) }
    }
    for row in 0..<rows {
      for column in 0..<columns {
        let element = rows <= columns ? vectors[row][column] : vectors[column][row]
        values[row * columns + column] = Float(element * gain)
      }
    }
  }
}
