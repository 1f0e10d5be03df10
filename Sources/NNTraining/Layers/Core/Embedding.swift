import NNGraph

/// A learned vector for each index, such as a word: x (N, …) of i64 → (N, …, dimension); weight (count, dimension).
///
/// Indices are 0..<count; negative ones, from −count on, count from the end. One outside is an error when the model runs. An f32
/// input is rounded towards zero.
public struct Embedding: Layer {
  public let count: Int
  public let dimension: Int
  public let initializer: Initializer

  /// - Parameter initializer: the standard normal distribution unless told, as in PyTorch.
  public init(_ count: Int, dimension: Int, initializer: Initializer = .normal(standardDeviation: 1)) {
    self.count = count
    self.dimension = dimension
    self.initializer = initializer
  }

  public func forward(_ x: SymbolicTensor) throws(NNError) -> SymbolicTensor {
    guard count >= 1, dimension >= 1 else {
      throw NNError(.invalidArgument, "\(count) vectors of \(dimension) numbers")
    }
    let weight = try x.trace.parameter(
      "weight", [count, dimension], initializer: initializer, fans: Fans(input: count, output: dimension))
    return try weight.gathered(x.cast(to: .i64))
  }
}
