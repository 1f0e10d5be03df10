import CPlatform
import NNGraph
import NNKernels

/// Resolves every node to kernel calls on fixed addresses.
final class StepBuilder {
  let graph: Graph
  let resolved: ResolvedGraph
  let schedule: Schedule
  let layout: PlannedMemory
  let kernels: KernelTable
  let options: Plan.Options
  let fault: Fault
  private(set) var steps: [Step] = []
  /// The node being resolved.
  var index = 0
  /// The node whose steps they are, where others run together with it.
  var reported: Int?

  init(
    _ graph: Graph, _ resolved: ResolvedGraph, _ schedule: Schedule, _ layout: PlannedMemory,
    _ kernels: KernelTable, _ options: Plan.Options, _ fault: Fault
  ) {
    self.graph = graph
    self.resolved = resolved
    self.schedule = schedule
    self.layout = layout
    self.kernels = kernels
    self.options = options
    self.fault = fault
  }

  func build() throws(NNError) -> [Step] {
    steps.reserveCapacity(graph.nodes.count)
    for item in schedule.items {
      switch item {
      case .node(let next): try resolveNode(next)
      case .projected(let projected): resolveProjected(projected)
      case .fused(let fused): try resolveFused(fused)
      case .chain(let chain):
        index = chain.members[chain.members.count - 1]
        try resolveChain(chain)
      case .transposed(let pair): try resolveTransposed(pair)
      case .attention(let attention):
        try resolveAttention(attention)
      }
    }
    return steps
  }

  private func resolveNode(_ next: Int) throws(NNError) {
    index = next
    do throws(NNError) {
      try resolve(resolved.ops[next])
    } catch {
      throw error.within(node.description)
    }
  }

  private func resolve(_ op: Op) throws(NNError) {
    switch op {
    case .unary(let activation): resolveUnary(activation)
    case .binary(let function): try resolveBinary(function)
    case .compare(let function): try resolveCompare(function)
    case .select: try resolveSelect()
    case .reduce(let reduce): try resolveReduce(reduce)
    case .argument(let argument): try resolveArgument(argument)
    case .matmul(let matmul): try resolveMatmul(matmul)
    case .convolution(let convolution): try resolveConvolution(convolution)
    case .pool(let pool): resolvePool(pool)
    case .normalize(let normalize): resolveNormalize(normalize)
    case .softmax(let softmax): resolveSoftmax(softmax)
    case .recurrent(let recurrent): resolveRecurrent(recurrent)
    case .recurrentGradient(let recurrent, let ofStates):
      resolveRecurrentGradient(recurrent, ofStates: ofStates)
    case .reshape: resolveView()
    case .transpose(let permutation): try resolveTranspose(permutation)
    case .expand: try resolveExpand()
    case .slice(let ranges): try resolveSlice(ranges)
    case .pad(let pad): try resolvePad(pad)
    case .concat(let axis): try resolveConcat(axis: axis)
    case .gather(let axis): resolveGather(axis: axis)
    case .scatter(let function, let axis): try resolveScatter(function, axis: axis)
    case .argsort(let axis, let isDescending): resolveArgsort(axis: axis, isDescending: isDescending)
    case .cast(let dtype, let mode): try resolveCast(dtype, mode)
    case .dynamic: throw unsupported()
    case .random(let function, let stream): resolveRandom(function, stream: stream)
    case .normalizeTraining(let training): resolveNormalizeTraining(training)
    case .convolutionWeightGradient(let window, let groups): resolveWeightGradient(window, groups: groups)
    case .unfold(let window): resolveUnfold(window)
    case .fold(let window, let height, let width): resolveFold(window, height: height, width: width)
    case .poolGradient(let pool): resolvePoolGradient(pool)
    }
  }

  // What the families ask about the node being resolved.

  var node: Node { graph.nodes[index] }
  var inputCount: Int { node.inputs.count }
  func type(_ input: Int) -> TensorType { resolved.types[node.inputs[input].index] }
  func extents(_ input: Int) -> [Int] { type(input).shape.extents ?? [] }
  func input(_ input: Int) -> UnsafeRawPointer { UnsafeRawPointer(layout.pointers[node.inputs[input].index]) }
  func floats(_ input: Int) -> UnsafePointer<Float> { self.input(input).assumingMemoryBound(to: Float.self) }
  var outputType: TensorType { resolved.types[node.outputs[0].index] }
  var outputExtents: [Int] { outputType.shape.extents ?? [] }
  var outputCount: Int { outputType.shape.elementCount ?? 0 }
  var output: UnsafeMutableRawPointer { layout.pointers[node.outputs[0].index] }
  var outputFloats: UnsafeMutablePointer<Float> { output.assumingMemoryBound(to: Float.self) }

  /// The product of some extents.
  func count(_ extents: ArraySlice<Int>) -> Int { extents.reduce(1, *) }

  /// Adds a step; one without units is left out. `cost` is about one unit of time per element operation, see ``Step/cost(_:)``.
  func emit(
    units: Int, cost: Int, grain: Int = 1, isProduct: Bool = false, indices: IndexList? = nil,
    _ body: @escaping SharedWork
  ) {
    guard units > 0 else { return }
    steps.append(
      Step(
        node: reported ?? index, units: units, cost: cost, grain: grain, isProduct: isProduct,
        indices: indices, body: body))
  }

  /// Adds a step that calls `kernel` on its arguments.
  func emit<Arguments>(
    _ kernel: @escaping RangeKernel<Arguments>, _ arguments: Arguments, units: Int, cost: Int,
    isProduct: Bool = false
  ) {
    emit(units: units, cost: cost, isProduct: isProduct) { range, _ in kernel(arguments, range) }
  }

  /// Adds a step that lays weights out in `memory`, of `size` bytes; those that are constant are laid out now, once for all runs.
  func emitLayout(
    of weights: ValueID, into memory: UnsafeMutableRawPointer, size: Int, units: Int, cost: Int,
    _ body: @escaping SharedWork
  ) throws(NNError) {
    guard graph[weights].constant != nil else { return emit(units: units, cost: cost, body) }
    let sharing = WorkSharing(options)
    let piece = 1 << 20
    try sharing.perform(
      Step(node: index, units: (size + piece - 1) / piece, cost: size / 4) { range, _ in
        let begin = range.lowerBound * piece
        nnp_will_write(memory + begin, min(size - begin, range.count * piece))
      })
    try sharing.perform(Step(node: index, units: units, cost: cost, body: body))
  }

  /// Adds a strided copy of elements of the output's type.
  func emitCopy(
    from source: UnsafeRawPointer, to destination: UnsafeMutableRawPointer, dims: [Int], sourceStrides: [Int],
    destinationStrides: [Int]
  ) throws(NNError) {
    guard let kernel = kernels.copy(outputType.dtype.size),
      let layout = BroadcastLayout(dims: dims, strides0: sourceStrides, strides1: destinationStrides)
    else { throw unsupported() }
    let arguments = CopyArguments(source: source, destination: destination, layout: layout)
    emit(kernel, arguments, units: layout.count, cost: layout.count)
  }

  /// Adds a copy of `size` bytes unless they are in place already.
  func emitBytes(from source: UnsafeRawPointer, to destination: UnsafeMutableRawPointer, size: Int) {
    if source == UnsafeRawPointer(destination) || size == 0 { return }
    emit(units: 1, cost: size / 8) { _, _ in memcpy(destination, source, size) }
  }

  func unsupported() -> NNError {
    NNError(.unsupportedOperator, "there is no kernel for \(outputType.dtype.name) in this arrangement")
  }
}

extension MemoryLayoutPlanner {
  /// Whether a node's workspace is filled when it is planned, and then stays.
  func hasLastingWorkspace(_ index: Int) -> Bool {
    let weight = graph.nodes[index].inputs.count > 1 ? graph[graph.nodes[index].inputs[1]].constant : nil
    switch resolved.ops[index] {
    case .convolution: return weight != nil
    // Narrow ones; panels that are packed from row-major weights are not, so that they take no memory for themselves.
    case .matmul: return weight?.layout == .panels
    case .unary, .binary, .compare, .select, .reduce, .argument, .pool, .normalize, .softmax, .recurrent,
      .recurrentGradient, .reshape, .transpose, .expand, .slice, .pad, .concat, .gather, .scatter, .argsort,
      .cast, .dynamic, .random, .normalizeTraining, .convolutionWeightGradient, .unfold, .fold, .poolGradient:
      return false
    }
  }

  /// Bytes that a node needs during its step: a workspace of its own, and scratch for each thread.
  func workspace(of index: Int) throws(NNError) -> (workspace: Int, scratch: Int) {
    let node = graph.nodes[index]
    switch resolved.ops[index] {
    case .matmul(let matmul):
      guard resolved.types[node.outputs[0].index].dtype == .f32 else { return (0, 0) }
      let route = MatmulRoute(matmul, graph, node, resolved.types, options)
      return (route.panelsBytes, 0)
    case .convolution(let convolution):
      let arguments = ConvolutionArguments(convolution, node, resolved.types)
      let copies = ConvolutionWeightCopies(arguments, graph[node.inputs[1]].constant)
      return (copies.size * 4, arguments.scratchSize)
    case .convolutionWeightGradient(let window, let groups):
      return (0, ConvolutionWeightGradientArguments(window, groups: groups, node, resolved.types).scratchSize)
    case .recurrent(let recurrent), .recurrentGradient(let recurrent, _):
      let layout = RecurrentLayout(recurrent, node, graph, resolved.types, options)
      return (layout.panelsBytes, layout.scratchSize)
    case .pad: return (8, 0)
    case .unary, .binary, .compare, .select, .reduce, .argument, .pool, .normalize, .softmax, .reshape,
      .transpose,
      .expand, .slice, .concat, .gather, .scatter, .argsort, .cast, .dynamic, .random, .normalizeTraining,
      .unfold,
      .fold,
      .poolGradient:
      return (0, 0)
    }
  }
}
