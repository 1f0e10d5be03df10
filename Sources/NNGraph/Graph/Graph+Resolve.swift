/// A graph's types once the extents of all inputs are known.
public struct ResolvedGraph: Sendable {
  /// The type of each value of the graph, every extent known.
  public var types: [TensorType]
  /// Each node's operator, with free dimensions in its attributes replaced.
  public var ops: [Op]
}

extension Graph {
  /// Infers every type for inputs of the given extents, in the order of ``inputs``.
  ///
  /// - Throws: ``ErrorCode/shapeMismatch`` naming the input or node at fault.
  public func resolve(inputExtents: [[Int]]) throws(NNError) -> ResolvedGraph {
    guard inputExtents.count == inputs.count else {
      throw NNError(.invalidArgument, "\(inputExtents.count) input shapes for \(inputs.count) inputs")
    }
    var bound = [Int?](repeating: nil, count: symbols.count)
    var types: [TensorType] = []
    types.reserveCapacity(values.count)
    for value in values { types.append(value.type) }
    for (id, extents) in zip(inputs, inputExtents) {
      try bind(id, extents, &bound)
      types[id.index].shape = Shape(extents)
      try types[id.index].shape.validate()
    }
    var ops: [Op] = []
    ops.reserveCapacity(nodes.count)
    for node in nodes {
      var inputTypes: [TensorType] = []
      for input in node.inputs { inputTypes.append(types[input.index]) }
      do throws(NNError) {
        let op = try node.op.binding(symbols: bound, names: symbols)
        let results = try op.inferOutputs(inputTypes)
        for (output, result) in zip(node.outputs, results) {
          guard result.shape.extents != nil else {
            throw NNError(
              .invalidGraph, "the result's shape \(result.shape.description) does not follow from the inputs")
          }
          types[output.index] = result
        }
        ops.append(reshapeTarget(op, types[node.outputs[0].index].shape))
      } catch {
        throw error.within(node.description)
      }
    }
    for state in states where types[state.input.index] != types[state.output.index] {
      throw NNError(.shapeMismatch, "state \(self[state.input].name.quoted) changes its shape between runs")
    }
    return ResolvedGraph(types: types, ops: ops)
  }

  private func reshapeTarget(_ op: Op, _ shape: Shape) -> Op {
    if case .reshape = op { return .reshape(shape) }
    return op
  }

  private func bind(_ id: ValueID, _ extents: [Int], _ bound: inout [Int?]) throws(NNError) {
    let declared = self[id].type.shape
    func mismatch(_ detail: String) -> NNError {
      NNError(
        .shapeMismatch,
        "input \(self[id].name.quoted) has shape \(Shape(extents).description) but the model takes "
          + declared.describe(symbols: symbols) + detail)
    }
    guard extents.count == declared.rank else { throw mismatch("") }
    for (axis, extent) in extents.enumerated() {
      guard extent >= 0 else { throw mismatch("") }
      switch declared[axis] {
      case .fixed(let expected):
        guard extent == expected else { throw mismatch("") }
      case .named(let symbol):
        if let other = bound[symbol], other != extent {
          throw mismatch(", and \(symbols[symbol].string) is \(other) in another place")
        }
        bound[symbol] = extent
      case .unknown: break
      }
    }
  }
}

extension Op {
  /// The operator with named free dimensions replaced by their extents.
  func binding(symbols bound: [Int?], names: [Name]) throws(NNError) -> Op {
    switch self {
    case .reshape(let shape): return .reshape(try shape.binding(bound, names))
    case .expand(let shape): return .expand(try shape.binding(bound, names))
    case .unary, .binary, .compare, .select, .reduce, .argument, .matmul, .convolution, .pool, .normalize,
      .softmax, .recurrent, .recurrentGradient,
      .transpose, .slice, .pad, .concat, .gather, .scatterAdd, .cast, .random, .normalizeTraining,
      .convolutionWeightGradient, .unfold, .fold, .poolGradient:
      return self
    }
  }
}

extension Shape {
  fileprivate func binding(_ bound: [Int?], _ names: [Name]) throws(NNError) -> Shape {
    var result = self
    for axis in 0..<rank {
      guard case .named(let symbol) = self[axis] else { continue }
      guard let extent = bound[symbol] else {
        throw NNError(.invalidGraph, "free dimension \(names[symbol].quoted) is not an extent of any input")
      }
      result[axis] = .fixed(extent)
    }
    return result
  }
}
