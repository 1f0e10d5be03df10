import NNGraph

/// What a step does with the gradients of its batch when those of several batches make one update.
///
/// Two plans share the accumulators, which are carried from step to step: one adds its batch's gradients to them and updates
/// nothing else but running statistics; the other joins them with the gradients of the last batch of a group, updates, and
/// empties them. A group never reaches beyond the end of an epoch, so all its batches but the last are of the full size.
enum GradientAccumulation: Equatable {
  /// Every batch updates.
  case none
  /// Gradients are added to the accumulators.
  case adding
  /// Accumulators and gradients together update.
  case closing
}

extension ParameterUpdates {
  private static var slot: String { "accumulated_gradient" }

  /// Adds gradients to the accumulators of their parameters.
  func accumulate(_ entries: [(parameter: Parameter, tensor: SymbolicTensor)], _ gradients: [SymbolicTensor])
    throws(NNError)
  {
    for (entry, gradient) in zip(entries, gradients) {
      let (memory, sum) = try accumulator(of: entry.parameter)
      try carry(memory, sum, try sum + gradient)
    }
  }

  /// The means over all samples of a group, its last batch included, and empties the accumulators.
  func joined(_ entries: [(parameter: Parameter, tensor: SymbolicTensor)], _ gradients: [SymbolicTensor])
    throws(NNError) -> [SymbolicTensor]
  {
    let scalars = ["accumulated_share", "batch_share"].map { trace.input(Name($0), .f32, []) }
    accumulationScalars = scalars
    var means: [SymbolicTensor] = []
    for (entry, gradient) in zip(entries, gradients) {
      let (memory, sum) = try accumulator(of: entry.parameter)
      means.append(try sum * scalars[0] + gradient * scalars[1])
      try carry(memory, sum, try trace.filled(0, sum.shape))
    }
    return means
  }

  private func accumulator(of parameter: Parameter) throws(NNError) -> (
    memory: Parameter, tensor: SymbolicTensor
  ) {
    let memory = try trace.store.accumulators.slots(for: parameter, names: [ParameterUpdates.slot])[0]
    return (memory, trace.input(memory.name, .f32, Shape(memory.extents)))
  }
}

extension StepPlan {
  /// Says how much the accumulated gradients and those of the last batch count in their mean.
  ///
  /// - Parameters:
  ///   - batches: full batches that were accumulated.
  ///   - fullness: samples of the last batch as a part of those of a full one.
  func setAccumulation(batches: Int, fullness: Double) {
    guard graph.accumulation.count == 2 else { return }
    let total = Double(batches) + fullness
    setScalar(graph.accumulation[0], Float(1 / total))
    setScalar(graph.accumulation[1], Float(fullness / total))
  }
}

extension Trainer {
  /// Everything a step changes.
  var carried: [Parameter] { store.parameters + store.slots.all + store.accumulators.all }

  /// Forgets gradients that an earlier training left.
  func emptyAccumulators() {
    for memory in store.accumulators.all { memory.values.update(repeating: 0) }
  }
}

extension TrainingStep {
  /// Says where the batch stands, after it was loaded.
  ///
  /// - Parameter updates: those done before.
  func set(_ place: AccumulationPlace, updates: Int, seed: UInt64) {
    if place.accumulation == .none { return }
    // Random numbers differ between the batches of one update too.
    plan.setRandomKey(seed: seed, step: updates &* place.size &+ place.before &+ 1)
    plan.setAccumulation(batches: place.before, fullness: place.fullness)
  }
}

/// Where a batch stands among those that make an update together: by itself, unless told.
struct AccumulationPlace {
  var accumulation = GradientAccumulation.none
  /// Batches to an update.
  var size = 1
  /// Batches of the same update before this one.
  var before = 0
  /// Samples of this batch as a part of those of a full one.
  var fullness = 1.0
}

extension FitSettings {
  /// Where batch `batch` of an epoch stands, which has so many samples.
  func place(of batch: Int, samples: Int) -> AccumulationPlace {
    AccumulationPlace(
      accumulation: accumulation(of: batch), size: accumulating, before: batch % accumulating,
      fullness: Double(samples) / Double(batchSize))
  }

  /// What the step of batch `batch` of an epoch does with its gradients.
  func accumulation(of batch: Int) -> GradientAccumulation {
    if accumulating == 1 { return .none }
    return (batch + 1) % accumulating == 0 || batch + 1 == batches ? .closing : .adding
  }

  /// The sizes of an epoch's batches together with what their steps do, each once.
  var stepKinds: [(size: Int, accumulation: GradientAccumulation)] {
    var kinds: [(size: Int, accumulation: GradientAccumulation)] = []
    for batch in Set([0, accumulating - 1, batches - 2, batches - 1]).sorted()
    where batch >= 0 && batch < batches {
      let size = min(batchSize, samples - batch * batchSize)
      let kind = accumulation(of: batch)
      if !kinds.contains(where: { $0 == (size, kind) }) { kinds.append((size, kind)) }
    }
    return kinds
  }
}
