import NNGraph
import NNPasses

/// Everything a step computes, as one graph: forward, losses, backward, clipping, optimisers, running statistics.
struct StepGraph {
  private(set) var graph: Graph
  /// Indices of the inputs that the caller fills, in the order given.
  let inputs: [Int]
  /// Index of the (2) i64 input of seed and step, if random numbers are drawn.
  let randomKey: Int?
  /// Each optimiser with the indices of the inputs for its numbers of the step.
  let optimizers: [(optimizer: any Optimizer, scalars: [Int])]
  /// Indices of the inputs for the shares of accumulated gradients and of the batch's own, if the step joins them.
  let accumulation: [Int]
  /// Each carried tensor with its input's index.
  let states: [(parameter: Parameter, input: Int)]
  /// Parameters that the step reads and leaves as they are, each with its input's index.
  let constants: [(parameter: Parameter, input: Int)]

  /// Closes a traced step. Outputs stay in the order in which they were traced.
  init(_ updates: ParameterUpdates, inputs: [SymbolicTensor]) throws(NNError) {
    let trace = updates.trace
    func inputIndex(_ tensor: SymbolicTensor) -> Int { trace.graph.inputs.firstIndex(of: tensor.id) ?? -1 }
    self.inputs = inputs.map(inputIndex)
    randomKey = trace.randomKey.map(inputIndex)
    optimizers = updates.optimizers.map { ($0.optimizer, $0.scalars.map(inputIndex)) }
    accumulation = updates.accumulationScalars.map(inputIndex)
    states = updates.states.map { ($0.parameter, inputIndex($0.tensor)) }
    constants = trace.parameters.filter { entry in
      !updates.states.contains { $0.parameter === entry.parameter }
    }.map { ($0.parameter, inputIndex($0.tensor)) }
    graph = trace.graph
    graph.removeUnused()
    try graph.verify()
  }

  /// Every extent is known: a step is traced for one batch size.
  var inputExtents: [[Int]] { graph.inputs.map { graph[$0].type.shape.extents ?? [] } }
}
