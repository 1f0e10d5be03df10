import NNGraph

extension Trainer {
  /// Runs `body` with every parameter replaced by its moving average, see ``Averaged``: evaluate or export there.
  ///
  /// - Throws: ``ErrorCode/invalidState`` if the optimiser keeps no averages or no step was done, and what `body` throws.
  public func withAveragedParameters<Result>(
    _ body: (Trainer) throws(NNError) -> Result
  ) throws(NNError) -> Result {
    guard let averaging, step > 0 else {
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
      guard let average = average(of: parameter) else { continue }
      kept.append((parameter, Array(parameter.values)))
      for index in parameter.values.indices { parameter.values[index] = average.values[index] * scale }
    }
    return try body(self)
  }

  /// The averages of the parameters that have one.
  var averages: [Parameter] {
    averaging == nil ? [] : store.parameters.compactMap { average(of: $0) }
  }

  private var averaging: (any AveragingOptimizer)? { recipe.optimizer as? any AveragingOptimizer }

  private func average(of parameter: Parameter) -> Parameter? {
    let name = Name(parameter.name.string + "/" + AveragedSlot.name)
    return store.slots.all.first { $0.name == name }
  }
}
