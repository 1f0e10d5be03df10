import NNGraph

extension RandomNumbers {
  /// The standard's own sources give numbers of the engine's choice; these are ours, by their arithmetic, see `Philox`.
  ///
  /// Operands: like, key (seed and step).
  static func export(
    _ function: RandomFunction, _ stream: UInt32, _ x: [Operand], _ graph: OnnxGraphWriter
  ) throws -> String {
    let count = graph.node("Size", x[0].name)
    let words = try PhiloxNodes(graph).words(count: count, key: x[1].name, stream: stream)
    let numbers: String
    switch function {
    case .uniform: numbers = try fraction(words, graph)
    case .normal: numbers = try normal(words, graph)
    }
    let flat = try graph.reshape(numbers, [-1])
    let kept = graph.node(
      "Slice", flat, try graph.ints([0]), try graph.reshape(count, [1]), try graph.ints([0]))
    let shape = try x[0].shape.extents.map { try graph.ints($0) } ?? graph.node("Shape", x[0].name)
    return graph.node("Reshape", kept, shape, attributes: [.int("allowzero", 1)])
  }

  /// The upper 24 bits of 32, over 2²⁴.
  private static func fraction(_ words: String, _ graph: OnnxGraphWriter) throws -> String {
    let right = OnnxAttributeProto.string("direction", "RIGHT")
    let upper = graph.node("BitShift", words, try graph.scalar(int: 8, .u64), attributes: [right])
    return graph.node("Mul", graph.cast(upper, .f32), try graph.scalar(0x1p-24, .f32))
  }

  /// Box and Muller 1958: √(−2 ln u)·cos(2πv) and √(−2 ln u)·sin(2πv) of two words.
  private static func normal(_ words: String, _ graph: OnnxGraphWriter) throws -> String {
    let pairs = try graph.reshape(words, [-1, 2])
    let u = graph.node(
      "Add", try fraction(try graph.slice(pairs, axis: 1, 0, 1), graph), try graph.scalar(0x1p-24, .f32))
    let angle = graph.node(
      "Mul", try fraction(try graph.slice(pairs, axis: 1, 1, 2), graph),
      try graph.scalar(Double(6.28318531 as Float), .f32))
    let radius = graph.node(
      "Sqrt", graph.node("Mul", graph.node("Log", u), try graph.scalar(-2, .f32)))
    let sides = ["Cos", "Sin"].map { graph.node("Mul", radius, graph.node($0, angle)) }
    return graph.add("Concat", sides, [.int("axis", 1)])[0]
  }
}

/// Philox-4x32-10 in nodes: 32-bit numbers in u64, so that products are whole. Salmon et al. 2011.
private struct PhiloxNodes {
  let graph: OnnxGraphWriter

  init(_ graph: OnnxGraphWriter) {
    self.graph = graph
  }

  private func number(_ value: Int) throws -> String { try graph.scalar(int: value, .u64) }
  private func lower(_ x: String) throws -> String { graph.node("BitwiseAnd", x, try number(0xffff_ffff)) }

  private func upper(_ x: String) throws -> String {
    graph.node("BitShift", x, try number(32), attributes: [.string("direction", "RIGHT")])
  }

  private func xor(_ a: String, _ b: String) -> String { graph.node("BitwiseXor", a, b) }

  /// At least `count` words, (blocks, 4) u64: the counter is the block, the stream and the step, and the key the seed.
  func words(count: String, key: String, stream: UInt32) throws -> String {
    let wide = graph.cast(key, .u64)
    let seed = try graph.slice(wide, axis: 0, 0, 1)
    let step = try graph.slice(wide, axis: 0, 1, 2)
    let blocks = graph.node(
      "Div", graph.node("Add", count, try graph.scalar(int: 3, .i64)), try graph.scalar(int: 4, .i64))
    let block = graph.cast(
      graph.node("Range", try graph.scalar(int: 0, .i64), blocks, try graph.scalar(int: 1, .i64)), .u64)
    var c = [try lower(block), try upper(block), try number(Int(stream)), try lower(step)]
    var k = [try lower(seed), try upper(seed)]
    for _ in 0..<10 {
      let first = graph.node("Mul", c[0], try number(0xd251_1f53))
      let second = graph.node("Mul", c[2], try number(0xcd9e_8d57))
      c = [
        xor(xor(try upper(second), c[1]), k[0]), try lower(second), xor(xor(try upper(first), c[3]), k[1]),
        try lower(first),
      ]
      k = [
        try lower(graph.node("Add", k[0], try number(0x9e37_79b9))),
        try lower(graph.node("Add", k[1], try number(0xbb67_ae85))),
      ]
    }
    let columns = try c.map { try graph.unsqueeze($0, [1]) }
    return graph.add("Concat", columns, [.int("axis", 1)])[0]
  }
}
