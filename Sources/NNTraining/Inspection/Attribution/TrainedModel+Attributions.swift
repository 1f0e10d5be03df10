import NNGraph

// Which of a sample's numbers a score depends on. Models that take tokens have no gradient with respect to them.
extension TrainedModel {
  /// d score/dx (N, sample…): how the score changes with each number of the samples.
  ///
  /// - Parameters:
  ///   - score: the number of the output that is differentiated; the largest unless told.
  ///   - samples: one after the other.
  ///   - head: whether the score is a logit, as for Simonyan et al. 2013, or a probability.
  /// - Throws: ``ErrorCode/shapeMismatch`` for samples that do not divide, ``ErrorCode/indexOutOfRange`` for a score the
  ///   model does not have, ``ErrorCode/dtypeMismatch`` for a model of tokens, ``ErrorCode/unsupportedOperator`` naming an
  ///   operator without a derivative.
  public func inputGradients(
    of score: ScoreChoice = .largest, for samples: [Float], head: OutputHead = .none, batchSize: Int = 32
  ) throws(NNError) -> Attributions {
    let gradient = try ScoreGradient(self, head: head, layer: nil, batchSize: batchSize)
    let indices = try gradient.indices(score, for: samples)
    return Attributions(
      extents: [indices.count] + sampleShape, values: try gradient.gradients(samples, indices),
      explained: indices)
  }

  /// |d score/dx|: for images (C, H, W) the largest over the channels, (N, H, W). Simonyan, Vedaldi and Zisserman, "Deep
  /// Inside Convolutional Networks", 2013, section 3.
  ///
  /// - Throws: as ``inputGradients(of:for:head:batchSize:)``.
  public func saliency(
    of score: ScoreChoice = .largest, for samples: [Float], head: OutputHead = .none, batchSize: Int = 32
  ) throws(NNError) -> Attributions {
    try inputGradients(of: score, for: samples, head: head, batchSize: batchSize).magnitudes
  }

  /// The mean of gradients at noisy copies of each sample, (N, sample…). Smilkov et al., "SmoothGrad", 2017.
  ///
  /// - Parameters:
  ///   - noise: the standard deviation of the noise as a part of the sample's largest minus its smallest number, 0 or more.
  ///   - draws: noisy copies of each sample, 1 or more.
  /// - Throws: as ``inputGradients(of:for:head:batchSize:)``, and ``ErrorCode/invalidArgument``.
  public func smoothedGradients(
    of score: ScoreChoice = .largest, for samples: [Float], noise: Double = 0.15, draws: Int = 25,
    seed: UInt64 = 0, head: OutputHead = .none, batchSize: Int = 32
  ) throws(NNError) -> Attributions {
    guard noise >= 0, noise.isFinite, draws >= 1, draws <= 1 << 20 else {
      throw NNError(.invalidArgument, "\(draws) draws with a noise of \(noise)")
    }
    let gradient = try ScoreGradient(self, head: head, layer: nil, batchSize: batchSize)
    let indices = try gradient.indices(score, for: samples)
    let width = sampleShape.reduce(1, *)
    var generator = Philox(seed: seed, stream: Philox.stream(of: "smoothed gradients"))
    var means: [Float] = []
    means.reserveCapacity(samples.count)
    for (sample, index) in indices.enumerated() {
      let values = samples[sample * width..<(sample + 1) * width]
      let deviation = noise * Double((values.max() ?? 0) - (values.min() ?? 0))
      var sums = [Double](repeating: 0, count: width)
      // Copies go through in batches, so that many draws take no more memory than a few.
      for first in stride(from: 0, to: draws, by: batchSize) {
        let count = min(batchSize, draws - first)
        var copies: [Float] = []
        copies.reserveCapacity(count * width)
        for _ in 0..<count {
          for value in values { copies.append(value + Float(deviation * generator.normal())) }
        }
        let gradients = try gradient.gradients(copies, [Int](repeating: index, count: count))
        for position in gradients.indices { sums[position % width] += Double(gradients[position]) }
      }
      means += sums.map { Float($0 / Double(draws)) }
    }
    return Attributions(extents: [indices.count] + sampleShape, values: means, explained: indices)
  }

  /// (x − x₀)·∫₀¹ d score/dx at x₀ + t·(x − x₀) dt, (N, sample…), whose sum over a sample is score(x) − score(x₀).
  /// Sundararajan, Taly and Yan, "Axiomatic Attribution for Deep Networks", 2017, section 3.
  ///
  /// The integral is taken by the midpoint rule, so that an error of the sum says that there are too few steps.
  ///
  /// - Parameters:
  ///   - baseline: x₀, a sample, or as many as `samples`; zeros for nil.
  ///   - steps: points of the integral, 1 or more.
  /// - Throws: as ``inputGradients(of:for:head:batchSize:)``, and ``ErrorCode/invalidArgument``.
  public func integratedGradients(
    of score: ScoreChoice = .largest, for samples: [Float], baseline: [Float]? = nil, steps: Int = 50,
    head: OutputHead = .none, batchSize: Int = 32
  ) throws(NNError) -> Attributions {
    guard steps >= 1, steps <= 1 << 20 else {
      throw NNError(.invalidArgument, "an integral of \(steps) steps")
    }
    let gradient = try ScoreGradient(self, head: head, layer: nil, batchSize: batchSize)
    let indices = try gradient.indices(score, for: samples)
    let width = sampleShape.reduce(1, *)
    let origin = baseline ?? [Float](repeating: 0, count: width)
    guard origin.count == width || origin.count == samples.count else {
      throw NNError(
        .shapeMismatch,
        "a baseline of \(origin.count) numbers for samples of \(width), \(samples.count) in all")
    }
    let isShared = origin.count == width
    var attributions: [Float] = []
    attributions.reserveCapacity(samples.count)
    for (sample, index) in indices.enumerated() {
      let base = isShared ? 0 : sample * width
      var sums = [Double](repeating: 0, count: width)
      for first in stride(from: 0, to: steps, by: batchSize) {
        let count = min(batchSize, steps - first)
        var points: [Float] = []
        points.reserveCapacity(count * width)
        for step in first..<first + count {
          let t = (Double(step) + 0.5) / Double(steps)
          for position in 0..<width {
            let start = Double(origin[base + position])
            points.append(Float(start + t * (Double(samples[sample * width + position]) - start)))
          }
        }
        let gradients = try gradient.gradients(points, [Int](repeating: index, count: count))
        for position in gradients.indices { sums[position % width] += Double(gradients[position]) }
      }
      for position in 0..<width {
        let way = Double(samples[sample * width + position]) - Double(origin[base + position])
        attributions.append(Float(way * sums[position] / Double(steps)))
      }
    }
    return Attributions(extents: [indices.count] + sampleShape, values: attributions, explained: indices)
  }
}
