// Graphs inside a graph, and the types of the nodes that have them.

extension Graph {
  /// This graph and all those inside it, each before its own bodies and those before the next body's.
  public var withBodies: [Graph] {
    var all = [self]
    for body in bodies { all += body.withBodies }
    return all
  }

  /// How deep graphs inside graphs may be; the main graph has depth 0.
  public static let maximumBodyDepth = 16

  /// The types of a node's results; as ``Op/inferOutputs(_:)``, and for operators with bodies too.
  public func inferOutputs(_ op: Op, _ inputs: [TensorType]) throws(NNError) -> [TensorType] {
    guard case .dynamic(let dynamic) = op else { return try op.inferOutputs(inputs) }
    let results: [TensorType]
    switch dynamic {
    case .branch(let then, let otherwise):
      try op.requireInputCount(inputs.count)
      results = try inferBranch(try body(then), try body(otherwise), inputs)
    case .loop(let body, let carried):
      try op.requireInputCount(inputs.count)
      results = try inferLoop(try self.body(body), carried: carried, inputs)
    case .shape, .reshape, .expand, .slice, .pad, .range, .nonZero, .unique, .nonMaxSuppression:
      return try op.inferOutputs(inputs)
    }
    for result in results { try result.shape.validate() }
    return results
  }

  private func body(_ index: Int) throws(NNError) -> Graph {
    guard bodies.indices.contains(index) else {
      throw NNError(.invalidGraph, "has body \(index) of \(bodies.count)")
    }
    return bodies[index]
  }

  private func inferBranch(_ then: Graph, _ otherwise: Graph, _ inputs: [TensorType]) throws(NNError)
    -> [TensorType]
  {
    try inputs[0].require(.bool, "condition")
    try Dynamic.requireOneElement(inputs[0], "condition")
    try then.requireInputs(inputs.dropFirst())
    try otherwise.requireInputs(inputs.dropFirst())
    guard then.outputs.count == otherwise.outputs.count, !then.outputs.isEmpty else {
      throw NNError(
        .invalidGraph, "its bodies have \(then.outputs.count) and \(otherwise.outputs.count) results")
    }
    var results: [TensorType] = []
    for (a, b) in zip(then.outputs, otherwise.outputs) {
      let (x, y) = (then.anonymousType(a), otherwise.anonymousType(b))
      guard x.dtype == y.dtype, x.shape.rank == y.shape.rank else {
        throw NNError(
          .shapeMismatch,
          "its bodies give \(x.dtype.name) \(x.shape.description) and \(y.dtype.name) \(y.shape.description)")
      }
      results.append(TensorType(x.dtype, x.shape.generalized(with: y.shape)))
    }
    return results
  }

  private func inferLoop(_ body: Graph, carried: Int, _ inputs: [TensorType]) throws(NNError) -> [TensorType]
  {
    try inputs[0].require(.i64, "number of iterations")
    try Dynamic.requireOneElement(inputs[0], "number of iterations")
    try inputs[1].require(.bool, "condition")
    try Dynamic.requireOneElement(inputs[1], "condition")
    guard carried >= 0, inputs.count - 2 >= carried, body.outputs.count - 1 >= carried else {
      throw NNError(
        .invalidGraph,
        "carries \(carried) values, with \(inputs.count) inputs and a body of \(body.outputs.count) results")
    }
    try body.requireInputs(inputs.dropFirst(2), from: 2)
    for (position, dtype) in [DType.i64, .bool].enumerated() {
      let type = body.anonymousType(body.inputs[position])
      try type.require(dtype, "an input of the body")
      try Dynamic.requireOneElement(type, "an input of the body")
    }
    let condition = body.anonymousType(body.outputs[0])
    try condition.require(.bool, "the body's condition")
    try Dynamic.requireOneElement(condition, "the body's condition")
    var results: [TensorType] = []
    for index in 0..<carried {
      let (before, after) = (inputs[2 + index], body.anonymousType(body.outputs[1 + index]))
      guard before.dtype == after.dtype, before.shape.rank == after.shape.rank else {
        throw NNError(
          .shapeMismatch,
          "carried value \(index) turns from \(before.dtype.name) \(before.shape.description) into "
            + "\(after.dtype.name) \(after.shape.description)")
      }
      // After no iteration it is what it was.
      results.append(TensorType(after.dtype, before.shape.generalized(with: after.shape)))
    }
    for output in body.outputs.dropFirst(1 + carried) {
      let type = body.anonymousType(output)
      results.append(TensorType(type.dtype, Shape([.unknown] + type.shape.dimensions)))
    }
    guard !results.isEmpty else { throw NNError(.invalidGraph, "has no results") }
    return results
  }

  /// Throws unless a body's inputs, from the given one on, may take values of these types.
  private func requireInputs(_ types: ArraySlice<TensorType>, from first: Int = 0) throws(NNError) {
    guard types.count + first == inputs.count else {
      throw NNError(
        .invalidGraph, "gives \(types.count + first) values to a body that takes \(inputs.count)")
    }
    for (id, given) in zip(inputs.dropFirst(first), types) {
      let type = self[id].type
      // The symbols of the two graphs are not the same, so only plain extents can be compared.
      guard type.dtype == given.dtype, anonymousType(id).shape.mayEqual(given.shape) else {
        throw NNError(
          .shapeMismatch,
          "gives \(given.dtype.name) \(given.shape.description) to the body's input \(self[id].name.quoted), "
            + "which is \(type.dtype.name) \(type.shape.describe(symbols: symbols))")
      }
    }
  }

  /// A value's type for another graph, where this one's free dimensions mean nothing.
  private func anonymousType(_ id: ValueID) -> TensorType {
    var type = self[id].type
    for axis in 0..<type.shape.rank where type.shape[axis].extent == nil { type.shape[axis] = .unknown }
    return type
  }
}

extension Shape {
  /// What is certain of a shape that is one of two of the same rank.
  fileprivate func generalized(with other: Shape) -> Shape {
    var result = self
    for axis in 0..<rank where self[axis] != other[axis] || self[axis].extent == nil {
      result[axis] = .unknown
    }
    return result
  }
}
