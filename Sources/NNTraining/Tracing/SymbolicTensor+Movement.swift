import NNGraph

// Products, folding of axes, and movement.
extension SymbolicTensor {
  /// The matrix product of the last two axes, batched over the others, plus a bias (N).
  ///
  /// (…, M, K) · (…, K, N) → (…, M, N); an operand that is stored transposed is named so.
  public func matmul(
    _ other: SymbolicTensor, bias: SymbolicTensor? = nil, transposesA: Bool = false, transposesB: Bool = false
  ) throws(NNError) -> SymbolicTensor {
    let op = Op.matmul(Matmul(transposesA: transposesA, transposesB: transposesB))
    return try trace.apply(op, bias.map { [self, other, $0] } ?? [self, other])
  }

  /// Folds axes (all for nil) with a function; negative axes count from the last.
  public func reduce(
    _ function: ReduceFunction, axes: [Int]? = nil, keepsDimensions: Bool = false
  ) throws(NNError) -> SymbolicTensor {
    let reduce = Reduce(function, axes: try resolve(axes: axes), keepsDimensions: keepsDimensions)
    return try trace.apply(.reduce(reduce), [self])
  }

  public func sum(axes: [Int]? = nil, keepsDimensions: Bool = false) throws(NNError) -> SymbolicTensor {
    try reduce(.sum, axes: axes, keepsDimensions: keepsDimensions)
  }

  public func mean(axes: [Int]? = nil, keepsDimensions: Bool = false) throws(NNError) -> SymbolicTensor {
    try reduce(.mean, axes: axes, keepsDimensions: keepsDimensions)
  }

  /// The i64 index of the largest element along an axis; the first one wins.
  public func argmax(axis: Int = -1) throws(NNError) -> SymbolicTensor {
    let argument = ArgumentReduce(
      findsMaximum: true, axis: try resolve(axis: axis), keepsDimensions: false)
    return try trace.apply(.argument(argument), [self])
  }

  /// The same elements in another shape, of which one extent may be unknown.
  public func reshaped(_ shape: Shape) throws(NNError) -> SymbolicTensor {
    shape == self.shape ? self : try trace.apply(.reshape(shape), [self])
  }

  /// Axis i of the result is axis `permutation[i]` of this tensor.
  public func transposed(_ permutation: [Int]) throws(NNError) -> SymbolicTensor {
    try trace.apply(.transpose(permutation), [self])
  }

  /// Repeated along axes of extent 1, and along new leading ones, to the given shape.
  public func expanded(_ shape: Shape) throws(NNError) -> SymbolicTensor {
    shape == self.shape ? self : try trace.apply(.expand(shape), [self])
  }

  /// A range of each axis.
  public func sliced(_ ranges: [SliceRange]) throws(NNError) -> SymbolicTensor {
    try trace.apply(.slice(ranges), [self])
  }

  /// The tensors joined along an axis.
  public func concatenated(with others: [SymbolicTensor], axis: Int) throws(NNError) -> SymbolicTensor {
    try trace.apply(.concat(axis: try resolve(axis: axis)), [self] + others)
  }

  /// The entries of an axis that `indices` (i32 or i64) name.
  public func gathered(_ indices: SymbolicTensor, axis: Int = 0) throws(NNError) -> SymbolicTensor {
    try trace.apply(.gather(axis: try resolve(axis: axis)), [self, indices])
  }

  /// This tensor of shape (C) as (1, C, 1, …), to broadcast along axis 1 of a tensor of `rank` axes.
  func alongChannels(rank: Int) throws(NNError) -> SymbolicTensor {
    var shape = Shape([Int](repeating: 1, count: rank))
    shape[1] = self.shape[0]
    return try reshaped(shape)
  }

  /// The adjoint of broadcasting to this tensor's shape: sums over the axes along which `target` was repeated.
  func summed(to target: Shape) throws(NNError) -> SymbolicTensor {
    if shape == target { return self }
    let leading = rank - target.rank
    var axes: [Int] = Array(0..<leading)
    for axis in 0..<target.rank where target[axis] == .fixed(1) && shape[axis + leading] != .fixed(1) {
      axes.append(axis + leading)
    }
    return try (axes.isEmpty ? self : sum(axes: axes, keepsDimensions: true)).reshaped(target)
  }
}
