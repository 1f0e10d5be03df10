import NNFormat
import NNGraph
import Reference
import Testing

@testable import NNRuntime

/// Twelve products one after the other, of which only two results are alive at a time, after a value that makes the arena large.
private func chainOfProducts() throws -> (graph: Graph, results: [ValueID]) {
  var random = SplitMix64(seed: 21)
  var graph = Graph(name: "chain")
  let x = graph.addInput("x", .f32, [64, 64])
  let wide = try graph.append(
    .matmul(Matmul()), [x, try graph.constant("wide", random.reals([64, 8192], range: 0.125))])
  var value = try graph.append(
    .matmul(Matmul()), [wide, try graph.constant("narrow", random.reals([8192, 64], range: 0.125))])
  var results: [ValueID] = []
  for _ in 0..<12 {
    value = try graph.append(
      .matmul(Matmul()), [value, try graph.constant("weight", random.reals([64, 64], range: 0.125))])
    results.append(value)
  }
  graph.addOutput(value, name: "y")
  return (graph, results)
}

private func layout(_ graph: Graph, threads: Int) throws -> PlannedMemory {
  let options = Plan.Options(threads: threads)
  let planned = try PlannedGraph(
    graph, inputExtents: graph.inputs.map { graph[$0].type.shape.extents! }, options: options)
  let kernels = try InstructionSetLevel.baseline.kernels()
  let schedule = Schedule(planned.graph, planned.resolved, options, kernels)
  var planner = try MemoryLayoutPlanner(
    planned.graph, planned.resolved, schedule, bound: [], options: options)
  return try planner.plan()
}

@Test func whereThreadsShareTheWorkMemoryRestsBeforeItIsWrittenAgain() throws {
  let (graph, results) = try chainOfProducts()
  let (alone, shared) = (try layout(graph, threads: 1), try layout(graph, threads: 2))
  // The cache is warmer if one thread writes where it has just read.
  #expect(Set(results.map { alone.pointers[$0.index] }).count <= 3)
  for first in 0..<(results.count - 4) {
    let places = Set(results[first..<first + 5].map { shared.pointers[$0.index] })
    #expect(places.count == 5, "from \(first) on")
  }
  #expect(shared.arenaSize == alone.arenaSize)
}

@Test func restingMemoryTakesNoMoreAndChangesNoBit() throws {
  for seed in UInt64(0)..<40 {
    let (graph, inputs) = try RandomGraphs.make(seed: seed, nodes: 40)
    let extents = inputs.map { $0.extents }
    func arena(_ threads: Int) throws -> Int {
      try Plan(graph, inputExtents: extents, options: Plan.Options(threads: threads)).arenaSize
    }
    #expect(try arena(2) == arena(1), "seed \(seed)")
    let alone = bits(try run(graph, inputs))
    #expect(bits(try run(graph, inputs, Session.Options(threads: 2))) == alone, "seed \(seed)")
  }
}

@Test func whatThreadsWriteInScratchLiesApart() throws {
  var random = SplitMix64(seed: 22)
  var graph = Graph(name: "strided")
  let x = graph.addInput("x", .f32, [1, 8, 32, 32])
  let weight = try graph.constant("weight", random.reals([16, 8, 3, 3], range: 0.5))
  let y = try graph.append(
    .convolution(Convolution(window: NNGraph.Window(extent: [3, 3], strides: [2, 2]))), [x, weight])
  graph.addOutput(y, name: "y")
  let (alone, shared) = (try layout(graph, threads: 1), try layout(graph, threads: 3))
  let size = alone.memory.scratch.size
  #expect(size > 0)
  #expect(shared.scratch.stride >= size + 1 << 19)
  #expect(shared.memory.scratch.size == 2 * shared.scratch.stride + size)
}
