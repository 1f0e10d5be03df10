import NNGraph
import NNRuntime

/// Deep Q-learning: a network learns what each action is worth from a memory of what happened. Mnih et al. 2015, with the double
/// estimate of van Hasselt et al. 2016 and a target network that follows slowly, Lillicrap et al. 2016.
public final class DQN<World: Environment> {
  public struct Options: Sendable {
    public var optimizer: any Optimizer = Adam(learningRate: 5e-4)
    public var batchSize = 64
    /// γ, what a reward is worth one step later.
    public var discount: Float = 0.99
    /// Steps that the memory holds.
    public var memory = 50_000
    /// Steps of chance before learning begins.
    public var warmUp = 1000
    /// How often an update is made, in steps.
    public var updateEvery = 1
    /// The part of the way that the target network follows in each update.
    public var targetRate: Float = 0.005
    /// Whether the action is chosen by the learning network and its worth told by the target network.
    public var isDouble = true
    /// The probability of an action by chance falls from the first to the second over so many steps.
    public var exploration = (from: 1.0, to: 0.02, steps: 10_000)
    public var clipping = GradientClipping.globalNorm(10)
    public var training = Trainer.Options()

    public init() {}
  }

  public let options: Options
  public let parameters: ParameterStore
  /// Steps made in the environment.
  public private(set) var steps = 0
  /// The discounted worth of what was learnt from last.
  public private(set) var loss: Float = .nan
  private var environment: World
  private let network: Network
  private let act: LiveNetwork
  private let learn: CustomStep
  private var memory: ReplayMemory
  private var generator: Philox
  private var observation: [Float]

  /// - Parameters:
  ///   - layers: observation (N, O) → the worth of each action (N, A).
  /// - Throws: ``ErrorCode/shapeMismatch`` if the network does not give a number for each action, ``ErrorCode/invalidArgument`` for
  ///   options that nothing can be learnt with.
  public init(
    _ environment: World, seed: UInt64, options: Options = Options(),
    @SequentialBuilder _ layers: () -> [any Layer]
  ) throws(NNError) {
    guard options.batchSize >= 1, options.memory >= 1 else {
      throw NNError(
        .invalidArgument, "batches of \(options.batchSize) from a memory of \(options.memory) steps")
    }
    try Hyperparameter.requireShare(options.discount, "a discount")
    try Hyperparameter.requireShare(options.targetRate, "a rate of the target network")
    self.options = options
    parameters = ParameterStore(seed: seed)
    let body = layers()
    network = Network("online", body)
    act = try LiveNetwork(
      [network], observationSize: environment.observationSize, batch: 1, parameters: parameters,
      options: options.training)
    learn = try DQN.learningStep(network, Network("target", body), environment, parameters, options)
    memory = ReplayMemory(capacity: options.memory, observationSize: environment.observationSize)
    generator = Philox(seed: seed, stream: Philox.stream(of: "dqn"))
    self.environment = environment
    observation = self.environment.reset(using: &generator)
    // Both networks begin alike.
    for parameter in parameters.parameters where parameter.name.string.hasPrefix("target.") {
      let twin = Name("online." + parameter.name.string.dropFirst("target.".count))
      if let source = parameters[twin] { _ = parameter.values.update(fromContentsOf: source.values) }
    }
  }

  /// r + γ·Q′(s′, a′) for steps that do not end, with a′ the best action in s′; the Huber loss to Q(s, a).
  private static func learningStep(
    _ online: Network, _ target: Network, _ environment: World, _ parameters: ParameterStore,
    _ options: Options
  ) throws(NNError) -> CustomStep {
    let (batch, size, actions) = (options.batchSize, environment.observationSize, environment.actionCount)
    return try CustomStep(
      parameters: parameters,
      inputs: [
        .init("observation", [batch, size]), .init("next", [batch, size]), .init("action", [batch], .i64),
        .init("reward", [batch]), .init("continues", [batch]),
      ], options: options.training
    ) { (step) throws(NNError) in
      let columns = step.trace.constant(
        "actions", try Tensor((0..<actions).map { Int64($0) }, extents: [1, actions]))
      let zero = try step.trace.scalar(0)
      func chosen(_ values: SymbolicTensor, _ action: SymbolicTensor) throws(NNError) -> SymbolicTensor {
        try action.reshaped([batch, 1]).compare(.equal, columns).select(values, zero).sum(axes: [1])
      }
      let worth = try online(step["observation"])
      guard worth.shape == [batch, actions] else {
        throw NNError(
          .shapeMismatch, "the network gives \(worth.shapeDescription) for \(actions) actions")
      }
      let later = try target(step["next"])
      let best = options.isDouble ? try online(step["next"]).argmax() : try later.argmax()
      let goal = try step["reward"] + step["continues"] * chosen(later, best) * options.discount
      let loss = try Huber()(prediction: chosen(worth, step["action"]), target: goal.stoppingGradient())
      try step.minimize(loss, of: "online", with: options.optimizer, clipping: options.clipping)
      try step.move("target", towards: "online", rate: options.targetRate)
      try step.output(loss, "loss")
    }
  }

  /// The probability of an action by chance at present.
  public var explorationRate: Double {
    let (from, to, span) = options.exploration
    return from + (to - from) * min(Double(steps) / Double(max(span, 1)), 1)
  }

  /// Acts and learns.
  ///
  /// - Returns: the returns of the episodes that ended.
  /// - Throws: ``ErrorCode/shapeMismatch`` if the environment gives observations of another size than it says.
  @discardableResult
  public func train(steps count: Int) throws(NNError) -> [Double] {
    guard count >= 0 else { throw NNError(.invalidArgument, "\(count) steps") }
    var returns: [Double] = []
    for _ in 0..<count {
      let isChance = steps < options.warmUp || generator.uniform() < explorationRate
      let action =
        isChance ? generator.index(below: environment.actionCount) : Policy.largest(try act(observation))
      let result = environment.step(action)
      for size in [observation.count, result.observation.count] where size != environment.observationSize {
        throw NNError(
          .shapeMismatch,
          "the environment gives an observation of \(size) numbers instead of \(environment.observationSize)")
      }
      episode += Double(result.reward)
      memory.append(observation, action, result)
      observation = result.observation
      if result.isOver {
        returns.append(episode)
        episode = 0
        observation = environment.reset(using: &generator)
      }
      steps += 1
      if steps >= options.warmUp, steps % max(options.updateEvery, 1) == 0 { try update() }
    }
    return returns
  }

  private var episode = 0.0

  private func update() throws(NNError) {
    let batch = memory.draw(options.batchSize, using: &generator)
    try learn.set("observation", batch.observations)
    try learn.set("next", batch.next)
    try learn.set("action", indices: batch.actions)
    try learn.set("reward", batch.rewards)
    try learn.set("continues", batch.continues)
    try learn.run()
    loss = try learn["loss"]
  }

  /// The mean return of episodes played without chance.
  public func evaluate(episodes: Int, seed: UInt64) throws(NNError) -> Double {
    let returns = try Policy.returns(in: environment, episodes: episodes, seed: seed) {
      (observation) throws(NNError) in try act(observation)
    }
    return returns.reduce(0, +) / Double(episodes)
  }

  /// The learnt network: observation (N, O) → the worth of each action (N, A).
  public var trained: TrainedModel {
    TrainedModel(
      network, parameters: parameters, sampleShape: [environment.observationSize], options: options.training)
  }
}

/// The last steps an agent made, to learn from in any order. Lin 1992.
struct ReplayMemory {
  let capacity: Int
  let observationSize: Int
  private(set) var count = 0
  private var next = 0
  private var observations: [Float] = []
  private var followers: [Float] = []
  private var actions: [Int] = []
  private var rewards: [Float] = []
  private var continues: [Float] = []

  init(capacity: Int, observationSize: Int) {
    self.capacity = max(capacity, 1)
    self.observationSize = observationSize
  }

  /// Adds a step; the oldest one goes when there is no room.
  mutating func append(_ observation: [Float], _ action: Int, _ result: EnvironmentStep) {
    // A cut-off episode would have gone on, so what follows still counts.
    let goesOn: Float = result.isTerminal ? 0 : 1
    if count < capacity {
      observations += observation
      followers += result.observation
      actions.append(action)
      rewards.append(result.reward)
      continues.append(goesOn)
      count += 1
    } else {
      let range = next * observationSize..<(next + 1) * observationSize
      observations.replaceSubrange(range, with: observation)
      followers.replaceSubrange(range, with: result.observation)
      actions[next] = action
      rewards[next] = result.reward
      continues[next] = goesOn
    }
    next = (next + 1) % capacity
  }

  struct Batch: Equatable {
    var observations: [Float] = []
    var next: [Float] = []
    var actions: [Int] = []
    var rewards: [Float] = []
    var continues: [Float] = []
  }

  /// Steps drawn with replacement. The memory must hold one.
  func draw(_ size: Int, using generator: inout Philox) -> Batch {
    var batch = Batch()
    for _ in 0..<size {
      let index = generator.index(below: max(count, 1))
      let range = index * observationSize..<(index + 1) * observationSize
      batch.observations += observations[range]
      batch.next += followers[range]
      batch.actions.append(actions[index])
      batch.rewards.append(rewards[index])
      batch.continues.append(continues[index])
    }
    return batch
  }
}
