import NNGraph

/// Folding of axes.
enum Reductions {
  static let operators: [String: Lowering] = [
    "ReduceSum": reduce(axesAreInputSince: 13) { try fold(.sum, $0, $1, $2) },
    "ReduceMean": reduce { try fold(.mean, $0, $1, $2) },
    "ReduceMax": reduce { try fold(.maximum, $0, $1, $2) },
    "ReduceMin": reduce { try fold(.minimum, $0, $1, $2) },
    "ReduceProd": reduce { try fold(.product, $0, $1, $2) },
    "ReduceSumSquare": reduce(sumOfSquares),
    "ReduceL1": reduce { try fold(.sum, try $2.unary(.absolute, $0), $1, $2) },
    "ReduceL2": reduce { try $2.unary(.squareRoot, try sumOfSquares($0, $1, $2)) },
    "ReduceLogSum": reduce { try $2.unary(.logarithm, try fold(.sum, $0, $1, $2)) },
    "ReduceLogSumExp": reduce(logSumExp),
    "ArgMax": argument(findsMaximum: true), "ArgMin": argument(findsMaximum: false),
    "Softmax": softmax(.softmax), "LogSoftmax": softmax(.logSoftmax), "Hardmax": hardmax,
    "GlobalAveragePool": { node, graph in [try global(.mean, node, graph)] },
    "GlobalMaxPool": { node, graph in [try global(.maximum, node, graph)] },
    "GlobalLpPool": globalLpPool, "LpNormalization": lpNormalization,
  ]

  /// A reduction of x over axes that keeps them; what it makes of several reductions may be spread over the folded axes.
  private typealias Folding = @Sendable (ValueID, GraphBuilder.Axes, GraphBuilder) throws -> ValueID

  private static func reduce(axesAreInputSince version: Int = 18, _ fold: @escaping Folding) -> Lowering {
    { node, graph in
      let x = try node.input(0)
      let rank = graph.rank(x)
      let keeps = try node.flag("keepdims", default: true)
      switch try axes(node, x, isInput: node.version >= version, graph) {
      case .known(let given):
        if given.isEmpty, try node.flag("noop_with_empty_axes") {
          // Nothing is folded, but what is done to every element is done: over an axis of one element of its own.
          let folded = try fold(try graph.unsqueeze(x, [rank]), .known([rank]), graph)
          return [try graph.squeeze(folded, [rank])]
        }
        let axes = given.isEmpty ? Array(0..<rank) : given
        let folded = try fold(x, .known(axes), graph)
        return [keeps ? folded : try graph.squeeze(folded, axes)]
      case .value(let flags, let count):
        let folded = try graph.firstAlong(
          try fold(x, .value(flags: flags, count: count), graph), flags, of: x)
        return [keeps ? folded : try graph.squeeze(folded, flags: flags, count: count)]
      }
    }
  }

  private static func axes(
    _ node: OnnxNode, _ x: ValueID, isInput: Bool, _ graph: GraphBuilder
  ) throws -> GraphBuilder.Axes {
    if isInput { return try node.optional(1).map { try graph.axes($0, rank: graph.rank(x)) } ?? .known([]) }
    return .known(try OnnxNode.axes(try node.ints("axes") ?? [], rank: graph.rank(x)))
  }

  private static func fold(
    _ function: ReduceFunction, _ x: ValueID, _ axes: GraphBuilder.Axes, _ graph: GraphBuilder
  ) throws -> ValueID {
    switch axes {
    case .known(let axes): return try graph.reduce(function, x, axes)
    case .value(let flags, _): return try graph.reduceSpread(function, x, flags)
    }
  }

  private static let sumOfSquares: Folding = { x, axes, graph in
    if case .known(let known) = axes { return try graph.reduce(.sumOfSquares, x, known) }
    return try fold(.sum, try graph.multiply(x, x), axes, graph)
  }

  /// m + ln Σ e^(x−m), m being the maximum, or 0 where that is infinite.
  private static let logSumExp: Folding = { x, axes, graph in
    let maximum = try fold(.maximum, x, axes, graph)
    let limit = try graph.scalar(Double.greatestFiniteMagnitude, .f32)
    let magnitude = try graph.unary(.absolute, maximum)
    let isFinite = try graph.compare(.lessOrEqual, magnitude, try graph.cast(limit, graph.dtype(x)))
    let shift = try graph.select(isFinite, maximum, try graph.scalar(0, like: x))
    let sum = try fold(.sum, try graph.unary(.exponential, try graph.subtract(x, shift)), axes, graph)
    return try graph.add(try graph.unary(.logarithm, sum), shift)
  }

  private static func argument(findsMaximum: Bool) -> Lowering {
    { node, graph in
      let x = try node.input(0)
      let axis = try node.axis(default: 0, rank: graph.rank(x))
      let op = Op.argument(
        ArgumentReduce(
          findsMaximum: findsMaximum, selectsLast: try node.flag("select_last_index"), axis: axis,
          keepsDimensions: try node.flag("keepdims", default: true)))
      return [try graph.append(op, x)]
    }
  }

  /// Before version 13 all axes from the given one on are folded together.
  private static func softmax(_ function: SoftmaxFunction) -> Lowering {
    { node, graph in
      let x = try node.input(0)
      let rank = graph.rank(x)
      if node.version >= 13 {
        let axis = try node.axis(default: -1, rank: rank)
        return [try softmax(function, x, axis, graph)]
      }
      let axis = try node.axis(default: 1, rank: rank)
      if axis == rank - 1 { return [try softmax(function, x, axis, graph)] }
      let matrix = try Movement.flattened(x, axis: axis, graph)
      let result = try softmax(function, matrix, 1, graph)
      return [try graph.reshapeKeepingOrder(result, graph.shape(x).dimensions)]
    }
  }

  /// The operator, or for f64, which it is not there for, what it means.
  static func softmax(_ function: SoftmaxFunction, _ x: ValueID, _ axis: Int, _ graph: GraphBuilder) throws
    -> ValueID
  {
    guard graph.dtype(x) == .f64 else { return try graph.append(.softmax(Softmax(function, axis: axis)), x) }
    let shifted = try graph.subtract(x, try graph.reduce(.maximum, x, [axis]))
    let powers = try graph.unary(.exponential, shifted)
    let sum = try graph.reduce(.sum, powers, [axis])
    switch function {
    case .softmax: return try graph.divide(powers, sum)
    case .logSoftmax: return try graph.subtract(shifted, try graph.unary(.logarithm, sum))
    }
  }

  /// 1 at the first largest element of the axis, else 0.
  private static func hardmax(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let x = try node.input(0)
    let rank = graph.rank(x)
    let axis = try node.axis(default: node.version >= 13 ? -1 : 1, rank: rank)
    let isFolded = node.version < 13 && axis != rank - 1
    let source = isFolded ? try Movement.flattened(x, axis: axis, graph) : x
    let place = isFolded ? 1 : axis
    let largest = try graph.append(
      .argument(ArgumentReduce(findsMaximum: true, axis: place, keepsDimensions: true)), source)
    let positions = try graph.positions(
      try graph.extent(source, place), axis: place, rank: graph.rank(source))
    let result = try graph.cast(try graph.compare(.equal, positions, largest), graph.dtype(x))
    return [isFolded ? try graph.reshapeKeepingOrder(result, graph.shape(x).dimensions) : result]
  }

  private static func global(_ function: ReduceFunction, _ node: OnnxNode, _ graph: GraphBuilder) throws
    -> ValueID
  {
    let x = try node.input(0)
    return try graph.reduce(function, x, Array(2..<max(2, graph.rank(x))))
  }

  private static func globalLpPool(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let x = try node.input(0)
    return [try norm(x, Array(2..<max(2, graph.rank(x))), p: try node.int("p", default: 2), graph)]
  }

  /// (Σ |x|^p)^(1/p) over axes that stay.
  static func norm(_ x: ValueID, _ axes: [Int], p: Int, _ graph: GraphBuilder) throws -> ValueID {
    switch p {
    case 1: return try graph.reduce(.sum, try graph.unary(.absolute, x), axes)
    case 2: return try graph.unary(.squareRoot, try graph.reduce(.sumOfSquares, x, axes))
    default:
      let power = try graph.binary(
        .power, try graph.unary(.absolute, x), try graph.scalar(Double(p), like: x))
      return try graph.binary(
        .power, try graph.reduce(.sum, power, axes), try graph.scalar(1 / Double(p), like: x))
    }
  }

  /// x over its norm; 0 where the norm is 0.
  private static func lpNormalization(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let x = try node.input(0)
    let axis = try node.axis(default: -1, rank: graph.rank(x))
    let norm = try norm(x, [axis], p: try node.int("p", default: 2), graph)
    let zero = try graph.scalar(0, like: x)
    let isZero = try graph.compare(.equal, norm, zero)
    return [try graph.select(isZero, zero, try graph.divide(x, norm))]
  }
}
