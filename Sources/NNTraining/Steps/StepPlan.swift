import CPlatform
import NNGraph
import NNRuntime

/// A ``StepGraph`` planned and bound to the parameters' memory. A run allocates nothing.
final class StepPlan {
  let graph: StepGraph
  private let plan: Plan
  private let scalarValues: UnsafeMutableBufferPointer<Float>

  init(_ graph: StepGraph, options: Plan.Options) throws(NNError) {
    try OpenBLAS.requireFits(graph.graph)
    self.graph = graph
    var bound: [(value: ValueID, memory: UnsafeMutableRawBufferPointer)] = []
    for state in graph.states + graph.constants {
      bound.append((graph.graph.inputs[state.input], state.parameter.bytes))
    }
    plan = try Plan(graph.graph, inputExtents: graph.inputExtents, bound: bound, options: options)
    let most = graph.optimizers.map { $0.scalars.count }.max() ?? 0
    scalarValues = .allocate(capacity: max(most, 1))
    scalarValues.initialize(repeating: 0)
  }

  deinit { scalarValues.deallocate() }

  /// Where the caller's input `index` belongs.
  func input(_ index: Int) -> UnsafeMutableRawBufferPointer { plan.input(graph.inputs[index]) }

  /// The trace's output `index` after a run.
  func output(_ index: Int) -> UnsafeRawBufferPointer { plan.output(index) }

  /// Puts an optimiser's numbers of the step into the plan's inputs.
  ///
  /// - Parameter step: 1 for the first step of a training.
  func setScalars(optimizer index: Int, step: Int, learningRate: Double) {
    graph.optimizers[index].optimizer.scalars(step: step, learningRate: learningRate, into: scalarValues)
    // Counted by hand for the sake of unoptimised builds, see Dataset.
    var position = 0
    while position < graph.optimizers[index].scalars.count {
      setScalar(graph.optimizers[index].scalars[position], scalarValues[position])
      position += 1
    }
  }

  /// Sets the graph's input `input`, of shape ().
  func setScalar(_ input: Int, _ value: Float) { plan.input(input).storeBytes(of: value, as: Float.self) }

  /// Random numbers depend on the seed and the step alone.
  func setRandomKey(seed: UInt64, step: Int) {
    guard let key = graph.randomKey else { return }
    plan.input(key).storeBytes(of: Int64(bitPattern: seed), as: Int64.self)
    plan.input(key).storeBytes(of: Int64(step), toByteOffset: 8, as: Int64.self)
  }

  func run() throws(NNError) { try plan.run() }

  /// What each node takes; the parameters are updated as by as many runs.
  func profile(runs: Int, now: () -> Double) throws(NNError) -> [(
    node: Node, type: TensorType, seconds: Double
  )] {
    try plan.profile(runs: runs, now: now).map { time in
      let node = graph.graph.nodes[time.node]
      return (node, graph.graph[node.outputs[0]].type, time.seconds)
    }
  }

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
      if type.dtype == .f32, StepPlan.hasNonFinite(UnsafeRawBufferPointer(plan.input(index))) {
        return "input " + graph.graph[id].name.quoted + " of shape " + type.shape.description
      }
    }
    try copy.run()
    for (index, node) in graph.graph.nodes.enumerated() {
      let type = graph.graph[node.outputs[0]].type
      if type.dtype == .f32, StepPlan.hasNonFinite(copy.output(index)) {
        return "the result of " + node.description + " of shape " + type.shape.description
      }
    }
    return nil
  }

  private static func hasNonFinite(_ bytes: UnsafeRawBufferPointer) -> Bool {
    bytes.bindMemory(to: Float.self).contains { !$0.isFinite }
  }
}
