import NNFormat
import NNGraph
import NNPasses
import NNRuntime
import Reference
import Testing

@Test(arguments: [1, 2]) func rowsOfABatchDoNotDependOnEachOther(_ threads: Int) throws {
  for graph in [try Networks.perceptron(), try Networks.convolutional()] {
    var random = SplitMix64(seed: 3)
    let row = graph[graph.inputs[0]].type.shape.dimensions.dropFirst().map { $0.extent! }
    let batch = random.reals([64] + row)
    let rowCount = row.reduce(1, *)
    let whole = try run(graph, [batch], Session.Options(threads: threads))[0].floats!
    let columns = whole.count / 64
    let session = try Session(try Model(ModelFile(graph: graph)))
    for i in 0..<64 {
      let single = ReferenceTensor(Array(batch.values[i * rowCount..<(i + 1) * rowCount]), extents: [1] + row)
      let result = try session([try single.tensor()])[0].floats!
      #expect(result.map { $0.bitPattern } == whole[i * columns..<(i + 1) * columns].map { $0.bitPattern })
    }
  }
}

@Test func aNewBatchSizeIsPlannedAnewAndAnOldOneIsRemembered() throws {
  for graph in [try Networks.perceptron(), try Networks.perceptron().packed(), try Networks.convolutional()] {
    var random = SplitMix64(seed: 5)
    let row = graph[graph.inputs[0]].type.shape.dimensions.dropFirst().map { $0.extent! }
    let session = try Session(try Model(ModelFile(graph: graph)))
    for batch in [1, 7, 64, 1, 0, 7, 2, 3, 4, 5, 6, 8, 9, 64] {
      let x = random.reals([batch] + row)
      let fresh = try run(graph, [x])
      let again = try session([try x.tensor()])
      #expect(again[0].extents == fresh[0].extents && bits(again) == bits(fresh))
    }
  }
}

@Test func networksAgreeWithTheReference() throws {
  for graph in [try Networks.perceptron(), try Networks.convolutional()] {
    var random = SplitMix64(seed: 9)
    let row = graph[graph.inputs[0]].type.shape.dimensions.dropFirst().map { $0.extent! }
    let x = random.reals([5] + row)
    let exact = try ReferenceEvaluator(graph).run(inputs: [x])[0].values
    let result = try run(graph, [x])[0].floats!
    let largest = exact.reduce(0) { max($0, abs($1)) }
    // A few hundred roundings of 2⁻²⁴ each.
    for (a, b) in zip(result, exact) { #expect(abs(Double(a) - b) <= largest * 0x1p-17) }
  }
}

@Test func packedGraphsGiveTheSameBits() throws {
  for graph in [try Networks.perceptron(), try Networks.convolutional()] {
    let packed = try graph.packed()
    #expect(packed.nodes.count < graph.nodes.count)
    var random = SplitMix64(seed: 4)
    let row = graph[graph.inputs[0]].type.shape.dimensions.dropFirst().map { $0.extent! }
    for batch in [1, 3, 40] {
      let x = random.reals([batch] + row)
      for level in instructionSets {
        let options = Session.Options(instructionSet: level)
        #expect(bits(try run(packed, [x], options)) == bits(try run(graph, [x], options)))
      }
    }
  }
}

@Test func theArenaIsAtMostAFifthLargerThanThePeakOfLiveValues() throws {
  for seed in UInt64(0)..<40 {
    let (graph, inputs) = try RandomGraphs.make(seed: seed, nodes: 40)
    let plan = try Plan(graph, inputExtents: inputs.map { $0.extents })
    // Every value starts at a multiple of 64 bytes, which counts for tiny graphs only.
    #expect(Double(plan.arenaSize) <= 1.2 * Double(plan.peakLiveSize) + 1024, "seed \(seed)")
  }
  for graph in [try Networks.perceptron(), try Networks.convolutional()] {
    let row = graph[graph.inputs[0]].type.shape.dimensions.dropFirst().map { $0.extent! }
    let plan = try Plan(graph, inputExtents: [[32] + row])
    #expect(plan.arenaSize > 0 && Double(plan.arenaSize) <= 1.2 * Double(plan.peakLiveSize))
  }
}

@Test func randomGraphsAgreeWithTheReferenceExactly() throws {
  for seed in UInt64(100)..<400 {
    let (graph, inputs) = try RandomGraphs.make(seed: seed, nodes: 25)
    let expected = try ReferenceEvaluator(graph).run(inputs: inputs)
    for candidate in [graph, try graph.packed()] {
      let session = try Session(try Model(ModelFile(graph: candidate)))
      let tensors = try inputs.map { try $0.tensor() }
      // The second run shows whether the first one wrote over its inputs or constants.
      for _ in 0..<2 {
        let results = try session(tensors)
        for (result, exact) in zip(results, expected) {
          #expect(
            result.extents == exact.extents && result.floats == exact.values.map { Float($0) }, "seed \(seed)"
          )
        }
      }
    }
  }
}

@Test func anInputOrAConstantCanBeAnOutput() throws {
  var graph = Graph(name: "nothing to do")
  let x = graph.addInput("x", .f32, [3])
  let c = try graph.constant("c", ReferenceTensor([7, 8], extents: [2]))
  let same = try graph.append(.unary(.identity), [x])
  graph.addOutput(x)
  graph.addOutput(c)
  graph.addOutput(same, name: "same")
  let results = try run(graph, [ReferenceTensor([1, 2, 3], extents: [3])])
  #expect(results.map { $0.floats } == [[1, 2, 3], [7, 8], [1, 2, 3]])
}

@Test func callersMemoryServesInputsOfAPlan() throws {
  var graph = Graph(name: "bound")
  let x = graph.addInput("x", .f32, [16])
  let w = graph.addInput("w", .f32, [16])
  graph.addOutput(try graph.append(.binary(.multiply), [x, w]), name: "y")
  let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 64, alignment: 64)
  defer { memory.deallocate() }
  let plan = try Plan(graph, inputExtents: [[16], [16]], bound: [(w, memory)])
  #expect(plan.input(1).baseAddress == memory.baseAddress)
  for i in 0..<16 { plan.input(0).storeBytes(of: Float(i), toByteOffset: i * 4, as: Float.self) }
  for factor in [2, 3] as [Float] {
    for i in 0..<16 { memory.storeBytes(of: factor, toByteOffset: i * 4, as: Float.self) }
    try plan.run()
    #expect(
      (0..<16).map { plan.output(0).load(fromByteOffset: $0 * 4, as: Float.self) }
        == (0..<16).map { Float($0) * factor })
  }
}

/// With every value an output there is nothing left for chains to keep to themselves, to overwrite or to do together.
@Test func chainsHaveTheBitsOfTheirNodes() throws {
  for seed in 0..<120 as Range<UInt64> {
    let (graph, inputs) = try RandomGraphs.makeElementwise(seed: seed, nodes: 30)
    var observed = graph
    for (number, node) in graph.nodes.enumerated()
    where graph[node.outputs[0]].type.dtype == .f32 && !graph.outputs.contains(node.outputs[0]) {
      observed.addOutput(node.outputs[0], name: Name("node\(number)"))
    }
    let expected = Array(bits(try run(observed, inputs))[..<graph.outputs.count])
    #expect(bits(try run(graph, inputs)) == expected, "seed \(seed)")
    #expect(
      bits(try run(graph, inputs, Session.Options(threads: 2))) == expected, "seed \(seed), two threads")
  }
}
