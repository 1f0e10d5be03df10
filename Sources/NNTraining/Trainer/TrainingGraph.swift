import NNGraph
import NNPasses

/// Everything a training step computes, as one graph: forward, loss, metrics, backward, clipping, optimiser, running statistics.
///
/// Parameters, optimiser slots and running statistics are carried states: inputs whose next values are outputs.
struct TrainingGraph {
  private(set) var graph: Graph
  let features: Int
  let target: Int
  /// Index of the (2) i64 input of seed and step, if the model draws random numbers.
  let randomKey: Int?
  /// Indices of the inputs for the optimiser's numbers of the step.
  let scalars: [Int]
  /// Each carried tensor with its input's index.
  let states: [(parameter: Parameter, input: Int)]
  /// Output 0 is the loss; the metrics follow in order.
  let metricCount: Int

  /// Traces one step.
  ///
  /// - Parameters:
  ///   - sampleShape: extents of one sample.
  ///   - slots: the optimiser's tensors for each trainable parameter of `store`, made where they are missing.
  init(
    _ recipe: TrainingRecipe, sampleShape: [Int], targetShape: [Int], batch: Int, store: ParameterStore,
    slots: SlotStore
  ) throws(NNError) {
    let trace = Trace(mode: .training, parameters: store, name: "training_step")
    let x = trace.input("features", .f32, Shape([batch] + sampleShape))
    let target: SymbolicTensor
    switch recipe.loss.targetKind {
    case .classes: target = trace.input("target", .i64, [batch])
    case .values: target = trace.input("target", .f32, Shape([batch] + targetShape))
    }
    let prediction = try recipe.model(x)
    let loss = try recipe.loss(prediction: prediction, target: target)
    guard loss.shape == [] else {
      throw NNError(.shapeMismatch, "the loss has shape \(loss.shapeDescription) instead of ()")
    }
    try trace.output(loss, name: "loss")
    try recipe.outputMetrics(prediction: prediction, target: target)
    let scalars = recipe.optimizer.scalarNames.map { trace.input(Name($0), .f32, []) }
    let states = try TrainingGraph.updates(recipe, of: loss, scalars: scalars, slots: slots)

    func inputIndex(_ tensor: SymbolicTensor) -> Int { trace.graph.inputs.firstIndex(of: tensor.id) ?? -1 }
    features = inputIndex(x)
    self.target = inputIndex(target)
    randomKey = trace.randomKey.map(inputIndex)
    self.scalars = scalars.map(inputIndex)
    self.states = states.map { ($0.parameter, inputIndex($0.tensor)) }
    metricCount = recipe.metrics.count
    graph = trace.graph
    graph.removeUnused()
    try graph.verify()
  }
}

extension TrainingGraph {
  /// Adds backward, clipping, optimiser and running statistics; every tensor a step changes becomes a carried state.
  ///
  /// - Returns: those tensors, each with the input that holds it before the step.
  private static func updates(
    _ recipe: TrainingRecipe, of loss: SymbolicTensor, scalars: [SymbolicTensor], slots: SlotStore
  ) throws(NNError) -> [(parameter: Parameter, tensor: SymbolicTensor)] {
    let trace = loss.trace
    var states: [(parameter: Parameter, tensor: SymbolicTensor)] = []
    func carry(_ parameter: Parameter, _ tensor: SymbolicTensor, _ next: SymbolicTensor) throws(NNError) {
      let output = try trace.outputValue(next, name: Name(parameter.name.string + ".next"))
      trace.carry(from: tensor, to: output)
      states.append((parameter, tensor))
    }
    let trained = trace.parameters.filter { $0.parameter.isTrainable }
    let gradients = try recipe.clipping.apply(
      trace.gradient(of: loss, withRespectTo: trained.map { $0.tensor }))
    for (entry, gradient) in zip(trained, gradients) {
      let memory = try slots.slots(for: entry.parameter, names: recipe.optimizer.slotNames)
      let inputs = memory.map { trace.input($0.name, .f32, Shape($0.extents)) }
      let next = try recipe.optimizer.update(
        entry.tensor, gradient: gradient, slots: inputs, scalars: scalars)
      guard next.slots.count == memory.count else {
        throw NNError(
          .invalidArgument, "the optimiser keeps \(memory.count) slots but updates \(next.slots.count)")
      }
      try carry(entry.parameter, entry.tensor, next.parameter)
      for index in memory.indices { try carry(memory[index], inputs[index], next.slots[index]) }
    }
    for update in trace.updates {
      guard let entry = trace.parameters.first(where: { $0.parameter === update.parameter }) else { continue }
      try carry(update.parameter, entry.tensor, update.value)
    }
    return states
  }
}

/// What is trained how: fixed for the life of a trainer.
struct TrainingRecipe {
  let model: any Layer
  let loss: any Loss
  let metrics: [any Metric]
  let optimizer: any Optimizer
  let clipping: GradientClipping

  /// Adds an output () for each metric: the sum over the batch. Sums of hits are exact, means would be rounded.
  func outputMetrics(prediction: SymbolicTensor, target: SymbolicTensor) throws(NNError) {
    for (number, metric) in metrics.enumerated() {
      let scores = try metric(prediction: prediction, target: target)
      guard scores.rank == 1, scores.shape[0].mayEqual(prediction.shape[0]) else {
        throw NNError(
          .shapeMismatch,
          "metric \"\(metric.name)\" has shape \(scores.shapeDescription) instead of one number per sample")
      }
      try scores.trace.output(scores.sum(), name: Name("metric_\(number)"))
    }
  }
}

/// The optimiser's tensors, named after the parameter they belong to.
final class SlotStore {
  private(set) var all: [Parameter] = []

  func slots(for parameter: Parameter, names: [String]) throws(NNError) -> [Parameter] {
    var result: [Parameter] = []
    for name in names {
      let full = Name(parameter.name.string + "/" + name)
      if let known = all.first(where: { $0.name == full }) {
        result.append(known)
      } else {
        let slot = try Parameter(name: full, extents: parameter.extents, isTrainable: false)
        all.append(slot)
        result.append(slot)
      }
    }
    return result
  }
}
