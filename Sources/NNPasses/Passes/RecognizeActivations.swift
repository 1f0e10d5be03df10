import NNGraph

extension Graph {
  /// Replaces products that spell GELU, its approximation by tanh, or SiLU by that function of their one factor, and bounds by clip.
  ///
  /// - Returns: how many.
  mutating func recognizeActivations() throws(NNError) -> Int {
    var count = 0
    let reader = ProductReader(self)
    for index in nodes.indices.reversed() {
      let result = nodes[index].outputs[0]
      guard self[result].type.dtype == .f32, let (x, activation) = reader.activation(nodes[index]),
        self[x].type == self[result].type
      else { continue }
      nodes[index].op = .unary(activation)
      nodes[index].inputs = [x]
      count += 1
    }
    return count
  }
}

/// Reads values as products of numbers and other values.
private struct ProductReader {
  let graph: Graph
  let producers: [Int?]
  let uses: [Int]

  init(_ graph: Graph) {
    self.graph = graph
    producers = graph.producers
    uses = graph.useCounts
  }

  /// A value as number · value · value · …
  struct Product {
    var number: Double = 1
    var factors: [ValueID] = []
  }

  /// What a node's result is a function of, and which; nil if it is none of those looked for.
  func activation(_ node: Node) -> (ValueID, Activation)? {
    guard case .binary(let function) = node.op else { return nil }
    switch function {
    case .multiply, .divide:
      guard let (x, function) = smoothFunction(node.outputs[0]) else { return nil }
      return (x, Activation(function))
    case .minimum, .maximum: return bounds(node)
    case .add, .subtract, .power, .bitwiseAnd, .bitwiseOr, .bitwiseXor, .shiftLeft, .shiftRight, .remainder,
      .modulo:
      return nil
    }
  }

  /// A value above one number and below another, or above 0.
  private func bounds(_ node: Node) -> (ValueID, Activation)? {
    guard let (inner, bound) = bounded(node) else { return nil }
    if let first = self.node(inner), uses[inner.index] == 1, first.op != node.op,
      let (x, other) = bounded(first)
    {
      let (low, high) = node.op == .binary(.minimum) ? (other, bound) : (bound, other)
      return low <= high ? (x, Activation(.clip, alpha: Float(low), beta: Float(high))) : nil
    }
    return node.op == .binary(.maximum) && bound == 0 ? (inner, Activation(.relu)) : nil
  }

  /// The operand and the number of a minimum or maximum with one finite number.
  private func bounded(_ node: Node) -> (ValueID, Double)? {
    guard node.op == .binary(.minimum) || node.op == .binary(.maximum) else { return nil }
    for (x, other) in [(0, 1), (1, 0)] {
      if let bound = number(node.inputs[other]), bound.isFinite { return (node.inputs[x], bound) }
    }
    return nil
  }

  private func smoothFunction(_ value: ValueID) -> (ValueID, UnaryFunction)? {
    let product = self.product(value, isRoot: true)
    guard product.factors.count == 2 else { return nil }
    for (x, other) in [(0, 1), (1, 0)].map({ (product.factors[$0], product.factors[$1]) }) {
      if isClose(product.number, 1), unary(other, .sigmoid) == x { return (x, .silu) }
      guard isClose(product.number, 0.5), let inner = onePlus(other) else { continue }
      if let u = unary(inner, .errorFunction) {
        let scaled = self.product(u)
        if scaled.factors == [x], isClose(scaled.number, 0.5.squareRoot()) { return (x, .gelu) }
      }
      if let u = unary(inner, .tanh), isCubic(u, in: x) { return (x, .geluTanh) }
    }
    return nil
  }

  /// √(2/π)·(x + 0.044715·x³)
  private func isCubic(_ value: ValueID, in x: ValueID) -> Bool {
    let outer = product(value)
    guard outer.factors.count == 1, isClose(outer.number, 0.7978845608), let sum = node(outer.factors[0]),
      sum.op == .binary(.add)
    else { return false }
    for (a, b) in [(0, 1), (1, 0)] where sum.inputs[a] == x {
      let cube = product(sum.inputs[b])
      if isClose(cube.number, 0.044715), power(cube.factors, of: x) == 3 { return true }
    }
    return false
  }

  /// The exponent if all factors are powers of x.
  private func power(_ factors: [ValueID], of x: ValueID) -> Int? {
    var exponent = 0
    for factor in factors {
      if factor == x {
        exponent += 1
      } else if unary(factor, .square) == x {
        exponent += 2
      } else if let node = node(factor), node.op == .binary(.power), node.inputs[0] == x,
        let number = number(node.inputs[1]), number == 2 || number == 3
      {
        exponent += Int(number)
      } else {
        return nil
      }
    }
    return exponent
  }

  /// The other operand of a sum with 1.
  private func onePlus(_ value: ValueID) -> ValueID? {
    guard let node = node(value), node.op == .binary(.add) else { return nil }
    if number(node.inputs[0]) == 1 { return node.inputs[1] }
    return number(node.inputs[1]) == 1 ? node.inputs[0] : nil
  }

  /// What a value is the given function of.
  private func unary(_ value: ValueID, _ function: UnaryFunction) -> ValueID? {
    guard let node = node(value), node.op == .unary(Activation(function)) else { return nil }
    return node.inputs[0]
  }

  private func node(_ value: ValueID) -> Node? { producers[value.index].map { graph.nodes[$0] } }

  /// The one number that a constant holds.
  private func number(_ value: ValueID) -> Double? {
    guard let constant = graph[value].constant, constant.elementCount == 1 else { return nil }
    return constant.floats.map { Double($0[0]) }
  }

  /// Multiplications and divisions by numbers, taken apart as long as nobody else reads what is between them.
  func product(_ value: ValueID, isRoot: Bool = false) -> Product {
    if let number = number(value) { return Product(number: number) }
    guard let node = node(value), isRoot || uses[value.index] == 1 else { return Product(factors: [value]) }
    if node.op == .binary(.multiply) {
      let (a, b) = (product(node.inputs[0]), product(node.inputs[1]))
      return Product(number: a.number * b.number, factors: a.factors + b.factors)
    }
    if node.op == .binary(.divide), let divisor = number(node.inputs[1]), divisor != 0 {
      var result = product(node.inputs[0])
      result.number /= divisor
      return result
    }
    return Product(factors: [value])
  }

  private func isClose(_ a: Double, _ b: Double) -> Bool { abs(a - b) <= 2e-6 * abs(b) }
}
