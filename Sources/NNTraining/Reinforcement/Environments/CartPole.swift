import NNGraph

/// A pole on a cart that is pushed left (0) or right (1), and is to be kept from falling. Barto, Sutton and Anderson 1983, without
/// friction, with the limits and the 500 steps of the CartPole-v1 that the field compares by.
///
/// Observation: position in m, velocity, angle in rad from upright, angular velocity. Reward 1 for every step. The episode ends when
/// the cart is more than 2.4 m from the middle or the pole more than 12° from upright.
public struct CartPole: Environment {
  /// Position, velocity, angle, angular velocity.
  public var state: [Double] = [0, 0, 0, 0]
  public private(set) var steps = 0
  public let stepLimit: Int

  public init(stepLimit: Int = 500) {
    self.stepLimit = stepLimit
  }

  public var observationSize: Int { 4 }
  public var actionCount: Int { 2 }

  public mutating func reset(using generator: inout Philox) -> [Float] {
    state = (0..<4).map { _ in (generator.uniform() - 0.5) * 0.1 }
    steps = 0
    return state.map { Float($0) }
  }

  public mutating func step(_ action: Int) -> EnvironmentStep {
    let (gravity, cart, pole, halfLength, seconds) = (9.8, 1.0, 0.1, 0.5, 0.02)
    let force = action > 0 ? 10.0 : -10.0
    let (sine, cosine) = sineAndCosine(state[2])
    let total = cart + pole
    let pull = (force + pole * halfLength * state[3] * state[3] * sine) / total
    let inertia = halfLength * (4.0 / 3.0 - pole * cosine * cosine / total)
    let turning = (gravity * sine - cosine * pull) / inertia
    let pushing = pull - pole * halfLength * turning * cosine / total
    // Euler's method: positions follow the velocities from before the step.
    state = [
      state[0] + seconds * state[1], state[1] + seconds * pushing, state[2] + seconds * state[3],
      state[3] + seconds * turning,
    ]
    steps += 1
    let isOut = state[0].magnitude > 2.4
    let hasFallen = state[2].magnitude > 12 * 2 * 3.141592653589793 / 360
    return EnvironmentStep(
      observation: state.map { Float($0) }, reward: 1, isTerminal: isOut || hasFallen,
      isTruncated: steps >= stepLimit)
  }
}
