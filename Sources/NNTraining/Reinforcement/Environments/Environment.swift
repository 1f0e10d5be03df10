import NNGraph

/// A world that an agent acts in, one step after the other.
public protocol Environment: Sendable {
  /// How many numbers an observation has.
  var observationSize: Int { get }
  /// Actions are 0..<actionCount.
  var actionCount: Int { get }

  /// Begins an episode.
  ///
  /// - Returns: the first observation.
  mutating func reset(using generator: inout Philox) -> [Float]

  /// Acts. An action beyond the last counts as the last, one below 0 as 0. After an episode's end only ``reset(using:)`` makes sense.
  mutating func step(_ action: Int) -> EnvironmentStep
}

/// What an action led to.
public struct EnvironmentStep: Equatable, Sendable {
  public var observation: [Float]
  public var reward: Float
  /// Whether the episode has reached its end: nothing is to be gained afterwards.
  public var isTerminal: Bool
  /// Whether the episode was cut off at its time limit, in a state from which it would go on.
  public var isTruncated: Bool

  public var isOver: Bool { isTerminal || isTruncated }
}
