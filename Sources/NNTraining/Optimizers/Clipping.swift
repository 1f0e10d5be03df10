import NNGraph

/// A bound on gradients, applied before the optimiser sees them.
public enum GradientClipping: Equatable, Sendable {
  case none
  /// Every element into [−bound, bound].
  case value(Float)
  /// All gradients scaled by min(1, bound/(norm + 10⁻⁶)), norm being the Euclidean norm over all parameters together.
  /// Pascanu, Mikolov and Bengio 2013, algorithm 1, in PyTorch's form.
  case globalNorm(Float)

  /// The gradients as the optimiser gets them.
  public func apply(_ gradients: [SymbolicTensor]) throws(NNError) -> [SymbolicTensor] {
    var results: [SymbolicTensor] = []
    switch self {
    case .none: return gradients
    case .value(let bound):
      guard bound > 0 else { throw NNError(.invalidArgument, "gradients clipped to ±\(bound)") }
      for gradient in gradients {
        results.append(try gradient.apply(Activation(.clip, alpha: -bound, beta: bound)))
      }
    case .globalNorm(let bound):
      guard bound > 0 else { throw NNError(.invalidArgument, "gradients clipped to a norm of \(bound)") }
      guard let first = gradients.first else { return [] }
      var total = try first.reduce(.sumOfSquares)
      for gradient in gradients.dropFirst() { total = try total + gradient.reduce(.sumOfSquares) }
      let trace = first.trace
      let norm = try total.squareRoot() + 1e-6
      let factor = try (trace.scalar(bound) / norm).minimum(trace.scalar(1))
      for gradient in gradients { results.append(try gradient * factor) }
    }
    return results
  }
}
