import NNGraph
import Testing

/// x (N, 4) · w (4, 3) → relu → y, built by hand so that every part can be spoiled.
private func graph() throws -> Graph {
  var graph = Graph(name: "test")
  let batch = graph.dimension("N")
  let x = graph.addInput("x", .f32, Shape([batch, .fixed(4)]))
  let w = graph.addConstant("w", try Tensor([Float](repeating: 1, count: 12), extents: [4, 3]))
  let product = try graph.append(.matmul(Matmul()), [x, w], name: "dense")
  let y = try graph.append(.unary(Activation(.relu)), [product], name: "relu")
  graph.addOutput(y, name: "y")
  return graph
}

private func expectFault(
  _ text: String, code: ErrorCode = .invalidGraph, sourceLocation: SourceLocation = #_sourceLocation,
  _ spoil: (inout Graph) throws -> Void
) throws {
  var graph = try graph()
  try graph.verify()
  try spoil(&graph)
  let spoiled = graph
  expectError(code, text, sourceLocation: sourceLocation) { try spoiled.verify() }
}

@Test func wellFormedGraphPasses() throws {
  try graph().verify()
  try Graph(name: "empty").verify()
}

@Test func referencesOutsideTheGraphAreFaults() throws {
  for wrong in [-1, 4, Int.max, Int.min] {
    try expectFault("node \"dense\" (matmul): input 1 is no value") { $0.nodes[0].inputs[1] = ValueID(wrong) }
    try expectFault("node \"relu\" (unary): result \(wrong)") { $0.nodes[1].outputs = [ValueID(wrong)] }
    try expectFault("input \(wrong) is no value") { $0.inputs = [ValueID(wrong)] }
    try expectFault("output \(wrong) is not computed") { $0.outputs = [ValueID(wrong)] }
    try expectFault("carried state") { $0.states = [CarriedState(input: ValueID(wrong), output: ValueID(3))] }
    try expectFault("carried state") { $0.states = [CarriedState(input: ValueID(0), output: ValueID(wrong))] }
  }
}

@Test func nodesMustComeInOrder() throws {
  try expectFault("node \"relu\" (unary): input \"dense\" is used before it is computed") {
    $0.nodes.swapAt(0, 1)
  }
  try expectFault("cycle") { $0.nodes[0].inputs[0] = ValueID(3) }
  try expectFault("cycle") { $0.nodes[1].inputs = [ValueID(3)] }
}

@Test func valuesMustBeDefinedExactlyOnce() throws {
  try expectFault("value \"y\" is neither") {
    $0.nodes.removeLast()
    $0.outputs = [ValueID(2)]
  }
  try expectFault("output 3 is not computed") { $0.nodes.removeLast() }
  try expectFault("computed twice") { $0.nodes.append($0.nodes[1]) }
  try expectFault("computed twice") { $0.nodes[1].outputs = [ValueID(0)] }
  try expectFault("listed twice") { $0.inputs.append($0.inputs[0]) }
  try expectFault("listed twice") { $0.inputs = [ValueID(1)] }
  try expectFault("has 2 results instead of 1") { $0.nodes[1].outputs.append(ValueID(2)) }
  try expectFault("has 0 results instead of 1") { $0.nodes[1].outputs = [] }
}

@Test func declaredTypesMustBeTheInferredOnes() throws {
  try expectFault("result \"y\" is declared i64 (N, 3) but is f32 (N, 3)") { $0.values[3].type.dtype = .i64 }
  try expectFault("result \"y\" is declared f32 (N, 4)") { $0.values[3].type.shape[1] = .fixed(4) }
  try expectFault("its type is not that of its constant") { $0.values[1].type.dtype = .i32 }
  try expectFault("value \"w\"") { $0.values[1].type.shape = [3, 4] }
  try expectFault("node \"dense\" (matmul): the inner extents", code: .shapeMismatch) {
    $0.values[0].type.shape[1] = .fixed(5)
  }
}

@Test func shapesMustBeWithinTheLimits() throws {
  try expectFault("value \"x\": a tensor of shape", code: .limitExceeded) {
    $0.values[0].type.shape = [1 << 60, 4]
  }
  try expectFault("a negative dimension") { $0.values[0].type.shape[1] = .fixed(-4) }
  try expectFault("free dimension 7 has no name") { $0.values[0].type.shape[0] = .named(7) }
  try expectFault("free dimension -1 has no name") { $0.values[0].type.shape[0] = .named(-1) }
  try expectFault("input \"x\" has an unnamed free dimension") { $0.values[0].type.shape[0] = .unknown }
  try expectFault("node \"relu\" (reshape): free dimension 9") {
    $0.nodes[1].op = .reshape(Shape([.named(9), .unknown]))
  }
}

@Test func inputsAndOutputsNeedDistinctNames() throws {
  try expectFault("an input without a name") { $0.values[0].name = "" }
  try expectFault("an output without a name") { $0.values[3].name = "" }
  try expectFault("two inputs named \"x\"") { graph in
    graph.inputs.append(ValueID(graph.values.count))
    graph.values.append(Value(name: "x", type: TensorType(.f32, [])))
  }
  try expectFault("two outputs named \"y\"") { $0.outputs.append($0.outputs[0]) }
}

@Test func panelsGoOnlyToMatmulsSecondOperand() throws {
  let storage = try TensorStorage.allocate(size: 4 * 64) { _ in }
  let panels = try Tensor(dtype: .f32, extents: [4, 3], layout: .panels, storage: storage)
  var good = try graph()
  good.values[1].constant = panels
  try good.verify()
  try expectFault("only the second operand of matmul, recurrent") {
    $0.values[1].constant = panels
    $0.nodes[0].op = .matmul(Matmul(transposesB: true))
  }
  try expectFault("only the second operand of matmul, recurrent and convolution") {
    $0.values[1].constant = try Tensor(
      dtype: .f32, extents: [3, 2, 2], layout: .filterPanels, storage: storage)
    $0.values[1].type.shape = [3, 2, 2]
  }
  try expectFault("input 0 is stored in panels") {
    $0.values[1].constant = panels
    $0.nodes[1].inputs = [ValueID(1)]
    $0.values[3].type.shape = [4, 3]
  }
  try expectFault("output \"w\" is a constant in panels") {
    $0.values[1].constant = panels
    $0.outputs = [ValueID(1)]
  }
}

@Test func statesPairAnInputWithAnOutputOfItsType() throws {
  var graph = Graph(name: "counter")
  let state = graph.addInput("state", .f32, [2])
  let next = try graph.append(.unary(Activation(.exponential)), [state], name: "next")
  graph.addOutput(next)
  graph.states = [CarriedState(input: state, output: next)]
  try graph.verify()
  var twice = graph
  twice.states += graph.states
  expectError(.invalidGraph, "carried state") { try twice.verify() }
  var other = graph
  other.nodes[0].op = .cast(.i64)
  other.values[1].type.dtype = .i64
  expectError(.invalidGraph, "state \"state\" changes its type") { try other.verify() }
}

@Test func longChainIsVerifiedWithoutDeepStack() throws {
  var graph = Graph(name: "chain")
  var value = graph.addInput("x", .f32, [1])
  for _ in 0..<100_000 { value = try graph.append(.unary(.identity), [value]) }
  graph.addOutput(value, name: "y")
  try graph.verify()
}
