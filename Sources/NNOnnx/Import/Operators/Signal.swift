import NNGraph

/// Fourier transforms, as products with matrices of sines and cosines.
enum Signal {
  static let operators: [String: Lowering] = ["DFT": fourier, "STFT": shortTimeFourier]

  /// cos and sin of 2π·row·column/length, (rows, columns) each.
  private static func waves(_ rows: Int, _ columns: Int, _ length: Int, _ graph: GraphBuilder) throws -> (
    ValueID, ValueID
  ) {
    guard rows <= 1 << 13, columns <= 1 << 13 else {
      throw NNError(.unsupportedOperator, "a transform of \(max(rows, columns)) numbers")
    }
    let row = try graph.positions(rows, axis: 0, rank: 2)
    let column = try graph.positions(columns, axis: 1, rank: 2)
    let period = try graph.scalar(int: length, .i64)
    let product = try graph.multiply(row, column)
    // Whole turns are left out while the numbers are exact.
    let phase = try graph.subtract(product, try graph.multiply(try graph.divide(product, period), period))
    let angle = try graph.multiply(try graph.cast(phase, .f64), 2 * Double.pi / Double(length))
    return (try graph.unary(.cosine, angle), try graph.unary(.sine, angle))
  }

  private static func fourier(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let x = try node.input(0)
    let rank = graph.rank(x)
    var axis = try node.int("axis", default: 1)
    if node.version >= 20 { axis = try node.constantInts(2, graph, "axis")?.first ?? -2 }
    axis = try OnnxNode.axis(axis, rank: rank)
    guard axis < rank - 1 else {
      throw NNError(.invalidGraph, "the transform is along the axis of real and imaginary parts")
    }
    let isInverse = try node.flag("inverse")
    let isOneSided = try node.flag("onesided")
    let extent = try graph.extent(x, axis)
    let length =
      try node.constantInts(1, graph, "dft_length")?.first
      ?? (isInverse && isOneSided ? 2 * (extent - 1) : extent)
    guard length >= 1, length <= 1 << 20 else {
      throw NNError(.shapeMismatch, "a transform of \(length) numbers")
    }
    if isInverse, isOneSided { return [try realInverse(x, axis, length, graph)] }
    return [try transform(x, axis, length, isInverse: isInverse, isOneSided: isOneSided, graph)]
  }

  /// The real parts (… without the last axis), and the imaginary ones if there are any; the axis cut or padded to `length`.
  private static func parts(
    _ x: ValueID, _ axis: Int, _ length: Int, _ graph: GraphBuilder
  ) throws -> (ValueID, ValueID?) {
    let last = graph.rank(x) - 1
    var fitted = x
    let extent = try graph.extent(x, axis)
    if extent > length { fitted = try graph.slice(x, axis: axis, 0, length) }
    if extent < length {
      var pad = Pad(before: [Int](repeating: 0, count: last + 1), after: [Int](repeating: 0, count: last + 1))
      pad.after[axis] = length - extent
      fitted = try graph.append(.pad(pad), x)
    }
    func part(_ index: Int) throws -> ValueID {
      try graph.squeeze(try graph.slice(fitted, axis: last, index, index + 1), [last])
    }
    let hasImaginary = try graph.extent(x, last) == 2
    return (try part(0), hasImaginary ? try part(1) : nil)
  }

  private static func product(_ x: ValueID, _ axis: Int, _ matrix: ValueID, _ graph: GraphBuilder) throws
    -> ValueID
  {
    try graph.alongLastAxis(x, axis) {
      try Products.product($0, try graph.cast(matrix, graph.dtype(x)), graph)
    }
  }

  private static func transform(
    _ x: ValueID, _ axis: Int, _ length: Int, isInverse: Bool, isOneSided: Bool, _ graph: GraphBuilder
  ) throws -> ValueID {
    let (real, imaginary) = try parts(x, axis, length, graph)
    let (cosine, positive) = try waves(length, isOneSided ? length / 2 + 1 : length, length, graph)
    let sine = isInverse ? positive : try graph.unary(.negate, positive)
    var a = try product(real, axis, cosine, graph)
    var b = try product(real, axis, sine, graph)
    if let imaginary {
      a = try graph.subtract(a, try product(imaginary, axis, sine, graph))
      b = try graph.add(b, try product(imaginary, axis, cosine, graph))
    }
    let last = graph.rank(x) - 1
    let joined = try graph.concat(
      [try graph.unsqueeze(a, [last]), try graph.unsqueeze(b, [last])], axis: last)
    return isInverse ? try graph.multiply(joined, 1 / Double(length)) : joined
  }

  /// The real signal whose spectrum's first half is x: every frequency but the first, and the middle one, counts twice.
  private static func realInverse(_ x: ValueID, _ axis: Int, _ length: Int, _ graph: GraphBuilder) throws
    -> ValueID
  {
    let count = length / 2 + 1
    let (real, imaginary) = try parts(x, axis, count, graph)
    let (cosine, sine) = try waves(count, length, length, graph)
    let weights = (0..<count).map { Float($0 == 0 || 2 * $0 == length ? 1 : 2) / Float(length) }
    let column = try graph.cast(try graph.floats(weights, extents: [count, 1]), .f64)
    var result = try product(real, axis, try graph.multiply(cosine, column), graph)
    if let imaginary {
      result = try graph.subtract(
        result, try product(imaginary, axis, try graph.multiply(sine, column), graph))
    }
    return try graph.unsqueeze(result, [graph.rank(x) - 1])
  }

  /// signal (N, L, 1 or 2) → (N, frames, frequencies, 2).
  private static func shortTimeFourier(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let signal = try node.input(0)
    let extents = try graph.extents(signal)
    guard extents.count == 3 else { throw NNError(.shapeMismatch, "the signal must be (N, L, 1 or 2)") }
    let window = try node.optional(2)
    // A window has the frames' length, whether that is given or not.
    let length =
      try window.map { try graph.extent($0, 0) } ?? node.constantInts(3, graph, "frame_length")?.first
      ?? extents[1]
    guard length >= 1, length <= extents[1] else {
      throw NNError(.shapeMismatch, "frames of \(length) numbers")
    }
    let step = try graph.reshape(try graph.cast(try node.input(1), .i64), [Int]())
    let end = try graph.scalar(int: extents[1] - length + 1, .i64)
    let starts = try graph.append(.dynamic(.range), try graph.scalar(int: 0, .i64), end, step)
    let column = try graph.reshape(starts, Shape([graph.shape(starts)[0], .fixed(1)]))
    let places = try graph.add(column, try graph.positions(length, axis: 1, rank: 2))
    // (N, frames, length, 1 or 2)
    var cut = try graph.gather(signal, places, axis: 1)
    if let window { cut = try graph.multiply(cut, try graph.reshape(window, [length, 1])) }
    let isOneSided = try node.flag("onesided", default: true)
    return [try transform(cut, 2, length, isInverse: false, isOneSided: isOneSided, graph)]
  }
}
