import NNGraph

/// Between blocks of neighbouring elements and channels. Extents of the batch and of the image may be free.
enum Blocks {
  static let operators: [String: Lowering] = ["DepthToSpace": depthToSpace, "SpaceToDepth": spaceToDepth]

  private static func input(_ node: OnnxNode, _ graph: GraphBuilder) throws -> (x: ValueID, block: Int) {
    let x = try node.input(0)
    let block = try node.required(try node.int("blocksize"), "blocksize")
    guard graph.rank(x) == 4, block >= 1, block <= 1 << 16 else { throw misfit(x, block, graph) }
    return (x, block)
  }

  private static func misfit(_ x: ValueID, _ block: Int, _ graph: GraphBuilder) -> NNError {
    NNError(
      .shapeMismatch,
      Message(
        text: "blocks of \(block) by \(block) of \(graph.shape(x).describe(symbols: graph.graph.symbols))"))
  }

  private static func depthToSpace(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let (x, block) = try input(node, graph)
    guard try graph.extent(x, 1) % (block * block) == 0 else { throw misfit(x, block, graph) }
    if block == 1 { return [try graph.unary(.identity, x)] }
    let isColumnFirst = try node.string("mode", default: "DCR") == "CRD"
    return [try interleaved(x, [block, block], blocksFirst: !isColumnFirst, graph)]
  }

  /// (N, M·s…, H, …) → (N, M, H·s, …).
  ///
  /// - Parameter blocksFirst: whether the channels are (s…, M) instead of (M, s…).
  static func interleaved(
    _ x: ValueID, _ strides: [Int], blocksFirst: Bool = false, _ graph: GraphBuilder
  ) throws -> ValueID {
    let count = strides.count
    let scale = try strides.reduce(1) { try GraphBuilder.product($0, $1) }
    if scale == 1 { return x }
    let dimensions = graph.shape(x).dimensions
    let channels = try graph.extent(x, 1) / scale
    let split = blocksFirst ? strides + [channels] : [channels] + strides
    let apart = try graph.reshape(
      x, [dimensions[0]] + split.map { .fixed($0) } + dimensions[2...],
      extentsOf: [(0, 1)] + split.map { (nil, $0) } + (0..<count).map { ($0 + 2, 1) })
    let (channel, block) = blocksFirst ? (1 + count, 1) : (1, 2)
    let order = [0, channel] + (0..<count).flatMap { [2 + count + $0, block + $0] }
    let grown = try (0..<count).map { axis -> Dimension in
      try dimensions[axis + 2].extent.map { .fixed(try GraphBuilder.product($0, strides[axis])) } ?? .unknown
    }
    return try graph.reshape(
      try graph.transpose(apart, order), [dimensions[0], .fixed(channels)] + grown,
      extentsOf: [(0, 1), (nil, channels)] + (0..<count).map { (2 + 2 * $0, strides[$0]) })
  }

  private static func spaceToDepth(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let (x, block) = try input(node, graph)
    let channels = try graph.extent(x, 1)
    // An axis at a time: what a free extent comes to is then the only thing to infer.
    var apart = x
    for place in [2, 4] {
      var dimensions = graph.shape(apart).dimensions
      var whole = Dimension.unknown
      if let extent = dimensions[place].extent {
        guard extent % block == 0 else { throw misfit(x, block, graph) }
        whole = .fixed(extent / block)
      }
      var sources: [(axis: Int?, factor: Int)] = dimensions.indices.map { ($0, 1) }
      sources[place] = (nil, whole.extent ?? -1)
      sources.insert((nil, block), at: place + 1)
      dimensions.replaceSubrange(place...place, with: [whole, .fixed(block)])
      apart = try graph.reshape(apart, dimensions, extentsOf: sources)
    }
    let isColumnFirst = try node.string("mode", default: "DCR") == "CRD"
    let moved = try graph.transpose(apart, isColumnFirst ? [0, 1, 3, 5, 2, 4] : [0, 3, 5, 1, 2, 4])
    let (shape, depth) = (graph.shape(moved), try GraphBuilder.product(channels, block, block))
    return [
      try graph.reshape(
        moved, [shape[0], .fixed(depth), shape[4], shape[5]],
        extentsOf: [(0, 1), (nil, depth), (4, 1), (5, 1)])
    ]
  }
}
