import NNGraph

/// Layers that hand a state from one call to the next, and attention whose scores a body changes.
enum StatefulLayers {
  static let operators: [String: Lowering] = [
    "LinearAttention": linearAttention, "CausalConvWithState": causalConvolution, "SwiGLU": swiglu,
  ]

  static let structures: [String: StructureLowering] = ["ai.onnx.preview/FlexAttention": flexAttention]

  /// a·sigmoid(α·a)·b. Shazeer 2020.
  private static func swiglu(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let (a, b) = (try node.input(0), try node.input(1))
    let alpha = Double(try node.float("alpha", default: 1))
    let gate = try graph.unary(.sigmoid, alpha == 1 ? a : try graph.multiply(a, alpha))
    return [try graph.multiply(try graph.multiply(a, gate), b)]
  }

  /// x (N, C, L), weight (C, 1, k), bias (C)?, the last k − 1 steps before (N, C, k − 1)? → (N, C, L) and the last k − 1 steps.
  private static func causalConvolution(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let (x, weight) = (try node.input(0), try node.input(1))
    guard graph.rank(x) == 3, graph.rank(weight) == 3 else {
      throw NNError(.shapeMismatch, "takes (N, C, L) and (C, 1, k)")
    }
    let taps = try graph.extent(weight, 2)
    let channels = try graph.extent(x, 1)
    guard taps >= 1 else { throw NNError(.shapeMismatch, "an empty kernel") }
    let padded: ValueID
    if let past = try node.optional(3) {
      padded = try graph.concat([past, x], axis: 2)
    } else {
      padded = try graph.append(.pad(Pad(before: [0, 0, taps - 1], after: [0, 0, 0])), x)
    }
    // In f32, which narrower types are computed in anyway.
    let type = graph.dtype(x)
    let inputs = try [padded, weight].map { try graph.unsqueeze(try graph.cast($0, .f32), [2]) }
    let bias = try node.optional(2).map { [try graph.cast($0, .f32)] } ?? []
    let op = Op.convolution(Convolution(window: Window(extent: [1, taps]), groups: channels))
    var result = try graph.squeeze(try graph.append(op, inputs + bias), [2])
    if type != .f32 { result = try graph.cast(try graph.cast(result, type), .f32) }
    if try node.string("activation", default: "none") != "none" { result = try graph.unary(.silu, result) }
    let length = try graph.extent(padded, 2)
    let state = try graph.slice(padded, axis: 2, length - (taps - 1), length)
    return [try graph.cast(result, type), state]
  }

  /// (N, T, heads·D) → (N, heads, T, D), f32.
  private static func heads(_ x: ValueID, _ count: Int, _ graph: GraphBuilder) throws -> ValueID {
    let extents = try graph.extents(x)
    guard extents.count == 3, count >= 1, extents[2] % count == 0 else {
      throw NNError(.shapeMismatch, "\(count) heads of \(graph.shape(x).description)")
    }
    let apart = try graph.reshape(
      try graph.cast(x, .f32), [extents[0], extents[1], count, extents[2] / count])
    return try graph.transpose(apart, [0, 2, 1, 3])
  }

  /// A state S (N, heads, D, V) that each step decays, corrects and writes: S ← e^g·S + k⊗v; the result is scale·q·S.
  private static func linearAttention(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let query = try node.input(0)
    let rule = try node.string("update_rule", default: "gated_delta")
    let queryHeads = try node.required(try node.int("q_num_heads"), "q_num_heads")
    let keyHeads = try node.required(try node.int("kv_num_heads"), "kv_num_heads")
    let q = try heads(query, queryHeads, graph)
    let k = try heads(try node.input(1), keyHeads, graph)
    let v = try heads(try node.input(2), keyHeads, graph)
    let (qExtents, vExtents) = (try graph.extents(q), try graph.extents(v))
    let (batch, steps, size, width) = (qExtents[0], qExtents[2], qExtents[3], vExtents[3])
    guard queryHeads % keyHeads == 0, steps >= 1, steps <= 1024 else {
      throw NNError(.unsupportedOperator, "linear attention over \(steps) steps")
    }
    let decay = rule.hasPrefix("gated") ? try heads(try node.input(4), keyHeads, graph) : nil
    var beta: ValueID?
    if rule.hasSuffix("delta") {
      let given = try node.input(5)
      beta = try heads(given, try graph.extent(given, 2), graph)
    }
    var type = graph.dtype(query)
    var state = try graph.expand(try graph.scalar(0, .f32), [batch, keyHeads, size, width])
    if let past = try node.optional(3) {
      type = graph.dtype(past)
      state = try graph.cast(past, .f32)
    }
    let given = Double(try node.float("scale", default: 0))
    let scale = given == 0 ? 1 / Double(size).squareRoot() : given
    func step(_ x: ValueID, _ index: Int) throws -> ValueID { try graph.slice(x, axis: 2, index, index + 1) }
    let repeats = try graph.ints(count: queryHeads) { $0 / (queryHeads / keyHeads) }
    var outputs: [ValueID] = []
    for index in 0..<steps {
      let key = try graph.transpose(try step(k, index), [0, 1, 3, 2])
      if let decay {
        let factor = try graph.unary(.exponential, try graph.transpose(try step(decay, index), [0, 1, 3, 2]))
        state = try graph.multiply(state, factor)
      }
      var value = try step(v, index)
      if let beta {
        let retrieved = try graph.matmul(try step(k, index), state)
        value = try graph.multiply(try step(beta, index), try graph.subtract(value, retrieved))
      }
      state = try graph.add(state, try graph.multiply(key, value))
      let read = queryHeads == keyHeads ? state : try graph.gather(state, repeats, axis: 1)
      outputs.append(try graph.multiply(try graph.matmul(try step(q, index), read), scale))
    }
    let joined = try graph.transpose(try graph.concat(outputs, axis: 2), [0, 2, 1, 3])
    let result = try graph.reshape(joined, [batch, steps, try GraphBuilder.product(queryHeads, width)])
    return [try graph.cast(result, graph.dtype(query)), try graph.cast(state, type)]
  }

  /// Attention whose scores and shares go through bodies of the node.
  private static func flexAttention(_ node: OnnxNode, _ importer: Importer) throws -> [Imported] {
    let graph = importer.builder
    let inputs = try (0..<3).map { try node.input($0) }
    guard inputs.allSatisfy({ graph.rank($0) == 4 }) else {
      throw NNError(.shapeMismatch, "takes tensors of rank 4")
    }
    let (queryHeads, keyHeads) = (try graph.extent(inputs[0], 1), try graph.extent(inputs[1], 1))
    guard keyHeads >= 1, queryHeads % keyHeads == 0 else {
      throw NNError(.shapeMismatch, "\(queryHeads) heads of queries for \(keyHeads) of keys")
    }
    func aligned(_ x: ValueID) throws -> ValueID {
      guard queryHeads != keyHeads else { return x }
      let sources = try graph.ints(count: queryHeads) { $0 / (queryHeads / keyHeads) }
      return try graph.gather(x, sources, axis: 1)
    }
    let size = Double(try graph.extent(inputs[0], 3))
    let root = (try node.float("scale").map { Double($0) } ?? 1 / size.squareRoot()).squareRoot()
    var scores = try graph.matmul(
      try graph.multiply(inputs[0], root), try graph.multiply(try aligned(inputs[1]), root), transposesB: true
    )
    let type = graph.dtype(inputs[0])
    let wide =
      try node.int("softmax_precision").map { try ElementType.require($0) } ?? (type == .f64 ? .f64 : .f32)
    scores = try graph.cast(scores, wide)
    func modified(_ x: ValueID, _ name: String) throws -> ValueID {
      guard let body = try node.body(name) else { return x }
      guard case .tensor(let result)? = try importer.inline(body, [.tensor(x)], in: node.scope).first else {
        throw NNError(.unsupportedOperator, Message(text: "its \(name) could not be imported"))
      }
      return try graph.cast(result, wide)
    }
    scores = try modified(scores, "score_mod")
    let shares = try modified(try Reductions.softmax(.softmax, scores, 3, graph), "prob_mod")
    let result = try graph.matmul(shares, try graph.cast(try aligned(inputs[2]), wide))
    return [.tensor(try graph.cast(result, graph.dtype(inputs[2])))]
  }
}
