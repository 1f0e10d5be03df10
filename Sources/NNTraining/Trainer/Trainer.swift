import NNGraph
import NNRuntime

/// Trains a model, evaluates it, and exports it.
///
/// ```swift
/// let trainer = try Trainer(
///   Sequential {
///     Rescaling(scale: 1.0 / 16)
///     Dense(64, activation: .relu)
///     Dropout(0.2)
///     Dense(10)
///   },
///   sampleShape: [64], loss: .softmaxCrossEntropy, optimizer: Adam(learningRate: 1e-3), metrics: [.accuracy], seed: 1)
/// try trainer.fit(training, epochs: 30, batchSize: 32, validation: held, callbacks: [EarlyStopping()])
/// print(try trainer.evaluate(held).loss)
/// try trainer.export(to: "digits.nnrt", head: .softmax)
/// ```
///
/// The same data, settings and seed give the same bits on the same machine, whether a run was interrupted or not.
public final class Trainer {
  public struct Options: Sendable {
    /// Threads that share one node's work.
    public var threads = 1
    /// Threads of OpenBLAS, for the whole process, where it is used. More than one may change the last bits from run to run.
    public var libraryThreads = 1
    /// Whether large products of training steps go to OpenBLAS. The runtime's own, which are used otherwise, are faster where this was
    /// measured (`tools/bench/training --openblas`) and give the same bits on every machine, as OpenBLAS does not.
    public var usesOpenBLAS = false
    public var instructionSet = InstructionSetLevel.automatic
    /// Threads that prepare augmented batches while steps run; with 0 the training does it itself, between the steps. Results do
    /// not depend on it.
    public var dataThreads = 1

    public init() {}

    var planOptions: Plan.Options {
      Plan.Options(
        threads: threads, instructionSet: instructionSet, product: usesOpenBLAS ? OpenBLAS.product : nil)
    }
  }

  public let options: Options
  /// What parameters, order and dropout are drawn from.
  public let seed: UInt64
  /// Extents of one sample, without the batch.
  public let sampleShape: [Int]
  /// Extents of the model's output for one sample.
  public let outputShape: [Int]
  /// Extents of one sample's target.
  public let targetShape: [Int]
  /// Classes that a target may name, from 0; nil if the loss does not say.
  let classCount: Int?
  /// The present step length; a callback may change it between steps.
  public var learningRate: Double
  /// Steps done.
  public internal(set) var step = 0
  /// Whether training ends after the present batch.
  public private(set) var isStopped = false

  let recipe: TrainingRecipe
  /// The model's parameters, which other steps may share, see ``CustomStep``.
  public let store: ParameterStore
  private var steps: [TrainingStep] = []
  /// Those whose targets are mixtures.
  private var mixedSteps: [TrainingStep] = []
  private var probes: [(batch: Int, probe: GradientProbe)] = []

  /// Traces the model once, so that mistakes in its shapes are thrown here, and initialises its parameters.
  ///
  /// - Parameters:
  ///   - sampleShape: extents of one sample, without the batch.
  ///   - inputType: `.i64` for a model that takes indices, such as words of a text.
  ///   - groups: parameters with an optimiser of their own, or frozen.
  ///   - parameters: a store to take over parameters from, of networks trained before; a new one unless given.
  /// - Throws: ``ErrorCode/shapeMismatch`` and others, naming the layer; ``ErrorCode/invalidArgument`` for an optimiser's number
  ///   that no training can work with.
  public init(
    _ model: any Layer, sampleShape: [Int], inputType: DType = .f32, loss: any Loss, optimizer: any Optimizer,
    metrics: [any Metric] = [], groups: [ParameterGroup] = [], clipping: GradientClipping = .none,
    seed: UInt64, parameters: ParameterStore? = nil, options: Options = Options()
  ) throws(NNError) {
    recipe = TrainingRecipe(
      model: model, inputType: inputType, loss: loss, metrics: metrics, optimizer: optimizer, groups: groups,
      clipping: clipping)
    try optimizer.validate()
    for group in groups { try group.optimizer?.validate() }
    self.sampleShape = sampleShape
    self.seed = seed
    self.options = options
    learningRate = Double(optimizer.learningRate)
    store = parameters ?? ParameterStore(seed: seed)
    let graph = try InferenceGraph(
      model, sampleShape: sampleShape, inputType: inputType, head: .none, store: store)
    outputShape = graph.outputShape
    targetShape = recipe.loss.targetShape(outputShape: outputShape)
    classCount = recipe.loss.classCount(outputShape: outputShape)
    try InferenceGraph.check(recipe, outputShape: outputShape)
    OpenBLAS.setThreads(options.libraryThreads)
  }

  /// Every parameter and running statistic, in the model's order.
  public var parameters: [Parameter] { store.parameters }

  /// How many numbers training adjusts.
  public var trainableParameterCount: Int {
    parameters.reduce(0) { $0 + ($1.isTrainable ? $1.values.count : 0) }
  }

  /// Ends the training after the present batch; the call to ``fit`` returns.
  public func stop() { isStopped = true }

  func beginTraining() { isStopped = false }

  /// The step for a batch size, planned when it is first needed.
  func trainingStep(
    batch: Int, _ accumulation: GradientAccumulation = .none
  ) throws(NNError) -> TrainingStep {
    if let known = Trainer.step(batch, accumulation, among: steps) { return known }
    let made = try TrainingStep(
      recipe, sampleShape: sampleShape, targetShape: targetShape, batch: batch, accumulation: accumulation,
      store: store, options: planOptions)
    steps.append(made)
    return made
  }

  /// The step for targets that are mixtures, as made by `augmentation`.
  ///
  /// - Throws: ``ErrorCode/invalidArgument`` if the loss cannot take them.
  func mixedTrainingStep(
    batch: Int, _ accumulation: GradientAccumulation = .none, _ augmentation: [any Augmentation]
  ) throws(NNError) -> TrainingStep {
    if let known = Trainer.step(batch, accumulation, among: mixedSteps) { return known }
    let cause = augmentation.first { $0.mixesTargets }.map { "augmentation \($0)" } ?? "the augmentation"
    let mixed = try recipe.mixingTargets(cause)
    let made = try TrainingStep(
      mixed, sampleShape: sampleShape, targetShape: mixed.loss.targetShape(outputShape: outputShape),
      batch: batch, accumulation: accumulation, store: store, options: planOptions)
    mixedSteps.append(made)
    return made
  }

  private static func step(
    _ batch: Int, _ accumulation: GradientAccumulation, among steps: [TrainingStep]
  ) -> TrainingStep? {
    var index = 0
    while index < steps.count {
      if steps[index].batch == batch, steps[index].accumulation == accumulation { return steps[index] }
      index += 1
    }
    return nil
  }

  /// What computes gradients over a batch and updates nothing, planned when it is first needed.
  func gradientProbe(batch: Int) throws(NNError) -> GradientProbe {
    if let known = probes.first(where: { $0.batch == batch }) { return known.probe }
    let made = try GradientProbe(
      recipe, sampleShape: sampleShape, targetShape: targetShape, batch: batch, store: store,
      options: planOptions)
    probes.append((batch, made))
    return made
  }

  private var planOptions: Plan.Options { options.planOptions }

  /// One step on the samples at `indices`: forward, backward and update. After the first step of a batch size it
  /// allocates nothing.
  ///
  /// - Returns: the loss before the update.
  /// - Throws: ``ErrorCode/shapeMismatch`` or ``ErrorCode/dtypeMismatch`` if the data are not what the model takes,
  ///   ``ErrorCode/invalidArgument`` for no index or one that is no sample's, ``ErrorCode/indexOutOfRange`` for a class beyond the
  ///   model's.
  @discardableResult
  public func trainBatch(_ data: Dataset, _ indices: ArraySlice<Int>) throws(NNError) -> Float {
    try require(data, indices)
    return try runStep(data, indices).loss
  }

  /// One step on samples that were found to fit.
  func runStep(
    _ data: Dataset, _ indices: ArraySlice<Int>, _ place: AccumulationPlace = AccumulationPlace()
  ) throws(NNError) -> TrainingStep {
    let training = try trainingStep(batch: indices.count, place.accumulation)
    training.load(data, indices, step: step + 1, seed: seed, learningRate: learningRate)
    training.set(place, updates: step, seed: seed)
    try run(training)
    return training
  }

  /// Runs a step whose inputs are in place.
  func run(_ training: TrainingStep) throws(NNError) {
    try Hyperparameter.requireNotNegative(learningRate, "a learning rate")
    try training.plan.run()
    if training.accumulation != .adding { step += 1 }
  }

  /// One step on the next batch that was prepared ahead. Allocates nothing after the first one of its size.
  func runStep(
    _ prefetcher: BatchPrefetcher, count: Int, _ place: AccumulationPlace = AccumulationPlace()
  ) throws(NNError) -> TrainingStep {
    let source = prefetcher.source
    let training = try trainingStep(
      batch: count, place.accumulation, isMixed: source.mixesTargets, source.steps)
    training.load(try prefetcher.take(), step: step + 1, seed: seed, learningRate: learningRate)
    training.set(place, updates: step, seed: seed)
    prefetcher.release()
    try run(training)
    return training
  }

  /// The step for a batch of what ``fit`` was asked for.
  func trainingStep(
    batch: Int, _ accumulation: GradientAccumulation, _ settings: FitSettings
  ) throws(NNError) -> TrainingStep {
    try trainingStep(
      batch: batch, accumulation, isMixed: settings.mixesTargets, settings.augmentation)
  }

  private func trainingStep(
    batch: Int, _ accumulation: GradientAccumulation, isMixed: Bool, _ augmentation: [any Augmentation]
  ) throws(NNError) -> TrainingStep {
    isMixed
      ? try mixedTrainingStep(batch: batch, accumulation, augmentation)
      : try trainingStep(batch: batch, accumulation)
  }

  /// Throws unless a data set fits the model and its loss.
  func require(_ data: Dataset) throws(NNError) {
    try requireKind(data)
    try data.requireClasses(below: classCount)
  }

  /// Throws unless the samples at `indices` are there and fit the model and its loss. Allocates nothing.
  func require(_ data: Dataset, _ indices: ArraySlice<Int>) throws(NNError) {
    try requireKind(data)
    guard !indices.isEmpty else { throw NNError(.invalidArgument, "a batch without samples") }
    // Counted by hand for the sake of unoptimised builds, see Dataset.
    var position = indices.startIndex
    while position < indices.endIndex {
      let index = indices[position]
      guard index >= 0, index < data.count else {
        throw NNError(.invalidArgument, "sample \(index) of \(data.count)")
      }
      try data.requireClasses(of: index, below: classCount)
      position += 1
    }
  }

  private func requireKind(_ data: Dataset) throws(NNError) {
    guard data.sampleShape == sampleShape else {
      throw NNError(
        .shapeMismatch,
        "samples have shape \(Shape(data.sampleShape).description), the model takes \(Shape(sampleShape).description)"
      )
    }
    guard data.inputType == recipe.inputType else {
      throw NNError(
        .dtypeMismatch, "samples are \(data.inputType.name), the model takes \(recipe.inputType.name)")
    }
    try data.require(recipe.loss.targetKind, targetShape: targetShape)
  }
}

extension Trainer {
  /// Gives the parameters of a network or layer new initial values, drawn from the trainer's seed.
  ///
  /// - Throws: ``ErrorCode/invalidArgument`` if no network, layer or parameter is called so.
  public func reinitialize(_ prefix: String) throws(NNError) { try store.reinitialize(prefix, seed: seed) }
}

// What predictions are made with, as one piece, to keep and to bring back: all parameters and running statistics; and, where
// the optimiser averages parameters, the averages and the steps that they are of.
extension Trainer {
  func weightBytes() -> [UInt8] {
    var writer = CheckpointWriter()
    for tensor in store.parameters + averages { writer.write(tensor.values) }
    if averages.isEmpty { return writer.bytes }
    writer.write(step)
    return writer.bytes
  }

  /// - Throws: ``ErrorCode/corruptFile`` for what ``weightBytes()`` of this model does not give; nothing is changed then.
  func setWeightBytes(_ bytes: [UInt8]) throws(NNError) {
    let tensors = store.parameters + averages
    var ahead = CheckpointReader(bytes)
    for tensor in tensors { try ahead.skipFloats(tensor.values.count) }
    let steps = averages.isEmpty ? step : try ahead.count()
    try ahead.end()
    var reader = CheckpointReader(bytes)
    for tensor in tensors { try reader.floats(into: tensor.values) }
    step = steps
  }
}
