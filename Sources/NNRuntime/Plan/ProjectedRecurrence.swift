import NNGraph
import NNKernels

/// A gated recurrence over one sequence, the product that projects the sequence, which nobody else reads, and what takes h from the
/// result, if it alone reads that: they run as one.
///
/// No bit depends on it.
struct ProjectedRecurrence {
  /// The product's node, and the recurrence's.
  let projection: Int
  let recurrence: Int
  /// The slice that is all of h, without c.
  let hidden: Int?

  var members: [Int] { [projection, recurrence] + (hidden.map { [$0] } ?? []) }
  var last: Int { hidden ?? recurrence }

  /// All of a graph that there are `kernels` for; `uses` counts how many nodes and outputs read each value.
  static func all(_ graph: Graph, _ resolved: ResolvedGraph, _ uses: [Int], _ kernels: KernelTable)
    -> [ProjectedRecurrence]
  {
    var found: [ProjectedRecurrence] = []
    for index in graph.nodes.indices {
      guard case .recurrent(let recurrent) = resolved.ops[index],
        kernels.projectedRecurrence(recurrent.kind) != nil
      else { continue }
      let projected = graph.nodes[index].inputs[0]
      guard graph.isReadOnce(projected, uses),
        let product = graph.nodes.indices.last(where: { graph.nodes[$0].outputs.contains(projected) }),
        fits(recurrent, graph.nodes[index], graph, resolved),
        isProjection(resolved.ops[product], graph.nodes[product], graph, resolved)
      else { continue }
      let states = graph.nodes[index].outputs[0]
      var hidden: Int?
      if recurrent.stateCount > 1, graph.isReadOnce(states, uses),
        let reader = graph.nodes.firstIndex(where: { $0.inputs.contains(states) }),
        takesHidden(resolved.ops[reader], resolved.types[states.index].shape.extents ?? [])
      {
        hidden = reader
      }
      found.append(ProjectedRecurrence(projection: product, recurrence: index, hidden: hidden))
    }
    return found
  }

  /// Whether an operator takes the first half of each step's states (N, T, 2·H), and nothing else.
  private static func takesHidden(_ op: Op, _ extents: [Int]) -> Bool {
    guard case .slice(let ranges) = op, ranges.count == extents.count else { return false }
    return zip(ranges, extents).enumerated().allSatisfy { axis, part in
      let (range, extent) = part
      let wanted = axis == extents.count - 1 ? extent / 2 : extent
      return range.step == 1 && range.resolved(extent: extent) == (0, wanted)
    }
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
