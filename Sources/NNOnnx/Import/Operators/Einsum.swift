import NNGraph

/// Einstein summation, two operands at a time, each pair as a batched matrix product.
enum Einsum {
  /// A tensor with a letter for each of its axes.
  private struct Term {
    var value: ValueID
    var letters: [Character]
  }

  static func lower(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let equation = try node.required(try node.string("equation"), "equation").filter { $0 != " " }
    let inputs = try node.allInputs()
    var sides = equation.split(separator: ">", omittingEmptySubsequences: false).map(String.init)
    if sides.count == 2 { sides[0].removeAll { $0 == "-" } }
    let specifications = sides[0].split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    guard sides.count <= 2, specifications.count == inputs.count, !inputs.isEmpty else {
      throw NNError(.invalidGraph, Message(text: "equation \"\(equation)\" for \(inputs.count) inputs"))
    }
    let broadcastRank = try zip(specifications, inputs).map { try missing($0, graph.rank($1)) }.max() ?? 0
    let given = try zip(specifications, inputs).map { text, input in
      Term(value: input, letters: try letters(of: text, rank: graph.rank(input), broadcastRank))
    }
    let output = try outputLetters(sides, given, broadcastRank)
    var terms = try given.map { try diagonal($0, graph) }
    var result = terms.removeFirst()
    for (index, next) in terms.enumerated() {
      let needed = Set(output).union(terms[(index + 1)...].flatMap { $0.letters })
      result = try contract(result, next, needed, graph)
    }
    result = try sum(result, keeping: Set(output), graph)
    let permutation = try output.map { letter in
      guard let axis = result.letters.firstIndex(of: letter) else {
        throw NNError(.invalidGraph, Message(text: "letter \(letter) of the result stands in no input"))
      }
      return axis
    }
    return [try graph.unary(.identity, try graph.transpose(result.value, permutation))]
  }

  private static func missing(_ text: String, _ rank: Int) throws -> Int {
    guard text.contains("...") else { return 0 }
    return max(0, rank - (text.count - 3))
  }

  /// The letters of the axes; those of an ellipsis are digits that count from the last one.
  private static func letters(of text: String, rank: Int, _ broadcastRank: Int) throws -> [Character] {
    let hidden = try missing(text, rank)
    var letters = Array(text)
    if let start = letters.firstIndex(of: ".") {
      guard letters.count >= start + 3, hidden <= 8 else {
        throw NNError(.invalidGraph, "an ellipsis of two dots")
      }
      letters.replaceSubrange(start..<(start + 3), with: ellipsis(hidden))
    }
    guard letters.count == rank else {
      throw NNError(.shapeMismatch, Message(text: "\"\(text)\" for a tensor of rank \(rank)"))
    }
    return letters
  }

  private static func ellipsis(_ count: Int) -> [Character] {
    (0..<count).map { Character(String(count - 1 - $0)) }
  }

  private static func outputLetters(_ sides: [String], _ terms: [Term], _ broadcastRank: Int) throws
    -> [Character]
  {
    if sides.count == 2 {
      let rank =
        sides[1].count - (sides[1].contains("...") ? 3 : 0) + (sides[1].contains("...") ? broadcastRank : 0)
      return try letters(of: sides[1], rank: rank, broadcastRank)
    }
    // Without an arrow: the ellipsis, then what stands once, in alphabetical order.
    let all = terms.flatMap { $0.letters }.filter { !$0.isNumber }
    let once = Set(all).filter { letter in all.count { $0 == letter } == 1 }
    return ellipsis(broadcastRank) + once.sorted()
  }

  /// A letter that stands twice in one tensor takes the elements where both indices are equal.
  private static func diagonal(_ term: Term, _ graph: GraphBuilder) throws -> Term {
    var term = term
    for axis in term.letters.indices.reversed() {
      guard let first = term.letters[..<axis].firstIndex(of: term.letters[axis]) else { continue }
      let extent = try graph.extent(term.value, first)
      guard try graph.extent(term.value, axis) == extent else {
        throw NNError(.shapeMismatch, "a diagonal of axes of different extents")
      }
      let rank = graph.rank(term.value)
      let isDiagonal = try graph.compare(
        .equal, try graph.positions(extent, axis: first, rank: rank),
        try graph.positions(extent, axis: axis, rank: rank))
      let masked = try graph.select(
        isDiagonal, term.value, try graph.scalar(int: 0, graph.dtype(term.value)))
      term.value = try graph.reduce(.sum, masked, [axis], keeps: false)
      term.letters.remove(at: axis)
    }
    return term
  }

  private static func sum(_ term: Term, keeping needed: Set<Character>, _ graph: GraphBuilder) throws -> Term
  {
    let axes = term.letters.indices.filter { !needed.contains(term.letters[$0]) }
    guard !axes.isEmpty else { return term }
    return Term(
      value: try graph.reduce(.sum, term.value, axes, keeps: false),
      letters: term.letters.filter { needed.contains($0) })
  }

  /// The product of two tensors, summed over the letters that nobody needs any more.
  private static func contract(
    _ a: Term, _ b: Term, _ needed: Set<Character>, _ graph: GraphBuilder
  ) throws -> Term {
    let a = try sum(a, keeping: needed.union(b.letters), graph)
    let b = try sum(b, keeping: needed.union(a.letters), graph)
    let shared = a.letters.filter { b.letters.contains($0) }
    let batch = shared.filter { needed.contains($0) }
    let inner = shared.filter { !needed.contains($0) }
    let rows = a.letters.filter { !shared.contains($0) }
    let columns = b.letters.filter { !shared.contains($0) }
    let left = try arranged(a, batch, rows, inner, graph)
    let right = try arranged(b, batch, inner, columns, graph)
    let product = try graph.matmul(left, right)
    let letters = batch + rows + columns
    if rows.count == 1, columns.count == 1 { return Term(value: product, letters: letters) }
    /// Where a letter's extent is to be seen: not where 1 is repeated.
    func source(_ letter: Character) throws -> (value: ValueID, axis: Int) {
      let inA = a.letters.firstIndex(of: letter).map { (value: a.value, axis: $0) }
      let inB = b.letters.firstIndex(of: letter).map { (value: b.value, axis: $0) }
      if let inA, inB == nil || graph.shape(inA.value)[inA.axis] != .fixed(1) { return inA }
      return try required(inB, letter)
    }
    let sources = try letters.map(source)
    let shape = Shape(sources.map { graph.shape($0.value)[$0.axis] })
    if shape.dimensions.count(where: { $0 == .unknown }) <= 1 {
      return Term(value: try graph.reshape(product, shape), letters: letters)
    }
    let extents = try sources.map { try graph.shapeValue($0.value, $0.axis..<$0.axis + 1) }
    let apart = try graph.reshape(product, toShapeIn: try graph.concat(extents, axis: 0))
    graph.graph[apart].type.shape = shape
    return Term(value: apart, letters: letters)
  }

  private static func required<Found>(_ found: Found?, _ letter: Character) throws -> Found {
    guard let found else {
      throw NNError(.invalidGraph, Message(text: "letter \(letter) stands nowhere"))
    }
    return found
  }

  /// (batch…, product of the first letters, product of the second ones).
  private static func arranged(
    _ term: Term, _ batch: [Character], _ first: [Character], _ second: [Character], _ graph: GraphBuilder
  ) throws -> ValueID {
    let order = batch + first + second
    let moved = try graph.transpose(
      term.value, try order.map { try required(term.letters.firstIndex(of: $0), $0) })
    if first.count == 1, second.count == 1 { return moved }
    let split = batch.count + first.count
    let folded = [
      try folded(moved, batch.count..<split, graph), try folded(moved, split..<order.count, graph),
    ]
    // Only one extent can be left to infer.
    guard folded.count(where: { $0.source.factor == -1 }) <= 1 else { return try refused(moved, graph) }
    return try graph.reshape(
      moved, graph.shape(moved).dimensions[..<batch.count] + folded.map { $0.dimension },
      extentsOf: batch.indices.map { ($0, 1) } + folded.map { $0.source })
  }

  /// Some axes as one, and where its extent comes from: -1 for what follows from the others.
  private static func folded(
    _ x: ValueID, _ axes: Range<Int>, _ graph: GraphBuilder
  ) throws -> (dimension: Dimension, source: (axis: Int?, factor: Int)) {
    let dimensions = graph.shape(x).dimensions
    let free = axes.filter { dimensions[$0].extent == nil }
    guard let known = Shape(axes.compactMap { dimensions[$0].extent }).elementCount else {
      throw NNError(.limitExceeded, "a product of too many elements")
    }
    switch free.count {
    case 0: return (.fixed(known), (nil, known))
    case 1: return (known == 1 ? dimensions[free[0]] : .unknown, (free[0], known))
    default: return (.unknown, (nil, -1))
    }
  }

  private static func refused(_ x: ValueID, _ graph: GraphBuilder) throws -> ValueID {
    _ = try graph.extents(x)
    return x
  }
}
