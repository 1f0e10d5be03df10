import NNGraph
import Reference

/// Graphs of random structure over whole numbers: values are used several times, at a distance, by views, in place and as
/// outputs, which is where a planner of memory goes wrong.
enum RandomGraphs {
  static func make(seed: UInt64, nodes: Int) throws -> (Graph, [ReferenceTensor]) {
    var random = SplitMix64(seed: seed)
    var graph = Graph(name: "random")
    var inputs: [ReferenceTensor] = []
    var values: [ValueID] = []
    for index in 0..<Int.random(in: 1...3, using: &random) {
      let x = random.wholes([4, Int.random(in: 1...24, using: &random)], -9...9)
      inputs.append(x)
      values.append(graph.addInput(Name("x\(index)"), .f32, Shape(x.extents)))
    }
    values.append(try graph.constant("c", random.wholes([4, 6])))
    for number in 0..<nodes {
      let next = try append(&graph, values, &random)
      values.append(next)
      if number == nodes - 1 || Int.random(in: 0..<8, using: &random) == 0 {
        if !graph.outputs.contains(next) { graph.addOutput(next, name: Name("y\(number)")) }
      }
    }
    return (graph, inputs)
  }

  /// A node on one or two of the values; clipped, so that numbers stay small and exact.
  private static func append(_ graph: inout Graph, _ values: [ValueID], _ random: inout SplitMix64) throws
    -> ValueID
  {
    let x = values.randomElement(using: &random)!
    let extents = graph[x].type.shape.extents!
    let columns = extents[1]
    let clip = Op.unary(Activation(.clip, alpha: -99, beta: 99))
    switch Int.random(in: 0..<9, using: &random) {
    case 0:
      return try graph.append(
        .unary(Activation([.negate, .relu, .absolute].randomElement(using: &random)!)), [x])
    case 1:
      let partners = values.filter { [1, columns].contains(graph[$0].type.shape.extents![1]) }
      let y = (partners + [x]).randomElement(using: &random)!
      let function = [BinaryFunction.add, .subtract, .maximum].randomElement(using: &random)!
      return try graph.append(clip, [try graph.append(.binary(function), [x, y])])
    case 2:
      let start = Int.random(in: 0..<columns, using: &random)
      let range = SliceRange(start: start, end: Int.max, step: Int.random(in: 1...2, using: &random))
      return try graph.append(.slice([.all, range]), [x])
    case 3:
      let y = values.randomElement(using: &random)!
      let sum = columns + graph[y].type.shape.extents![1]
      return sum > 200 ? x : try graph.append(.concat(axis: 1), [x, y])
    case 4:
      let transposed = try graph.append(.transpose([1, 0]), [x])
      return try graph.append(.reshape([4, columns]), [transposed])
    case 5: return try graph.append(.reduce(Reduce(.maximum, axes: [1], keepsDimensions: true)), [x])
    case 6: return try graph.append(.unary(.identity), [x])
    case 7:
      let width = Int.random(in: 1...20, using: &random)
      let weight = try graph.constant("w", random.wholes([columns, width], -1...1))
      return try graph.append(clip, [try graph.append(.matmul(Matmul()), [x, weight])])
    default:
      let padded = try graph.append(.pad(Pad(before: [0, 1], after: [0, 1], value: 2)), [x])
      return columns > 200 ? x : padded
    }
  }

  /// A graph of elementwise nodes over more elements than a block of a chain has, with single numbers, rows and columns as operands.
  static func makeElementwise(seed: UInt64, nodes: Int) throws -> (Graph, [ReferenceTensor]) {
    var random = SplitMix64(seed: seed)
    var graph = Graph(name: "elementwise")
    var inputs: [ReferenceTensor] = []
    func input(_ extents: [Int]) -> ValueID {
      inputs.append(random.reals(extents))
      return graph.addInput(Name("x\(inputs.count)"), .f32, Shape(extents))
    }
    let shape = [Int.random(in: 1...5, using: &random), Int.random(in: 1...900, using: &random)]
    let whole = [input(shape), input(shape)]
    let others = [input([]), input([1, 1]), input([shape[1]]), input([shape[0], 1])]
    var values = whole
    for number in 0..<nodes {
      let x = values.suffix(6).randomElement(using: &random)!
      let y = (values.suffix(6) + others + others.prefix(2)).randomElement(using: &random)!
      let next: ValueID
      switch Int.random(in: 0..<8, using: &random) {
      case 0:
        next = try graph.append(
          .unary(Activation([.tanh, .square, .relu].randomElement(using: &random)!)), [x])
      case 1:
        let isLess = try graph.append(.compare(.less), [x, y])
        next = try graph.append(.select, [isLess, x, y])
      case 2:
        let flat = try graph.append(.reshape([shape[0] * shape[1]]), [x])
        next = try graph.append(
          .reshape(Shape(shape)), [try graph.append(.unary(Activation(.sigmoid)), [flat])])
      case 3...4:
        next = try graph.append(.binary(.multiply), [x, others[Int.random(in: 0...1, using: &random)]])
      case 5: next = try graph.append(.binary(.multiply), [others[0], x])
      default:
        let function = [BinaryFunction.add, .subtract, .multiply, .maximum].randomElement(using: &random)!
        next = try graph.append(.binary(function), Bool.random(using: &random) ? [x, y] : [y, x])
      }
      values.append(next)
      if number == nodes - 1 || Int.random(in: 0..<10, using: &random) == 0, !graph.outputs.contains(next) {
        graph.addOutput(next, name: Name("y\(number)"))
      }
    }
    return (graph, inputs)
  }
}
