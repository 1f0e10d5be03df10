import NNGraph

extension Recurrence {
  /// A recurrence as a loop over its steps, for what the standard's layers do not do.
  ///
  /// Operands: p (N, T, G·H), R, c of the gated recurrent unit, the states, mask?
  static func export(_ recurrent: Recurrent, _ x: [Operand], _ graph: OnnxGraphWriter) throws -> String {
    guard !recurrent.keepsSlopes else {
      throw NNError(.unsupportedOperator, "a recurrence that keeps what its gradient needs")
    }
    guard let units = x[1].shape[0].extent else {
      throw NNError(.unsupportedOperator, "a recurrence of an unknown number of units")
    }
    let stateEnd = recurrent.stateInput + recurrent.stateCount
    let p = x[0]
    let steps = try graph.extent(p, 1)
    let states = try x[recurrent.stateInput..<stateEnd].map { try batched($0, like: p, units, graph) }
    let step = RecurrentStep(
      recurrent, units: units, weight: x[1].name, bias: recurrent.kind == .gru ? x[2].name : nil,
      OnnxGraphWriter(bodyOf: graph))
    let mask = x.count > stateEnd ? x[stateEnd].name : nil
    let last = graph.node("Sub", steps, try graph.ints([1]))
    let body = try step.body(sequence: p, mask: mask, last: recurrent.isReversed ? last : nil)
    let outputs = graph.add(
      "Loop", [try graph.squeeze(steps, [0]), try graph.scalar(int: 1, .bool)] + states,
      [.graph("body", body)], outputs: states.count + 1)
    // (T, N, S·H), in the order in which the steps were done
    var sequence = outputs[states.count]
    if recurrent.isReversed { sequence = try graph.slice(sequence, axis: 0, -1, Int.min, step: -1) }
    return graph.transpose(sequence, [1, 0, 2])
  }

  /// A state for every sample.
  static func batched(_ state: Operand, like p: Operand, _ units: Int, _ graph: OnnxGraphWriter) throws
    -> String
  {
    if state.shape[0] == p.shape[0] { return state.name }
    let shape = graph.add("Concat", [try graph.extent(p, 0), try graph.ints([units])], [.int("axis", 0)])[0]
    return graph.node("Expand", state.name, shape)
  }
}

/// One step of a recurrence as the body of a loop.
private struct RecurrentStep {
  let recurrent: Recurrent
  let units: Int
  let weight: String
  /// Of the gated recurrent unit.
  let bias: String?
  let graph: OnnxGraphWriter

  init(
    _ recurrent: Recurrent, units: Int, weight: String, bias: String?, _ graph: OnnxGraphWriter
  ) {
    self.recurrent = recurrent
    self.units = units
    self.weight = weight
    self.bias = bias
    self.graph = graph
  }

  /// Inputs: step, condition, states; results: condition, states, and the states side by side.
  ///
  /// - Parameters:
  ///   - last: the last place of the sequence, if that is read first.
  func body(sequence: Operand, mask: String?, last: String?) throws -> OnnxGraphProto {
    func declared(_ role: String, _ type: TensorType) -> OnnxValueInfoProto {
      OnnxValueInfoProto(graph.names.take("\(graph.label).\(role)"), type, symbols: [])
    }
    let state = TensorType(.f32, Shape([sequence.shape[0], .fixed(units)])).withoutSymbols
    let flag = TensorType(.bool, [])
    let roles = ["hidden", "cell"].prefix(recurrent.stateCount)
    var proto = OnnxGraphProto()
    proto.name = "step"
    proto.input = [declared("step", TensorType(.i64, [])), declared("condition", flag)]
    proto.input += roles.map { declared($0, state) }
    proto.output = [declared("condition", flag)] + roles.map { declared($0, state) }
    let width = Shape([state.shape[0], .fixed(recurrent.stateCount * units)])
    proto.output.append(declared("states", TensorType(.f32, width)))

    let place = last.map { graph.node("Sub", $0, proto.input[0].name) }
    let index = try graph.reshape(place ?? proto.input[0].name, [])
    let p = graph.node("Gather", sequence.name, index, attributes: [.int("axis", 1)])
    let states = proto.input[2...].map { $0.name }
    var next = try advanced(p, states)
    if let mask {
      let row = graph.node("Gather", mask, index, attributes: [.int("axis", 1)])
      let column = try graph.unsqueeze(row, [1])
      next = zip(next, states).map { graph.node("Where", column, $0, $1) }
    }
    graph.add("Identity", proto.input[1].name, as: proto.output[0].name)
    for (value, output) in zip(next, proto.output[1...]) { graph.add("Identity", value, as: output.name) }
    let joined = next.count == 1 ? next[0] : graph.add("Concat", next, [.int("axis", 1)])[0]
    graph.add("Identity", joined, as: proto.output[next.count + 1].name)
    proto.node = graph.nodes
    return proto
  }

  /// See ``Recurrent/Kind``.
  private func advanced(_ p: String, _ states: [String]) throws -> [String] {
    let h = states[0]
    let product = graph.node("MatMul", h, weight)
    func sum(_ a: String, _ b: String) -> String { graph.node("Add", a, b) }
    func multiply(_ a: String, _ b: String) -> String { graph.node("Mul", a, b) }
    func sigmoid(_ x: String) -> String { graph.node("Sigmoid", x) }
    func tanh(_ x: String) -> String { graph.node("Tanh", x) }
    func gates(_ x: String) -> [String] {
      graph.add(
        "Split", [x], [.int("axis", 1), .int("num_outputs", recurrent.gateCount)],
        outputs: recurrent.gateCount)
    }
    switch recurrent.kind {
    case .simple: return [try Activations.export(recurrent.activation, sum(p, product), .f32, graph)]
    case .lstm:
      let gate = gates(sum(p, product))
      let cell = sum(multiply(sigmoid(gate[1]), states[1]), multiply(sigmoid(gate[0]), tanh(gate[2])))
      return [multiply(sigmoid(gate[3]), tanh(cell)), cell]
    case .gru:
      let (input, state) = (gates(p), gates(sum(product, bias ?? "")))
      let r = sigmoid(sum(input[0], state[0]))
      let z = sigmoid(sum(input[1], state[1]))
      let n = tanh(sum(input[2], multiply(r, state[2])))
      return [sum(n, multiply(z, graph.node("Sub", h, n)))]
    }
  }
}
