import Glibc
import NNGraph

/// What one operation of a training step takes, see ``Trainer/profileStep(_:_:runs:)``.
public struct OperationTime: Sendable {
  /// The operator and, where it has one, its function: `matmul`, `binary multiply`. Elementwise operators that run as one chain are
  /// told as one: the last of them.
  public var operation: String
  /// The layer that the operation belongs to; empty for losses, optimisers and the like.
  public var layer: String
  /// The shape of the result.
  public var shape: [Int]
  public var seconds: Double
}

extension Trainer {
  /// Measures each operation of the training step for the samples at `indices`: where a step's time goes.
  ///
  /// The parameters are updated as by `runs` steps. One thread works, whatever the options say.
  ///
  /// - Parameter runs: steps to measure, at least 1; the shortest time of each operation counts.
  /// - Throws: as ``trainBatch(_:_:)``; ``ErrorCode/invalidArgument`` for no run.
  public func profileStep(_ data: Dataset, _ indices: ArraySlice<Int>, runs: Int = 10) throws(NNError)
    -> [OperationTime]
  {
    try require(data, indices)
    let training = try trainingStep(batch: indices.count)
    training.load(data, indices, step: step + 1, seed: seed, learningRate: learningRate)
    return try training.plan.profile(runs: runs, now: monotonicSeconds).map { entry in
      OperationTime(
        operation: entry.node.op.profileName, layer: entry.node.name.string,
        shape: entry.type.shape.extents ?? [],
        seconds: entry.seconds)
    }
  }
}

private func monotonicSeconds() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_MONOTONIC, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}

extension Op {
  fileprivate var profileName: String {
    switch self {
    case .unary(let activation): "\(name) \(activation.function)"
    case .binary(let function): "\(name) \(function)"
    case .reduce(let reduce): "\(name) \(reduce.function)"
    case .compare(let function): "\(name) \(function)"
    case .recurrent(let recurrent), .recurrentGradient(let recurrent, _): "\(name) \(recurrent.kind)"
    case .select, .argument, .matmul, .convolution, .pool, .normalize, .softmax, .reshape, .transpose,
      .expand, .slice,
      .pad, .concat, .gather, .scatter, .argsort, .cast, .dynamic, .random, .normalizeTraining,
      .convolutionWeightGradient,
      .unfold, .fold, .poolGradient:
      "\(name)"
    }
  }
}
