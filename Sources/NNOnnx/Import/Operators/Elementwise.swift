import NNGraph

/// Arithmetic, comparison and logic, element by element with broadcasting.
enum Elementwise {
  static let operators: [String: Lowering] = {
    var all: [String: Lowering] = [
      "IsNaN": isNaN, "IsInf": isInfinite, "Pow": power, "Sum": folded(.add), "Max": folded(.maximum),
      "Min": folded(.minimum), "Mean": mean, "Not": not, "BitwiseNot": bitwiseNot, "BitShift": shift,
      "Mod": modulo, "Where": select, "Cast": cast, "CastLike": castLike, "BitCast": bitCast, "Clip": clip,
    ]
    func fill(_ name: String?, _ lowering: @escaping Lowering) {
      if let name, all[name] == nil { all[name] = lowering }
    }
    for function in UnaryFunction.allCases where !function.isParameterised {
      fill(function.onnxName, unary(function))
    }
    for function in BinaryFunction.allCases {
      fill(function.onnxName, binary(function))
      fill(function.onnxLogicalName, binary(function))
    }
    for function in CompareFunction.allCases { fill(function.onnxName, compare(function)) }
    return all
  }()

  private static func unary(_ function: UnaryFunction) -> Lowering {
    { node, graph in [try graph.unary(function, try node.input(0))] }
  }

  private static func binary(_ function: BinaryFunction) -> Lowering {
    { node, graph in
      let (a, b) = try aligned(node, graph)
      return [try graph.binary(function, a, b)]
    }
  }

  private static func compare(_ function: CompareFunction) -> Lowering {
    { node, graph in
      let (a, b) = try aligned(node, graph)
      return [try graph.compare(function, a, b)]
    }
  }

  /// Both operands; before version 7 the second one's axes began at an attribute's axis of the first.
  private static func aligned(_ node: OnnxNode, _ graph: GraphBuilder) throws -> (ValueID, ValueID) {
    let (a, b) = (try node.input(0), try node.input(1))
    guard node.version < 7, try node.flag("broadcast"), let axis = try node.int("axis") else { return (a, b) }
    let start = try OnnxNode.axis(axis, rank: graph.rank(a))
    let missing = graph.rank(a) - start - graph.rank(b)
    guard missing > 0 else { return (a, b) }
    return (a, try graph.unsqueeze(b, Array(graph.rank(b)..<(graph.rank(b) + missing))))
  }

  private static func folded(_ function: BinaryFunction) -> Lowering {
    { node, graph in [try fold(function, node, graph)] }
  }

  private static func fold(_ function: BinaryFunction, _ node: OnnxNode, _ graph: GraphBuilder) throws
    -> ValueID
  {
    let inputs = try node.allInputs()
    guard var result = inputs.first else { throw NNError(.invalidGraph, "has no inputs") }
    for next in inputs.dropFirst() { result = try graph.binary(function, result, next) }
    return result
  }

  private static func mean(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let sum = try fold(.add, node, graph)
    return [try graph.divide(sum, try graph.scalar(Double(node.inputs.count), like: sum))]
  }

  /// The exponent may be of another type; the result has the base's.
  private static func power(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let (base, exponent) = try aligned(node, graph)
    let type = graph.dtype(base)
    if type.isFloatingPoint || graph.dtype(exponent) == type {
      return [try graph.binary(.power, base, try graph.cast(exponent, type))]
    }
    let wide: DType = graph.dtype(exponent).isFloatingPoint ? graph.dtype(exponent) : .i64
    let result = try graph.binary(.power, try graph.cast(base, wide), try graph.cast(exponent, wide))
    return [try graph.cast(result, type)]
  }

  private static func modulo(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    [try graph.binary(try node.flag("fmod") ? .remainder : .modulo, try node.input(0), try node.input(1))]
  }

  private static func shift(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let isLeft = try node.required(try node.string("direction"), "direction") == "LEFT"
    return [try graph.binary(isLeft ? .shiftLeft : .shiftRight, try node.input(0), try node.input(1))]
  }

  private static func isNaN(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let x = try node.input(0)
    return [try graph.compare(.notEqual, x, x)]
  }

  private static func isInfinite(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let x = try node.input(0)
    let findsPositive = try node.flag("detect_positive", default: true)
    let findsNegative = try node.flag("detect_negative", default: true)
    let wide = try graph.cast(x, graph.dtype(x) == .f64 ? .f64 : .f32)
    let infinity = try graph.scalar(Double.infinity, like: wide)
    switch (findsPositive, findsNegative) {
    case (true, true): return [try graph.compare(.equal, try graph.unary(.absolute, wide), infinity)]
    case (true, false): return [try graph.compare(.equal, wide, infinity)]
    case (false, true):
      return [try graph.compare(.equal, wide, try graph.scalar(-Double.infinity, like: wide))]
    case (false, false):
      return [
        try graph.expand(
          try graph.scalar(int: 0, .bool), toShapeIn: try graph.shapeValue(x, 0..<graph.rank(x)))
      ]
    }
  }

  private static func not(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    [try graph.not(try node.input(0))]
  }

  private static func bitwiseNot(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let x = try node.input(0)
    return [try graph.binary(.bitwiseXor, x, try graph.scalar(int: -1, graph.dtype(x)))]
  }

  private static func select(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    [try graph.select(try node.input(0), try node.input(1), try node.input(2))]
  }

  private static func cast(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let dtype = try ElementType.require(try node.required(try node.int("to"), "to"))
    return [try cast(try node.input(0), dtype, node, graph)]
  }

  private static func castLike(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    [try cast(try node.input(0), graph.dtype(try node.input(1)), node, graph)]
  }

  private static func cast(
    _ x: ValueID, _ dtype: DType, _ node: OnnxNode, _ graph: GraphBuilder
  ) throws -> ValueID {
    let saturates = try node.flag("saturate", default: true)
    let mode: CastMode
    switch try node.string("round_mode", default: "up") {
    case "up": mode = saturates ? .standard : .overflowing
    case "down": mode = saturates ? .powerDown : .powerDownOverflowing
    case "nearest": mode = saturates ? .powerNearest : .powerNearestOverflowing
    case let name: throw NNError(.invalidGraph, Message(text: "round_mode \"\(name)\""))
    }
    return try graph.append(.cast(dtype, mode: mode), x)
  }

  private static func bitCast(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let dtype = try ElementType.require(try node.required(try node.int("to"), "to"))
    return [try graph.append(.cast(dtype, mode: .bits), try node.input(0))]
  }

  /// Bounds are attributes before version 11, and inputs since.
  private static func clip(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let x = try node.input(0)
    var (low, high) = (try node.optional(1), try node.optional(2))
    if node.version < 11 {
      low = try node.float("min").map { try graph.scalar(Double($0), like: x) }
      high = try node.float("max").map { try graph.scalar(Double($0), like: x) }
    }
    var result = x
    if let low { result = try graph.binary(.maximum, result, low) }
    if let high { result = try graph.binary(.minimum, result, high) }
    return [result == x ? try graph.unary(.identity, x) : result]
  }
}
