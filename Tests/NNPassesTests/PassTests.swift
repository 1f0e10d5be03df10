import NNFormat
import NNGraph
import NNPasses
import NNRuntime
import Testing

/// What each pass makes of a graph, and that it computes the same.
@Suite struct PassTests {
  private func number(_ value: Float) throws -> Tensor { try Tensor([value], extents: []) }

  /// The graph after one pass, checked on random inputs.
  private func after(_ pass: Pass, _ graph: Graph) throws -> Graph {
    var check = try PassCheck(graph)
    let result = try graph.packed([pass]) { (pass, graph) throws(NNError) in check.observe(pass, graph) }
    #expect(check.finding == nil, "\(check.finding?.description ?? "")")
    return result
  }

  private func names(_ graph: Graph) -> [String] { graph.nodes.map { "\($0.op.name)" } }

  @Test func aBranchWithAConstantConditionIsTheChosenBody() throws {
    func scaling(_ factor: Float) throws -> Graph {
      var body = Graph(name: "body")
      let x = body.addInput("x", .f32, [3])
      let y = try body.append(.binary(.multiply), [x, body.addConstant("factor", try number(factor))])
      body.addOutput(try body.append(.unary(Activation(.negate)), [y]), name: "y")
      return body
    }
    for isTrue in [false, true] {
      var outer = try scaling(7)
      outer.bodies = [try scaling(2), try scaling(3)]
      let flag = try Tensor(
        dtype: .bool, extents: [],
        storage: TensorStorage.allocate(size: 1) { (memory) throws(NNError) in memory[0] = isTrue ? 1 : 0 })
      let condition = outer.addConstant("condition", flag)
      // A body of a body is reached too: the chosen one holds a branch of its own.
      let inner = try outer.append(.dynamic(.branch(then: 0, otherwise: 1)), [condition, outer.inputs[0]])
      outer.outputs = []
      outer.addOutput(inner, name: "y")
      var graph = Graph(name: "graph")
      let x = graph.addInput("x", .f32, [3])
      graph.bodies = [try scaling(5), outer]
      let no = graph.addConstant("no", try flag.cast(to: .f32).cast(to: .bool))
      let y = try graph.append(.dynamic(.branch(then: 1, otherwise: 0)), [no, x])
      graph.addOutput(try graph.append(.unary(Activation(.square)), [y]), name: "z")
      let result = try after(.inlineBranches, graph)
      #expect(result.bodies.isEmpty && !names(result).contains("branch"))
      let session = try Session(Model(ModelFile(graph: result)))
      let factor: Float = isTrue ? 2 : 5
      #expect(try session([1, 2, 3], extents: [3]) == [1, 4, 9].map { $0 * factor * factor })
    }
  }

  @Test func whatIsComputedTwiceIsComputedOnce() throws {
    var graph = Graph(name: "twins")
    let x = graph.addInput("x", .f32, [4])
    let a = try graph.append(.binary(.add), [x, graph.addConstant("a", try number(2))])
    let b = try graph.append(.binary(.add), [x, graph.addConstant("b", try number(2))])
    let c = try graph.append(.binary(.add), [x, graph.addConstant("c", try number(3))])
    let squares = try [a, b, c].map { try graph.append(.unary(Activation(.square)), [$0]) }
    graph.addOutput(try graph.append(.concat(axis: 0), squares), name: "y")
    let result = try after(.mergeDuplicates, graph)
    #expect(names(result) == ["binary", "binary", "unary", "unary", "concat"])
  }

  @Test func transposesThatUndoEachOtherVanish() throws {
    var graph = Graph(name: "transposes")
    let x = graph.addInput("x", .f32, [2, 3, 4, 5])
    let channelsLast = try graph.append(.transpose([0, 2, 3, 1]), [x])
    let active = try graph.append(.unary(Activation(.tanh)), [channelsLast])
    let back = try graph.append(.transpose([0, 3, 1, 2]), [active])
    let turned = try graph.append(
      .transpose([1, 0, 2, 3]), [try graph.append(.transpose([3, 1, 2, 0]), [back])])
    graph.addOutput(try graph.append(.unary(Activation(.negate)), [turned]), name: "y")
    let result = try after(.mergeTransposes, graph)
    #expect(names(result) == ["unary", "transpose", "unary"])
    #expect(result.nodes[1].op == .transpose([1, 3, 2, 0]))
  }

  @Test func aNormalizationMovesIntoTheConvolution() throws {
    for hasBias in [false, true] {
      var graph = Graph(name: "convolution")
      let x = graph.addInput("x", .f32, [2, 3, 6, 6])
      func constant(_ name: Name, _ extents: [Int], _ shift: Float) throws -> ValueID {
        let count = extents.reduce(1, *)
        return graph.addConstant(
          name, try Tensor((0..<count).map { Float(($0 * 7) % 11) / 11 + shift }, extents: extents))
      }
      var inputs = [x, try constant("weight", [4, 3, 3, 3], -0.5)]
      if hasBias { inputs.append(try constant("bias", [4], 0.1)) }
      let y = try graph.append(.convolution(Convolution(window: Window(extent: [3, 3]))), inputs)
      let parameters = [
        try constant("scale", [4], 0.5), try constant("shift", [4], -1), try constant("mean", [4], 0),
        try constant("variance", [4], 0.2),
      ]
      let z = try graph.append(.normalize(Normalize(.batch, epsilon: 1e-5)), [y] + parameters)
      graph.addOutput(try graph.append(.unary(Activation(.relu)), [z]), name: "z")
      let result = try after(.foldNormalization, graph)
      #expect(names(result) == ["convolution", "unary"])
    }
  }

  @Test func spellingsOfActivationsAreRecognized() throws {
    func graph(_ spell: (inout Graph, ValueID) throws -> ValueID) throws -> Graph {
      var graph = Graph(name: "activation")
      let x = graph.addInput("x", .f32, [64])
      let start = try graph.append(.binary(.add), [x, graph.addConstant("shift", try number(0.25))])
      graph.addOutput(try spell(&graph, start), name: "y")
      return graph
    }
    func times(_ graph: inout Graph, _ a: ValueID, _ b: ValueID) throws -> ValueID {
      try graph.append(.binary(.multiply), [a, b])
    }
    func constant(_ graph: inout Graph, _ value: Float) throws -> ValueID {
      graph.addConstant("number", try number(value))
    }
    func erfPlusOne(_ graph: inout Graph, _ x: ValueID, isDivided: Bool) throws -> ValueID {
      let scaled =
        isDivided
        ? try graph.append(.binary(.divide), [x, try constant(&graph, 1.41421356)])
        : try times(&graph, x, try constant(&graph, 0.70710677))
      let erf = try graph.append(.unary(Activation(.errorFunction)), [scaled])
      return try graph.append(.binary(.add), [erf, try constant(&graph, 1)])
    }
    let gelus: [Graph] = [
      // (x · (1 + erf)) · 0.5, as PyTorch's exporter writes it
      try graph { g, x in
        try times(&g, try times(&g, x, try erfPlusOne(&g, x, isDivided: true)), try constant(&g, 0.5))
      },
      // (0.5 · x) · (1 + erf)
      try graph { g, x in
        try times(&g, try times(&g, try constant(&g, 0.5), x), try erfPlusOne(&g, x, isDivided: false))
      },
      // x · (0.5 · (1 + erf))
      try graph { g, x in
        try times(&g, x, try times(&g, try constant(&g, 0.5), try erfPlusOne(&g, x, isDivided: true)))
      },
    ]
    for gelu in gelus {
      #expect(try after(.recognizeActivations, gelu).nodes.map(\.op).last == .unary(Activation(.gelu)))
    }
    let byTanh = try graph { g, x in
      let cube = try g.append(.binary(.power), [x, try constant(&g, 3)])
      let sum = try g.append(.binary(.add), [x, try times(&g, cube, try constant(&g, 0.044715))])
      let tanh = try g.append(.unary(Activation(.tanh)), [try times(&g, sum, try constant(&g, 0.7978846))])
      let plusOne = try g.append(.binary(.add), [try constant(&g, 1), tanh])
      return try times(&g, try times(&g, x, try constant(&g, 0.5)), plusOne)
    }
    #expect(try after(.recognizeActivations, byTanh).nodes.map(\.op).last == .unary(Activation(.geluTanh)))
    let silu = try graph { g, x in try times(&g, try g.append(.unary(Activation(.sigmoid)), [x]), x) }
    #expect(try after(.recognizeActivations, silu).nodes.map(\.op).last == .unary(Activation(.silu)))
    func bounded(_ first: BinaryFunction, _ a: Float, _ second: BinaryFunction, _ b: Float) throws -> Op? {
      let bounded = try graph { g, x in
        let inner = try g.append(.binary(first), [x, try constant(&g, a)])
        return try g.append(.binary(second), [try constant(&g, b), inner])
      }
      return try after(.recognizeActivations, bounded).nodes.last?.op
    }
    let clip = Op.unary(Activation(.clip, alpha: -0.5, beta: 0.5))
    #expect(try bounded(.maximum, -0.5, .minimum, 0.5) == clip)
    #expect(try bounded(.minimum, 0.5, .maximum, -0.5) == clip)
    // Bounds that have no number between them are applied one after the other.
    #expect(try bounded(.maximum, 0.5, .minimum, -0.5) == .binary(.minimum))
    #expect(try bounded(.add, 0.5, .maximum, 0) == .unary(Activation(.relu)))
    #expect(try bounded(.add, 0.5, .maximum, 1) == .binary(.maximum))
    // Another number, and it is none of them.
    let other = try graph { g, x in
      try times(&g, try times(&g, x, try erfPlusOne(&g, x, isDivided: true)), try constant(&g, 0.6))
    }
    #expect(try after(.recognizeActivations, other).nodes.count == other.nodes.count)
  }

  @Test func aBiasMovesIntoTheProduct() throws {
    func numbers(_ extents: [Int]) throws -> Tensor {
      try Tensor((0..<extents.reduce(1, *)).map { Float(($0 * 7) % 11) / 11 - 0.4 }, extents: extents)
    }
    func sum(_ biasExtents: [Int], biasFirst: Bool, isConvolution: Bool) throws -> [String] {
      var graph = Graph(name: "sum")
      let x = graph.addInput("x", .f32, isConvolution ? [2, 3, 5, 5] : [2, 3, 5])
      let weight = graph.addConstant("w", try numbers(isConvolution ? [4, 3, 2, 2] : [5, 4]))
      let op: Op =
        isConvolution ? .convolution(Convolution(window: Window(extent: [2, 2]))) : .matmul(Matmul())
      let product = try graph.append(op, [x, weight])
      let bias = graph.addConstant("b", try numbers(biasExtents))
      let y = try graph.append(.binary(.add), biasFirst ? [bias, product] : [product, bias])
      graph.addOutput(try graph.append(.unary(Activation(.relu)), [y]), name: "y")
      return names(try after(.fuseBiases, graph))
    }
    for biasFirst in [false, true] {
      #expect(try sum([4], biasFirst: biasFirst, isConvolution: false) == ["matmul", "unary"])
      #expect(try sum([1, 4], biasFirst: biasFirst, isConvolution: false) == ["matmul", "unary"])
      #expect(try sum([1, 4, 1, 1], biasFirst: biasFirst, isConvolution: true) == ["convolution", "unary"])
      #expect(try sum([4, 1, 1], biasFirst: biasFirst, isConvolution: true) == ["convolution", "unary"])
      // One number for each row, for all, or for each element, and one that widens the result, is no bias.
      #expect(try sum([3, 1], biasFirst: biasFirst, isConvolution: false).count == 3)
      #expect(try sum([], biasFirst: biasFirst, isConvolution: false).count == 3)
      #expect(try sum([4], biasFirst: biasFirst, isConvolution: true).count == 3)
      #expect(try sum([3, 4], biasFirst: biasFirst, isConvolution: false).count == 3)
      #expect(try sum([1, 1, 1, 4], biasFirst: biasFirst, isConvolution: false).count == 3)
    }
  }

  @Test func constantsThatStandFirstInAProductAreTurned() throws {
    for transposesA in [false, true] {
      for columns in [1, 5] {
        var graph = Graph(name: "left")
        let n = graph.dimension("N")
        let x = graph.addInput("x", .f32, Shape([n, .fixed(3), .fixed(columns)]))
        let numbers = (0..<12).map { Float($0) * 0.37 - 2 }
        let weight = graph.addConstant("w", try Tensor(numbers, extents: transposesA ? [3, 4] : [4, 3]))
        let op = Matmul(transposesA: transposesA, activation: Activation(.relu))
        graph.addOutput(try graph.append(.matmul(op), [weight, x]), name: "y")
        let packed = try after(.storeWeightsInPanels, graph)
        #expect(packed[packed.outputs[0]].type == graph[graph.outputs[0]].type)
        let products = packed.nodes.filter { if case .matmul = $0.op { true } else { false } }
        #expect(products.map(\.op) == [.matmul(Matmul(activation: Activation(.relu)))])
        let second = packed[products[0].inputs[1]].constant
        #expect(second?.layout == (columns == 1 ? .panels : nil))
      }
    }
  }

  @Test func aPassThatChangesAResultIsNamed() throws {
    var graph = Graph(name: "check")
    let x = graph.addInput("x", .f32, Shape([graph.dimension("N"), .fixed(3)]))
    graph.addOutput(try graph.append(.unary(Activation(.tanh)), [x]), name: "y")
    var check = try PassCheck(graph)
    check.observe(.removeIdentities, graph)
    #expect(check.finding == nil)
    var wrong = graph
    wrong.nodes[0].op = .unary(Activation(.sigmoid))
    check.observe(.mergeTransposes, wrong)
    check.observe(.fuseActivations, graph)
    #expect(check.finding?.pass == .mergeTransposes)
    #expect(check.finding?.description.contains("output \"y\": element 0 was") == true)
  }
}
