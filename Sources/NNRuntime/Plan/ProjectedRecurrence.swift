import NNGraph
import NNKernels

/// A gated recurrence over one sequence and the product that projects the sequence, which nobody else reads: they run as one.
///
/// No bit depends on it.
struct ProjectedRecurrence {
  /// The product's node, and the recurrence's.
  let projection: Int
  let recurrence: Int

  func contains(_ node: Int) -> Bool { node == projection || node == recurrence }

  /// All of a graph; `uses` counts how many nodes and outputs read each value.
  static func all(_ graph: Graph, _ resolved: ResolvedGraph, _ uses: [Int]) -> [ProjectedRecurrence] {
    var pairs: [ProjectedRecurrence] = []
    for index in graph.nodes.indices {
      guard case .recurrent(let recurrent) = resolved.ops[index] else { continue }
      let projected = graph.nodes[index].inputs[0]
      guard uses[projected.index] == 1, !graph.states.contains(where: { $0.output == projected }),
        let product = graph.nodes.indices.last(where: { graph.nodes[$0].outputs.contains(projected) }),
        fits(recurrent, graph.nodes[index], graph, resolved),
        isProjection(resolved.ops[product], graph.nodes[product], graph, resolved)
      else { continue }
      pairs.append(ProjectedRecurrence(projection: product, recurrence: index))
    }
    return pairs
  }

  /// Shorter sequences than this are projected before the first step.
  private static let fewestSteps = 8

  private static func fits(
    _ recurrent: Recurrent, _ node: Node, _ graph: Graph, _ resolved: ResolvedGraph
  ) -> Bool {
    let extents = resolved.types[node.inputs[0].index].shape.extents ?? []
    let units = resolved.types[node.inputs[1].index].shape.extents ?? []
    return recurrent.kind != .simple && !recurrent.keepsSlopes && extents[0] == 1
      && extents[1] >= fewestSteps && units[0] > 0 && units[0] % Panels.width == 0
      && graph[node.inputs[1]].constant?.layout == .panels
      // No mask.
      && node.inputs.count == recurrent.stateInput + recurrent.stateCount
  }

  private static func isProjection(_ op: Op, _ node: Node, _ graph: Graph, _ resolved: ResolvedGraph) -> Bool
  {
    guard case .matmul(let matmul) = op else { return false }
    return !matmul.transposesA && matmul.activation == .identity
      && graph[node.inputs[1]].constant?.layout == .panels
      && resolved.types[node.inputs[1].index].shape[0] != .fixed(0)
  }
}
