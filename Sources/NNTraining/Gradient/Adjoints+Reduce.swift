import NNGraph

extension Reduce {
  /// dx for y = fold of x.
  func adjoint(_ x: SymbolicTensor, _ y: SymbolicTensor, _ dy: SymbolicTensor) throws(NNError)
    -> SymbolicTensor
  {
    // Folded axes come back with extent 1, so that everything broadcasts against x.
    var kept = Shape(try x.knownExtents())
    var folded = 1
    for axis in axes {
      folded *= kept[axis].extent ?? 1
      kept[axis] = .fixed(1)
    }
    let gradient = try dy.reshaped(kept)
    switch function {
    case .sum: return try gradient.expanded(x.shape)
    case .mean: return try (gradient / Float(folded)).expanded(x.shape)
    case .sumOfSquares: return try x * 2 * gradient
    case .maximum, .minimum:
      // Equal extremes share the gradient evenly, as in PyTorch's amax.
      let winners = try x.compare(.equal, y.reshaped(kept)).cast(to: .f32)
      return try winners * (gradient / winners.sum(axes: axes, keepsDimensions: true))
    case .product: return try productAdjoint(x, gradient)
    }
  }

  /// The product of all other elements times the gradient: with no zero among the folded elements y/x; with one zero
  /// only that element has a gradient; with more, none has.
  private func productAdjoint(
    _ x: SymbolicTensor, _ gradient: SymbolicTensor
  ) throws(NNError) -> SymbolicTensor {
    let zero = try x.trace.scalar(0)
    let one = try x.trace.scalar(1)
    let isZero = try x.compare(.equal, zero)
    let filled = try isZero.select(one, x)
    let zeros = try isZero.cast(to: .f32).sum(axes: axes, keepsDimensions: true)
    let product = try filled.reduce(.product, axes: axes, keepsDimensions: true) * gradient
    let whereZero = try zeros.compare(.equal, one).select(product, zero)
    let elsewhere = try zeros.compare(.equal, zero).select(product, zero) / filled
    return try isZero.select(whereZero, elsewhere)
  }
}

extension Softmax {
  /// softmax: y·(dy − Σ dy·y); logSoftmax: dy − eʸ·Σ dy, both sums along the axis.
  func adjoint(_ y: SymbolicTensor, _ dy: SymbolicTensor) throws(NNError) -> SymbolicTensor {
    switch function {
    case .softmax: try y * (dy - (dy * y).sum(axes: [axis], keepsDimensions: true))
    case .logSoftmax: try dy - y.exponential() * dy.sum(axes: [axis], keepsDimensions: true)
    }
  }
}
