import NNGraph
import NNRuntime
import Testing

@testable import NNTraining

/// A world whose observations are of another size than it says.
private struct Lying: Environment {
  let observationSize = 2
  let actionCount = 2

  mutating func reset(using generator: inout Philox) -> [Float] { [0, 0] }

  mutating func step(_ action: Int) -> EnvironmentStep {
    EnvironmentStep(observation: [0, 0, 0], reward: 1, isTerminal: false, isTruncated: false)
  }
}

@Suite struct ReinforcementTests {
  private func message(_ body: () throws(NNError) -> Void) -> String {
    do throws(NNError) {
      try body()
      return ""
    } catch {
      return error.message
    }
  }

  @Test func optionsThatNothingIsLearntWithAreRefusedByDQN() {
    func made(_ change: (inout DQN<CartPole>.Options) -> Void) -> String {
      var options = DQN<CartPole>.Options()
      change(&options)
      return message { () throws(NNError) in
        _ = try DQN(CartPole(), seed: 1, options: options) { Dense(2) }
      }
    }
    #expect(made { _ in } == "")
    #expect(made { $0.batchSize = 0 }.contains("batches of 0"))
    #expect(made { $0.memory = 0 }.contains("a memory of 0 steps"))
    #expect(made { $0.discount = 2 }.contains("a discount of 2.0"))
    #expect(made { $0.targetRate = 5 }.contains("a rate of the target network of 5.0"))
    let steps = message { () throws(NNError) in
      let agent = try DQN(CartPole(), seed: 1) { Dense(2) }
      try agent.train(steps: -1)
    }
    #expect(steps == "-1 steps")
    let lie = message { () throws(NNError) in
      let agent = try DQN(Lying(), seed: 1) { Dense(2) }
      try agent.train(steps: 3)
    }
    #expect(lie == "the environment gives an observation of 3 numbers instead of 2")
    let episodes = message { () throws(NNError) in
      _ = try DQN(CartPole(), seed: 1) { Dense(2) }.evaluate(episodes: -3, seed: 1)
    }
    #expect(episodes == "-3 episodes to evaluate")
  }

  @Test func optionsThatNothingIsLearntWithAreRefusedByPPO() {
    func made(
      actions: Int = 2, values: Int = 1, _ change: (inout PPO<CartPole>.Options) -> Void = { _ in }
    ) -> String {
      var options = PPO<CartPole>.Options()
      change(&options)
      return message { () throws(NNError) in
        _ = try PPO(CartPole(), seed: 1, options: options) {
          Dense(actions)
        } value: {
          Dense(values)
        }
      }
    }
    #expect(made() == "")
    #expect(made(actions: 3).contains("the policy gives (256, 3) for 2 actions"))
    #expect(made(actions: 1).contains("the policy gives (256, 1) for 2 actions"))
    #expect(made(values: 2).contains("the value network gives (256, 2)"))
    #expect(made { $0.environments = .max }.contains("more than 2^24"))
    #expect(made { $0.horizon = 1 << 30 }.contains("more than 2^24"))
    #expect(made { $0.epochs = -1 }.contains("-1 epochs"))
    #expect(made { $0.clip = 0 }.contains("clipped to 1 ± 0.0"))
    #expect(made { $0.discount = .nan }.contains("a discount of nan"))
    #expect(made { $0.smoothing = 1.5 }.contains("a smoothing of 1.5"))
  }

  @Test func advantagesAreThoseOfTheFormula() {
    // Two worlds, three steps; the first world's episode ends after the second step.
    let advantages = Advantages(
      [1, 2, 3, 4, 5, 6], [0.5, 1, 1.5, 2, 2.5, 3], [false, false, true, false, false, false], [10, 20],
      discount: 0.5,
      smoothing: 0.5
    ).values
    let last: [Float] = [5 + 5 - 2.5, 6 + 10 - 3]
    let middle: [Float] = [3 - 1.5, 4 + 1.5 - 2 + 0.25 * last[1]]
    let first: [Float] = [1 + 0.75 - 0.5 + 0.25 * middle[0], 2 + 1 - 1 + 0.25 * middle[1]]
    #expect(advantages == first + middle + last)
  }

  @Test func replayMemoryForgetsTheOldest() {
    var memory = ReplayMemory(capacity: 3, observationSize: 1)
    for number in 0..<5 {
      memory.append(
        [Float(number)], number,
        EnvironmentStep(
          observation: [Float(number + 1)], reward: 1, isTerminal: number == 4, isTruncated: number == 3))
    }
    var generator = Philox(seed: 1, stream: 1)
    let batch = memory.draw(200, using: &generator)
    #expect(memory.count == 3 && Set(batch.actions) == [2, 3, 4])
    for index in 0..<200 {
      #expect(batch.next[index] == batch.observations[index] + 1)
      // What was cut off at a time limit would have gone on.
      #expect(batch.continues[index] == (batch.actions[index] == 4 ? 0 : 1))
    }
  }

  @Test func policyLossClipsTheRatio() throws {
    let trace = Trace(mode: .training, parameters: ParameterStore(seed: 1))
    let logits = trace.input("logits", .f32, [3, 2])
    let loss = try PPOLoss(0.2).callAsFunction(
      logits, action: trace.constant("a", Tensor([0, 1, 0] as [Int64], extents: [3])),
      old: trace.constant("o", Tensor([-1.5, -0.6931472, -0.1] as [Float], extents: [3])),
      advantage: trace.constant("d", Tensor([1, 1, -2] as [Float], extents: [3])))
    let gradient = try trace.gradient(of: loss, withRespectTo: [logits])[0]
    try trace.output(loss, name: "loss")
    try trace.output(gradient, name: "gradient")
    let plan = try Plan(trace.graph, inputExtents: [[3, 2]])
    for index in 0..<6 { plan.input(0).storeBytes(of: 0, toByteOffset: index * 4, as: Float.self) }
    try plan.run()
    // Every action has probability ½: ratios ½/e^−1.5 = 2.24 (clipped to 1.2), 1, and ½/e^−0.1 = 0.5526 (0.8, as −2·0.8 is less).
    #expect((plan.output(0).load(as: Float.self) - -(1.2 + 1 - 1.6) / 3).magnitude < 1e-5)
    let gradients = Array(plan.output(1).bindMemory(to: Float.self))
    // Where the ratio is clipped nothing is to be gained.
    #expect(gradients[0] == 0 && gradients[4] == 0 && (gradients[3] - -1.0 / 6).magnitude < 1e-5)
  }

  @Test func cartPoleFollowsItsEquations() {
    var world = CartPole()
    world.state = [0.1, -0.2, 0.05, 0.3]
    let step = world.step(1)
    // Computed by hand from the equations of Barto, Sutton and Anderson, in double precision.
    let (sine, cosine) = (0.04997916927067833, 0.9987502603949663)
    let pull = (10 + 0.05 * 0.09 * sine) / 1.1
    let turning = (9.8 * sine - cosine * pull) / (0.5 * (4.0 / 3 - 0.1 * cosine * cosine / 1.1))
    let pushing = pull - 0.05 * turning * cosine / 1.1
    let expected = [0.1 - 0.004, -0.2 + 0.02 * pushing, 0.05 + 0.006, 0.3 + 0.02 * turning]
    for (a, b) in zip(world.state, expected) { #expect((a - b).magnitude < 1e-12) }
    #expect(step.reward == 1 && !step.isOver)
    world.state = [2.39, 2, 0, 0]
    #expect(world.step(1).isTerminal)
  }

  @Test func acrobotKeepsItsEnergyWithoutTorque() {
    var world = Acrobot()
    world.state = [1, -0.5, 0.2, -0.1]
    func energy(_ s: [Double]) -> Double {
      // Kinetic energy of two links with moments of inertia 1 about their centres, and height of the centres.
      let (first, both) = (s[0], s[0] + s[1])
      let x = 0.25 * s[2] * s[2]
      let (c1, s1) = (sineAndCosine(first).cosine, sineAndCosine(first).sine)
      let (c2, s2) = (sineAndCosine(both).cosine, sineAndCosine(both).sine)
      let vx = c1 * s[2] + 0.5 * c2 * (s[2] + s[3])
      let vy = s1 * s[2] + 0.5 * s2 * (s[2] + s[3])
      let kinetic = 0.5 * (x + vx * vx + vy * vy + s[2] * s[2] + (s[2] + s[3]) * (s[2] + s[3]))
      return kinetic + 9.8 * (-0.5 * c1 - c1 - 0.5 * c2)
    }
    let before = energy(world.state)
    for _ in 0..<5 { _ = world.step(1) }
    // The book's second equation of motion conserves energy; Runge and Kutta's steps nearly do.
    #expect((energy(world.state) - before).magnitude < 0.02 * before.magnitude)
  }

  @Test func bothMethodsFindTheWayThroughAGrid() throws {
    let best = 1 - 0.01 * Double(2 * 4 - 3)
    var options = DQN<GridWorld>.Options()
    options.optimizer = Adam(learningRate: 1e-2)
    options.targetRate = 0.05
    options.warmUp = 200
    options.exploration = (1, 0.05, 1500)
    options.batchSize = 32
    let agent = try DQN(GridWorld(size: 4), seed: 3, options: options) { Dense(4) }
    try agent.train(steps: 3000)
    #expect(try (agent.evaluate(episodes: 1, seed: 1) - best).magnitude < 1e-5)
    #expect(try Policy.returns(of: agent.trained, in: GridWorld(size: 4), episodes: 1, seed: 1)[0] > 0.9)

    var settings = PPO<GridWorld>.Options()
    settings.optimizer = Adam(learningRate: 1e-2)
    settings.horizon = 64
    settings.batchSize = 128
    let policy = try PPO(GridWorld(size: 4), seed: 3, options: settings) {
      Dense(4)
    } value: {
      Dense(1)
    }
    for _ in 0..<25 { try policy.trainRound() }
    #expect(try (policy.evaluate(episodes: 1, seed: 1) - best).magnitude < 1e-5)
  }

  @Test func mistakesAreNamed() {
    var options = PPO<CartPole>.Options()
    options.batchSize = 100
    #expect(throws: NNError.self) {
      try PPO(CartPole(), seed: 1, options: options) {
        Dense(2)
      } value: {
        Dense(1)
      }
    }
    #expect(throws: NNError.self) { try DQN(CartPole(), seed: 1) { Dense(3) } }
  }
}
