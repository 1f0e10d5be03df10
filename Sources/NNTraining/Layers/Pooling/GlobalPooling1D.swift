import NNGraph

/// The mean over a sequence: x (N, C, T) → (N, C).
public struct GlobalAveragePool1D: Layer {
  public init() {}

  public func forward(_ x: SymbolicTensor) throws(NNError) -> SymbolicTensor {
    try x.require(rank: 3, "(N, C, T)")
    return try x.mean(axes: [2])
  }
}

/// The largest element of a sequence: x (N, C, T) → (N, C).
public struct GlobalMaxPool1D: Layer {
  public init() {}

  public func forward(_ x: SymbolicTensor) throws(NNError) -> SymbolicTensor {
    try x.require(rank: 3, "(N, C, T)")
    return try x.reduce(.maximum, axes: [2])
  }
}
