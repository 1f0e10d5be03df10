import NNGraph

extension Trainer {
  /// Runs `body` with every parameter replaced by its moving average, see ``Averaged``: evaluate or export there.
  ///
  /// - Throws: ``ErrorCode/invalidState`` if the optimiser keeps no averages or no step was done, and what `body` throws.
  public func withAveragedParameters<Result>(
    _ body: (Trainer) throws(NNError) -> Result
  ) throws(NNError) -> Result {
    guard let averaging = recipe.optimizer as? any AveragingOptimizer, step > 0 else {
      throw NNError(.invalidState, "there are no averaged parameters: train with Averaged(optimizer) first")
    }
    var correction = 1.0
    for _ in 0..<min(step, 1 << 20) { correction *= Double(averaging.decay) }
    let scale = Float(1 / (1 - correction))
    var kept: [(parameter: Parameter, values: [Float])] = []
    defer {
      for (parameter, values) in kept { _ = parameter.values.update(fromContentsOf: values) }
    }
    for parameter in store.parameters {
      let name = Name(parameter.name.string + "/" + AveragedSlot.name)
      guard let average = store.slots.all.first(where: { $0.name == name }) else { continue }
      kept.append((parameter, Array(parameter.values)))
      for index in parameter.values.indices { parameter.values[index] = average.values[index] * scale }
    }
    return try body(self)
  }
}
