import NNGraph

/// Scaled dot-product attention and what goes with it.
enum Attention {
  static let operators: [String: Lowering] = ["Attention": attention, "RotaryEmbedding": rotaryEmbedding]

  /// Tensors as (N, heads, length, size).
  private struct Heads {
    var queries: ValueID
    var keys: ValueID
    var values: ValueID
  }

  /// softmax(Q·Kᵀ·scale + mask)·V. Vaswani et al. 2017.
  private static func attention(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    var heads = try heads(node, graph)
    let isFlat = graph.rank(try node.input(0)) == 3
    let pastLength = try node.optional(4).map { try graph.extent($0, 2) } ?? 0
    if let past = try node.optional(4) { heads.keys = try graph.concat([past, heads.keys], axis: 2) }
    if let past = try node.optional(5) { heads.values = try graph.concat([past, heads.values], axis: 2) }
    let (presentKeys, presentValues) = (heads.keys, heads.values)
    let type = graph.dtype(heads.queries)
    let bias = try bias(node, heads, pastLength, graph)

    let size = try graph.extent(heads.queries, 3)
    let scale = Double(try node.float("scale") ?? 0)
    let root = (scale == 0 ? 1 / Double(size).squareRoot() : scale).squareRoot()
    let keys = try repeated(heads.keys, like: heads.queries, graph)
    var scores = try graph.matmul(
      try graph.multiply(heads.queries, root), try graph.multiply(keys, root), transposesB: true)
    var shown = scores
    let softcap = Double(try node.float("softcap", default: 0))
    if softcap > 0 {
      let capped = try graph.unary(.tanh, try graph.divide(scores, try graph.scalar(softcap, like: scores)))
      scores = try graph.multiply(capped, softcap)
    }
    let mode = try node.int("qk_matmul_output_mode", default: 0)
    // Before version 24 mode 1 was the scores with their mask.
    if mode == 1 { shown = scores }
    if let bias { scores = try graph.add(scores, bias) }
    if mode == 2 { shown = scores }
    var shares = try probabilities(scores, bias, node, graph)
    if mode == 3 { shown = try graph.cast(shares, type) }
    shares = try graph.cast(shares, type)
    let result = try graph.matmul(shares, try repeated(heads.values, like: heads.queries, graph))
    return [try isFlat ? joined(result, graph) : result, presentKeys, presentValues, shown]
  }

  private static func probabilities(
    _ scores: ValueID, _ bias: ValueID?, _ node: OnnxNode, _ graph: GraphBuilder
  ) throws -> ValueID {
    var wide = scores
    if let number = try node.int("softmax_precision"), number != 0 {
      wide = try graph.cast(scores, try ElementType.require(number))
    }
    let shares = try Reductions.softmax(.softmax, wide, 3, graph)
    guard let bias else { return shares }
    // Where everything is masked there is nothing to attend to.
    let strongest = try graph.reduce(.maximum, bias, [graph.rank(bias) - 1])
    let isMasked = try graph.compare(.equal, strongest, try graph.scalar(-Double.infinity, like: bias))
    return try graph.select(isMasked, try graph.scalar(0, like: shares), shares)
  }

  private static func heads(_ node: OnnxNode, _ graph: GraphBuilder) throws -> Heads {
    let inputs = try (0..<3).map { try node.input($0) }
    let rank = graph.rank(inputs[0])
    if rank == 4 { return Heads(queries: inputs[0], keys: inputs[1], values: inputs[2]) }
    let queryHeads = try node.required(try node.int("q_num_heads"), "q_num_heads")
    let keyHeads = try node.required(try node.int("kv_num_heads"), "kv_num_heads")
    return Heads(
      queries: try split(inputs[0], queryHeads, graph), keys: try split(inputs[1], keyHeads, graph),
      values: try split(inputs[2], keyHeads, graph))
  }

  /// (N, length, heads·size) → (N, heads, length, size).
  private static func split(_ x: ValueID, _ heads: Int, _ graph: GraphBuilder) throws -> ValueID {
    let dimensions = graph.shape(x).dimensions
    guard dimensions.count == 3, heads >= 1 else {
      throw NNError(.shapeMismatch, "takes tensors of rank 3 or 4")
    }
    let width = try graph.extent(x, 2)
    guard width % heads == 0 else { throw NNError(.shapeMismatch, "\(heads) heads of \(width) numbers") }
    let apart = try graph.reshapeKeepingOrder(
      x, [dimensions[0], dimensions[1], .fixed(heads), .fixed(width / heads)])
    return try graph.transpose(apart, [0, 2, 1, 3])
  }

  private static func joined(_ x: ValueID, _ graph: GraphBuilder) throws -> ValueID {
    let dimensions = graph.shape(x).dimensions
    let width = try graph.extent(x, 1) * graph.extent(x, 3)
    return try graph.reshapeKeepingOrder(
      try graph.transpose(x, [0, 2, 1, 3]), [dimensions[0], dimensions[2], .fixed(width)])
  }

  /// Each head of x for as many neighbouring heads as the queries have more.
  private static func repeated(_ x: ValueID, like queries: ValueID, _ graph: GraphBuilder) throws -> ValueID {
    let (given, wanted) = (try graph.extent(x, 1), try graph.extent(queries, 1))
    guard given != wanted else { return x }
    guard given > 0, wanted % given == 0 else {
      throw NNError(.shapeMismatch, "\(wanted) heads of queries for \(given) heads of keys")
    }
    let sources = try graph.ints(count: wanted) { $0 / (wanted / given) }
    return try graph.gather(x, sources, axis: 1)
  }

  /// What is added to the scores: 0 or −∞ where a mask, the order of time or the number of keys says so.
  private static func bias(
    _ node: OnnxNode, _ heads: Heads, _ pastLength: Int, _ graph: GraphBuilder
  ) throws -> ValueID? {
    let type = graph.dtype(heads.queries)
    let (zero, closed) = (try graph.scalar(0, type), try graph.scalar(-Double.infinity, type))
    let queries = try graph.extent(heads.queries, 2)
    let keys = try graph.extent(heads.keys, 2)
    var bias: ValueID?
    if let mask = try node.optional(3) {
      let masked = graph.dtype(mask) == .bool ? try graph.select(mask, zero, closed) : mask
      bias = try extended(masked, to: keys, graph)
    }
    func add(allowed: ValueID) throws {
      let part = try graph.select(allowed, zero, closed)
      bias = try bias.map { try graph.add($0, part) } ?? part
    }
    let row = try graph.positions(queries, axis: 2, rank: 4)
    let column = try graph.positions(keys, axis: 3, rank: 4)
    let lengths = try node.optional(6).map {
      try graph.reshapeKeepingOrder(
        try graph.cast($0, .i64),
        [graph.shape($0).dimensions.first ?? .fixed(1), .fixed(1), .fixed(1), .fixed(1)])
    }
    let offset =
      try lengths.map { try graph.subtract($0, try graph.scalar(int: queries, .i64)) }
      ?? graph.scalar(int: pastLength, .i64)
    let place = try graph.add(row, offset)
    if try node.flag("is_causal") { try add(allowed: try graph.compare(.lessOrEqual, column, place)) }
    let left = try node.int("left_window_size", default: -1)
    if left >= 0 {
      let first = try graph.subtract(place, try graph.scalar(int: left, .i64))
      try add(allowed: try graph.compare(.greaterOrEqual, column, first))
    }
    let right = try node.int("right_window_size", default: -1)
    if right >= 0 {
      let last = try graph.add(place, try graph.scalar(int: right, .i64))
      try add(allowed: try graph.compare(.lessOrEqual, column, last))
    }
    if let lengths { try add(allowed: try graph.compare(.less, column, lengths)) }
    return bias
  }

  /// A mask of fewer keys than there are closes the others.
  private static func extended(_ mask: ValueID, to keys: Int, _ graph: GraphBuilder) throws -> ValueID {
    let rank = graph.rank(mask)
    guard rank >= 1 else { return mask }
    let given = try graph.extent(mask, rank - 1)
    guard given < keys, given != 1 || keys == 1 else { return mask }
    var pad = Pad(before: [Int](repeating: 0, count: rank), after: [Int](repeating: 0, count: rank))
    pad.after[rank - 1] = keys - given
    pad.value = -Float.infinity
    return try graph.append(.pad(pad), mask)
  }

  /// Pairs of numbers turned by angles that depend on the position. Su et al. 2021.
  private static func rotaryEmbedding(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let input = try node.input(0)
    let isFlat = graph.rank(input) == 3
    let x =
      isFlat ? try split(input, try node.required(try node.int("num_heads"), "num_heads"), graph) : input
    guard graph.rank(x) == 4 else { throw NNError(.shapeMismatch, "takes tensors of rank 3 or 4") }
    let size = try graph.extent(x, 3)
    let given = try node.int("rotary_embedding_dim", default: 0)
    let turned = given == 0 ? size : given
    guard turned >= 2, turned <= size, turned % 2 == 0 else {
      throw NNError(.shapeMismatch, "\(turned) of \(size) numbers turned")
    }
    func angles(_ index: Int) throws -> ValueID {
      var cache = try node.input(index)
      if let positions = try node.optional(3) { cache = try graph.gather(cache, positions, axis: 0) }
      cache = try graph.slice(cache, axis: graph.rank(cache) - 1, 0, turned / 2)
      return try graph.unsqueeze(cache, [1])
    }
    let (cosine, sine) = (try angles(1), try angles(2))
    let front = try graph.slice(x, axis: 3, 0, turned)
    let isInterleaved = try node.flag("interleaved")
    let (a, b) =
      isInterleaved
      ? (
        try graph.slice(front, axis: 3, 0, turned, step: 2),
        try graph.slice(front, axis: 3, 1, turned, step: 2)
      )
      : (try graph.slice(front, axis: 3, 0, turned / 2), try graph.slice(front, axis: 3, turned / 2, turned))
    let real = try graph.subtract(try graph.multiply(cosine, a), try graph.multiply(sine, b))
    let imaginary = try graph.add(try graph.multiply(sine, a), try graph.multiply(cosine, b))
    var parts: [ValueID]
    if isInterleaved {
      let pairs = try graph.concat(
        [try graph.unsqueeze(real, [4]), try graph.unsqueeze(imaginary, [4])], axis: 4)
      parts = [try graph.reshapeKeepingOrder(pairs, graph.shape(front).dimensions)]
    } else {
      parts = [real, imaginary]
    }
    if turned < size { parts.append(try graph.slice(x, axis: 3, turned, size)) }
    let result = try graph.concat(parts, axis: 3)
    return [try isFlat ? joined(result, graph) : result]
  }
}
