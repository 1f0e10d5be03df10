import NNGraph
import NNKernels

/// A convolution and the node that alone reads its outputs: they run as one, and the outputs are never written.
///
/// No bit depends on it.
struct ConvolutionPair {
  enum Follower {
    /// The maxima of squares of 2 x 2 outputs.
    case pool(ConvolutionArguments)
    /// A depthwise convolution.
    case depthwise(ExpandedConvolutionArguments)
  }

  let first: Int
  let second: Int

  func contains(_ node: Int) -> Bool { node == first || node == second }

  /// Bytes of scratch of each thread.
  func scratchSize(_ graph: Graph, _ resolved: ResolvedGraph) -> Int {
    switch follower(graph, resolved) {
    case .pool(let arguments): arguments.scratchSize
    case .depthwise(let arguments): arguments.scratchSize
    case nil: 0
    }
  }

  /// All of a graph, none of which share a node; `uses` counts how many nodes and outputs read each value.
  static func all(_ graph: Graph, _ resolved: ResolvedGraph, _ uses: [Int]) -> [ConvolutionPair] {
    var pairs: [ConvolutionPair] = []
    /// The node that makes each value; −1 for none.
    var makers = [Int](repeating: -1, count: graph.values.count)
    for (index, node) in graph.nodes.enumerated() {
      for output in node.outputs { makers[output.index] = index }
      guard let outputs = node.inputs.first, makers[outputs.index] >= 0, uses[outputs.index] == 1,
        case let pair = ConvolutionPair(first: makers[outputs.index], second: index),
        pair.follower(graph, resolved) != nil,
        !graph.states.contains(where: { $0.output == outputs }),
        !pairs.contains(where: { $0.contains(pair.first) })
      else { continue }
      pairs.append(pair)
    }
    return pairs
  }

  /// The extents of both, whose pointers are not set; nil where they do not run as one.
  func follower(_ graph: Graph, _ resolved: ResolvedGraph) -> Follower? {
    guard case .convolution(let op) = resolved.ops[first] else { return nil }
    var arguments = ConvolutionArguments(op, graph.nodes[first], resolved.types)
    if case .convolution(let op) = resolved.ops[second] {
      let depthwise = ConvolutionArguments(op, graph.nodes[second], resolved.types)
      return ExpandedConvolutionArguments(expansion: arguments, depthwise: depthwise).map { .depthwise($0) }
    }
    guard case .pool(let pool) = resolved.ops[second], pool.function == .maximum,
      NNKernels.Window(pool.window).isHalving, arguments.canPool,
      // Without a bias strips may give −0, and what is the larger of two zeros would have to be found again.
      arguments.algorithm != .depthwise || graph.nodes[first].inputs.count > 2
    else { return nil }
    arguments.pools = true
    return .pool(arguments)
  }
}

extension StepBuilder {
  func resolvePair(_ pair: ConvolutionPair) {
    reported = pair.second
    defer { reported = nil }
    index = pair.second
    let y = outputFloats
    switch pair.follower(graph, resolved) {
    case nil: return
    case .pool(let arguments):
      index = pair.first
      emitConvolution(arguments, into: y)
    case .depthwise(var arguments):
      bind(&arguments.depthwise, into: y)
      index = pair.first
      // What is expanded goes nowhere.
      bind(&arguments.expansion, into: y)
      arguments.share(among: options.threads)
      guard let kernel = kernels.expandedConvolution else { return }
      let ready = arguments
      let (scratch, scratchSize) = (layout.memory.scratch.base, layout.scratchSize)
      emit(
        units: ready.workUnits, cost: Step.cost(2, outputCount, ready.expansion.reductionLength)
      ) { range, thread in
        kernel(ready, scratch + thread * scratchSize, range)
      }
    }
  }
}
