import NNGraph
import NNRuntime

/// Playing an environment with a network that gives a number for each action: the largest is taken.
public enum Policy {
  /// The returns of some episodes, played by the runtime with the bits of the exported file.
  ///
  /// - Parameters:
  ///   - model: observation (N, O) → (N, A), Q-values or logits.
  ///   - seed: what the episodes begin with.
  /// - Throws: ``ErrorCode/shapeMismatch`` if the model does not fit the environment.
  public static func returns(
    of model: TrainedModel, in environment: some Environment, episodes: Int, seed: UInt64
  ) throws(NNError) -> [Double] {
    let session = try model.session()
    return try returns(in: environment, episodes: episodes, seed: seed) { (observation) throws(NNError) in
      try session(observation, extents: [1, observation.count])
    }
  }

  static func returns(
    in environment: some Environment, episodes: Int, seed: UInt64,
    _ values: ([Float]) throws(NNError) -> [Float]
  ) throws(NNError) -> [Double] {
    guard episodes >= 1 else { throw NNError(.invalidArgument, "\(episodes) episodes to evaluate") }
    var environment = environment
    var generator = Philox(seed: seed, stream: Philox.stream(of: "evaluation"))
    var returns: [Double] = []
    for _ in 0..<episodes {
      var observation = environment.reset(using: &generator)
      var sum = 0.0
      while true {
        let step = environment.step(largest(try values(observation)))
        sum += Double(step.reward)
        observation = step.observation
        if step.isOver { break }
      }
      returns.append(sum)
    }
    return returns
  }

  /// The index of the largest number; the first one wins.
  static func largest(_ values: [Float]) -> Int {
    var best = 0
    for index in values.indices where values[index] > values[best] { best = index }
    return best
  }
}

/// A network applied to a batch with the parameters as they are: it follows training without being traced again.
final class LiveNetwork {
  private let step: CustomStep

  init(
    _ networks: [any Layer], observationSize: Int, batch: Int, parameters: ParameterStore,
    options: Trainer.Options
  ) throws(NNError) {
    step = try CustomStep(
      parameters: parameters, inputs: [.init("observation", [batch, observationSize])], frozen: [""],
      options: options
    ) { (step) throws(NNError) in
      for (index, network) in networks.enumerated() {
        try step.output(network(step["observation"]), Name("output\(index)"))
      }
    }
  }

  func callAsFunction(_ observations: [Float], output: Int = 0) throws(NNError) -> [Float] {
    try step.set("observation", observations)
    try step.run()
    return try step.values(Name("output\(output)"))
  }

  func values(_ output: Int) throws(NNError) -> [Float] { try step.values(Name("output\(output)")) }
}
