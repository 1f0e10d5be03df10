import NNGraph

/// A tensor that has a type but no numbers yet: a value of the graph that is being traced.
///
/// Layers, losses and optimisers are functions of symbolic tensors. Every operation appends a node to the graph of
/// ``trace`` and infers the result's shape, so that a mismatch is thrown by the call that made it, before anything runs.
public struct SymbolicTensor {
  /// What the tensor belongs to.
  public let trace: Trace
  /// The value of the trace's graph that this tensor stands for.
  public let id: ValueID

  public var type: TensorType { trace.graph[id].type }
  public var dtype: DType { type.dtype }
  public var shape: Shape { type.shape }
  public var rank: Int { shape.rank }

  /// `(N, 64)`, with the names of free dimensions.
  public var shapeDescription: String { shape.describe(symbols: trace.graph.symbols) }

  /// The extents, all of which must be known.
  ///
  /// - Throws: ``ErrorCode/invalidState`` if one is free, as the batch is while a model is traced for export.
  public func knownExtents() throws(NNError) -> [Int] {
    guard let extents = shape.extents else {
      throw NNError(.invalidState, "needs a shape without free extents, not \(shapeDescription)")
    }
    return extents
  }

  /// The index of an axis, where negative ones count from the last: −1 is the last axis.
  ///
  /// - Throws: ``ErrorCode/invalidArgument`` if the tensor has no such axis.
  public func resolve(axis: Int) throws(NNError) -> Int {
    guard axis >= -rank, axis < rank else {
      throw NNError(.invalidArgument, "axis \(axis) of a tensor of shape \(shapeDescription)")
    }
    return axis < 0 ? axis + rank : axis
  }

  /// Distinct ascending indices of `axes`; all axes for nil.
  func resolve(axes: [Int]?) throws(NNError) -> [Int] {
    guard let axes else { return Array(0..<rank) }
    var result: [Int] = []
    for axis in axes {
      let index = try resolve(axis: axis)
      if !result.contains(index) { result.append(index) }
    }
    return result.sorted()
  }

  /// The same numbers, through which no gradient flows: what made them is not trained by what is made of them.
  public func stoppingGradient() throws(NNError) -> SymbolicTensor {
    let result = try trace.apply(.unary(.identity), [self])
    trace.stopGradient(at: result)
    return result
  }
}
