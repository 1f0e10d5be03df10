import FoundationEssentials
import NNGraph

/// Tensors that are made of nothing, or of shapes alone.
enum Constants {
  static let operators: [String: Lowering] = [
    "Constant": constant, "ConstantOfShape": constantOfShape, "Shape": shape, "Size": size, "Range": range,
    "EyeLike": eyeLike, "OneHot": oneHot,
    "HannWindow": window(0.5, 0.5, 0), "HammingWindow": window(25.0 / 46, 21.0 / 46, 0),
    "BlackmanWindow": window(0.42, 0.5, 0.08),
  ]

  private static func constant(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    if let tensor = try node.tensor("value") { return [try graph.add(tensor, heldIn: node.scope)] }
    if node.has(attribute: "sparse_value"), let sparse = node.sparseTensor("sparse_value") {
      return [try graph.add(try sparse.tensor(externalData: node.externalData, sizeLimit: graph.room))]
    }
    if let value = try node.float("value_float") { return [try graph.floats([value], extents: [])] }
    if let values = try node.floats("value_floats") {
      return [try graph.floats(values, extents: [values.count])]
    }
    if let value = try node.int("value_int") {
      return [try graph.add(try Tensor([Int64(value)], extents: []))]
    }
    if let values = try node.ints("value_ints") { return [try graph.ints(values)] }
    throw NNError(.unsupportedOperator, "its value is a string, or missing")
  }

  private static func constantOfShape(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let value = try node.tensor("value") ?? Tensor([Float(0)], extents: [1])
    guard value.elementCount == 1 else { throw NNError(.shapeMismatch, "its value must have one element") }
    let scalar = try graph.add(try Tensor(dtype: value.dtype, extents: [], storage: value.storage))
    return [try graph.expand(scalar, toShapeIn: try node.input(0))]
  }

  private static func shape(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let x = try node.input(0)
    let rank = graph.rank(x)
    func clamp(_ index: Int) -> Int { min(max(index < 0 ? index &+ rank : index, 0), rank) }
    let start = clamp(try node.int("start", default: 0))
    let end = clamp(try node.int("end", default: rank))
    return [try graph.shapeValue(x, start..<max(start, end))]
  }

  private static func size(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let x = try node.input(0)
    if let count = graph.shape(x).elementCount { return [try graph.scalar(int: count, .i64)] }
    let extents = try graph.shapeValue(x, 0..<graph.rank(x))
    return [try graph.squeeze(try graph.reduce(.product, extents, [0]), [0])]
  }

  private static func range(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let inputs = try (0..<3).map { try graph.reshape(try node.input($0), [Int]()) }
    let type = graph.dtype(inputs[0])
    switch type {
    case .f32, .i32, .i64: return [try graph.append(.dynamic(.range), inputs)]
    case .f64:
      // Counted, then scaled: the operator has no f64.
      let steps = try graph.divide(try graph.subtract(inputs[1], inputs[0]), inputs[2])
      let count = try graph.cast(try graph.unary(.ceiling, steps), .i64)
      let numbers = try graph.append(
        .dynamic(.range), try graph.scalar(int: 0, .i64), count, try graph.scalar(int: 1, .i64))
      return [try graph.add(inputs[0], try graph.multiply(try graph.cast(numbers, .f64), inputs[2]))]
    default:
      let wide: DType = type.isInteger ? .i64 : .f32
      let range = try graph.append(.dynamic(.range), try inputs.map { try graph.cast($0, wide) })
      return [try graph.cast(range, type)]
    }
  }

  /// Ones on a diagonal of a matrix of the extents of x.
  private static func eyeLike(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let x = try node.input(0)
    let extents = try graph.extents(x)
    guard extents.count == 2 else { throw NNError(.shapeMismatch, "takes a matrix") }
    let dtype = try node.int("dtype").map { try ElementType.require($0) } ?? graph.dtype(x)
    let diagonal = try graph.scalar(int: try node.int("k", default: 0), .i64)
    let rows = try graph.add(try graph.positions(extents[0], axis: 0, rank: 2), diagonal)
    let columns = try graph.positions(extents[1], axis: 1, rank: 2)
    return [try graph.cast(try graph.compare(.equal, rows, columns), dtype)]
  }

  /// indices, depth, values (off, on) → on at the index along a new axis, else off.
  private static func oneHot(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let indices = try graph.cast(try node.input(0), .i64)
    let rank = graph.rank(indices) + 1
    let axis = try node.axis(default: -1, rank: rank)
    let values = try node.input(2)
    let depth = try graph.cast(try node.input(1), .i64)
    let scalarDepth = try graph.reshape(depth, [Int]())
    let counted = try graph.append(
      .dynamic(.range),
      [try graph.scalar(int: 0, .i64), scalarDepth, try graph.scalar(int: 1, .i64)])
    var dimensions = [Dimension](repeating: .fixed(1), count: rank)
    dimensions[axis] = .unknown
    let positions = try graph.reshape(counted, Shape(dimensions))
    let isNegative = try graph.compare(.less, indices, try graph.scalar(int: 0, .i64))
    let wrapped = try graph.select(isNegative, try graph.add(indices, scalarDepth), indices)
    let isHot = try graph.compare(.equal, try graph.unsqueeze(wrapped, [axis]), positions)
    let off = try graph.reshape(try graph.slice(values, axis: 0, 0, 1), [Int]())
    let on = try graph.reshape(try graph.slice(values, axis: 0, 1, 2), [Int]())
    return [try graph.select(isHot, on, off)]
  }

  /// a − b·cos(2πn/N) + c·cos(4πn/N).
  private static func window(_ a: Double, _ b: Double, _ c: Double) -> Lowering {
    { node, graph in
      let dtype = try ElementType.require(try node.int("output_datatype", default: 1))
      let isPeriodic = try node.flag("periodic", default: true)
      let size = try graph.reshape(try graph.cast(try node.input(0), .i64), [Int]())
      let numbers = try graph.append(
        .dynamic(.range), try graph.scalar(int: 0, .i64), size, try graph.scalar(int: 1, .i64))
      let positions = try graph.cast(numbers, .f64)
      let length = try graph.cast(size, .f64)
      let steps =
        isPeriodic ? length : try graph.binary(.maximum, try graph.add(length, -1), try graph.scalar(1, .f64))
      func cosine(_ turns: Double) throws -> ValueID {
        try graph.unary(
          .cosine, try graph.divide(try graph.multiply(positions, turns * 2 * Double.pi), steps))
      }
      let first = try graph.multiply(try cosine(1), -b)
      let second = try graph.multiply(try cosine(2), c)
      return [try graph.cast(try graph.add(try graph.add(first, second), a), dtype)]
    }
  }
}
