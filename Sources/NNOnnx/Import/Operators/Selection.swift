import NNGraph

/// Results whose extents depend on what the inputs hold, and caches that are written in places.
enum Selection {
  static let operators: [String: Lowering] = [
    "NonZero": { node, graph in [try graph.append(.dynamic(.nonZero), try node.input(0))] },
    "Unique": unique, "Compress": compress, "NonMaxSuppression": nonMaxSuppression,
    "TensorScatter": tensorScatter,
  ]

  private static func unique(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let x = try node.input(0)
    let axis = try node.int("axis").map { try OnnxNode.axis($0, rank: graph.rank(x)) }
    let op = Dynamic.unique(axis: axis, sorts: try node.flag("sorted", default: true))
    return try graph.appendAll(.dynamic(op), [x])
  }

  /// The slices of an axis, or elements, whose condition holds; those behind the condition's end do not.
  private static func compress(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let (x, condition) = (try node.input(0), try node.input(1))
    let places = try graph.append(.dynamic(.nonZero), condition)
    let indices = try graph.squeeze(places, [0])
    if let axis = try node.int("axis") {
      return [try graph.gather(x, indices, axis: try OnnxNode.axis(axis, rank: graph.rank(x)))]
    }
    let flat = try graph.reshape(x, Shape([graph.shape(x).elementCount.map { .fixed($0) } ?? .unknown]))
    return [try graph.gather(flat, indices, axis: 0)]
  }

  private static func nonMaxSuppression(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let isCentered = try node.flag("center_point_box")
    let most = try node.optional(2) ?? graph.scalar(int: 0, .i64)
    let overlap = try node.optional(3) ?? graph.scalar(0, .f32)
    let score = try node.optional(4) ?? graph.scalar(-Double.infinity, .f32)
    let inputs = [try node.input(0), try node.input(1), most, overlap, score]
    return [try graph.append(.dynamic(.nonMaxSuppression(isCentered: isCentered)), inputs)]
  }

  /// past (N, …, S, …), update (N, …, L, …), where each n begins (N)? → past with the update written along an axis.
  private static func tensorScatter(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let (past, update) = (try node.input(0), try node.input(1))
    let rank = graph.rank(past)
    let axis = try node.axis(default: -2, rank: rank)
    guard axis >= 1, graph.rank(update) == rank else {
      throw NNError(.shapeMismatch, "past and update do not fit")
    }
    let (batch, slots) = (try graph.extent(past, 0), try graph.extent(past, axis))
    let length = try graph.extent(update, axis)
    guard length >= 1, slots >= length else {
      throw NNError(.shapeMismatch, "an update longer than the cache")
    }
    let starts =
      try node.optional(2).map { try graph.cast($0, .i64) }
      ?? graph.expand(try graph.scalar(int: 0, .i64), [batch])
    // How far each slot lies behind the start, (N, S).
    var place = try graph.subtract(
      try graph.positions(slots, axis: 1, rank: 2), try graph.unsqueeze(starts, [1]))
    let zero = try graph.scalar(int: 0, .i64)
    if try node.string("mode", default: "linear") == "circular" {
      let wrapped = try graph.add(place, try graph.scalar(int: slots, .i64))
      place = try graph.select(try graph.compare(.less, place, zero), wrapped, place)
    }
    let last = try graph.scalar(int: length - 1, .i64)
    let isBefore = try graph.compare(.less, place, zero)
    let isAfter = try graph.compare(.greater, place, last)
    let inside = try graph.binary(.minimum, try graph.binary(.maximum, place, zero), last)
    let row = try graph.multiply(
      try graph.positions(batch, axis: 0, rank: 2), try graph.scalar(int: length, .i64))
    // The written axis behind the batch.
    var order = Array(0..<rank)
    order.remove(at: axis)
    order.insert(axis, at: 1)
    var back = Array(0..<rank)
    back.remove(at: 1)
    back.insert(1, at: axis)
    let (old, new) = (try graph.transpose(past, order), try graph.transpose(update, order))
    let rest = Array(graph.shape(old).dimensions[2...])
    let rows = try graph.reshape(new, Shape([.fixed(try GraphBuilder.product(batch, length))] + rest))
    let chosen = try graph.gather(rows, try graph.add(row, inside), axis: 0)
    let ones = Array(2..<rank)
    let kept = try graph.select(try graph.unsqueeze(isAfter, ones), old, chosen)
    return [try graph.transpose(try graph.select(try graph.unsqueeze(isBefore, ones), old, kept), back)]
  }
}
