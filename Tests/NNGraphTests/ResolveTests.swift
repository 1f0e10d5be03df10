import NNGraph
import Testing

private func graph() throws -> Graph {
  var graph = Graph(name: "test")
  let (n, t) = (graph.dimension("N"), graph.dimension("T"))
  let a = graph.addInput("a", .f32, Shape([n, t, .fixed(4)]))
  let b = graph.addInput("b", .f32, Shape([n, .fixed(1), .fixed(4)]))
  let sum = try graph.append(.binary(.add), [a, b], name: "sum")
  let flat = try graph.append(.reshape(Shape([n, .unknown])), [sum], name: "flat")
  let wide = try graph.append(.expand(Shape([.fixed(2), n, .unknown])), [flat], name: "wide")
  graph.addOutput(wide, name: "y")
  return graph
}

@Test func sameNameIsTheSameDimension() {
  var graph = Graph(name: "test")
  #expect(graph.dimension("N") == graph.dimension("N"))
  #expect(graph.dimension("N") != graph.dimension("T"))
  #expect(graph.symbols == ["N", "T"])
}

@Test func freeDimensionsTakeTheInputsExtents() throws {
  var graph = try graph()
  // Expanding to an extent that follows from the input has no meaning yet; name it.
  graph.nodes[2].op = .reshape(Shape([.fixed(1), .named(0), .unknown]))
  graph.values[4].type.shape = Shape([.fixed(1), .named(0), .unknown])
  try graph.verify()
  for (n, t) in [(1, 1), (3, 5), (0, 2), (2, 7)] {
    guard n > 0 else { continue }
    let resolved = try graph.resolve(inputExtents: [[n, t, 4], [n, 1, 4]])
    #expect(resolved.types.map(\.shape) == [[n, t, 4], [n, 1, 4], [n, t, 4], [n, t * 4], [1, n, t * 4]])
    #expect(resolved.ops[1] == .reshape([n, t * 4]))
    #expect(resolved.types.allSatisfy { $0.shape.extents != nil })
  }
}

@Test func inputsMustAgreeAboutFreeDimensions() throws {
  let graph = try graph()
  expectError(.shapeMismatch, "input \"b\" has shape (3, 1, 4) but the model takes (N, 1, 4), and N is 2") {
    _ = try graph.resolve(inputExtents: [[2, 5, 4], [3, 1, 4]])
  }
}

@Test func inputsMustHaveTheDeclaredShape() throws {
  let graph = try graph()
  expectError(.shapeMismatch, "input \"a\" has shape (2, 5, 3) but the model takes (N, T, 4)") {
    _ = try graph.resolve(inputExtents: [[2, 5, 3], [2, 1, 4]])
  }
  expectError(.shapeMismatch, "input \"a\"") { _ = try graph.resolve(inputExtents: [[2, 5], [2, 1, 4]]) }
  expectError(.shapeMismatch, "input \"a\"") {
    _ = try graph.resolve(inputExtents: [[-2, 5, 4], [2, 1, 4]])
  }
  expectError(.limitExceeded, "2^48") {
    _ = try graph.resolve(inputExtents: [[1 << 50, 5, 4], [1 << 50, 1, 4]])
  }
  expectError(.invalidArgument, "1 input shapes for 2 inputs") {
    _ = try graph.resolve(inputExtents: [[2, 5, 4]])
  }
}

@Test func shapesThatFitOnlySomeExtentsAreCheckedWhenTheyAreKnown() throws {
  var graph = Graph(name: "test")
  let n = graph.dimension("N")
  let x = graph.addInput("x", .f32, Shape([n]))
  graph.addOutput(try graph.append(.reshape([4]), [x], name: "four"), name: "y")
  try graph.verify()
  _ = try graph.resolve(inputExtents: [[4]])
  expectError(.shapeMismatch, "node \"four\" (reshape): (3) has 3 elements") {
    _ = try graph.resolve(inputExtents: [[3]])
  }
}

@Test func resultThatDoesNotFollowFromTheInputsIsAnError() throws {
  let graph = try graph()
  try graph.verify()
  expectError(.invalidGraph, "does not follow from the inputs") {
    _ = try graph.resolve(inputExtents: [[2, 5, 4], [2, 1, 4]])
  }
}
