import NNGraph
import NNRuntime

/// What each operator of a model takes at given extents.
struct ModelProfile {
  struct Operator: Encodable {
    var node: String
    var op: String
    var attributes: String
    /// The extents of the operands, then of the result.
    var shapes: String
    var seconds: Double
    /// Multiplications and additions of products.
    var operations: Int
    /// Of what is read and written, once each.
    var bytes: Int
  }

  var operators: [Operator]

  /// - Parameter runs: how often the model runs; each operator's shortest time counts.
  /// - Throws: as running the model does; ``ErrorCode/unsupportedOperator`` naming a node whose extents are computed.
  init(_ graph: Graph, _ inputs: [Tensor], _ execution: Session.Options, runs: Int) throws {
    let inputExtents = inputs.map { $0.extents }
    let resolved = try graph.resolve(inputExtents: inputExtents)
    let plan = try Plan(
      graph, inputExtents: inputExtents,
      options: Plan.Options(
        threads: execution.threads, instructionSet: execution.instructionSet.resolved()))
    for (index, input) in inputs.enumerated() { plan.input(index).copyMemory(from: input.bytes) }
    var makers = [Int](repeating: -1, count: graph.values.count)
    for (index, node) in graph.nodes.enumerated() {
      for output in node.outputs { makers[output.index] = index }
    }
    let start = ContinuousClock.now
    let times = try plan.profile(runs: runs) { (ContinuousClock.now - start) / .seconds(1) }
    operators = times.map { time in
      let index = makers[time.result.index]
      let node = graph.nodes[index]
      // A convolution and what runs with it are told as all of them, and all of a recurrence or an attention as that.
      var (first, op, attributes) = (node, "\(node.op.name)", node.op.attributeText)
      var operands = node.inputs
      let members = (time.others + [time.result]).map { graph.nodes[makers[$0.index]] }
      if members.count > 1, let told = ModelProfile.told(members) {
        (first, op, attributes) = told
        let made = Set(members.flatMap { $0.outputs.map(\.index) })
        operands = members.flatMap(\.inputs).filter { !made.contains($0.index) }
      }
      let types = (operands + [time.result]).map { resolved.types[$0.index] }
      return Operator(
        node: first.name.string, op: op, attributes: attributes,
        shapes: types.dropLast().map { $0.shape.description }.joined(separator: " ") + " → "
          + types[types.count - 1].shape.description,
        seconds: time.seconds,
        operations: (time.others + [time.result]).reduce(0) {
          $0 &+ resolved.productOperations(graph, makers[$1.index])
        },
        bytes: types.reduce(0) { $0 + ($1.shape.elementCount ?? 0) * $1.dtype.size })
    }
  }

  /// The node that nodes which run together are told by, and as what; nil to tell them as the last one.
  private static func told(_ members: [Node]) -> (node: Node, op: String, attributes: String)? {
    if let recurrence = members.first(where: { isRecurrence($0.op) }) {
      return (recurrence, "\(recurrence.op.name)", recurrence.op.attributeText)
    }
    if members.contains(where: { isSoftmax($0.op) }) { return (members[members.count - 1], "attention", "") }
    guard isConvolution(members[0].op) else { return nil }
    return (
      members[0], members.map { "\($0.op.name)" }.joined(separator: ", "),
      members.map { $0.op.attributeText }.filter { !$0.isEmpty }.joined(separator: ", ")
    )
  }

  private var total: Double { operators.reduce(0) { $0 + $1.seconds } }

  var text: String {
    var table = ModelProfile.table("node")
    for entry in operators { add(entry, first: entry.node, to: &table) }
    return table.text + "\n" + totalText
  }

  /// Operators of the same kind and shapes together.
  var summaryText: String {
    var order: [String] = []
    var groups: [String: (sum: Operator, count: Int)] = [:]
    for entry in operators {
      let key = "\(entry.op) \(entry.attributes) \(entry.shapes)"
      if var group = groups[key] {
        group.sum.seconds += entry.seconds
        group.sum.operations += entry.operations
        group.sum.bytes += entry.bytes
        group.count += 1
        groups[key] = group
      } else {
        order.append(key)
        groups[key] = (entry, 1)
      }
    }
    var table = ModelProfile.table("count")
    for group in order.compactMap({ groups[$0] }).sorted(by: { $0.sum.seconds > $1.sum.seconds }) {
      add(group.sum, first: "\(group.count)", to: &table)
    }
    return table.text + "\n" + totalText
  }

  private static func table(_ first: String) -> Table {
    Table(
      [first, "operator", "attributes", "shapes", "µs", "share", "GFLOP/s", "GB/s"],
      alignments: [.left, .left, .left, .left, .right, .right, .right, .right])
  }

  private func add(_ entry: Operator, first: String, to table: inout Table) {
    func rate(_ count: Int) -> String {
      count > 0 && entry.seconds > 0 ? (Double(count) / entry.seconds * 1e-9).fixed(1) : ""
    }
    table.append([
      first, entry.op, entry.attributes, entry.shapes, (entry.seconds * 1e6).fixed(1),
      total > 0 ? (entry.seconds / total * 100).fixed(1) + " %" : "", rate(entry.operations),
      rate(entry.bytes),
    ])
  }

  private var totalText: String {
    let operations = operators.reduce(0) { $0 + $1.operations }
    let speed = operations > 0 && total > 0 ? ", \((Double(operations) / total * 1e-9).fixed(1)) GFLOP/s" : ""
    return "  \((total * 1e6).fixed(1)) µs in \(operators.count) operators\(speed)"
  }

  /// One run as the format that Chrome and Perfetto show: complete events, in microseconds.
  var trace: [TraceEvent] {
    var now = 0.0
    return operators.map { entry in
      defer { now += entry.seconds * 1e6 }
      return TraceEvent(
        name: entry.node.isEmpty ? entry.op : entry.node, cat: entry.op, ph: "X", ts: now,
        dur: entry.seconds * 1e6, pid: 1, tid: 1,
        args: ["attributes": entry.attributes, "shapes": entry.shapes])
    }
  }

  struct TraceEvent: Encodable {
    var name, cat, ph: String
    var ts, dur: Double
    var pid, tid: Int
    var args: [String: String]
  }
}

private func isConvolution(_ op: Op) -> Bool {
  if case .convolution = op { return true }
  return false
}

private func isRecurrence(_ op: Op) -> Bool {
  if case .recurrent = op { return true }
  return false
}

private func isSoftmax(_ op: Op) -> Bool {
  if case .softmax = op { return true }
  return false
}
