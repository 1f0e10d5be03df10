import NNGraph

/// The part of a graph that one plan runs, every extent known.
struct PlannedGraph {
  var graph: Graph
  var resolved: ResolvedGraph

  /// The whole graph for inputs of the given extents.
  ///
  /// - Throws: what resolving throws, and ``ErrorCode/unsupportedOperator`` if extents depend on values that are computed.
  init(_ graph: Graph, inputExtents: [[Int]]) throws(NNError) {
    var resolution = try Resolution(graph, inputExtents: inputExtents)
    _ = try resolution.advance(computeAhead)
    for index in graph.nodes.indices where !resolution.isResolved[index] {
      throw NNError(.unsupportedOperator, "takes or gives extents that are computed").within(
        graph.nodes[index].description)
    }
    try graph.requireStableStates(resolution.types)
    self.init(graph, resolution)
  }

  /// The whole graph, all of which is resolved.
  init(_ graph: Graph, _ resolution: Resolution) {
    self.init(
      graph, resolution, nodes: Array(graph.nodes.indices), inputs: graph.inputs, outputs: graph.outputs,
      states: graph.states)
  }

  /// Some resolved nodes of a graph. Values keep their numbers; those whose contents are known are constants here.
  init(
    _ graph: Graph, _ resolution: Resolution, nodes: [Int], inputs: [ValueID], outputs: [ValueID],
    states: [CarriedState] = []
  ) {
    self.graph = graph
    self.graph.inputs = inputs
    self.graph.outputs = outputs
    self.graph.states = states
    self.graph.bodies = []
    resolved = ResolvedGraph(types: resolution.types, ops: [])
    var kept: [Node] = []
    kept.reserveCapacity(nodes.count)
    for index in nodes {
      var node = graph.nodes[index]
      if resolution.known[node.outputs[0].index] != nil { continue }
      // Parameters are in the operator now.
      if case .dynamic = node.op { node.inputs = [node.inputs[0]] }
      kept.append(node)
      resolved.ops.append(resolution.ops[index])
    }
    self.graph.nodes = kept
    for (index, content) in resolution.known.enumerated() where content != nil {
      self.graph.values[index].constant = content
    }
  }
}

/// Computes a small result while a graph is resolved, with the kernels that a run uses.
func computeAhead(_ op: Op, _ inputs: [Tensor], _ type: TensorType) throws(NNError) -> Tensor? {
  if op == .dynamic(.range) { return try rangeTensor(inputs) }
  var graph = Graph(name: "")
  var ids: [ValueID] = []
  for input in inputs { ids.append(graph.addConstant("", input)) }
  graph.addOutput(try graph.append(op, ids))
  let plan = try Plan(graph, inputExtents: [])
  try plan.run()
  let result = plan.output(0)
  let storage = try TensorStorage.allocate(size: result.count) { (memory) throws(NNError) in
    memory.copyMemory(from: result)
  }
  return try Tensor(dtype: type.dtype, extents: type.shape.extents ?? [], storage: storage)
}

/// start, start + step, … before the limit; for f32 each computed in double and rounded once.
private func rangeTensor(_ inputs: [Tensor]) throws(NNError) -> Tensor {
  let dtype = inputs[0].dtype
  guard dtype == .f32 else {
    let (start, limit, step) = (try integer(inputs[0]), try integer(inputs[1]), try integer(inputs[2]))
    guard step != 0 else { throw NNError(.shapeMismatch, "a range with step 0") }
    let isForward = step > 0
    let span = isForward ? UInt64(bitPattern: limit &- start) : UInt64(bitPattern: start &- limit)
    let count = (isForward ? start < limit : start > limit) ? (span - 1) / step.magnitude + 1 : 0
    return try tensor(dtype, count: count) { memory, index in
      let value = start &+ Int64(truncatingIfNeeded: index) &* step
      if dtype == .i64 {
        memory.storeBytes(of: value, toByteOffset: index * 8, as: Int64.self)
      } else {
        memory.storeBytes(of: Int32(truncatingIfNeeded: value), toByteOffset: index * 4, as: Int32.self)
      }
    }
  }
  func number(_ index: Int) -> Double { Double(inputs[index].bytes.loadUnaligned(as: Float.self)) }
  let (start, limit, step) = (number(0), number(1), number(2))
  let steps = ((limit - start) / step).rounded(.up)
  guard steps.isFinite else { throw NNError(.shapeMismatch, "a range without end") }
  let count = steps > 0 ? UInt64(min(steps, 0x1p60)) : 0
  return try tensor(dtype, count: count) { memory, index in
    memory.storeBytes(of: Float(start + Double(index) * step), toByteOffset: index * 4, as: Float.self)
  }
}

private func integer(_ tensor: Tensor) throws(NNError) -> Int64 { try tensor.integers()[0] }

private func tensor(
  _ dtype: DType, count: UInt64, _ store: (UnsafeMutableRawBufferPointer, Int) -> Void
) throws(NNError) -> Tensor {
  guard count <= UInt64(Shape.maximumElementCount) else {
    throw NNError(.limitExceeded, "a range of \(count) elements")
  }
  let storage = try TensorStorage.allocate(size: Int(count) * dtype.size) { (memory) throws(NNError) in
    for index in 0..<Int(count) { store(memory, index) }
  }
  return try Tensor(dtype: dtype, extents: [Int(count)], storage: storage)
}
