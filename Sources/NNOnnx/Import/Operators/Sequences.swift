import NNGraph

/// Lists of tensors and optionals, as far as lengths and places are known when the model is imported.
enum Sequences {
  static let operators: [String: StructureLowering] = [
    "SequenceEmpty": { _, _ in [.sequence([])] },
    "SequenceConstruct": { node, _ in [.sequence(try node.allInputs().map { .tensor($0) })] },
    "SequenceLength": { node, importer in
      [.tensor(try importer.builder.scalar(int: try elements(node, 0).count, .i64))]
    },
    "SequenceAt": at, "SequenceInsert": insert, "SequenceErase": erase, "SplitToSequence": split,
    "ConcatFromSequence": concat, "SequenceMap": map,
    "Optional": { node, _ in [.optional(node.has(0) ? node.inputs[0] : nil)] },
    "OptionalHasElement": { node, importer in
      var isThere = node.has(0)
      if isThere, case .optional(nil)? = node.inputs[0] { isThere = false }
      return [.tensor(try importer.builder.scalar(int: isThere ? 1 : 0, .bool))]
    },
    "OptionalGetElement": { node, _ in
      guard node.has(0), let input = node.inputs[0] else { throw NNError(.invalidGraph, "has no input") }
      guard case .optional(let content) = input else { return [input] }
      guard let content else { throw NNError(.invalidGraph, "the optional is empty") }
      return [content]
    },
  ]

  private static func elements(_ node: OnnxNode, _ index: Int) throws -> [Imported] {
    guard node.has(index), let input = node.inputs[index] else {
      throw NNError(.invalidGraph, "has no input \(index)")
    }
    switch input {
    case .sequence(let elements), .optional(.sequence(let elements)): return elements
    case .tensor, .optional, .absent, .strings, .unavailable:
      throw NNError(.invalidGraph, "input \(index) is not a sequence")
    }
  }

  /// A place in a list of `count` elements, or behind it if `allowsEnd`.
  private static func position(
    _ node: OnnxNode, _ index: Int, _ count: Int, allowsEnd: Bool, _ importer: Importer
  ) throws -> Int? {
    guard let given = try node.constantInts(index, importer.builder, "position") else { return nil }
    guard given.count == 1, given[0] >= -count, given[0] < count + (allowsEnd ? 1 : 0) else {
      throw NNError(.shapeMismatch, "a position outside of a sequence of \(count)")
    }
    return given[0] < 0 ? given[0] + count : given[0]
  }

  private static func at(_ node: OnnxNode, _ importer: Importer) throws -> [Imported] {
    let list = try elements(node, 0)
    guard let place = try position(node, 1, list.count, allowsEnd: false, importer) else {
      throw NNError(.invalidGraph, "has no position")
    }
    return [list[place]]
  }

  private static func insert(_ node: OnnxNode, _ importer: Importer) throws -> [Imported] {
    var list = try elements(node, 0)
    let place = try position(node, 2, list.count, allowsEnd: true, importer) ?? list.count
    list.insert(.tensor(try node.input(1)), at: place)
    return [.sequence(list)]
  }

  private static func erase(_ node: OnnxNode, _ importer: Importer) throws -> [Imported] {
    var list = try elements(node, 0)
    guard !list.isEmpty else { throw NNError(.shapeMismatch, "the sequence is empty") }
    list.remove(at: try position(node, 1, list.count, allowsEnd: false, importer) ?? list.count - 1)
    return [.sequence(list)]
  }

  private static func split(_ node: OnnxNode, _ importer: Importer) throws -> [Imported] {
    let graph = importer.builder
    let x = try node.input(0)
    let axis = try node.axis(default: 0, rank: graph.rank(x))
    let extent = try graph.extent(x, axis)
    var sizes = [Int](repeating: 1, count: min(extent, 1 << 16))
    var keeps = try node.flag("keepdims", default: true)
    if let given = try node.optional(1) {
      keeps = true
      let values = try node.constantInts(1, graph, "split") ?? []
      if graph.rank(given) == 0, let size = values.first {
        guard size >= 1, extent / size <= 1 << 16 else { throw NNError(.shapeMismatch, "parts of \(size)") }
        sizes = stride(from: 0, to: extent, by: size).map { min(size, extent - $0) }
      } else {
        sizes = values
      }
    }
    var parts = try Movement.pieces(x, axis, sizes, graph)
    if !keeps { parts = try parts.map { try graph.squeeze($0, [axis]) } }
    return [.sequence(parts.map { .tensor($0) })]
  }

  private static func concat(_ node: OnnxNode, _ importer: Importer) throws -> [Imported] {
    let graph = importer.builder
    var parts: [ValueID] = []
    for element in try elements(node, 0) {
      guard case .tensor(let value) = element else {
        throw NNError(.invalidGraph, "an element is not a tensor")
      }
      parts.append(value)
    }
    guard let first = parts.first else { throw NNError(.shapeMismatch, "the sequence is empty") }
    let isNew = try node.flag("new_axis")
    let axis = try node.axis(rank: graph.rank(first) + (isNew ? 1 : 0))
    if isNew { parts = try parts.map { try graph.unsqueeze($0, [axis]) } }
    return [.tensor(try graph.append(.concat(axis: axis), parts))]
  }

  private static func map(_ node: OnnxNode, _ importer: Importer) throws -> [Imported] {
    let body = try node.required(try node.body("body"), "body")
    let lists = try node.inputs.indices.map { index -> [Imported]? in
      if case .sequence? = node.inputs[index] { return try elements(node, index) }
      return nil
    }
    guard let count = lists.first??.count else {
      throw NNError(.invalidGraph, "its first input is not a sequence")
    }
    var results = [[Imported]](repeating: [], count: body.output.count)
    for step in 0..<count {
      let inputs = try node.inputs.indices.map { index -> Imported in
        if let list = lists[index] {
          guard step < list.count else {
            throw NNError(.shapeMismatch, "its sequences have different lengths")
          }
          return list[step]
        }
        return node.inputs[index] ?? .absent
      }
      for (index, value) in try importer.inline(body, inputs, in: node.scope).enumerated() {
        results[index].append(value)
      }
    }
    return results.map { .sequence($0) }
  }
}
