import NNGraph

/// RNN, GRU and LSTM.
enum Recurrence {
  static let operators: [String: Lowering] = [
    "RNN": { node, graph in try lower(.simple, node, graph) },
    "GRU": { node, graph in try lower(.gru, node, graph) },
    "LSTM": { node, graph in try lower(.lstm, node, graph) },
  ]

  private static func lower(_ kind: Recurrent.Kind, _ node: OnnxNode, _ graph: GraphBuilder) throws
    -> [ValueID]
  {
    let layout = try node.int("layout", default: 0)
    let input = try node.input(0)
    guard graph.rank(input) == 3 else { throw NNError(.shapeMismatch, "the input must have rank 3") }
    // (N, T, I)
    let x = layout == 1 ? input : try graph.transpose(input, [1, 0, 2])
    let direction = try node.string("direction", default: "forward")
    let names = try directions(direction)
    for (index, role) in [(1, "W"), (2, "R")] {
      let count = try graph.extent(try node.input(index), 0)
      guard count == names.count else {
        throw NNError(
          .shapeMismatch, Message(text: "direction \"\(direction)\", but \(role) has weights for \(count)"))
      }
    }
    var sequences: [ValueID] = []
    var finals: [[ValueID]] = []
    for (index, isReversed) in names.enumerated() {
      let cell = try RecurrentCell(kind, node, x, index, isReversed: isReversed, layout, graph)
      let (sequence, last) = try cell.run(x, graph)
      // (N, T, 1, H)
      sequences.append(try graph.unsqueeze(sequence, [2]))
      finals.append(last)
    }
    let joined = try graph.concat(sequences, axis: 2)
    let y = layout == 1 ? joined : try graph.transpose(joined, [1, 2, 0, 3])
    var results = [y]
    for state in finals[0].indices {
      let parts = try finals.map { try graph.unsqueeze($0[state], [layout]) }
      results.append(try graph.concat(parts, axis: layout))
    }
    return results
  }

  /// Whether each direction is read from the end.
  private static func directions(_ name: String) throws -> [Bool] {
    switch name {
    case "forward": return [false]
    case "reverse": return [true]
    case "bidirectional": return [false, true]
    default: throw NNError(.invalidGraph, Message(text: "direction \"\(name)\""))
    }
  }
}

/// One direction of a recurrent node.
struct RecurrentCell {
  private let kind: Recurrent.Kind
  private let isReversed: Bool
  private let units: Int
  /// (G·H, I), (G·H, H), and two of (G·H), with the standard's order of gates.
  private let inputWeight: ValueID
  private let stateWeight: ValueID
  private let inputBias: ValueID
  private let stateBias: ValueID
  /// h and for the LSTM c, (N, H) each.
  private let initial: [ValueID]
  /// (3·H) of the LSTM.
  private let peepholes: ValueID?
  /// bool (N, T)
  private let mask: ValueID?
  private let activations: [Activation]
  private let hasDefaultActivations: Bool
  private let clip: Float?
  private let linearBeforeReset: Bool
  private let couplesForget: Bool

  private var gates: Int { kind == .simple ? 1 : kind == .gru ? 3 : 4 }

  init(
    _ kind: Recurrent.Kind, _ node: OnnxNode, _ x: ValueID, _ index: Int, isReversed: Bool, _ layout: Int,
    _ graph: GraphBuilder
  ) throws {
    self.kind = kind
    self.isReversed = isReversed
    func part(_ position: Int, _ axis: Int = 0) throws -> ValueID? {
      guard let all = try node.optional(position) else { return nil }
      return try graph.squeeze(try graph.slice(all, axis: axis, index, index + 1), [axis])
    }
    inputWeight = try node.required(try part(1), "W")
    stateWeight = try node.required(try part(2), "R")
    units = try graph.extent(stateWeight, 1)
    let gates = kind == .simple ? 1 : kind == .gru ? 3 : 4
    guard graph.rank(inputWeight) == 2, graph.shape(stateWeight) == [gates * units, units] else {
      throw NNError(.shapeMismatch, "recurrent weight of shape \(graph.shape(stateWeight).description)")
    }
    guard try node.int("hidden_size", default: units) == units else {
      throw NNError(
        .shapeMismatch, "the recurrent weight is for \(units) hidden units, hidden_size says otherwise")
    }
    let width = gates * units
    let type = graph.dtype(x)
    let zeros = try graph.expand(try graph.scalar(0, type), [width])
    let bias = try part(3)
    inputBias = try bias.map { try graph.slice($0, axis: 0, 0, width) } ?? zeros
    stateBias = try bias.map { try graph.slice($0, axis: 0, width, 2 * width) } ?? zeros
    var states: [ValueID] = []
    let batch = graph.shape(x)[0]
    for position in kind == .lstm ? 5...6 : 5...5 {
      states.append(
        try part(position, layout)
          ?? graph.expand(
            try graph.scalar(0, type), Shape([batch.extent == nil ? .fixed(1) : batch, .fixed(units)])))
    }
    initial = states
    peepholes = kind == .lstm ? try part(7) : nil
    mask = try node.optional(4).map { lengths in
      let steps = try graph.positions(try graph.extent(x, 1), axis: 1, rank: 2)
      return try graph.compare(.less, steps, try graph.unsqueeze(try graph.cast(lengths, .i64), [1]))
    }
    clip = try node.float("clip")
    linearBeforeReset = try node.flag("linear_before_reset")
    couplesForget = try node.flag("input_forget")
    let defaults: [Recurrent.Kind: [String]] = [
      .simple: ["Tanh"], .gru: ["Sigmoid", "Tanh"], .lstm: ["Sigmoid", "Tanh", "Tanh"],
    ]
    let standard = defaults[kind] ?? []
    let count = standard.count
    let named =
      try node.strings("activations").map { Array($0.dropFirst(index * count).prefix(count)) } ?? standard
    guard named.count == count else {
      throw NNError(.invalidGraph, "\(named.count) activations instead of \(count)")
    }
    hasDefaultActivations = named.map { $0.lowercased() } == standard.map { $0.lowercased() }
    let alphas = try node.floats("activation_alpha") ?? []
    let betas = try node.floats("activation_beta") ?? []
    activations = try named.enumerated().map { position, name in
      let place = index * count + position
      return try RecurrentCell.activation(
        name, alphas.indices.contains(place) ? alphas[place] : nil,
        betas.indices.contains(place) ? betas[place] : nil)
    }
  }

  private static func activation(_ name: String, _ alpha: Float?, _ beta: Float?) throws -> Activation {
    switch name.lowercased() {
    case "tanh": return Activation(.tanh)
    case "sigmoid": return Activation(.sigmoid)
    case "relu": return Activation(.relu)
    case "leakyrelu": return Activation(.leakyRelu, alpha: alpha ?? 0.01)
    case "elu": return Activation(.elu, alpha: alpha ?? 1)
    case "softplus": return Activation(.softplus)
    default: throw NNError(.unsupportedOperator, Message(text: "the activation \"\(name)\" of a recurrence"))
    }
  }

  /// x (N, T, I) → h after each step, (N, T, H), and the last states, (N, H) each.
  func run(_ x: ValueID, _ graph: GraphBuilder) throws -> (ValueID, [ValueID]) {
    let isPlain =
      graph.dtype(x) == .f32 && clip == nil && peepholes == nil && !couplesForget
      && (kind == .simple || hasDefaultActivations) && (kind != .gru || linearBeforeReset)
    return try isPlain ? runFused(x, graph) : runStepByStep(x, graph)
  }

  // The operator

  /// The standard orders gates i, o, f, c and z, r, h; ours are i, f, g, o and r, z, n.
  private var gateOrder: [Int] { kind == .lstm ? [0, 2, 3, 1] : kind == .gru ? [1, 0, 2] : [0] }

  private func reordered(_ rows: ValueID, _ graph: GraphBuilder) throws -> ValueID {
    guard gates > 1 else { return rows }
    return try graph.concat(
      try gateOrder.map { try graph.slice(rows, axis: 0, $0 * units, ($0 + 1) * units) }, axis: 0)
  }

  private func runFused(_ x: ValueID, _ graph: GraphBuilder) throws -> (ValueID, [ValueID]) {
    // The gated recurrent unit keeps its recurrent bias apart, since the reset gate scales it.
    let bias = kind == .gru ? inputBias : try graph.add(inputBias, stateBias)
    let projected = try graph.append(
      .matmul(Matmul(transposesB: true)), x, try reordered(inputWeight, graph), try reordered(bias, graph))
    var inputs = [projected, try graph.transpose(try reordered(stateWeight, graph), [1, 0])]
    if kind == .gru { inputs.append(try reordered(stateBias, graph)) }
    inputs += initial
    if let mask { inputs.append(mask) }
    let op = Recurrent(
      kind, activation: kind == .simple ? activations[0] : .identity, isReversed: isReversed)
    let states = try graph.append(.recurrent(op), inputs)
    let last = try graph.slice(states, axis: 1, isReversed ? 0 : -1, isReversed ? 1 : Int.max)
    let finals = try (0..<op.stateCount).map { state in
      try graph.squeeze(try graph.slice(last, axis: 2, state * units, (state + 1) * units), [1])
    }
    let sequence = kind == .lstm ? try graph.slice(states, axis: 2, 0, units) : states
    return (try masked(sequence, graph), finals)
  }

  /// What comes after the end of a sequence is 0.
  private func masked(_ sequence: ValueID, _ graph: GraphBuilder) throws -> ValueID {
    guard let mask else { return sequence }
    return try graph.select(try graph.unsqueeze(mask, [2]), sequence, try graph.scalar(0, like: sequence))
  }

  // Variants without an operator: one step after the other

  private func runStepByStep(_ x: ValueID, _ graph: GraphBuilder) throws -> (ValueID, [ValueID]) {
    let steps = try graph.extent(x, 1)
    guard steps >= 1, steps <= 512 else {
      throw NNError(.unsupportedOperator, "this variant of a recurrence over \(steps) steps")
    }
    let projected = try graph.add(try graph.matmul(x, try graph.transpose(inputWeight, [1, 0])), inputBias)
    let recurrent = try graph.transpose(stateWeight, [1, 0])
    var states = initial
    var outputs = [ValueID](repeating: x, count: steps)
    for step in isReversed ? Array((0..<steps).reversed()) : Array(0..<steps) {
      let p = try graph.squeeze(try graph.slice(projected, axis: 1, step, step + 1), [1])
      var next = try advance(p, recurrent, states, graph)
      if let mask {
        let isInside = try graph.slice(mask, axis: 1, step, step + 1)
        next = try zip(next, states).map { try graph.select(isInside, $0, $1) }
      }
      states = next
      outputs[step] = try graph.unsqueeze(states[0], [1])
    }
    return (try masked(try graph.concat(outputs, axis: 1), graph), states)
  }

  private func clipped(_ x: ValueID, _ graph: GraphBuilder) throws -> ValueID {
    guard let clip else { return x }
    let low = try graph.scalar(Double(-clip), like: x)
    return try graph.binary(
      .minimum, try graph.binary(.maximum, x, low), try graph.scalar(Double(clip), like: x))
  }

  private func apply(_ index: Int, _ x: ValueID, _ graph: GraphBuilder) throws -> ValueID {
    try graph.append(.unary(activations[index]), try clipped(x, graph))
  }

  private func gate(_ index: Int, _ x: ValueID, _ graph: GraphBuilder) throws -> ValueID {
    try graph.slice(x, axis: graph.rank(x) - 1, index * units, (index + 1) * units)
  }

  private func advance(
    _ p: ValueID, _ recurrent: ValueID, _ states: [ValueID], _ graph: GraphBuilder
  ) throws -> [ValueID] {
    switch kind {
    case .simple:
      let sum = try graph.add(try graph.add(p, try graph.matmul(states[0], recurrent)), stateBias)
      return [try apply(0, sum, graph)]
    case .gru: return [try advanceGated(p, recurrent, states[0], graph)]
    case .lstm:
      let sum = try graph.add(try graph.add(p, try graph.matmul(states[0], recurrent)), stateBias)
      return try advanceLong(sum, states, graph)
    }
  }

  /// z, r = f(p + R·h); n = g(p + r·(R·h + b)) or g(p + R·(r·h) + b); h ← (1 − z)·n + z·h.
  private func advanceGated(
    _ p: ValueID, _ recurrent: ValueID, _ h: ValueID, _ graph: GraphBuilder
  ) throws -> ValueID {
    let state = try graph.add(try graph.matmul(h, recurrent), stateBias)
    let z = try apply(0, try graph.add(try gate(0, p, graph), try gate(0, state, graph)), graph)
    let r = try apply(0, try graph.add(try gate(1, p, graph), try gate(1, state, graph)), graph)
    let inner: ValueID
    if linearBeforeReset {
      inner = try graph.multiply(r, try gate(2, state, graph))
    } else {
      let reset = try graph.matmul(try graph.multiply(r, h), try gate(2, recurrent, graph))
      inner = try graph.add(reset, try gate(2, stateBias, graph))
    }
    let n = try apply(1, try graph.add(try gate(2, p, graph), inner), graph)
    let rest = try graph.subtract(try graph.scalar(1, like: z), z)
    return try graph.add(try graph.multiply(rest, n), try graph.multiply(z, h))
  }

  /// i, o, f, c of the sum, with peepholes to the cell: Gers and Schmidhuber 2000.
  private func advanceLong(_ sum: ValueID, _ states: [ValueID], _ graph: GraphBuilder) throws -> [ValueID] {
    let c = states[1]
    func peeped(_ index: Int, _ cell: ValueID) throws -> ValueID {
      let own = try gate(index, sum, graph)
      guard let peepholes else { return own }
      return try graph.add(own, try graph.multiply(try gate(index, peepholes, graph), cell))
    }
    let i = try apply(0, try peeped(0, c), graph)
    let f =
      couplesForget
      ? try graph.subtract(try graph.scalar(1, like: i), i) : try apply(0, try peeped(2, c), graph)
    let candidate = try apply(1, try gate(3, sum, graph), graph)
    let cell = try graph.add(try graph.multiply(f, c), try graph.multiply(i, candidate))
    let o = try apply(0, try peeped(1, cell), graph)
    let h = try graph.multiply(o, try graph.append(.unary(activations[2]), cell))
    return [h, cell]
  }
}
