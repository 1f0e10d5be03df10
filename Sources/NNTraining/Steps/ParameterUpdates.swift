import NNGraph

/// What changes parameters in one training step, gathered while the step is traced.
///
/// Everything a step changes becomes a carried state: an input whose next value is an output.
final class ParameterUpdates {
  let trace: Trace
  private let slots: SlotStore
  /// Each carried tensor with the input that holds it before the step.
  private(set) var states: [(parameter: Parameter, tensor: SymbolicTensor)] = []
  /// Each optimiser with the inputs for its numbers of the step.
  private(set) var optimizers: [(optimizer: any Optimizer, scalars: [SymbolicTensor])] = []
  /// The inputs for the shares of accumulated gradients and of the batch's own, if the step joins them.
  var accumulationScalars: [SymbolicTensor] = []

  init(_ trace: Trace) {
    self.trace = trace
    slots = trace.store.slots
  }

  /// Adds the backward pass of `loss` and the updates of `parameters`, each by the optimiser of its group.
  ///
  /// - Throws: ``ErrorCode/invalidArgument`` for a group without parameters and for a parameter that is updated already.
  func minimize(
    _ loss: SymbolicTensor, _ parameters: [(parameter: Parameter, tensor: SymbolicTensor)],
    optimizer: any Optimizer, groups: [ParameterGroup] = [], clipping: GradientClipping,
    accumulation: GradientAccumulation = .none
  ) throws(NNError) {
    let all = trace.parameters.map { $0.parameter }
    for group in groups where !all.contains(where: { group.covers($0.name) }) {
      var layers: [String] = []
      for parameter in all {
        let layer = parameter.name.string.split(separator: ".").dropLast().joined(separator: ".")
        if !layer.isEmpty, !layers.contains(layer) { layers.append(layer) }
      }
      throw NNError(
        .invalidArgument,
        "no layer or parameter is called \(group.prefixes.joined(separator: " or ")); there are the layers "
          + layers.joined(separator: ", "))
    }
    func group(of parameter: Parameter) -> Int? { groups.firstIndex { $0.covers(parameter.name) } }
    let trained = parameters.filter { entry in
      entry.parameter.isTrainable && group(of: entry.parameter).map { groups[$0].optimizer != nil } ?? true
    }
    var gradients = try trace.gradient(of: loss, withRespectTo: trained.map { $0.tensor })
    switch accumulation {
    case .none: break
    case .adding: return try accumulate(trained, gradients)
    case .closing: gradients = try joined(trained, gradients)
    }
    gradients = try clipping.apply(gradients)
    var rest = Array(zip(trained, gradients))
    for (index, one) in groups.enumerated() {
      guard let optimizer = one.optimizer else { continue }
      try update(rest.filter { group(of: $0.0.parameter) == index }, by: optimizer)
      rest.removeAll { group(of: $0.0.parameter) == index }
    }
    try update(rest, by: optimizer)
  }

  private typealias Gradient = ((parameter: Parameter, tensor: SymbolicTensor), SymbolicTensor)

  private func update(_ gradients: [Gradient], by optimizer: any Optimizer) throws(NNError) {
    let prefix = optimizers.isEmpty ? "" : "optimizer_\(optimizers.count + 1)."
    let scalars = optimizer.scalarNames.map { trace.input(Name(prefix + $0), .f32, []) }
    optimizers.append((optimizer, scalars))
    for (entry, gradient) in gradients {
      guard !states.contains(where: { $0.parameter === entry.parameter }) else {
        throw NNError(
          .invalidArgument, "parameter \(entry.parameter.name.quoted) is updated twice in one step")
      }
      let memory = try slots.slots(for: entry.parameter, names: optimizer.slotNames)
      let inputs = memory.map { trace.input($0.name, .f32, Shape($0.extents)) }
      let next = try optimizer.update(entry.tensor, gradient: gradient, slots: inputs, scalars: scalars)
      guard next.slots.count == memory.count else {
        throw NNError(
          .invalidArgument, "the optimiser keeps \(memory.count) slots but updates \(next.slots.count)")
      }
      try carry(entry.parameter, entry.tensor, next.parameter)
      for index in memory.indices { try carry(memory[index], inputs[index], next.slots[index]) }
    }
  }

  /// Adds the new values that layers gave to parameters that are not trained, such as running statistics.
  func addLayerUpdates() throws(NNError) {
    for (index, update) in trace.updates.enumerated() {
      // A network called twice, on real and on generated samples say, updates its statistics twice: the last call counts.
      if trace.updates[(index + 1)...].contains(where: { $0.parameter === update.parameter }) { continue }
      guard let entry = trace.parameters.first(where: { $0.parameter === update.parameter }) else { continue }
      try carry(update.parameter, entry.tensor, update.value)
    }
  }

  func carry(
    _ parameter: Parameter, _ tensor: SymbolicTensor, _ next: SymbolicTensor
  ) throws(NNError) {
    let output = try trace.outputValue(next, name: Name(parameter.name.string + ".next"))
    trace.carry(from: tensor, to: output)
    states.append((parameter, tensor))
  }

  /// Says that a parameter becomes `value` after the step, as target networks and averages do.
  func assign(_ parameter: SymbolicTensor, _ value: SymbolicTensor) throws(NNError) {
    guard let entry = trace.parameters.first(where: { $0.tensor.id == parameter.id }) else {
      throw NNError(.invalidArgument, "only parameters are assigned")
    }
    try carry(entry.parameter, entry.tensor, value)
  }
}
