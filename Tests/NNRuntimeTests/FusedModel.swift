import NNGraph
import NNPasses
import NNRuntime
import Testing

/// A network of a convolution and what alone reads its outputs, which run as one.
protocol FusedModel: CustomStringConvertible {
  /// With `isObserved`, the outputs of the convolution are outputs of the graph, too, named "outputs", and must be written.
  func graph(isObserved: Bool) throws -> Graph
  func inputs() throws -> [Tensor]
}

/// Compares with the nodes one after the other, on every instruction set and several numbers of threads.
func expectTheSameBits<Model: FusedModel>(_ models: [Model]) throws {
  for model in models {
    let inputs = try model.inputs()
    let expected = try bits(
      try model.graph(isObserved: true), inputs, Plan.Options(instructionSet: .baseline))
    let graph = try model.graph(isObserved: false)
    for level in instructionSets {
      for threads in [1, 2, 3] {
        let result = try bits(graph, inputs, Plan.Options(threads: threads, instructionSet: level))
        #expect(result == expected, "\(model), \(level.name), \(threads) threads")
      }
    }
  }
}

/// The bits of a plan's outputs but those of the convolution; of NaN only that it is one.
private func bits(_ graph: Graph, _ inputs: [Tensor], _ options: Plan.Options) throws -> [[UInt32]] {
  let plan = try Plan(graph, inputExtents: inputs.map(\.extents), options: options)
  for (index, input) in inputs.enumerated() { plan.input(index).copyMemory(from: input.bytes) }
  // The second run finds what the first one left in scratch.
  try plan.run()
  try plan.run()
  return graph.outputs.indices.filter { graph[graph.outputs[$0]].name != "outputs" }.map {
    plan.output($0).bindMemory(to: Float.self).map { $0.isNaN ? 0x7FC0_0000 : $0.bitPattern }
  }
}
