import NNGraph

extension Op {
  /// What this operator gives for constants, computed by the kernels that would compute it in a run.
  ///
  /// - Parameters:
  ///   - inputs: row-major tensors.
  ///   - memoryLimit: bytes that the result and what it is made with may take.
  /// - Throws: as inference, planning and running do; ``ErrorCode/unsupportedOperator`` for what a plan cannot hold.
  public func evaluated(_ inputs: [Tensor], memoryLimit: Int = .max) throws(NNError) -> Tensor {
    var cost = Int.max
    return try evaluated(inputs, memoryLimit: memoryLimit, cost: &cost)
  }

  /// As ``evaluated(_:memoryLimit:)``, within a budget of work.
  ///
  /// - Parameter cost: element operations that may be done; less by those that were done afterwards.
  /// - Throws: also ``ErrorCode/limitExceeded`` where there are more, before any is done.
  public func evaluated(_ inputs: [Tensor], memoryLimit: Int, cost: inout Int) throws(NNError) -> Tensor {
    if self == .dynamic(.range) { return try rangeTensor(inputs, memoryLimit, &cost) }
    var graph = Graph(name: "")
    var ids: [ValueID] = []
    for input in inputs { ids.append(graph.addConstant("", input)) }
    graph.addOutput(try graph.append(self, ids))
    let plan = try Plan(graph, inputExtents: [], options: Plan.Options(memoryLimit: memoryLimit))
    for step in plan.steps { try charge(step.cost, to: &cost) }
    try plan.run()
    return try Tensor(copying: plan.output(0), as: plan.outputTypes[0])
  }
}

extension Plan.Options {
  /// Computes results while a graph is resolved, within the limit of a run's memory.
  var evaluator: Resolution.Evaluator {
    let limit = memoryLimit
    return { (op, inputs, _) throws(NNError) in try op.evaluated(inputs, memoryLimit: limit) }
  }
}

private func charge(_ work: Int, to cost: inout Int) throws(NNError) {
  guard work <= cost else {
    throw NNError(.limitExceeded, "computing a constant takes more than the limit of work")
  }
  cost -= work
}

/// start, start + step, … before the limit; for f32 each computed in double and rounded once.
private func rangeTensor(_ inputs: [Tensor], _ memoryLimit: Int, _ cost: inout Int) throws(NNError) -> Tensor
{
  let dtype = inputs[0].dtype
  guard dtype == .f32 else {
    let (start, limit, step) = (try integer(inputs[0]), try integer(inputs[1]), try integer(inputs[2]))
    guard step != 0 else { throw NNError(.shapeMismatch, "a range with step 0") }
    let isForward = step > 0
    let span = isForward ? UInt64(bitPattern: limit &- start) : UInt64(bitPattern: start &- limit)
    let count = (isForward ? start < limit : start > limit) ? (span - 1) / step.magnitude + 1 : 0
    return try tensor(dtype, count: count, memoryLimit, &cost) { memory, index in
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
  return try tensor(dtype, count: count, memoryLimit, &cost) { memory, index in
    memory.storeBytes(of: Float(start + Double(index) * step), toByteOffset: index * 4, as: Float.self)
  }
}

private func integer(_ tensor: Tensor) throws(NNError) -> Int64 { try tensor.integers()[0] }

private func tensor(
  _ dtype: DType, count: UInt64, _ memoryLimit: Int, _ cost: inout Int,
  _ store: (UnsafeMutableRawBufferPointer, Int) -> Void
) throws(NNError) -> Tensor {
  guard count <= UInt64(Shape.maximumElementCount) else {
    throw NNError(.limitExceeded, "a range of \(count) elements")
  }
  guard Int(count) * dtype.size <= memoryLimit else {
    throw NNError(
      .limitExceeded, "a range of \(count) elements takes more than the limit of \(memoryLimit) bytes")
  }
  try charge(Int(count), to: &cost)
  let storage = try TensorStorage.allocate(size: Int(count) * dtype.size) { (memory) throws(NNError) in
    for index in 0..<Int(count) { store(memory, index) }
  }
  return try Tensor(dtype: dtype, extents: [Int(count)], storage: storage)
}
