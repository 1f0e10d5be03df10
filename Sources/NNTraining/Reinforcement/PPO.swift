import NNGraph
import NNRuntime

/// Proximal policy optimisation: a policy follows the advantage of its actions without moving far from what it did. Schulman et al.
/// 2017, equation 9, with the advantages of Schulman et al. 2016 and several environments at a time.
public final class PPO<World: Environment> {
  public struct Options: Sendable {
    public var optimizer: any Optimizer = Adam(learningRate: 1e-3, epsilon: 1e-5)
    /// Environments played side by side.
    public var environments = 8
    /// Steps of each environment between updates.
    public var horizon = 128
    /// Times each round's steps are learnt from.
    public var epochs = 4
    public var batchSize = 256
    /// γ, what a reward is worth one step later.
    public var discount: Float = 0.99
    /// λ of the generalised advantage.
    public var smoothing: Float = 0.95
    /// ε, how far the probability of an action may move, as a ratio.
    public var clip: Float = 0.2
    public var entropyWeight: Float = 0.01
    public var valueWeight: Float = 0.5
    public var clipping = GradientClipping.globalNorm(0.5)
    public var training = Trainer.Options()

    public init() {}
  }

  public let options: Options
  public let parameters: ParameterStore
  /// Steps made in all environments.
  public private(set) var steps = 0
  private var worlds: [World]
  private let policy: Network
  private let act: LiveNetwork
  private let judge: LiveNetwork
  private let learn: CustomStep
  private var generator: Philox
  private var observations: [[Float]]
  private var episodes: [Double]

  /// - Parameters:
  ///   - policy: observation (N, O) → logits of the actions (N, A).
  ///   - value: observation (N, O) → what is still to be gained (N, 1).
  /// - Throws: ``ErrorCode/invalidArgument`` if a round's steps do not divide into batches, or for other options that nothing can be
  ///   learnt with; ``ErrorCode/shapeMismatch`` if a network does not give a number for each action, or one for each observation.
  public init(
    _ environment: World, seed: UInt64, options: Options = Options(),
    @SequentialBuilder policy: () -> [any Layer],
    @SequentialBuilder value: () -> [any Layer]
  ) throws(NNError) {
    let (count, horizon, batch) = (options.environments, options.horizon, options.batchSize)
    let (size, overflow) = count.multipliedReportingOverflow(by: horizon)
    guard !overflow, size <= 1 << 24 else {
      throw NNError(
        .limitExceeded, "rounds of \(horizon) steps of \(count) environments, more than 2^24 in all")
    }
    guard count >= 1, horizon >= 1, batch >= 1, size % batch == 0 else {
      throw NNError(
        .invalidArgument, "\(horizon) steps of \(count) environments do not divide into batches of \(batch)")
    }
    guard options.epochs >= 0, options.clip > 0 else {
      throw NNError(
        .invalidArgument, "\(options.epochs) epochs with ratios clipped to 1 ± \(Double(options.clip))")
    }
    try Hyperparameter.requireShare(options.discount, "a discount")
    try Hyperparameter.requireShare(options.smoothing, "a smoothing")
    self.options = options
    parameters = ParameterStore(seed: seed)
    self.policy = Network("policy", policy())
    let critic = Network("value", value())
    act = try LiveNetwork(
      [self.policy, critic], observationSize: environment.observationSize, batch: count,
      parameters: parameters,
      options: options.training)
    judge = try LiveNetwork(
      [self.policy], observationSize: environment.observationSize, batch: 1, parameters: parameters,
      options: options.training)
    learn = try PPO.learningStep(self.policy, critic, environment, parameters, options)
    var generator = Philox(seed: seed, stream: Philox.stream(of: "ppo"))
    worlds = Array(repeating: environment, count: count)
    observations = []
    for index in worlds.indices { observations.append(worlds[index].reset(using: &generator)) }
    self.generator = generator
    episodes = Array(repeating: 0, count: count)
  }

  private static func learningStep(
    _ policy: Network, _ value: Network, _ environment: World, _ parameters: ParameterStore,
    _ options: Options
  ) throws(NNError) -> CustomStep {
    let (batch, size) = (options.batchSize, environment.observationSize)
    return try CustomStep(
      parameters: parameters,
      inputs: [
        .init("observation", [batch, size]), .init("action", [batch], .i64),
        .init("log_probability", [batch]),
        .init("advantage", [batch]), .init("return", [batch]),
      ], options: options.training
    ) { (step) throws(NNError) in
      let (logits, worth) = (try policy(step["observation"]), try value(step["observation"]))
      guard logits.shape == [batch, environment.actionCount] else {
        throw NNError(
          .shapeMismatch, "the policy gives \(logits.shapeDescription) for \(environment.actionCount) actions"
        )
      }
      guard worth.shape == [batch, 1] else {
        throw NNError(
          .shapeMismatch,
          "the value network gives \(worth.shapeDescription) for \(batch) observations, not one number each")
      }
      let estimate = try worth.reshaped([batch])
      let loss = try PPOLoss(options.clip).callAsFunction(
        logits, action: step["action"], old: step["log_probability"], advantage: step["advantage"])
      let logarithms = try logits.logSoftmax()
      let entropy = try -(logarithms.exponential() * logarithms).sum(axes: [1]).mean()
      let error = try (estimate - step["return"]).squared().mean() * 0.5
      try step.minimize(
        loss + error * options.valueWeight - entropy * options.entropyWeight, with: options.optimizer,
        clipping: options.clipping)
    }
  }

  /// Plays a round and learns from it.
  ///
  /// - Returns: the returns of the episodes that ended.
  @discardableResult
  public func trainRound() throws(NNError) -> [Double] {
    var round = Round()
    var returns: [Double] = []
    let count = worlds.count
    for _ in 0..<options.horizon {
      let logits = try act(observations.flatMap { $0 })
      let values = try act.values(1)
      let actions = worlds[0].actionCount
      for index in worlds.indices {
        let row = Array(logits[index * actions..<(index + 1) * actions])
        let (action, logarithm) = generator.sample(logits: row)
        let result = worlds[index].step(action)
        round.observations += observations[index]
        round.actions.append(action)
        round.logProbabilities.append(logarithm)
        round.values.append(values[index])
        round.isOver.append(result.isOver)
        episodes[index] += Double(result.reward)
        var reward = result.reward
        observations[index] = result.observation
        if result.isOver {
          // A cut-off episode would have gone on: what it would have gained joins the last reward.
          if !result.isTerminal { reward += options.discount * (try worth(of: result.observation, index)) }
          returns.append(episodes[index])
          episodes[index] = 0
          observations[index] = worlds[index].reset(using: &generator)
        }
        round.rewards.append(reward)
      }
      steps += count
    }
    _ = try act(observations.flatMap { $0 })
    let last = try act.values(1)
    try learn(
      round,
      Advantages(
        round.rewards, round.values, round.isOver, last, discount: options.discount,
        smoothing: options.smoothing))
    return returns
  }

  /// The critic's estimate for one observation, in the place of environment `index` of a batch.
  private func worth(of observation: [Float], _ index: Int) throws(NNError) -> Float {
    var all = observations
    all[index] = observation
    _ = try act(all.flatMap { $0 })
    return try act.values(1)[index]
  }

  private func learn(_ round: Round, _ advantages: Advantages) throws(NNError) {
    let size = worlds[0].observationSize
    for _ in 0..<options.epochs {
      let order = (0..<round.actions.count).shuffled(using: &generator)
      for first in stride(from: 0, to: order.count, by: options.batchSize) {
        let rows = order[first..<first + options.batchSize]
        let chosen = rows.map { advantages.values[$0] }
        let mean = chosen.reduce(0, +) / Float(chosen.count)
        let variance = chosen.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Float(chosen.count)
        let scale = 1 / (variance.squareRoot() + 1e-8)
        try learn.set("observation", rows.flatMap { round.observations[$0 * size..<($0 + 1) * size] })
        try learn.set("action", indices: rows.map { round.actions[$0] })
        try learn.set("log_probability", rows.map { round.logProbabilities[$0] })
        try learn.set("advantage", chosen.map { ($0 - mean) * scale })
        try learn.set("return", rows.map { advantages.values[$0] + round.values[$0] })
        try learn.run()
      }
    }
  }

  /// The step length as a part of the one it began with.
  public func setLearningRate(factor: Double) {
    learn.learningRates = learn.learningRates.map { _ in Double(options.optimizer.learningRate) * factor }
  }

  /// The mean return of episodes in which the likeliest action is taken.
  public func evaluate(episodes: Int, seed: UInt64) throws(NNError) -> Double {
    let returns = try Policy.returns(in: worlds[0], episodes: episodes, seed: seed) {
      (observation) throws(NNError) in try judge(observation)
    }
    return returns.reduce(0, +) / Double(episodes)
  }

  /// The learnt policy: observation (N, O) → logits of the actions (N, A).
  public var trained: TrainedModel {
    TrainedModel(
      policy, parameters: parameters, sampleShape: [worlds[0].observationSize], options: options.training)
  }
}

/// What happened in one round, step after step, the environments of each side by side.
private struct Round {
  var observations: [Float] = []
  var actions: [Int] = []
  var logProbabilities: [Float] = []
  var rewards: [Float] = []
  var values: [Float] = []
  var isOver: [Bool] = []
}

/// Generalised advantages. Schulman et al. 2016, equation 16: Σ (γλ)ˡ·δₜ₊ₗ with δₜ = rₜ + γ·V(sₜ₊₁) − V(sₜ), up to an episode's end.
struct Advantages {
  let values: [Float]

  /// - Parameters: rewards, estimates and ends, step after step with the environments of each side by side; `last` are the estimates
  ///   after the last step.
  init(
    _ rewards: [Float], _ estimates: [Float], _ isOver: [Bool], _ last: [Float], discount: Float,
    smoothing: Float
  ) {
    let count = last.count
    var values = [Float](repeating: 0, count: rewards.count)
    var advantage = [Float](repeating: 0, count: count)
    for step in stride(from: rewards.count / max(count, 1) - 1, through: 0, by: -1) {
      for world in 0..<count {
        let index = step * count + world
        let following = index + count < rewards.count ? estimates[index + count] : last[world]
        let goesOn: Float = isOver[index] ? 0 : 1
        let delta = rewards[index] + discount * following * goesOn - estimates[index]
        advantage[world] = delta + discount * smoothing * goesOn * advantage[world]
        values[index] = advantage[world]
      }
    }
    self.values = values
  }
}

/// −mean min(r·A, clip(r, 1 − ε, 1 + ε)·A), r being the ratio of an action's probability to what it was. Schulman et al. 2017, equation 7.
struct PPOLoss {
  let clip: Float

  init(_ clip: Float) {
    self.clip = clip
  }

  func callAsFunction(
    _ logits: SymbolicTensor, action: SymbolicTensor, old: SymbolicTensor, advantage: SymbolicTensor
  ) throws(NNError) -> SymbolicTensor {
    let hits = try classMask(logits, action).hits
    let logarithm = try hits.select(logits.logSoftmax(), logits.trace.scalar(0)).sum(axes: [1])
    let ratio = try (logarithm - old).exponential()
    let clipped = try ratio.apply(Activation(.clip, alpha: 1 - clip, beta: 1 + clip))
    return try -(ratio * advantage).minimum(clipped * advantage).mean()
  }
}

extension Philox {
  /// An action with the probability that softmax(logits) gives it, and the logarithm of that probability.
  mutating func sample(logits: [Float]) -> (action: Int, logProbability: Float) {
    let largest = Double(logits.max() ?? 0)
    let weights = logits.map { exponential(Double($0) - largest) }
    let total = weights.reduce(0, +)
    var left = uniform() * total
    var action = max(logits.count - 1, 0)
    for (index, weight) in weights.enumerated() {
      left -= weight
      if left < 0 {
        action = index
        break
      }
    }
    let probability = logits.isEmpty ? 1 : weights[action] / total
    return (action, Float(naturalLogarithm(max(probability, 1e-300))))
  }
}
