import NNGraph

/// What ``Trainer/findLearningRate(_:batchSize:from:to:steps:)`` saw.
public struct LearningRateCurve: Sendable {
  /// The rate of each step, and the loss of its batch, smoothed.
  public var points: [(rate: Double, loss: Double)]
  /// The rate at which the loss fell fastest; nil if it never fell.
  public var suggestion: Double?
}

extension Trainer {
  /// Trains with a rate that rises from step to step until the loss explodes, and puts everything back as it was. Smith 2017,
  /// section 3.3.
  ///
  /// - Throws: ``ErrorCode/invalidArgument`` for rates that do not rise, and what training throws.
  public func findLearningRate(
    _ data: Dataset, batchSize: Int = 32, from: Double = 1e-6, to: Double = 1, steps: Int = 100
  ) throws(NNError) -> LearningRateCurve {
    try require(data)
    guard from > 0, to > from, to.isFinite, steps >= 2, batchSize >= 1, data.count >= 1 else {
      throw NNError(
        .invalidArgument, "learning rates from \(from) to \(to) in \(steps) steps of \(batchSize) samples")
    }
    let size = min(batchSize, data.count)
    _ = try trainingStep(batch: size)
    let before = Recovery(self, FitPosition(sums: []))
    let ratio = exponential(naturalLogarithm(to / from) / Double(steps - 1))
    var generator = Philox(seed: seed, stream: Philox.stream(of: "learning rate"))
    var points: [(rate: Double, loss: Double)] = []
    var average = 0.0
    var rate = from
    for number in 1...steps {
      learningRate = rate
      let rows = (0..<size).map { _ in generator.index(below: data.count) }
      let loss: Double
      do throws(NNError) {
        loss = Double(try trainBatch(data, rows[...]))
      } catch {
        try before.restore(self)
        throw error
      }
      // An average that forgets, corrected for its start at zero.
      average = 0.9 * average + 0.1 * loss
      let smooth = average / (1 - integerPower(0.9, number))
      let least = points.map { $0.loss }.min() ?? smooth
      if !smooth.isFinite || smooth > 4 * least, number > 5 { break }
      points.append((rate, smooth))
      rate *= ratio
    }
    try before.restore(self)
    var steepest: (slope: Double, rate: Double)?
    for index in points.indices.dropFirst() {
      let slope = points[index].loss - points[index - 1].loss
      if slope < steepest?.slope ?? 0 { steepest = (slope, points[index].rate) }
    }
    return LearningRateCurve(points: points, suggestion: steepest?.rate)
  }
}
