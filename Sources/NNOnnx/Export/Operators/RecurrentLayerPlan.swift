import NNGraph
import NNPasses

/// A recurrence and the product before it, which together are a layer of the standard's: RNN, LSTM or GRU.
///
/// That takes constant weights, an activation that the standard names, no mask, and that of the cell at most the last state is read:
/// the standard's layer does not give the others.
struct RecurrentLayerPlan {
  let recurrent: Recurrent
  let productNode: Int
  private let node: Node
  private let product: Node
  private let units: Int
  private let readsCell: Bool
  /// (I, G·H), (H, G·H), and two biases of G·H
  private let inputWeight: Tensor
  private let stateWeight: Tensor
  private let inputBias: [Float]
  private let stateBias: [Float]

  /// The layers in a graph, by the recurrence's node.
  static func plans(for graph: Graph) -> [Int: RecurrentLayerPlan] {
    var plans: [Int: RecurrentLayerPlan] = [:]
    guard graph.nodes.contains(where: { $0.op.isRecurrent }) else { return plans }
    let (producers, uses) = (graph.producers, graph.useCounts)
    for index in graph.nodes.indices where graph.nodes[index].op.isRecurrent {
      plans[index] = RecurrentLayerPlan(graph, index, producers, uses)
    }
    return plans
  }

  private init?(_ graph: Graph, _ index: Int, _ producers: [Int?], _ uses: [Int]) {
    node = graph.nodes[index]
    guard case .recurrent(let recurrent) = node.op, !recurrent.keepsSlopes,
      node.inputs.count == recurrent.stateInput + recurrent.stateCount,
      recurrent.kind != .simple || RecurrentLayerPlan.name(recurrent.activation) != nil,
      let source = producers[node.inputs[0].index], uses[node.inputs[0].index] == 1,
      case .matmul(let matmul) = graph.nodes[source].op, !matmul.transposesA, !matmul.transposesB,
      matmul.activation == .identity, graph[graph.nodes[source].inputs[0]].type.shape.rank == 3
    else { return nil }
    product = graph.nodes[source]
    productNode = source
    self.recurrent = recurrent
    func constant(_ id: ValueID) -> Tensor? { graph[id].constant }
    guard let weight = constant(product.inputs[1]), weight.extents.count == 2,
      let own = constant(node.inputs[1]), own.dtype == .f32
    else { return nil }
    (inputWeight, stateWeight, units) = (weight, own, own.extents[0])
    let zeros = [Float](repeating: 0, count: recurrent.gateCount * units)
    guard let bias = product.inputs.count > 2 ? constant(product.inputs[2])?.floats : zeros,
      let second = recurrent.kind == .gru ? constant(node.inputs[2])?.floats : zeros
    else { return nil }
    (inputBias, stateBias) = (bias, second)
    guard recurrent.kind == .lstm else {
      readsCell = false
      return
    }
    guard let reads = RecurrentLayerPlan.readsCell(graph, node.outputs[0], recurrent, units) else {
      return nil
    }
    readsCell = reads
  }

  /// Whether readers of the states (N, T, 2·H) take the last cell; nil if some take more than that and h.
  private static func readsCell(_ graph: Graph, _ states: ValueID, _ recurrent: Recurrent, _ units: Int)
    -> Bool?
  {
    guard !graph.outputs.contains(states) else { return nil }
    let steps = graph[states].type.shape[1].extent
    var result = false
    for reader in graph.nodes where reader.inputs.contains(states) {
      guard case .slice(let ranges) = reader.op else { return nil }
      let (first, count) = ranges[2].resolved(extent: 2 * units)
      guard ranges[2].step != 1 || first + count > units else { continue }
      let rows = ranges[1]
      let isFirst = rows == SliceRange(start: 0, end: 1)
      let isLast =
        rows == SliceRange(start: -1, end: Int.max)
        || steps.map { rows.resolved(extent: $0) == ($0 - 1, 1) } ?? false
      guard recurrent.isReversed ? isFirst : isLast else { return nil }
      result = true
    }
    return result
  }

  /// The standard's name of an activation.
  private static func name(_ activation: Activation) -> String? {
    switch activation.function {
    case .tanh, .sigmoid, .relu, .leakyRelu, .elu, .softplus: activation.function.onnxName
    default: nil
    }
  }

  /// Adds the layer; gives h of every step, (N, T, H), and behind it the last cell beside every step if that is read.
  func export(_ exporter: GraphExporter) throws -> String {
    let graph = exporter.writer
    let x = exporter.operand(product.inputs[0])
    var inputs = [
      graph.transpose(x.name, [1, 0, 2]), graph.constant(try reordered(inputWeight)),
      graph.constant(try reordered(stateWeight)), graph.constant(try biases()), "",
    ]
    for id in node.inputs[recurrent.stateInput...] {
      let state = exporter.operand(id)
      let isZero = state.constant?.floats?.allSatisfy { $0 == 0 } ?? false
      inputs.append(
        isZero ? "" : try graph.unsqueeze(try Recurrence.batched(state, like: x, units, graph), [0]))
    }
    while inputs.last == "" { inputs.removeLast() }
    var attributes: [OnnxAttributeProto] = [
      .int("hidden_size", units), .string("direction", recurrent.isReversed ? "reverse" : "forward"),
    ]
    if recurrent.kind == .gru { attributes.append(.int("linear_before_reset", 1)) }
    if recurrent.kind == .simple, let name = RecurrentLayerPlan.name(recurrent.activation) {
      attributes.append(.strings("activations", [name]))
      if recurrent.activation.function.isParameterised {
        attributes.append(.floats("activation_alpha", [recurrent.activation.alpha]))
      }
    }
    let results = graph.add(
      recurrent.kind.onnxName, inputs, attributes, outputs: recurrent.kind == .lstm ? 3 : 1)
    // (T, 1, N, H)
    let hidden = graph.transpose(try graph.squeeze(results[0], [1]), [1, 0, 2])
    guard readsCell else { return hidden }
    let cell = graph.node(
      "Expand", graph.transpose(results[2], [1, 0, 2]), graph.node("Shape", hidden))
    return graph.add("Concat", [hidden, cell], [.int("axis", 2)])[0]
  }

  /// (K, G·H) as (1, G·H, K), with the gates in the standard's order.
  private func reordered(_ weight: Tensor) throws -> Tensor {
    guard let numbers = weight.floats else { throw NNError(.dtypeMismatch, "weights that are not f32") }
    let (rows, columns) = (weight.extents[0], weight.extents[1])
    var result: [Float] = []
    result.reserveCapacity(numbers.count)
    for gate in recurrent.kind.onnxGates {
      for column in gate * units..<(gate + 1) * units {
        for row in 0..<rows { result.append(numbers[row * columns + column]) }
      }
    }
    return try Tensor(result, extents: [1, columns, rows])
  }

  /// Both biases behind each other, (1, 2·G·H).
  private func biases() throws -> Tensor {
    var result: [Float] = []
    for bias in [inputBias, stateBias] {
      for gate in recurrent.kind.onnxGates { result += bias[gate * units..<(gate + 1) * units] }
    }
    return try Tensor(result, extents: [1, result.count])
  }
}

extension Op {
  fileprivate var isRecurrent: Bool {
    if case .recurrent = self { return true }
    return false
  }
}
