import NNGraph
import NNKernels

/// A convolution and the maxima of its squares of 2 x 2 outputs, which nobody else reads: they run as one, and the outputs are never
/// written.
///
/// No bit depends on it.
struct PooledConvolution {
  /// The convolution's node, and the pooling's.
  let convolution: Int
  let pool: Int

  func contains(_ node: Int) -> Bool { node == convolution || node == pool }

  /// All of a graph; `uses` counts how many nodes and outputs read each value.
  static func all(_ graph: Graph, _ resolved: ResolvedGraph, _ uses: [Int]) -> [PooledConvolution] {
    var pairs: [PooledConvolution] = []
    for index in graph.nodes.indices {
      guard case .pool(let pool) = resolved.ops[index], pool.function == .maximum,
        NNKernels.Window(pool.window).isHalving
      else { continue }
      let outputs = graph.nodes[index].inputs[0]
      guard uses[outputs.index] == 1, !graph.states.contains(where: { $0.output == outputs }),
        let maker = graph.nodes.indices.last(where: { graph.nodes[$0].outputs.contains(outputs) }),
        case let pair = PooledConvolution(convolution: maker, pool: index),
        let arguments = pair.arguments(graph, resolved), arguments.canPool,
        // Without a bias strips may give −0, and what is the larger of two zeros would have to be found again.
        arguments.algorithm != .depthwise || graph.nodes[maker].inputs.count > 2
      else { continue }
      pairs.append(pair)
    }
    return pairs
  }

  /// The convolution's extents; its pointers are not set.
  func arguments(_ graph: Graph, _ resolved: ResolvedGraph) -> ConvolutionArguments? {
    guard case .convolution(let op) = resolved.ops[convolution] else { return nil }
    var arguments = ConvolutionArguments(op, graph.nodes[convolution], resolved.types)
    arguments.pools = true
    return arguments
  }
}

extension StepBuilder {
  func resolvePooled(_ pair: PooledConvolution) {
    guard let arguments = pair.arguments(graph, resolved) else { return }
    reported = pair.pool
    defer { reported = nil }
    index = pair.convolution
    emitConvolution(
      arguments,
      into: layout.pointers[graph.nodes[pair.pool].outputs[0].index].assumingMemoryBound(to: Float.self))
  }
}
