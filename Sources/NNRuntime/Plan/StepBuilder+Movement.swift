import CPlatform
import NNGraph
import NNKernels

extension StepBuilder {
  /// A result with the input's bytes in the same order: nothing to do, unless it had to live elsewhere.
  func resolveView() {
    emitBytes(from: input(0), to: output, size: outputCount * outputType.dtype.size)
  }

  func resolveTranspose(_ permutation: [Int]) throws(NNError) {
    if isView { return }
    let strides = BroadcastLayout.contiguousStrides(extents(0))
    try emitCopy(
      from: input(0), to: output, dims: outputExtents, sourceStrides: permutation.map { strides[$0] },
      destinationStrides: BroadcastLayout.contiguousStrides(outputExtents))
  }

  func resolveExpand() throws(NNError) {
    if isView { return }
    guard let strides = BroadcastLayout.broadcastStrides(of: extents(0), to: outputExtents) else {
      throw unsupported()
    }
    try emitCopy(
      from: input(0), to: output, dims: outputExtents, sourceStrides: strides,
      destinationStrides: BroadcastLayout.contiguousStrides(outputExtents))
  }

  func resolveSlice(_ ranges: [SliceRange]) throws(NNError) {
    if isView || outputCount == 0 { return }
    let strides = BroadcastLayout.contiguousStrides(extents(0))
    var offset = 0
    var steps: [Int] = []
    for (axis, range) in ranges.enumerated() {
      let (start, count) = range.resolved(extent: extents(0)[axis])
      offset += start * strides[axis]
      // With one element the step is never taken, and may be anything.
      steps.append(count == 1 ? 0 : range.step * strides[axis])
    }
    try emitCopy(
      from: input(0) + offset * outputType.dtype.size, to: output, dims: outputExtents, sourceStrides: steps,
      destinationStrides: BroadcastLayout.contiguousStrides(outputExtents))
  }

  func resolvePad(_ pad: Pad) throws(NNError) {
    // What has no elements may stand at any address, that of the result too.
    if isView, type(0) == outputType { return }
    let dtype = outputType.dtype
    let strides = BroadcastLayout.contiguousStrides(outputExtents)
    try emitCopy(
      from: try padValue(pad), to: output, dims: outputExtents,
      sourceStrides: [Int](repeating: 0, count: strides.count),
      destinationStrides: strides)
    var offset = 0
    for axis in strides.indices { offset += pad.before[axis] * strides[axis] }
    guard type(0).shape.elementCount != 0 else { return }
    try emitCopy(
      from: input(0), to: output + offset * dtype.size, dims: extents(0),
      sourceStrides: BroadcastLayout.contiguousStrides(extents(0)), destinationStrides: strides)
  }

  /// Where one element with the border's value is.
  private func padValue(_ pad: Pad) throws(NNError) -> UnsafeRawPointer {
    if inputCount > 1 { return input(1) }
    guard let value = layout.workspaces[index] else { throw unsupported() }
    let dtype = outputType.dtype
    let convert = dtype == .f32 ? nil : kernels.cast(.f32, dtype, .standard)
    let number = pad.value
    emit(units: 1, cost: 1) { _, _ in
      withUnsafePointer(to: number) { source in
        if let convert { convert(source, value, 1) } else { memcpy(value, source, 4) }
      }
    }
    return UnsafeRawPointer(value)
  }

  func resolveConcat(axis: Int) throws(NNError) {
    let strides = BroadcastLayout.contiguousStrides(outputExtents)
    var offset = 0
    for position in 0..<inputCount {
      let dims = extents(position)
      try emitCopy(
        from: input(position), to: output + offset * strides[axis] * outputType.dtype.size, dims: dims,
        sourceStrides: BroadcastLayout.contiguousStrides(dims), destinationStrides: strides)
      offset += dims[axis]
    }
  }

  func resolveGather(axis: Int) {
    let shape = extents(0)
    let (outer, extent, inner) = split(shape, at: axis)
    let arguments = GatherArguments(
      data: input(0), indices: input(1), wideIndices: type(1).dtype == .i64, out: output, outer: outer,
      axis: extent,
      count: type(1).shape.elementCount ?? 0, innerBytes: inner * outputType.dtype.size)
    emitIndexed(kernels.gather, arguments, extent, units: outer * arguments.count, cost: outputCount)
  }

  func resolveScatter(_ function: ScatterFunction, axis: Int) throws(NNError) {
    emitBytes(from: input(0), to: output, size: outputCount * outputType.dtype.size)
    let (outer, extent, inner) = split(extents(0), at: axis)
    let arguments = ScatterArguments(
      updates: input(2), indices: input(1), wideIndices: type(1).dtype == .i64, out: output, outer: outer,
      axis: extent, count: type(1).shape.elementCount ?? 0, inner: inner)
    guard let kernel = kernels.scatter(function, outputType.dtype) else { throw unsupported() }
    emitIndexed(
      kernel, arguments, extent, units: outer * inner, cost: Step.cost(outer, inner, arguments.count))
  }

  /// Adds a step that selects from an axis of `extent` elements by the second operand.
  private func emitIndexed<Arguments>(
    _ kernel: @escaping IndexedKernel<Arguments>, _ arguments: Arguments, _ extent: Int, units: Int, cost: Int
  ) {
    let list = IndexList(
      name: graph[node.inputs[1]].name, start: input(1), isWide: type(1).dtype == .i64, extent: extent)
    let fault = fault
    emit(units: units, cost: cost, indices: list) { range, _ in fault.note(kernel(arguments, range)) }
  }

  func resolveArgsort(axis: Int, isDescending: Bool) {
    let (outer, extent, inner) = split(extents(0), at: axis)
    let arguments = ArgsortArguments(
      x: input(0), dtype: type(0).dtype, y: output.assumingMemoryBound(to: Int64.self), outer: outer,
      axis: extent, inner: inner, isDescending: isDescending)
    let logarithm = Int.bitWidth - extent.leadingZeroBitCount
    emit(kernels.argsort, arguments, units: outer * inner, cost: Step.cost(4, outputCount, logarithm))
  }

  /// Whether the result shares the input's memory, so that there is nothing to move.
  private var isView: Bool { input(0) == UnsafeRawPointer(output) }
}
