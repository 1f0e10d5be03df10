import NNFormat
import NNGraph
import NNRuntime
import Testing

/// Graphs whose extents depend on values, run by sessions.
@Suite struct ProgramTests {
  private func session(_ graph: Graph) throws -> Session { try Session(Model(ModelFile(graph: graph))) }

  private func ints(_ values: [Int64], _ extents: [Int]? = nil) throws -> Tensor {
    try Tensor(values, extents: extents ?? [values.count])
  }

  private func floats(_ values: [Float], _ extents: [Int]? = nil) throws -> Tensor {
    try Tensor(values, extents: extents ?? [values.count])
  }

  private func flag(_ value: Bool) throws -> Tensor {
    let storage = try TensorStorage.allocate(size: 1) { (memory) throws(NNError) in
      memory.storeBytes(of: value ? 1 : 0, as: UInt8.self)
    }
    return try Tensor(dtype: .bool, extents: [1], storage: storage)
  }

  @Test func aReshapeFollowsTheValuesOfAnInput() throws {
    var graph = Graph(name: "reshape")
    let x = graph.addInput("x", .f32, [2, 3, 4])
    let shape = graph.addInput("shape", .i64, [2])
    graph.addOutput(try graph.append(.dynamic(.reshape(allowsZero: false)), [x, shape]), name: "y")
    let session = try session(graph)
    let values = (0..<24).map { Float($0) }
    for (wanted, extents) in [
      ([6, 4], [6, 4]), ([-1, 8], [3, 8]), ([0, -1], [2, 12]), ([6, 4], [6, 4]),
    ] {
      let y = try session([try floats(values, [2, 3, 4]), try ints(wanted.map { Int64($0) })])[0]
      #expect(y.extents == extents && y.floats == values)
    }
    let error = #expect(throws: NNError.self) {
      try session([try floats(values, [2, 3, 4]), try ints([5, 5])])
    }
    #expect(error?.code == .shapeMismatch && error?.message.contains("dynamic reshape") == true)
    // The session is as good as before.
    #expect(try session([try floats(values, [2, 3, 4]), try ints([24, 1])])[0].extents == [24, 1])
  }

  @Test func arithmeticOnExtentsNeedsNoRun() throws {
    var graph = Graph(name: "flatten")
    let n = graph.dimension("N")
    let x = graph.addInput("x", .f32, Shape([n, .fixed(3), .fixed(4)]))
    let shape = try graph.append(.dynamic(.shape), [x])
    let first = try graph.append(.slice([SliceRange(start: 0, end: 1)]), [shape])
    let one = graph.addConstant("one", try ints([1]))
    let half = try graph.append(.binary(.divide), [first, graph.addConstant("two", try ints([2]))])
    let target = try graph.append(
      .concat(axis: 0), [half, graph.addConstant("rest", try ints([-1])), one])
    let y = try graph.append(.dynamic(.reshape(allowsZero: false)), [x, target])
    graph.addOutput(try graph.append(.unary(Activation(.negate)), [y]), name: "y")
    // All of it is known before anything runs, so a plain plan takes it.
    let plan = try Plan(graph, inputExtents: [[4, 3, 4]])
    #expect(plan.outputTypes[0].shape == [2, 24, 1])
    let session = try session(graph)
    for count in [2, 6, 4] {
      let values = (0..<count * 12).map { Float($0) }
      let y = try session(values, extents: [count, 3, 4])
      #expect(y == values.map { -$0 })
    }
  }

  @Test func slicesPadsRepeatsAndRangesFollowValues() throws {
    var graph = Graph(name: "movement")
    let x = graph.addInput("x", .f32, [2, 5])
    let numbers = graph.addInput("numbers", .i64, [3])
    func number(_ index: Int) throws -> ValueID {
      try graph.append(.slice([SliceRange(start: index, end: index + 1)]), [numbers])
    }
    let (start, end, step) = (try number(0), try number(1), try number(2))
    let sliced = try graph.append(.dynamic(.slice(axes: [1])), [x, start, end, step])
    let padded = try graph.append(
      .dynamic(.pad(axes: [1], value: 9)), [sliced, try graph.append(.concat(axis: 0), [step, start])])
    graph.addOutput(padded, name: "padded")
    graph.addOutput(try graph.append(.dynamic(.range), [start, end, step]), name: "range")
    let session = try session(graph)
    let x0 = try floats((0..<10).map { Float($0) }, [2, 5])
    var y = try session([x0, try ints([1, 5, 2])])
    #expect(y[0].extents == [2, 5] && y[0].floats == [9, 9, 1, 3, 9, 9, 9, 6, 8, 9])
    #expect(try y[1].integers() == [1, 3])
    y = try session([x0, try ints([0, 2, 1])])
    #expect(y[0].extents == [2, 3] && y[0].floats == [9, 0, 1, 9, 5, 6])
    #expect(try y[1].integers() == [0, 1])
    #expect(throws: NNError.self) { try session([x0, try ints([0, 2, 0])]) }
    #expect(throws: NNError.self) { try session([x0, try ints([.min, .max, 1])]) }
  }

  @Test func aRangeOfFloatsHasEveryStep() throws {
    var graph = Graph(name: "range")
    let inputs = ["start", "limit", "step"].map { graph.addInput(Name($0), .f32, []) }
    graph.addOutput(try graph.append(.dynamic(.range), inputs), name: "y")
    let session = try session(graph)
    func range(_ start: Float, _ limit: Float, _ step: Float) throws -> [Float]? {
      try session([start, limit, step].map { try floats([$0], []) })[0].floats
    }
    #expect(try range(1, 2, 0.25) == [1, 1.25, 1.5, 1.75])
    #expect(try range(2, -1, -1.5) == [2, 0.5])
    #expect(try range(1, 1, 1) == [])
    #expect(try range(1, 0, 1) == [])
    #expect(throws: NNError.self) { try range(0, .infinity, 1) }
    #expect(throws: NNError.self) { try range(0, .nan, 1) }
    #expect(throws: NNError.self) { try range(0, 1, 0) }
  }

  @Test func aRangeKeepsToTheMemoryOfARun() throws {
    var graph = Graph(name: "range")
    let inputs = ["start", "limit", "step"].map { graph.addInput(Name($0), .i64, []) }
    graph.addOutput(try graph.append(.dynamic(.range), inputs), name: "y")
    let session = try Session(
      try Model(ModelFile(graph: graph)), options: Session.Options(memoryLimit: 1 << 20))
    let error = #expect(throws: NNError.self) {
      try session([try ints([0], []), try ints([1 << 31], []), try ints([1], [])])
    }
    #expect(error?.code == .limitExceeded)
    #expect(try session([0, 100, 1].map { try ints([$0], []) })[0].extents == [100])
  }

  @Test func nonZeroElementsAreGathered() throws {
    var graph = Graph(name: "compress")
    let n = graph.dimension("N")
    let x = graph.addInput("x", .f32, Shape([n]))
    let indices = try graph.append(.dynamic(.nonZero), [x])
    let flat = try graph.append(.reshape(Shape([Dimension.unknown])), [indices])
    graph.addOutput(try graph.append(.gather(axis: 0), [x, flat]), name: "y")
    graph.addOutput(indices, name: "indices")
    let session = try session(graph)
    for values: [Float] in [[0, 3, -0.0, .nan, -2], [1], [0, 0], [], [5, 0, 6, 7, 0, 8]] {
      let results = try session([try floats(values)])
      let expected = values.indices.filter { values[$0] != 0 }
      #expect(try results[1].integers() == expected.map { Int64($0) })
      #expect(results[1].extents == [1, expected.count])
      #expect(results[0].floats?.map { $0.bitPattern } == expected.map { values[$0].bitPattern })
    }
  }

  @Test func distinctElementsAndSlices() throws {
    var graph = Graph(name: "unique")
    let x = graph.addInput("x", .f32, [6])
    let rows = graph.addInput("rows", .i64, [3, 2])
    for (position, id) in try graph.appendAll(.dynamic(.unique(axis: nil, sorts: false)), [x]).enumerated() {
      graph.addOutput(id, name: Name("x\(position)"))
    }
    for (position, id) in try graph.appendAll(.dynamic(.unique(axis: 0, sorts: true)), [rows]).enumerated() {
      graph.addOutput(id, name: Name("rows\(position)"))
    }
    let y = try session(graph)([
      try floats([2, 1, 1, 3, 4, 3]), try ints([5, -1, -7, 2, 5, -1], [3, 2]),
    ])
    #expect(y[0].floats == [2, 1, 3, 4])
    #expect(try y[1].integers() == [0, 1, 3, 4])
    #expect(try y[2].integers() == [0, 1, 1, 2, 3, 2])
    #expect(try y[3].integers() == [1, 2, 2, 1])
    #expect(try y[4].integers() == [-7, 2, 5, -1])
    #expect(try y[5].integers() == [1, 0])
    #expect(try y[6].integers() == [1, 0, 1])
    #expect(try y[7].integers() == [1, 2])
  }

  @Test func overlappingBoxesAreSuppressed() throws {
    var graph = Graph(name: "boxes")
    let boxes = graph.addInput("boxes", .f32, [1, 4, 4])
    let scores = graph.addInput("scores", .f32, [1, 2, 4])
    let limits = [
      graph.addConstant("most", try ints([2])), graph.addConstant("overlap", try floats([0.5])),
      graph.addConstant("score", try floats([0.1])),
    ]
    graph.addOutput(
      try graph.append(.dynamic(.nonMaxSuppression(isCentered: false)), [boxes, scores] + limits), name: "y")
    // The second box covers most of the first, the third nothing of either, the fourth is the third with its corners swapped.
    let corners: [Float] = [0, 0, 1, 1, 0, 0.1, 1, 1.1, 5, 5, 6, 6, 6, 6, 5, 5]
    let y = try session(graph)([
      try floats(corners, [1, 4, 4]), try floats([0.9, 0.95, 0.2, 0.3, 0.5, 0.05, 0.4, 0.1], [1, 2, 4]),
    ])[0]
    #expect(try y.integers() == [0, 0, 1, 0, 0, 3, 0, 1, 0, 0, 1, 2])
    #expect(y.extents == [4, 3])
  }

  /// x → x + 1 if the condition holds, else the first half of x.
  private func branching() throws -> Graph {
    var then = Graph(name: "then")
    let a = then.addInput("x", .f32, Shape([Dimension.unknown]))
    then.addOutput(
      try then.append(.binary(.add), [a, then.addConstant("one", try floats([1]))]), name: "y")
    var otherwise = Graph(name: "otherwise")
    let b = otherwise.addInput("x", .f32, Shape([Dimension.unknown]))
    let half = try otherwise.append(
      .binary(.divide),
      [try otherwise.append(.dynamic(.shape), [b]), otherwise.addConstant("two", try ints([2]))])
    let zero = otherwise.addConstant("zero", try ints([0]))
    let one = otherwise.addConstant("one", try ints([1]))
    otherwise.addOutput(
      try otherwise.append(.dynamic(.slice(axes: [0])), [b, zero, half, one]), name: "y")
    var graph = Graph(name: "branch")
    let n = graph.dimension("N")
    let condition = graph.addInput("condition", .bool, [1])
    let x = graph.addInput("x", .f32, Shape([n]))
    graph.bodies = [then, otherwise]
    let y = try graph.append(.dynamic(.branch(then: 0, otherwise: 1)), [condition, x])
    graph.addOutput(try graph.append(.unary(Activation(.negate)), [y]), name: "y")
    return graph
  }

  @Test func aBranchRunsOneOfItsBodies() throws {
    let session = try session(try branching())
    for _ in 0..<3 {
      #expect(try session([try flag(true), try floats([1, 2, 3, 4])])[0].floats == [-2, -3, -4, -5])
      #expect(try session([try flag(false), try floats([1, 2, 3, 4])])[0].floats == [-1, -2])
      #expect(try session([try flag(false), try floats([1, 2])])[0].floats == [-1])
    }
  }

  /// Carries a vector that grows by its iteration number while the condition holds, and collects the sums.
  private func looping() throws -> Graph {
    var body = Graph(name: "body")
    let iteration = body.addInput("i", .i64, [])
    _ = body.addInput("condition", .bool, [])
    let list = body.addInput("list", .f32, Shape([Dimension.unknown]))
    let limit = body.addInput("limit", .f32, [])
    let number = try body.append(.reshape([1]), [try body.append(.cast(.f32), [iteration])])
    let grown = try body.append(.concat(axis: 0), [list, number])
    let sum = try body.append(.reduce(Reduce(.sum, axes: [0], keepsDimensions: false)), [grown])
    body.addOutput(try body.append(.compare(.less), [sum, limit]), name: "goes on")
    body.addOutput(grown, name: "list")
    body.addOutput(sum, name: "sum")
    var graph = Graph(name: "loop")
    let most = graph.addInput("most", .i64, [])
    let n = graph.dimension("N")
    let start = graph.addInput("list", .f32, Shape([n]))
    let end = graph.addInput("limit", .f32, [])
    graph.bodies = [body]
    let yes = graph.addConstant("true", try flag(true))
    let results = try graph.appendAll(.dynamic(.loop(body: 0, carried: 1)), [most, yes, start, end])
    graph.addOutput(results[0], name: "list at the end")
    graph.addOutput(try graph.append(.unary(Activation(.square)), [results[1]]), name: "squares")
    return graph
  }

  @Test func aLoopCarriesValuesThatGrowAndCollectsOthers() throws {
    let session = try session(try looping())
    for _ in 0..<2 {
      var y = try session([try ints([10], []), try floats([5]), try floats([9], [])])
      #expect(y[0].floats == [5, 0, 1, 2, 3] && y[1].floats == [25, 36, 64, 121])
      y = try session([try ints([2], []), try floats([5]), try floats([100], [])])
      #expect(y[0].floats == [5, 0, 1] && y[1].floats == [25, 36])
      y = try session([try ints([0], []), try floats([5, 6]), try floats([100], [])])
      #expect(y[0].floats == [5, 6] && y[1].extents == [0])
    }
  }

  /// What one node made before another failed is no longer what later stages were planned for.
  @Test func aRunThatFailedLeavesNothingOfItsExtents() throws {
    var graph = try looping()
    let n = graph.dimension("M")
    let x = graph.addInput("x", .f32, Shape([n]))
    let indices = try graph.append(.dynamic(.nonZero), [x])
    // The loop's nodes stand first; here the one that succeeds comes before the one that fails.
    graph.nodes.insert(graph.nodes.removeLast(), at: 0)
    let flat = try graph.append(.reshape(Shape([Dimension.unknown])), [indices])
    graph.addOutput(try graph.append(.gather(axis: 0), [x, flat]), name: "chosen")
    let session = try Session(
      try Model(ModelFile(graph: graph)), options: Session.Options(iterationLimit: 3))
    func run(_ values: [Float], iterations: Int64) throws -> [Float]? {
      try session([
        try ints([iterations], []), try floats([0]), try floats([.infinity], []), try floats(values),
      ])[2].floats
    }
    #expect(try run([1, 0, 2, 0, 0], iterations: 2) == [1, 2])
    #expect(throws: NNError.self) { try run([1, 2, 3, 4, 5], iterations: 9) }
    #expect(try run([1, 2, 3, 4, 5], iterations: 2) == [1, 2, 3, 4, 5])
    #expect(try run([0, 0, 3, 0, 0], iterations: 2) == [3])
  }

  @Test func aLoopThatRunsTooLongIsStopped() throws {
    let model = try Model(ModelFile(graph: try looping()))
    let session = try Session(model, options: Session.Options(iterationLimit: 3))
    let error = #expect(throws: NNError.self) {
      try session([try ints([.max], []), try floats([0]), try floats([.infinity], [])])
    }
    #expect(error?.code == .limitExceeded && error?.message.contains("loop") == true)
    #expect(try session([try ints([3], []), try floats([0]), try floats([9], [])])[1].extents == [3])
  }

  @Test func statesAreCarriedWhereExtentsDependOnValues() throws {
    var graph = Graph(name: "counter")
    let state = graph.addInput("state", .f32, [3])
    let x = graph.addInput("x", .f32, [3])
    let indices = try graph.append(
      .reshape(Shape([Dimension.unknown])), [try graph.append(.dynamic(.nonZero), [x])])
    let ones = try graph.append(
      .gather(axis: 0), [graph.addConstant("ones", try floats([1, 1, 1])), indices])
    let next = try graph.append(.scatter(.add, axis: 0), [state, indices, ones])
    graph.addOutput(next, name: "next")
    graph.states = [CarriedState(input: state, output: next)]
    let session = try session(graph)
    func run(_ values: [Float]) throws -> [Float]? {
      try session.setInput(1, try floats(values))
      try session.run()
      return try session.copyOutput(0).floats
    }
    #expect(try run([1, 0, 0]) == [1, 0, 0])
    #expect(try run([1, 1, 0]) == [2, 1, 0])
    #expect(try run([1, 1, 0]) == [3, 2, 0])
    #expect(try run([0, 0, 9]) == [3, 2, 1])
  }

  @Test func bodiesThatDoNotFitAreRefused() throws {
    var graph = try branching()
    graph.bodies[1].outputs = []
    #expect(throws: NNError.self) { try graph.verify() }
    graph = try branching()
    graph.bodies.removeLast()
    #expect(throws: NNError.self) { try graph.verify() }
    graph = try looping()
    graph.bodies[0].outputs.removeLast(2)
    #expect(throws: NNError.self) { try graph.verify() }
    graph = try looping()
    for _ in 0..<20 {
      var outer = Graph(name: "outer")
      outer.bodies = [graph]
      graph = outer
    }
    #expect(throws: NNError.self) { try graph.verify() }
  }
}
