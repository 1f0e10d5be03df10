import NNGraph
import NNKernels

/// A convolution and what alone reads its outputs, which are never written: the maxima of their squares of 2 x 2, or their sum with another
/// tensor of their shape and the bounds of that sum.
///
/// No bit depends on it.
struct FusedConvolution {
  /// The convolution's node, then those that follow it.
  var members: [Int]
  /// What is added.
  let residual: ValueID?

  var last: Int { members[members.count - 1] }

  /// All of a graph; `uses` counts how many nodes and outputs read each value.
  static func all(_ graph: Graph, _ resolved: ResolvedGraph, _ uses: [Int]) -> [FusedConvolution] {
    var found: [FusedConvolution] = []
    func isHidden(_ value: ValueID) -> Bool {
      uses[value.index] == 1 && !graph.states.contains { $0.output == value }
    }
    for index in graph.nodes.indices {
      let node = graph.nodes[index]
      let isSum = resolved.ops[index] == .binary(.add)
      if isSum {
        guard let role = ElementwiseRole(node, resolved, resolved.ops[index]),
          role.operands[0] == .whole, role.operands[1] == .whole
        else { continue }
      } else {
        guard case .pool(let pool) = resolved.ops[index], pool.function == .maximum,
          NNKernels.Window(pool.window).isHalving
        else { continue }
      }
      for position in node.inputs.indices where isHidden(node.inputs[position]) {
        let (outputs, result) = (node.inputs[position], node.outputs[0])
        guard let maker = graph.nodes[..<index].lastIndex(where: { $0.outputs.first == outputs }),
          case .convolution(let convolution) = resolved.ops[maker]
        else { continue }
        var fused = FusedConvolution(
          members: [maker, index], residual: isSum ? node.inputs[1 - position] : nil)
        if isSum, isHidden(result),
          let next = graph.nodes[index...].firstIndex(where: { $0.inputs.first == result }),
          case .unary(let activation) = resolved.ops[next], Epilogue(activation).bounds != nil
        {
          fused.members.append(next)
        }
        guard let arguments = fused.arguments(graph, resolved) else { continue }
        // Without a bias strips may give −0, and what is the larger of two zeros would have to be found again.
        if isSum
          ? arguments.canAddResidual && convolution.activation.function == .identity
          : arguments.canPool && (arguments.algorithm != .depthwise || graph.nodes[maker].inputs.count > 2)
        {
          found.append(fused)
          break
        }
      }
    }
    return found
  }

  /// The convolution's extents and the epilogue of all; its pointers are not set.
  func arguments(_ graph: Graph, _ resolved: ResolvedGraph) -> ConvolutionArguments? {
    guard case .convolution(let op) = resolved.ops[members[0]] else { return nil }
    var arguments = ConvolutionArguments(op, graph.nodes[members[0]], resolved.types)
    arguments.pools = residual == nil
    if case .unary(let activation) = resolved.ops[last] { arguments.epilogue = Epilogue(activation) }
    return arguments
  }
}

extension MemoryLayoutPlanner {
  /// The results may take the place of what is added if nobody needs it any more, nor the convolution itself. Returns the bytes of scratch
  /// that a thread needs.
  mutating func placeFused(_ fused: FusedConvolution, at position: Int) throws(NNError) -> Int {
    guard let arguments = fused.arguments(graph, resolved) else { return 0 }
    let result = graph.nodes[fused.last].outputs[0].index
    var shared: Int?
    if let residual = fused.residual, arguments.canOverwriteResidual {
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
    _ = try placeWorkspace(of: fused.members[0], at: position)
    return arguments.scratchSize
  }
}

extension StepBuilder {
  func resolveFused(_ fused: FusedConvolution) {
    guard var arguments = fused.arguments(graph, resolved) else { return }
    reported = fused.last
    defer { reported = nil }
    index = fused.members[0]
    if let residual = fused.residual { arguments.residual = UnsafePointer(floats(residual)) }
    emitConvolution(arguments, into: floats(graph.nodes[fused.last].outputs[0]))
  }

  private func floats(_ value: ValueID) -> UnsafeMutablePointer<Float> {
    layout.pointers[value.index].assumingMemoryBound(to: Float.self)
  }
}
