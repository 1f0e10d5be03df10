import NNFormat
import NNGraph
import NNTraining

extension Example {
  /// A pole kept upright by deep Q-learning.
  static let cartPoleDQN = Example(
    name: "cartpole-dqn", family: "deep RL",
    summary: "keeps a pole upright on a cart, by double deep Q-learning",
    settings: Settings(epochs: 60, batchSize: 128, learningRate: 1e-3, seed: 1), outputs: []
  ) { (run) throws(NNError) in
    var options = DQN<CartPole>.Options()
    options.optimizer = Adam(learningRate: run.settings.learningRate)
    options.batchSize = run.settings.batchSize
    let agent = try DQN(CartPole(), seed: run.settings.seed, options: options) {
      Dense(128, activation: .relu, initializer: .heUniform)
      Dense(128, activation: .relu, initializer: .heUniform)
      Dense(2)
    }
    return try cartPole("cartpole-dqn", run, agent.parameters, agent.trained) { (round) throws(NNError) in
      let returns = try agent.train(steps: 1000)
      return (returns, try agent.evaluate(episodes: 20, seed: run.settings.seed + 1))
    }
  }

  /// A pole kept upright by proximal policy optimisation.
  static let cartPolePPO = Example(
    name: "cartpole-ppo", family: "deep RL",
    summary: "keeps a pole upright on a cart, by proximal policy optimisation",
    settings: Settings(epochs: 120, batchSize: 256, learningRate: 1e-3, seed: 1), outputs: []
  ) { (run) throws(NNError) in
    var options = PPO<CartPole>.Options()
    options.optimizer = Adam(learningRate: run.settings.learningRate, epsilon: 1e-5)
    options.batchSize = run.settings.batchSize
    let agent = try PPO(CartPole(), seed: run.settings.seed, options: options) {
      Dense(64, activation: .tanh, initializer: .orthogonal(gain: 1.4))
      Dense(64, activation: .tanh, initializer: .orthogonal(gain: 1.4))
      Dense(2, initializer: .orthogonal(gain: 0.01))
    } value: {
      Dense(64, activation: .tanh, initializer: .orthogonal(gain: 1.4))
      Dense(64, activation: .tanh, initializer: .orthogonal(gain: 1.4))
      Dense(1, initializer: .orthogonal)
    }
    return try cartPole("cartpole-ppo", run, agent.parameters, agent.trained) { (round) throws(NNError) in
      agent.setLearningRate(factor: 1 - Double(round) / Double(run.settings.epochs))
      let returns = try agent.trainRound()
      return (returns, try agent.evaluate(episodes: 20, seed: run.settings.seed + 1))
    }
  }

  /// Rounds of training, each followed by twenty episodes without chance; the network that did best in them is judged over a
  /// hundred others.
  private static func cartPole(
    _ name: String, _ run: ExampleRun, _ parameters: ParameterStore, _ model: TrainedModel,
    _ train: (Int) throws(NNError) -> (returns: [Double], evaluation: Double)
  ) throws(NNError) -> ExampleResult {
    var best = -Double.infinity
    var kept: [[Float]] = []
    var perfect = 0
    for round in 0..<run.settings.epochs {
      let (returns, evaluation) = try train(round)
      if evaluation >= best {
        best = evaluation
        kept = parameters.parameters.map { Array($0.values) }
      }
      if round % 5 == 4 || round == run.settings.epochs - 1 {
        let mean = returns.isEmpty ? 0 : returns.reduce(0, +) / Double(returns.count)
        run.say(
          "round \(round + 1): mean return while learning \(mean.rounded()), without chance \(evaluation.rounded())"
        )
      }
      perfect = evaluation >= 500 ? perfect + 1 : 0
      if perfect == 3 { break }
    }
    for (parameter, values) in zip(parameters.parameters, kept) {
      _ = parameter.values.update(fromContentsOf: values)
    }
    let returns = try Policy.returns(of: model, in: CartPole(), episodes: 100, seed: run.settings.seed + 1000)
    let mean = returns.reduce(0, +) / 100
    run.say("over 100 new episodes: mean \(mean), least \(returns.min() ?? 0)")
    var metadata = Metadata()
    metadata.name = Name(name)
    metadata.labels = ["left", "right"]
    metadata.description = "Says which way to push a cart so that the pole on it stays upright."
    metadata.setInputDescription(
      "input", "position, velocity, angle from upright in radians, angular velocity")
    let states: [Float] = [0, 0, 0.1, 0, 0.5, -0.2, -0.05, 0.3]
    return ExampleResult(
      metric: "return", value: mean, mark: .atLeast(475),
      exports: [.init(file: try model.file(metadata: metadata, selfTestInputs: states))])
  }
}
