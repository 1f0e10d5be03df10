import NNGraph
import NNRuntime

/// One step of a ``Trainer`` for one batch size: inputs are features and targets; output 0 is the loss, the metrics' sums follow.
final class TrainingStep {
  let batch: Int
  let accumulation: GradientAccumulation
  let plan: StepPlan
  /// A checksum of the network and its loss, with dropout and everything else that training alone has.
  let network: UInt32

  /// Traces and plans the step.
  ///
  /// - Parameters:
  ///   - sampleShape: extents of one sample.
  ///   - targetShape: extents of one target.
  init(
    _ recipe: TrainingRecipe, sampleShape: [Int], targetShape: [Int], batch: Int,
    accumulation: GradientAccumulation = .none, store: ParameterStore, options: Plan.Options
  ) throws(NNError) {
    let traced = try TracedLoss(
      recipe, sampleShape: sampleShape, targetShape: targetShape, batch: batch, store: store)
    let trace = traced.trace
    network = trace.graph.checksum
    try trace.output(traced.loss, name: "loss")
    try recipe.outputMetrics(prediction: traced.prediction, target: traced.target)
    let updates = ParameterUpdates(trace)
    try updates.minimize(
      traced.loss, trace.parameters, optimizer: recipe.optimizer, groups: recipe.groups,
      clipping: recipe.clipping, accumulation: accumulation)
    try updates.addLayerUpdates()
    self.batch = batch
    self.accumulation = accumulation
    plan = try StepPlan(try StepGraph(updates, inputs: [traced.features, traced.target]), options: options)
  }

  /// Puts the samples and the step's numbers into the plan's inputs.
  ///
  /// - Parameters:
  ///   - step: 1 for the first step of a training.
  ///   - learningRate: the trainer's; those of groups keep their ratio to it.
  func load(_ data: Dataset, _ indices: ArraySlice<Int>, step: Int, seed: UInt64, learningRate: Double) {
    data.copyFeatures(indices, into: plan.input(0))
    data.copyTargets(indices, into: plan.input(1))
    setNumbers(step: step, seed: seed, learningRate: learningRate)
  }

  /// The same for a batch that was prepared ahead.
  func load(_ prepared: PreparedBatch, step: Int, seed: UInt64, learningRate: Double) {
    prepared.copy(features: plan.input(0), targets: plan.input(1))
    setNumbers(step: step, seed: seed, learningRate: learningRate)
  }

  private func setNumbers(step: Int, seed: UInt64, learningRate: Double) {
    plan.setRandomKey(seed: seed, step: step)
    // The trainer's own optimiser is the last; a step that only accumulates has none.
    let last = plan.graph.optimizers.count - 1
    if last < 0 { return }
    let base = Double(plan.graph.optimizers[last].optimizer.learningRate)
    let factor = base > 0 ? learningRate / base : 1
    var index = 0
    while index < last {
      let rate = Double(plan.graph.optimizers[index].optimizer.learningRate) * factor
      plan.setScalars(optimizer: index, step: step, learningRate: rate)
      index += 1
    }
    plan.setScalars(optimizer: last, step: step, learningRate: learningRate)
  }

  var loss: Float { plan.output(0).load(as: Float.self) }

  /// A metric's sum over the batch.
  func metricSum(_ index: Int) -> Float { plan.output(1 + index).load(as: Float.self) }
}

/// The forward pass of a step and its loss.
private struct TracedLoss {
  let trace: Trace
  let features: SymbolicTensor
  let target: SymbolicTensor
  let prediction: SymbolicTensor
  /// With what layers added to it.
  let loss: SymbolicTensor

  init(
    _ recipe: TrainingRecipe, sampleShape: [Int], targetShape: [Int], batch: Int, store: ParameterStore
  ) throws(NNError) {
    let frozen = recipe.groups.filter { $0.optimizer == nil }.flatMap { $0.prefixes }
    trace = Trace(mode: .training, parameters: store, name: "training_step", frozen: frozen)
    features = trace.input("features", recipe.inputType, Shape([batch] + sampleShape))
    target = trace.input("target", recipe.loss.targetKind.dtype, Shape([batch] + targetShape))
    prediction = try recipe.model(features)
    var total = try recipe.loss(prediction: prediction, target: target)
    guard total.shape == [] else {
      throw NNError(.shapeMismatch, "the loss has shape \(total.shapeDescription) instead of ()")
    }
    for added in trace.addedLosses { total = try total + added }
    loss = total
  }
}

/// A step that computes the gradients of the loss and updates nothing: inputs as of a ``TrainingStep``, outputs the gradients.
struct GradientProbe {
  let plan: StepPlan
  /// What the outputs are the gradients of.
  let parameters: [Parameter]

  init(
    _ recipe: TrainingRecipe, sampleShape: [Int], targetShape: [Int], batch: Int, store: ParameterStore,
    options: Plan.Options
  ) throws(NNError) {
    let traced = try TracedLoss(
      recipe, sampleShape: sampleShape, targetShape: targetShape, batch: batch, store: store)
    let trace = traced.trace
    let trained = trace.parameters.filter { $0.parameter.isTrainable && !trace.isFrozen($0.parameter.name) }
    let gradients = try trace.gradient(of: traced.loss, withRespectTo: trained.map { $0.tensor })
    for (entry, gradient) in zip(trained, gradients) {
      try trace.output(gradient, name: Name(entry.parameter.name.string + ".gradient"))
    }
    parameters = trained.map { $0.parameter }
    plan = try StepPlan(
      try StepGraph(ParameterUpdates(trace), inputs: [traced.features, traced.target]), options: options)
  }
}

/// What is trained how: fixed for the life of a trainer.
struct TrainingRecipe {
  let model: any Layer
  let inputType: DType
  let loss: any Loss
  let metrics: [any Metric]
  let optimizer: any Optimizer
  let groups: [ParameterGroup]
  let clipping: GradientClipping
  /// Whether targets are probabilities of classes (N, C) though metrics take classes: the likeliest one of each sample.
  var mixesClasses = false

  /// The recipe for targets that are mixtures.
  ///
  /// - Throws: ``ErrorCode/invalidArgument`` if the loss cannot take them.
  func mixingTargets(_ cause: String) throws(NNError) -> TrainingRecipe {
    guard let mixedLoss = loss.mixedTargetLoss else {
      throw NNError(
        .invalidArgument,
        "\(cause) mixes targets, which the loss \(String(describing: loss)) cannot take; SoftmaxCrossEntropy, BinaryCrossEntropy and MeanSquaredError are some that can"
      )
    }
    var recipe = TrainingRecipe(
      model: model, inputType: inputType, loss: mixedLoss, metrics: metrics, optimizer: optimizer,
      groups: groups, clipping: clipping)
    recipe.mixesClasses = loss.targetKind == .classes
    return recipe
  }

  /// Adds an output () for each metric: the sum over the batch. Sums of hits are exact, means would be rounded.
  func outputMetrics(prediction: SymbolicTensor, target: SymbolicTensor) throws(NNError) {
    let target = mixesClasses ? try target.argmax() : target
    for (number, metric) in metrics.enumerated() {
      let scores: SymbolicTensor
      do throws(NNError) {
        scores = try metric(prediction: prediction, target: target)
      } catch {
        throw error.within("metric \"\(metric.name)\"")
      }
      guard scores.rank == 1, scores.shape[0].mayEqual(prediction.shape[0]) else {
        throw NNError(
          .shapeMismatch,
          "metric \"\(metric.name)\" has shape \(scores.shapeDescription) instead of one number per sample")
      }
      try scores.trace.output(scores.sum(), name: Name("metric_\(number)"))
    }
  }
}
