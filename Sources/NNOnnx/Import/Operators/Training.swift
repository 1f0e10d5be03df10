import NNGraph

/// Steps of optimisers. Inputs: learning rate, step, then all parameters, all gradients, and all of each kind of state.
enum Training {
  static let operators: [String: Lowering] = [
    "ai.onnx.preview.training/Adam": adam, "ai.onnx.preview.training/Adagrad": adagrad,
    "ai.onnx.preview.training/Momentum": momentum,
  ]

  /// Runs `step` for each parameter, with its gradient and states, and sorts the results by kind.
  private static func eachParameter(
    _ node: OnnxNode, states: Int, _ step: ([ValueID]) throws -> [ValueID]
  ) throws -> [ValueID] {
    let inputs = Array(try node.allInputs().dropFirst(2))
    let count = inputs.count / (2 + states)
    guard count >= 1, inputs.count == count * (2 + states) else {
      throw NNError(.invalidGraph, "\(inputs.count) parameters, gradients and states")
    }
    let results = try (0..<count).map { index in
      try step((0..<(2 + states)).map { inputs[$0 * count + index] })
    }
    return (0...states).flatMap { kind in results.map { $0[kind] } }
  }

  /// g + λ·x.
  private static func regularised(
    _ gradient: ValueID, _ x: ValueID, _ node: OnnxNode, _ graph: GraphBuilder
  ) throws -> ValueID {
    let norm = Double(try node.float("norm_coefficient", default: 0))
    return norm == 0 ? gradient : try graph.add(try graph.multiply(x, norm), gradient)
  }

  private static func isFirst(_ node: OnnxNode, _ graph: GraphBuilder) throws -> ValueID {
    let step = try node.input(1)
    return try graph.compare(.lessOrEqual, step, try graph.scalar(int: 0, graph.dtype(step)))
  }

  /// Kingma and Ba 2015.
  private static func adam(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let alpha = Double(try node.float("alpha", default: 0.9))
    let beta = Double(try node.float("beta", default: 0.999))
    let epsilon = Double(try node.float("epsilon", default: 0))
    let after = Double(try node.float("norm_coefficient_post", default: 0))
    let rate = try node.input(0)
    let step = try graph.cast(try node.input(1), graph.dtype(rate))
    let one = try graph.scalar(1, like: rate)
    func decayed(_ base: Double) throws -> ValueID {
      try graph.subtract(one, try graph.binary(.power, try graph.scalar(base, like: rate), step))
    }
    let corrected = try graph.divide(
      try graph.multiply(rate, try graph.unary(.squareRoot, try decayed(beta))), try decayed(alpha))
    let adjusted = try graph.select(try isFirst(node, graph), rate, corrected)
    return try eachParameter(node, states: 2) { values in
      let (x, v, h) = (values[0], values[2], values[3])
      let gradient = try regularised(values[1], x, node, graph)
      let newV = try graph.add(try graph.multiply(v, alpha), try graph.multiply(gradient, 1 - alpha))
      let squares = try graph.multiply(gradient, gradient)
      let newH = try graph.add(try graph.multiply(h, beta), try graph.multiply(squares, 1 - beta))
      let root = try graph.add(try graph.unary(.squareRoot, newH), epsilon)
      let next = try graph.subtract(x, try graph.multiply(adjusted, try graph.divide(newV, root)))
      return [after == 0 ? next : try graph.multiply(next, 1 - after), newV, newH]
    }
  }

  /// Duchi et al. 2011.
  private static func adagrad(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let epsilon = Double(try node.float("epsilon", default: 0))
    let decay = Double(try node.float("decay_factor", default: 0))
    let rate = try node.input(0)
    let step = try graph.cast(try node.input(1), graph.dtype(rate))
    let adjusted = try graph.divide(rate, try graph.add(try graph.multiply(step, decay), 1))
    return try eachParameter(node, states: 1) { values in
      let gradient = try regularised(values[1], values[0], node, graph)
      let sum = try graph.add(values[2], try graph.multiply(gradient, gradient))
      let root = try graph.add(try graph.unary(.squareRoot, sum), epsilon)
      let change = try graph.divide(try graph.multiply(adjusted, gradient), root)
      return [try graph.subtract(values[0], change), sum]
    }
  }

  private static func momentum(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let alpha = Double(try node.required(try node.float("alpha"), "alpha"))
    let beta = Double(try node.required(try node.float("beta"), "beta"))
    let isNesterov = try node.required(try node.string("mode"), "mode") == "nesterov"
    let rate = try node.input(0)
    let weight = try graph.select(
      try isFirst(node, graph), try graph.scalar(1, like: rate), try graph.scalar(beta, like: rate))
    return try eachParameter(node, states: 1) { values in
      let gradient = try regularised(values[1], values[0], node, graph)
      let velocity = try graph.add(
        try graph.multiply(values[2], alpha), try graph.multiply(weight, gradient))
      let direction = isNesterov ? try graph.add(gradient, try graph.multiply(velocity, alpha)) : velocity
      return [try graph.subtract(values[0], try graph.multiply(rate, direction)), velocity]
    }
  }
}
