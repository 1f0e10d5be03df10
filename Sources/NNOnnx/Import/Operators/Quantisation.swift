import NNGraph

/// Whole numbers that stand for fractions: x ≈ (q − zero point)·scale.
enum Quantisation {
  static let operators: [String: Lowering] = [
    "QuantizeLinear": quantize, "DequantizeLinear": dequantize, "DynamicQuantizeLinear": dynamicQuantize,
    "MatMulInteger": matmulInteger, "ConvInteger": convolutionInteger, "QLinearMatMul": quantizedMatmul,
    "QLinearConv": quantizedConvolution,
  ]

  /// The least and the largest number of an integer type that f32 holds every number of.
  private static func bounds(_ dtype: DType) -> (Float, Float)? {
    guard dtype.isInteger, dtype.bitWidth <= 16 else { return nil }
    let values = Float(1 << dtype.bitWidth)
    return dtype.isSigned ? (-values / 2, values / 2 - 1) : (0, values - 1)
  }

  /// A scale or zero point beside x: a scalar, a vector along an axis, or one number for each block of an axis.
  private static func spread(
    _ parameter: ValueID, beside x: ValueID, axis: Int, block: Int, _ graph: GraphBuilder
  ) throws -> ValueID {
    let rank = graph.rank(x)
    if graph.shape(parameter).elementCount == 1 { return try graph.reshape(parameter, [Int]()) }
    if graph.rank(parameter) == 1, block == 0, axis < rank {
      var extents = [Int](repeating: 1, count: rank)
      extents[axis] = try graph.extent(parameter, 0)
      return try graph.reshape(parameter, extents)
    }
    guard graph.rank(parameter) == rank, block >= 1 else {
      throw NNError(.shapeMismatch, "a scale of shape \(graph.shape(parameter).description) for rank \(rank)")
    }
    let places = try graph.ints(count: try graph.extent(x, axis)) { $0 / block }
    return try graph.gather(parameter, places, axis: axis)
  }

  private static func axis(_ node: OnnxNode, _ x: ValueID, _ scale: ValueID, _ graph: GraphBuilder) throws
    -> Int
  {
    guard graph.rank(scale) > 0, graph.rank(x) > 0 else { return 0 }
    if graph.shape(scale).elementCount == 1 { return 0 }
    return try node.axis(default: 1, rank: graph.rank(x))
  }

  private static func quantize(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let (x, scale, zeroPoint) = (try node.input(0), try node.input(1), try node.optional(2))
    let axis = try axis(node, x, scale, graph)
    let block = try node.int("block_size", default: 0)
    var dtype = DType.u8
    if let zeroPoint { dtype = graph.dtype(zeroPoint) }
    if let given = try node.int("output_dtype"), given != 0 { dtype = try ElementType.require(given) }
    let step = try spread(scale, beside: x, axis: axis, block: block, graph)
    let zero = try zeroPoint.map { try spread($0, beside: x, axis: axis, block: block, graph) }
    return [try quantized(x, step, zero, dtype, graph)]
  }

  /// round(x / scale) + zero point, within the type's range.
  static func quantized(
    _ x: ValueID, _ scale: ValueID, _ zero: ValueID?, _ dtype: DType, _ graph: GraphBuilder
  ) throws -> ValueID {
    let quotient = try graph.divide(try graph.cast(x, .f32), try graph.cast(scale, .f32))
    guard let (low, high) = bounds(dtype) else {
      if let zero, dtype.isFloatingPoint {
        return try graph.cast(try graph.add(quotient, try graph.cast(zero, .f32)), dtype)
      }
      return try graph.cast(quotient, dtype)
    }
    var whole = try graph.unary(.round, quotient)
    if let zero { whole = try graph.add(whole, try graph.cast(zero, .f32)) }
    return try graph.cast(try graph.unary(.clip, whole, alpha: low, beta: high), dtype)
  }

  private static func dequantize(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let (x, scale) = (try node.input(0), try node.input(1))
    let axis = try axis(node, x, scale, graph)
    let block = try node.int("block_size", default: 0)
    let step = try spread(scale, beside: x, axis: axis, block: block, graph)
    var type = graph.dtype(scale)
    if let given = try node.int("output_dtype"), given != 0 { type = try ElementType.require(given) }
    var whole = x
    if let zeroPoint = try node.optional(2) {
      let zero = try spread(zeroPoint, beside: x, axis: axis, block: block, graph)
      let wide: DType = graph.dtype(x) == .i32 ? .i32 : .f32
      whole = try graph.subtract(try graph.cast(x, wide), try graph.cast(zero, wide))
    }
    let product = try graph.multiply(try graph.cast(whole, .f32), try graph.cast(step, .f32))
    return [try graph.cast(product, type)]
  }

  /// To u8, over the range of x and 0.
  private static func dynamicQuantize(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let x = try node.input(0)
    let axes = Array(0..<graph.rank(x))
    let zero = try graph.scalar(0, like: x)
    let high = try graph.binary(.maximum, try graph.reduce(.maximum, x, axes, keeps: false), zero)
    let low = try graph.binary(.minimum, try graph.reduce(.minimum, x, axes, keeps: false), zero)
    let range = try graph.subtract(high, low)
    let scale = try graph.divide(range, try graph.scalar(255, like: x))
    let place = try graph.divide(try graph.unary(.negate, low), scale)
    let isFlat = try graph.compare(.equal, range, zero)
    let rounded = try graph.unary(
      .clip, try graph.unary(.round, try graph.select(isFlat, zero, place)), alpha: 0, beta: 255)
    let zeroPoint = try graph.cast(rounded, .u8)
    return [try quantized(x, scale, zeroPoint, .u8, graph), scale, zeroPoint]
  }

  /// A whole number less its zero point, in a type whose products and sums are exact.
  private static func centered(
    _ x: ValueID, _ zero: ValueID?, _ type: DType, _ graph: GraphBuilder
  ) throws -> ValueID {
    let wide = try graph.cast(x, type)
    return try zero.map { try graph.subtract(wide, try graph.cast($0, type)) } ?? wide
  }

  /// Sums of products of 8-bit numbers are exact in f32 as long as they stay below 2²⁴.
  private static func requireExact(terms: Int) throws {
    guard terms <= (1 << 24) / (255 * 255) else {
      throw NNError(.unsupportedOperator, "an exact sum of \(terms) products of 8-bit numbers")
    }
  }

  /// A vector of zero points for the rows of a, or for the columns of b.
  private static func zeroPoint(
    _ value: ValueID?, rows: Bool, of x: ValueID, _ graph: GraphBuilder
  ) throws -> ValueID? {
    guard let value, graph.rank(value) == 1, graph.shape(value) != [1], rows else { return value }
    return try graph.unsqueeze(value, [1])
  }

  private static func integerProduct(
    _ a: ValueID, _ aZero: ValueID?, _ b: ValueID, _ bZero: ValueID?, _ graph: GraphBuilder
  ) throws -> ValueID {
    guard graph.rank(a) >= 1, graph.rank(b) >= 1 else { throw NNError(.shapeMismatch, "takes matrices") }
    let left = try centered(a, try zeroPoint(aZero, rows: graph.rank(a) > 1, of: a, graph), .i32, graph)
    let right = try centered(b, bZero, .i32, graph)
    return try Products.product(left, right, graph)
  }

  private static func matmulInteger(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let product = try integerProduct(
      try node.input(0), try node.optional(2), try node.input(1), try node.optional(3), graph)
    return [product]
  }

  private static func quantizedMatmul(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let inputs = try node.allInputs()
    guard inputs.count == 8 else { throw NNError(.invalidGraph, "takes 8 inputs") }
    let product = try integerProduct(inputs[0], inputs[2], inputs[3], inputs[5], graph)
    let aScale = try zeroPoint(inputs[1], rows: graph.rank(inputs[0]) > 1, of: inputs[0], graph) ?? inputs[1]
    let scale = try graph.multiply(try graph.cast(aScale, .f32), try graph.cast(inputs[4], .f32))
    let real = try graph.multiply(try graph.cast(product, .f32), scale)
    return [try quantized(real, inputs[6], inputs[7], graph.dtype(inputs[7]), graph)]
  }

  private static func convolutionInteger(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let sum = try integerConvolution(
      try node.input(0), try node.optional(2), try node.input(1), try node.optional(3), node, graph)
    return [try graph.cast(sum, .i32)]
  }

  private static func integerConvolution(
    _ x: ValueID, _ xZero: ValueID?, _ weight: ValueID, _ weightZero: ValueID?, _ node: OnnxNode,
    _ graph: GraphBuilder
  ) throws -> ValueID {
    let terms = try graph.extents(weight).dropFirst().reduce(1, *)
    try requireExact(terms: terms)
    var zero = weightZero
    if let given = weightZero, graph.rank(given) == 1 {
      zero = try graph.reshape(
        given, [try graph.extent(given, 0)] + [Int](repeating: 1, count: max(0, graph.rank(weight) - 1)))
    }
    return try Convolutions.convolve(
      try centered(x, xZero, .f32, graph), try centered(weight, zero, .f32, graph), nil, node,
      try node.int("group", default: 1), graph)
  }

  private static func quantizedConvolution(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let inputs = try (0..<8).map { try node.input($0) }
    var sum = try integerConvolution(inputs[0], inputs[2], inputs[3], inputs[5], node, graph)
    let channels = [1, -1] + [Int](repeating: 1, count: max(0, graph.rank(sum) - 2))
    func alongChannels(_ vector: ValueID) throws -> ValueID {
      guard graph.rank(vector) == 1, let count = graph.shape(vector)[0].extent else { return vector }
      return try graph.reshape(vector, channels.map { $0 == -1 ? count : $0 })
    }
    if let bias = try node.optional(8) {
      sum = try graph.add(sum, try alongChannels(try graph.cast(bias, .f32)))
    }
    let scale = try graph.multiply(inputs[1], try alongChannels(inputs[4]))
    return [
      try quantized(try graph.multiply(sum, scale), inputs[6], inputs[7], graph.dtype(inputs[7]), graph)
    ]
  }
}
