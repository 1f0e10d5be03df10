import NNGraph
import NNKernels

/// In which order a plan runs a graph's nodes, and which elementwise ones run together.
///
/// Elementwise nodes with as many results as each other make a *chain*: it runs block by block, so that what one node hands to the next
/// stays in the first-level cache, and needs no memory of its own if nobody else reads it. A chain waits for its last member until
/// some other node needs a result. Other nodes run together where one alone reads what another makes: ``Attention``,
/// ``ProjectedRecurrence``, ``FusedConvolution``, ``TransposedConvolution``. No bit depends on it, but for the last of these.
struct Schedule {
  enum Item {
    case node(Int)
    case chain(Chain)
    /// A recurrence, before it the product that projects its sequence, and after it perhaps what takes h.
    case projected(ProjectedRecurrence)
    case attention(Attention)
    case transposed(TransposedConvolution)
    case fused(FusedConvolution)
  }

  /// Two nodes at least, each after those it reads.
  struct Chain {
    var members: [Int]
    /// For each member whether it scales an operand of the sum or difference that comes next but for others like it, which alone reads its
    /// result and does the scaling too.
    var isAbsorbed: [Bool]
  }

  private(set) var items: [Item] = []
  /// Nodes that run together, told as the last of them.
  var companions: [[Int]] {
    items.compactMap { item in
      switch item {
      case .attention(let attention): attention.members
      case .projected(let projected): projected.members
      case .transposed(let pair): [pair.product, pair.fold]
      case .fused(let fused): fused.members
      case .node, .chain: nil
      }
    }
  }

  private let graph: Graph
  private let resolved: ResolvedGraph
  /// How many nodes and outputs read each value.
  private var uses: [Int]
  /// The item of each node.
  private(set) var position: [Int]

  /// Members of one chain: as many as keep its working memory small.
  private static let longestChain = 96

  init(_ graph: Graph, _ resolved: ResolvedGraph, _ options: Plan.Options, _ kernels: KernelTable) {
    self.graph = graph
    self.resolved = resolved
    uses = [Int](repeating: 0, count: graph.values.count)
    for node in graph.nodes {
      for input in node.inputs { uses[input.index] += 1 }
    }
    for output in graph.outputs { uses[output.index] += 1 }
    position = [Int](repeating: 0, count: graph.nodes.count)
    var isOutput = [Bool](repeating: false, count: graph.values.count)
    for output in graph.outputs { isOutput[output.index] = true }
    let recurrences = ProjectedRecurrence.all(graph, resolved, uses, kernels)
    let transposed = TransposedConvolution.all(graph, resolved, uses, options)
    let fused =
      kernels.fusesConvolutions
      ? FusedConvolution.all(graph, resolved, uses, threads: options.threads) : []
    /// The fused convolution that each node belongs to; −1 for none.
    var fusedOf = [Int](repeating: -1, count: graph.nodes.count)
    for (number, convolution) in fused.enumerated() {
      for member in convolution.members { fusedOf[member] = number }
    }
    var open: [OpenChain] = []
    /// The open chain that makes a value, by the number of its elements; −1 for none.
    var makes = [Int](repeating: -1, count: graph.values.count)
    let attentions = AttentionFinder(graph, resolved, options).all()
    /// The attention that each node belongs to; −1 for none.
    var attentionOf = [Int](repeating: -1, count: graph.nodes.count)
    for (number, attention) in attentions.enumerated() {
      for member in attention.members { attentionOf[member] = number }
    }
    for index in graph.nodes.indices {
      let node = graph.nodes[index]
      if attentionOf[index] >= 0 {
        // All of it runs where its last member stands.
        let attention = attentions[attentionOf[index]]
        guard index == attention.last else { continue }
        for member in attention.members {
          for input in graph.nodes[member].inputs where makes[input.index] >= 0 {
            close(makes[input.index], &open, &makes)
          }
        }
        append(.attention(attention))
        continue
      }
      let result = node.outputs[0].index
      let count = resolved.types[result].shape.elementCount ?? 0
      let convolution = fusedOf[index] < 0 ? nil : fused[fusedOf[index]]
      var joins = convolution == nil && ElementwiseRole(node, resolved, resolved.ops[index]) != nil
      if !joins, makes[node.inputs.first?.index ?? result] == count, !isOutput[result] {
        joins = Schedule.isView(resolved.ops[index])
      }
      for input in node.inputs where makes[input.index] >= 0 && !(joins && makes[input.index] == count) {
        close(makes[input.index], &open, &makes)
      }
      guard joins else {
        if let recurrence = recurrences.first(where: { $0.members.contains(index) }) {
          if index == recurrence.last { append(.projected(recurrence)) }
        } else if let convolution = transposed.first(where: { $0.contains(index) }) {
          if index == convolution.fold { append(.transposed(convolution)) }
        } else if let convolution {
          if index == convolution.last { append(.fused(convolution)) }
        } else {
          append(.node(index))
        }
        continue
      }
      if let chain = open.firstIndex(where: { $0.count == count }),
        open[chain].members.count < Schedule.longestChain
      {
        open[chain].add(index, result)
      } else {
        close(count, &open, &makes)
        open.append(OpenChain(count: count))
        open[open.count - 1].add(index, result)
      }
      makes[result] = count
    }
    while let first = open.first { close(first.count, &open, &makes) }
  }

  private struct OpenChain {
    /// Elements of each result.
    let count: Int
    var members: [Int] = []
    var results: [Int] = []

    init(count: Int) { self.count = count }

    mutating func add(_ member: Int, _ result: Int) {
      members.append(member)
      results.append(result)
    }
  }

  /// Whether a node hands on its operand's elements in their order.
  static func isView(_ op: Op) -> Bool {
    if case .reshape = op { return true }
    return op == .unary(.identity)
  }

  private mutating func close(_ count: Int, _ open: inout [OpenChain], _ makes: inout [Int]) {
    guard let index = open.firstIndex(where: { $0.count == count }) else { return }
    let chain = open.remove(at: index)
    for result in chain.results { makes[result] = -1 }
    append(chain.members.count == 1 ? .node(chain.members[0]) : .chain(absorbingScales(chain)))
  }

  /// The chain with members that only scale an operand of a sum moved to it.
  private func absorbingScales(_ chain: OpenChain) -> Chain {
    var absorber = [Int](repeating: -1, count: chain.members.count)
    for (order, index) in chain.members.enumerated() {
      let op = resolved.ops[index]
      guard op == .binary(.add) || op == .binary(.subtract),
        let role = ElementwiseRole(graph.nodes[index], resolved, op), role.layout == nil
      else { continue }
      for input in graph.nodes[index].inputs where uses[input.index] == 1 {
        if let source = chain.results.firstIndex(of: input.index), isScaling(chain.members[source]) {
          absorber[source] = order
        }
      }
    }
    var result = Chain(members: [], isAbsorbed: [])
    for (order, index) in chain.members.enumerated() where absorber[order] < 0 {
      for (source, by) in absorber.enumerated() where by == order {
        result.members.append(chain.members[source])
        result.isAbsorbed.append(true)
      }
      result.members.append(index)
      result.isAbsorbed.append(false)
    }
    return result
  }

  /// Whether a node multiplies a tensor with one number.
  private func isScaling(_ index: Int) -> Bool {
    let op = resolved.ops[index]
    guard op == .binary(.multiply), let role = ElementwiseRole(graph.nodes[index], resolved, op) else {
      return false
    }
    return role.layout == nil && role.operands.contains(.whole) && role.operands.contains(.scalar)
  }

  private mutating func append(_ item: Item) {
    switch item {
    case .node(let node): position[node] = items.count
    case .chain(let chain):
      for member in chain.members { position[member] = items.count }
    case .projected(let projected):
      for member in projected.members { position[member] = items.count }
    case .transposed(let pair):
      position[pair.product] = items.count
      position[pair.fold] = items.count
    case .attention(let attention):
      for member in attention.members { position[member] = items.count }
    case .fused(let fused):
      for member in fused.members { position[member] = items.count }
    }
    items.append(item)
  }
}

extension Graph {
  /// Whether a value is read once and is no state: by a node that runs with the one that makes it, it need not be written. `uses` counts
  /// how many nodes and outputs read each value.
  func isReadOnce(_ value: ValueID, _ uses: [Int]) -> Bool {
    uses[value.index] == 1 && !states.contains { $0.output == value }
  }
}
