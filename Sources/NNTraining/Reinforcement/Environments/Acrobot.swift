import NNGraph

/// Two links that hang from a joint; a torque of −1, 0 or 1 (actions 0, 1, 2) between them is to swing the end above a line. Sutton 1996,
/// with the constants of Sutton and Barto's book, section 11.3 of the first edition, integrated by Runge and Kutta's fourth-order
/// method over 0.2 s, and the 500 steps of the Acrobot-v1 that the field compares by.
///
/// Observation: cosine and sine of both angles, both angular velocities. Reward −1 for every step but the last of a success.
public struct Acrobot: Environment {
  /// First angle from hanging, second relative to the first, both angular velocities.
  public var state: [Double] = [0, 0, 0, 0]
  public private(set) var steps = 0
  public let stepLimit: Int

  public init(stepLimit: Int = 500) {
    self.stepLimit = stepLimit
  }

  public var observationSize: Int { 6 }
  public var actionCount: Int { 3 }

  public mutating func reset(using generator: inout Philox) -> [Float] {
    state = (0..<4).map { _ in (generator.uniform() - 0.5) * 0.2 }
    steps = 0
    return observation
  }

  public mutating func step(_ action: Int) -> EnvironmentStep {
    let torque = Double(min(max(action, 0), 2) - 1)
    let span = 0.2
    func moved(_ by: [Double], _ factor: Double) -> [Double] { zip(state, by).map { $0 + factor * $1 } }
    let k1 = Acrobot.derivative(state, torque)
    let k2 = Acrobot.derivative(moved(k1, span / 2), torque)
    let k3 = Acrobot.derivative(moved(k2, span / 2), torque)
    let k4 = Acrobot.derivative(moved(k3, span), torque)
    for index in 0..<4 {
      let slope = k1[index] + 2 * k2[index] + 2 * k3[index] + k4[index]
      state[index] += span / 6 * slope
    }
    let pi = 3.141592653589793
    for index in 0..<2 {
      while state[index] > pi { state[index] -= 2 * pi }
      while state[index] < -pi { state[index] += 2 * pi }
    }
    state[2] = min(max(state[2], -4 * pi), 4 * pi)
    state[3] = min(max(state[3], -9 * pi), 9 * pi)
    steps += 1
    let height = -sineAndCosine(state[0]).cosine - sineAndCosine(state[0] + state[1]).cosine
    let isUp = height > 1
    return EnvironmentStep(
      observation: observation, reward: isUp ? 0 : -1, isTerminal: isUp, isTruncated: steps >= stepLimit)
  }

  private var observation: [Float] {
    let (first, second) = (sineAndCosine(state[0]), sineAndCosine(state[1]))
    return [first.cosine, first.sine, second.cosine, second.sine, state[2], state[3]].map { Float($0) }
  }

  /// Links of mass 1, length 1, centre of mass in the middle, moment of inertia 1; gravity 9.8.
  private static func derivative(_ s: [Double], _ torque: Double) -> [Double] {
    let (gravity, middle) = (9.8, 0.5)
    let second = sineAndCosine(s[1])
    let d1 = middle * middle + (1 + middle * middle + 2 * middle * second.cosine) + 2
    let d2 = middle * middle + middle * second.cosine + 1
    // cos(x − π/2) is sin x.
    let phi2 = middle * gravity * sineAndCosine(s[0] + s[1]).sine
    let swing = -middle * s[3] * s[3] * second.sine - 2 * middle * s[3] * s[2] * second.sine
    let phi1 = swing + (middle + 1) * gravity * sineAndCosine(s[0]).sine + phi2
    let push = torque + d2 / d1 * phi1 - middle * s[2] * s[2] * second.sine - phi2
    let bend = push / (middle * middle + 1 - d2 * d2 / d1)
    let turn = -(d2 * bend + phi1) / d1
    return [s[2], s[3], turn, bend]
  }
}
