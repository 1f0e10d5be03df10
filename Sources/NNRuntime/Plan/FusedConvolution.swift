import NNGraph
import NNKernels

/// A convolution and what alone reads its outputs, which are never written: the maxima of their squares of 2 x 2, a depthwise convolution,
/// or their sum with another tensor of their shape and the bounds of that sum. Where several threads share the work, the depthwise
/// convolution may be followed by one of its pixels, with such a sum or without.
///
/// No bit depends on it.
struct FusedConvolution {
  /// What runs for all of the nodes; its pointers are not set.
  enum Work {
    case convolution(ConvolutionArguments)
    case expanded(ExpandedConvolutionArguments)

    /// Bytes of scratch of each thread.
    var scratchSize: Int {
      switch self {
      case .convolution(let arguments): arguments.scratchSize
      case .expanded(let arguments): arguments.scratchSize
      }
    }
  }

  /// The convolution's node, then those that follow it.
  var members: [Int]
  /// What is added.
  var residual: ValueID?

  var last: Int { members[members.count - 1] }

  /// All of a graph for so many threads, none of which share a node; `uses` counts how many nodes and outputs read each value.
  static func all(_ graph: Graph, _ resolved: ResolvedGraph, _ uses: [Int], threads: Int)
    -> [FusedConvolution]
  {
    var found: [FusedConvolution] = []
    /// The node that makes each value, and one that reads it first of its operands; −1 for none.
    var makers = [Int](repeating: -1, count: graph.values.count)
    var readers = makers
    for (index, node) in graph.nodes.enumerated() {
      for output in node.outputs { makers[output.index] = index }
      if let first = node.inputs.first { readers[first.index] = index }
    }
    var isTaken = [Bool](repeating: false, count: graph.nodes.count)
    func isHidden(_ value: ValueID) -> Bool { graph.isReadOnce(value, uses) }
    for (index, node) in graph.nodes.enumerated() {
      guard let positions = operands(index, graph, resolved) else { continue }
      let isSum = resolved.ops[index] == .binary(.add)
      for position in positions where isHidden(node.inputs[position]) {
        let maker = makers[node.inputs[position].index]
        guard maker >= 0, !isTaken[maker] else { continue }
        var fused = FusedConvolution(
          members: [maker, index], residual: isSum ? node.inputs[1 - position] : nil)
        if isSum, isHidden(node.outputs[0]),
          case let next = readers[node.outputs[0].index], next >= 0,
          case .unary(let activation) = resolved.ops[next], Epilogue(activation).bounds != nil
        {
          fused.members.append(next)
        }
        guard fused.isWorth(graph, resolved) else { continue }
        found.append(fused)
        for member in fused.members { isTaken[member] = true }
        break
      }
    }
    if threads > 1 {
      project(&found, graph, resolved, threads, reader: { isHidden($0) ? readers[$0.index] : -1 })
    }
    return found
  }

  /// Joins those that end with a depthwise convolution with what alone reads its outputs.
  private static func project(
    _ found: inout [FusedConvolution], _ graph: Graph, _ resolved: ResolvedGraph, _ threads: Int,
    reader: (ValueID) -> Int
  ) {
    var number = 0
    while number < found.count {
      defer { number += 1 }
      let next = reader(graph.nodes[found[number].last].outputs[0])
      guard next >= 0, case .convolution = resolved.ops[next] else { continue }
      let follower = found.firstIndex { $0.members.contains(next) }
      var joined = found[number]
      joined.members += follower.map { found[$0].members } ?? [next]
      if let follower { joined.residual = found[follower].residual }
      guard follower == nil || joined.residual != nil, case .expanded? = joined.work(graph, resolved, threads)
      else { continue }
      found[number] = joined
      if let follower {
        found.remove(at: follower)
        if follower < number { number -= 1 }
      }
    }
  }

  /// The operands of a node that may be the outputs of a convolution that runs with it; nil for none.
  private static func operands(_ index: Int, _ graph: Graph, _ resolved: ResolvedGraph) -> Range<Int>? {
    let op = resolved.ops[index]
    if op == .binary(.add) {
      guard let role = ElementwiseRole(graph.nodes[index], resolved, op),
        role.operands[0] == .whole, role.operands[1] == .whole
      else { return nil }
      return 0..<2
    }
    if case .convolution = op { return 0..<1 }
    guard case .pool(let pool) = op, pool.function == .maximum, NNKernels.Window(pool.window).isHalving
    else { return nil }
    return 0..<1
  }

  /// Whether they can run as one.
  private func isWorth(_ graph: Graph, _ resolved: ResolvedGraph) -> Bool {
    guard case .convolution(let convolution) = resolved.ops[members[0]],
      case .convolution(let arguments) = work(graph, resolved, 1)
    else { return work(graph, resolved, 1) != nil }
    if residual != nil { return arguments.canAddResidual && convolution.activation.function == .identity }
    // Without a bias strips may give −0, and what is the larger of two zeros would have to be found again.
    return arguments.canPool
      && (arguments.algorithm != .depthwise || graph.nodes[members[0]].inputs.count > 2)
  }

  /// With the epilogue of all; nil if there is no such kernel.
  func work(_ graph: Graph, _ resolved: ResolvedGraph, _ threads: Int) -> Work? {
    func arguments(_ member: Int) -> ConvolutionArguments? {
      guard case .convolution(let op) = resolved.ops[members[member]] else { return nil }
      return ConvolutionArguments(op, graph.nodes[members[member]], resolved.types)
    }
    guard var first = arguments(0) else { return nil }
    var epilogue: Epilogue?
    if case .unary(let activation) = resolved.ops[last] { epilogue = Epilogue(activation) }
    if let depthwise = arguments(1) {
      let expanded = ExpandedConvolutionArguments(expansion: first, depthwise: depthwise)
      guard members.count > 2 else { return expanded.map { .expanded($0) } }
      guard var projection = arguments(2) else { return nil }
      if residual != nil && !projection.canAddResidual { return nil }
      if let epilogue { projection.epilogue = epilogue }
      return expanded?.projecting(projection, among: threads).map { .expanded($0) }
    }
    first.pools = residual == nil
    if let epilogue { first.epilogue = epilogue }
    return .convolution(first)
  }
}

extension MemoryLayoutPlanner {
  /// The results may take the place of what is added if nobody needs it any more, nor the convolution itself. Returns the bytes of scratch
  /// that a thread needs.
  mutating func placeFused(_ fused: FusedConvolution, at position: Int) throws(NNError) -> Int {
    guard let work = fused.work(graph, resolved, options.threads) else { return 0 }
    let result = graph.nodes[fused.last].outputs[0].index
    var shared: Int?
    if let residual = fused.residual, case .convolution(let arguments) = work, arguments.canOverwriteResidual
    {
      let block = blockOf[residual.index]
      let isRead = graph.nodes[fused.members[0]].inputs.contains { blockOf[$0.index] == block }
      if case .arena = blocks[block].home, blocks[block].last == position, !isRead,
        blocks[block].size == sizes[result]
      {
        shared = block
      }
    }
    let block =
      shared ?? addBlock(Block(size: sizes[result], first: position, last: position, home: .arena))
    blockOf[result] = block
    extend(block, to: max(lastUse[result], position))
    for member in fused.members { _ = try placeWorkspace(of: member, at: position) }
    return work.scratchSize
  }
}

extension StepBuilder {
  func resolveFused(_ fused: FusedConvolution) throws(NNError) {
    reported = fused.last
    defer { reported = nil }
    let y = floats(graph.nodes[fused.last].outputs[0])
    switch fused.work(graph, resolved, options.threads) {
    case nil: return
    case .convolution(var arguments):
      index = fused.members[0]
      if let residual = fused.residual { arguments.residual = UnsafePointer(floats(residual)) }
      try emitConvolution(arguments, into: y)
    case .expanded(var arguments):
      var cost = 0
      if var projection = arguments.projection {
        index = fused.members[2]
        try bind(&projection, into: y)
        if let residual = fused.residual { projection.residual = UnsafePointer(floats(residual)) }
        arguments.projection = projection
        cost = Step.cost(2, outputCount, projection.reductionLength)
      }
      index = fused.members[1]
      try bind(&arguments.depthwise, into: y)
      index = fused.members[0]
      // What is expanded goes nowhere.
      try bind(&arguments.expansion, into: y)
      arguments.share(among: options.threads)
      guard let kernel = kernels.expandedConvolution else { return }
      let ready = arguments
      let scratch = layout.scratch
      cost = max(cost, Step.cost(2, outputCount, ready.expansion.reductionLength))
      emit(units: ready.workUnits, cost: cost, isProduct: true) { range, thread in
        kernel(ready, scratch[thread], range)
      }
    }
  }

  private func floats(_ value: ValueID) -> UnsafeMutablePointer<Float> {
    layout.pointers[value.index].assumingMemoryBound(to: Float.self)
  }
}
