import CPlatform
import NNGraph
import NNRuntime

/// A ``TrainingGraph`` planned for one batch size and bound to the parameters' memory. A run allocates nothing.
final class TrainingStep {
  let graph: TrainingGraph
  let batch: Int
  private let plan: Plan
  private let optimizer: any Optimizer
  private let scalarValues: UnsafeMutableBufferPointer<Float>

  init(
    _ graph: TrainingGraph, batch: Int, optimizer: any Optimizer, options: Plan.Options
  ) throws(NNError) {
    try OpenBLAS.requireFits(graph.graph)
    self.graph = graph
    self.batch = batch
    self.optimizer = optimizer
    var bound: [(value: ValueID, memory: UnsafeMutableRawBufferPointer)] = []
    for state in graph.states { bound.append((graph.graph.inputs[state.input], state.parameter.bytes)) }
    plan = try Plan(graph.graph, inputExtents: graph.inputExtents, bound: bound, options: options)
    scalarValues = .allocate(capacity: max(graph.scalars.count, 1))
    scalarValues.initialize(repeating: 0)
  }

  deinit { scalarValues.deallocate() }

  /// Puts the samples and the step's numbers into the plan's inputs.
  ///
  /// - Parameter step: 1 for the first step of a training.
  func load(_ data: Dataset, _ indices: ArraySlice<Int>, step: Int, seed: UInt64, learningRate: Double) {
    data.copyFeatures(indices, into: plan.input(graph.features))
    data.copyTargets(indices, into: plan.input(graph.target))
    optimizer.scalars(step: step, learningRate: learningRate, into: scalarValues)
    // Counted by hand for the sake of unoptimised builds, see Dataset.
    var position = 0
    while position < graph.scalars.count {
      plan.input(graph.scalars[position]).storeBytes(of: scalarValues[position], as: Float.self)
      position += 1
    }
    if let key = graph.randomKey {
      plan.input(key).storeBytes(of: Int64(bitPattern: seed), as: Int64.self)
      plan.input(key).storeBytes(of: Int64(step), toByteOffset: 8, as: Int64.self)
    }
  }

  func run() throws(NNError) { try plan.run() }

  var loss: Float { plan.output(0).load(as: Float.self) }

  /// A metric's sum over the batch.
  func metricSum(_ index: Int) -> Float { plan.output(1 + index).load(as: Float.self) }

  /// The node whose result is the first that is not finite, or the input that is not, for the inputs loaded and the
  /// parameters as they are. Nothing is updated.
  func firstNonFinite() throws(NNError) -> String? {
    var observed = graph.graph
    observed.states = []
    observed.outputs = []
    for (number, node) in observed.nodes.enumerated() {
      observed.addOutput(node.outputs[0], name: Name("node_\(number)"))
    }
    let copy = try Plan(observed, inputExtents: graph.inputExtents, options: Plan.Options())
    for (index, id) in observed.inputs.enumerated() {
      copy.input(index).copyMemory(from: UnsafeRawBufferPointer(plan.input(index)))
      let type = graph.graph[id].type
      if type.dtype == .f32, TrainingStep.hasNonFinite(UnsafeRawBufferPointer(plan.input(index))) {
        return "input " + graph.graph[id].name.quoted + " of shape " + type.shape.description
      }
    }
    try copy.run()
    for (index, node) in graph.graph.nodes.enumerated() {
      let type = graph.graph[node.outputs[0]].type
      if type.dtype == .f32, TrainingStep.hasNonFinite(copy.output(index)) {
        return "the result of " + node.description + " of shape " + type.shape.description
      }
    }
    return nil
  }

  private static func hasNonFinite(_ bytes: UnsafeRawBufferPointer) -> Bool {
    bytes.bindMemory(to: Float.self).contains { !$0.isFinite }
  }
}

extension TrainingGraph {
  /// Every extent is known: a step is traced for one batch size.
  var inputExtents: [[Int]] { graph.inputs.map { graph[$0].type.shape.extents ?? [] } }
}
