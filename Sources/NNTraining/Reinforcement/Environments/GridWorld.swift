import NNGraph

/// A square of fields with a start in one corner, a goal in the other, and pits between: the smallest world in which planning pays.
///
/// Actions: up, right, down, left; a wall leaves one where one is. Observation: one number for each field, 1 where the agent is. Reward
/// −0.01 for every step, 1 at the goal, −1 in a pit; both end the episode. From the start, the best return is 1 − 0.01·(2·size − 3).
public struct GridWorld: Environment {
  public let size: Int
  /// Row and column of each pit.
  public let pits: [[Int]]
  public let stepLimit: Int
  private var row = 0
  private var column = 0
  private var steps = 0

  /// Pits lie where row and column are both odd, so that every shortest way has room between them.
  public init(size: Int = 5, stepLimit: Int = 100) {
    self.size = max(size, 2)
    self.stepLimit = stepLimit
    pits = stride(from: 1, to: self.size - 1, by: 2).flatMap { row in
      stride(from: 1, to: max(size, 2) - 1, by: 2).map { [row, $0] }
    }
  }

  public var observationSize: Int { size * size }
  public var actionCount: Int { 4 }

  public mutating func reset(using generator: inout Philox) -> [Float] {
    (row, column, steps) = (0, 0, 0)
    return observation
  }

  public mutating func step(_ action: Int) -> EnvironmentStep {
    switch min(max(action, 0), 3) {
    case 0: row = max(row - 1, 0)
    case 1: column = min(column + 1, size - 1)
    case 2: row = min(row + 1, size - 1)
    default: column = max(column - 1, 0)
    }
    steps += 1
    let isGoal = row == size - 1 && column == size - 1
    let isPit = pits.contains([row, column])
    return EnvironmentStep(
      observation: observation, reward: isGoal ? 1 : isPit ? -1 : -0.01, isTerminal: isGoal || isPit,
      isTruncated: steps >= stepLimit)
  }

  private var observation: [Float] {
    var fields = [Float](repeating: 0, count: size * size)
    fields[row * size + column] = 1
    return fields
  }
}
