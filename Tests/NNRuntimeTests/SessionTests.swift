import NNFormat
import NNGraph
import NNRuntime
import Reference
import Testing

private func session(_ graph: Graph, _ options: Session.Options = .init()) throws -> Session {
  try Session(try Model(ModelFile(graph: graph)), options: options)
}

/// a (N, 3) + b (N, 1), where both share their batch.
private func sum() throws -> Graph {
  var graph = Graph(name: "sum")
  let n = graph.dimension("N")
  let a = graph.addInput("a", .f32, Shape([n, .fixed(3)]))
  let b = graph.addInput("b", .f32, Shape([n, .fixed(1)]))
  graph.addOutput(try graph.append(.binary(.add), [a, b]), name: "y")
  return graph
}

@Test func aMissingInputIsNamed() throws {
  let session = try session(try sum())
  try session.setInput(0, ReferenceTensor([1, 2, 3], extents: [1, 3]))
  let error = thrown { try session.run() }
  #expect(error?.code == .invalidState && error?.message.contains("\"b\"") == true)
}

@Test func inputsThatDoNotFitAreRefusedAndLeaveTheOldOnes() throws {
  let session = try session(try sum())
  try session.setInput(0, ReferenceTensor([1, 2, 3], extents: [1, 3]))
  try session.setInput(1, ReferenceTensor([10], extents: [1, 1]))
  #expect(
    thrown { try session.setInput(0, ReferenceTensor([1, 2], extents: [1, 2])) }?.code == .shapeMismatch)
  #expect(
    thrown { try session.setInput(0, ReferenceTensor([1, 2, 3], extents: [3])) }?.code == .shapeMismatch)
  #expect(
    thrown { try session.setInput(0, ReferenceTensor([1, 2, 3], extents: [1, 3], dtype: .f64)) }?.code
      == .dtypeMismatch)
  #expect(thrown { try session.setInput(2, ReferenceTensor([1], extents: [1])) }?.code == .invalidArgument)
  #expect(thrown { try session.setInput(-1, ReferenceTensor([1], extents: [1])) }?.code == .invalidArgument)
  let short = thrown {
    try [1, 3].withUnsafeBufferPointer { extents in
      try [UInt8](repeating: 0, count: 11).withUnsafeBytes {
        try session.setInput(0, dtype: .f32, extents: extents, bytes: $0)
      }
    }
  }
  #expect(short?.code == .invalidArgument)
  for extents in [[-1, 3], [Int.max, 3], [Int.min, 3], [1 << 61, 3], [Int](repeating: 1, count: 99)] {
    let absurd = thrown {
      try extents.withUnsafeBufferPointer {
        try session.setInput(0, dtype: .f32, extents: $0, bytes: UnsafeRawBufferPointer(start: nil, count: 0))
      }
    }
    #expect(absurd?.code == .shapeMismatch)
  }
  try session.run()
  #expect(try Array(session.output(0).bytes.bindMemory(to: Float.self)) == [11, 12, 13])
}

@Test func oneFreeDimensionHasOneExtent() throws {
  let session = try session(try sum())
  try session.setInput(0, ReferenceTensor([1, 2, 3, 4, 5, 6], extents: [2, 3]))
  try session.setInput(1, ReferenceTensor([1, 2, 3], extents: [3, 1]))
  let error = thrown { try session.run() }
  #expect(error?.code == .shapeMismatch && error?.message.contains("N is 2") == true)
  #expect(thrown { _ = try session.output(0) }?.code == .invalidState)
  try session.setInput(1, ReferenceTensor([10, 20], extents: [2, 1]))
  try session.run()
  #expect(try Array(session.output(0).bytes.bindMemory(to: Float.self)) == [11, 12, 13, 24, 25, 26])
}

@Test func outputsAreThereAfterARunOnly() throws {
  let session = try session(try sum())
  #expect(thrown { _ = try session.output(0) }?.code == .invalidState)
  #expect(thrown { _ = try session.output(1) }?.code == .invalidArgument)
  #expect(thrown { _ = try session.output(-1) }?.code == .invalidArgument)
}

@Test func anIndexOutOfRangeIsAnErrorAndTheSessionGoesOn() throws {
  for op in [Op.gather(axis: 0), .scatter(.add, axis: 0)] {
    for dtype in [DType.i32, .i64] {
      var graph = Graph(name: "indexed")
      let x = graph.addInput("x", .f32, [4])
      let indices = graph.addInput("indices", dtype, [2])
      var ids = [x, indices]
      if op == .scatter(.add, axis: 0) { ids.append(graph.addInput("updates", .f32, [2])) }
      graph.addOutput(try graph.append(op, ids, name: "lookup"), name: "y")
      let session = try session(graph)
      try session.setInput(0, ReferenceTensor([1, 2, 3, 4], extents: [4]))
      if ids.count == 3 { try session.setInput(2, ReferenceTensor([10, 20], extents: [2])) }
      for bad in [4, -5, Int64(Int32.max), Int64(Int32.min)] {
        try session.setInput(1, ReferenceTensor(integers: [0, bad], extents: [2], dtype: dtype))
        let error = thrown { try session.run() }
        #expect(error?.code == .indexOutOfRange && error?.message.contains("lookup") == true)
        let said = "index \(bad), element 1 of \"indices\", is not in -4 ..< 4"
        #expect(error?.message.hasSuffix(said) == true)
      }
      try session.setInput(1, ReferenceTensor(integers: [-1, 0], extents: [2], dtype: dtype))
      try session.run()
      let expected: [Float] = op == .gather(axis: 0) ? [4, 1] : [21, 2, 3, 14]
      #expect(try Array(session.output(0).bytes.bindMemory(to: Float.self)) == expected)
    }
  }
}

@Test func statesAreCarriedFromRunToRunAndStartAtZero() throws {
  var graph = Graph(name: "fibonacci")
  let a = graph.addInput("a", .f32, [2])
  let b = graph.addInput("b", .f32, [2])
  let x = graph.addInput("x", .f32, [2])
  let sum = try graph.append(.binary(.add), [a, b])
  let next = try graph.append(.binary(.add), [sum, x])
  let moved = try graph.append(.unary(.identity), [b])
  graph.addOutput(moved, name: "next a")
  graph.addOutput(next, name: "next b")
  graph.states = [CarriedState(input: a, output: moved), CarriedState(input: b, output: next)]
  let session = try session(graph)
  try session.setInput(2, ReferenceTensor([1, 3], extents: [2]))
  var results: [[Float]] = []
  for _ in 0..<5 {
    try session.run()
    results.append(Array(try session.output(1).bytes.bindMemory(to: Float.self)))
    try session.setInput(2, ReferenceTensor([0, 0], extents: [2]))
  }
  #expect(results == [[1, 3], [1, 3], [2, 6], [3, 9], [5, 15]])
  // Setting a state starts a sequence anew.
  try session.setInput(0, ReferenceTensor([100, 0], extents: [2]))
  try session.setInput(1, ReferenceTensor([1, 1], extents: [2]))
  try session.run()
  #expect(Array(try session.output(1).bytes.bindMemory(to: Float.self)) == [101, 1])
  // A call may leave states out, and must not leave out anything else.
  let one = try Tensor([1, 1] as [Float], extents: [2])
  #expect(try session([one])[1].floats == [103, 3])
  #expect(thrown { _ = try session([]) }?.message == "0 inputs given; the model takes 1")
  #expect(thrown { _ = try session([one, one]) } != nil)
}

@Test func statesCanBeSwapped() throws {
  var graph = Graph(name: "swap")
  let a = graph.addInput("a", .f32, [1])
  let b = graph.addInput("b", .f32, [1])
  let newA = try graph.append(.unary(.identity), [b])
  let newB = try graph.append(.unary(.identity), [a])
  graph.addOutput(newA, name: "new a")
  graph.addOutput(newB, name: "new b")
  graph.states = [CarriedState(input: a, output: newA), CarriedState(input: b, output: newB)]
  let session = try session(graph)
  try session.setInput(0, ReferenceTensor([1], extents: [1]))
  try session.setInput(1, ReferenceTensor([2], extents: [1]))
  var seen: [[Float]] = []
  for _ in 0..<3 {
    try session.run()
    seen.append(try (0..<2).map { try session.output($0).bytes.load(as: Float.self) })
  }
  #expect(seen == [[2, 1], [1, 2], [2, 1]])
}

@Test func optionsThatCannotBeHonouredAreRefused() throws {
  let graph = try sum()
  for threads in [0, -1, 257, Int.max] {
    #expect(thrown { _ = try session(graph, Session.Options(threads: threads)) }?.code == .invalidArgument)
  }
  for level in InstructionSetLevel.allCases where !level.isAvailable {
    #expect(
      thrown { _ = try session(graph, Session.Options(instructionSet: level)) }?.code == .invalidArgument)
  }
}

@Test func aGraphThatIsNotWellFormedGivesNoModel() throws {
  var graph = try sum()
  graph.nodes[0].inputs = [ValueID(0), ValueID(77)]
  #expect(thrown { _ = try Model(ModelFile(graph: graph)) }?.code == .invalidGraph)
}

@Test func aModelThatNeedsTooMuchMemoryGivesAnError() throws {
  var graph = Graph(name: "huge")
  let x = graph.addInput("x", .f32, [1])
  let huge = try graph.append(.expand([1 << 24, 1 << 24]), [x])
  graph.addOutput(
    try graph.append(.reduce(Reduce(.sum, axes: [0, 1], keepsDimensions: false)), [huge]), name: "y")
  let session = try session(graph)
  try session.setInput(0, ReferenceTensor([1], extents: [1]))
  let code = thrown { try session.run() }?.code
  #expect(code == .outOfMemory || code == .limitExceeded)
}

@Test func theSelfTestNamesTheFirstDifference() throws {
  let graph = try sum()
  let inputs = [ReferenceTensor([1, 2, 3], extents: [1, 3]), ReferenceTensor([10], extents: [1, 1])]
  let tensors = try inputs.map { try $0.tensor() }
  let right = SelfTest(inputs: tensors, outputs: try run(graph, inputs))
  try Model(ModelFile(graph: graph, selfTests: [right])).selfTest()
  let wrong = SelfTest(inputs: tensors, outputs: [try Tensor([11, 12.5, 13], extents: [1, 3])])
  let error = thrown { try Model(ModelFile(graph: graph, selfTests: [right, wrong])).selfTest() }
  #expect(error?.code == .selfTestFailed)
  for part in ["vector 1", "\"y\"", "element 1", "12.5"] {
    #expect(error?.message.contains(part) == true, "\(part)")
  }
}
