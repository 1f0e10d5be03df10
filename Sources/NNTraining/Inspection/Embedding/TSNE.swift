import Glibc
import NNGraph

/// Samples as points of a plane, near ones near each other. Van der Maaten and Hinton, "Visualizing Data using t-SNE",
/// 2008, computed exactly: time and memory grow with the square of the number of samples.
///
/// Neighbourhoods mean something, distances between far points and sizes of groups do not.
public struct TSNE: Sendable {
  public struct Options: Equatable, Sendable {
    /// About how many neighbours a sample has, at least 1 and less than a third of the samples: e to the entropy of the
    /// distribution over its neighbours.
    public var perplexity = 30.0
    public var dimensions = 2
    public var iterations = 1000
    /// By how much attraction is multiplied in the first iterations, so that groups form early: section 3.4. 12 rather
    /// than the paper's 4, as van der Maaten 2014 has it.
    public var exaggeration = 12.0
    public var exaggerationIterations = 250
    /// nil for max(N/exaggeration/4, 50): Belkina et al. 2019 for a gradient that has the paper's factor of 4.
    public var learningRate: Double?
    /// What the first positions are drawn from.
    public var seed: UInt64

    public init(perplexity: Double = 30, iterations: Int = 1000, seed: UInt64 = 0) {
      self.perplexity = perplexity
      self.iterations = iterations
      self.seed = seed
    }
  }

  /// The most samples that are taken: 10,000 need 1.6 GB.
  public static let maximumSampleCount = 10_000

  /// (N, dimensions), row-major, with a mean of 0.
  public let coordinates: [Float]
  /// The Kullback–Leibler divergence of the plane's neighbourhoods from those of the samples, in nats, after every
  /// 50th iteration and the last.
  public let divergences: [Double]

  /// - Parameters:
  ///   - samples: one after the other, each of `width` numbers. Euclidean distances count, so bring features to one scale.
  ///   - options: the same give the same bits.
  /// - Throws: ``ErrorCode/shapeMismatch`` for samples that do not divide, ``ErrorCode/invalidArgument`` for numbers that are
  ///   not finite or options out of range, ``ErrorCode/limitExceeded`` for too many samples.
  public init(_ samples: [Float], width: Int, options: Options = Options()) throws(NNError) {
    let count = try TSNE.sampleCount(samples, width)
    guard (1...8).contains(options.dimensions), options.iterations >= 1, options.iterations <= 1 << 20,
      options.exaggeration >= 1, options.exaggeration.isFinite,
      options.learningRate.map({ $0 > 0 && $0.isFinite }) ?? true
    else {
      throw NNError(
        .invalidArgument,
        "t-SNE to \(options.dimensions) dimensions in \(options.iterations) iterations, exaggeration "
          + "\(options.exaggeration), learning rate \(options.learningRate ?? 0)")
    }
    let conditional = try TSNE.conditionalAffinities(samples, width: width, perplexity: options.perplexity)
    // p_ij = (p_j|i + p_i|j)/2N, section 3.1; the floor keeps far pairs from having no attraction at all.
    var joint = conditional
    for i in 0..<count {
      for j in 0..<count {
        joint[i * count + j] = max(
          (conditional[i * count + j] + conditional[j * count + i]) / Double(2 * count), 1e-12)
      }
    }
    var layout = TSNELayout(joint: joint, count: count, options: options)
    var divergences: [Double] = []
    for iteration in 0..<options.iterations {
      layout.step(iteration)
      if (iteration + 1) % 50 == 0 || iteration + 1 == options.iterations {
        divergences.append(layout.divergence())
      }
    }
    coordinates = layout.positions.map { Float($0) }
    self.divergences = divergences
  }

  private static func sampleCount(_ samples: [Float], _ width: Int) throws(NNError) -> Int {
    guard width >= 1, samples.count % width == 0, samples.count / width >= 4 else {
      throw NNError(.shapeMismatch, "\(samples.count) numbers are not four or more samples of \(width)")
    }
    let count = samples.count / width
    guard count <= maximumSampleCount else {
      throw NNError(
        .limitExceeded,
        "t-SNE of \(count) samples; at most \(maximumSampleCount) are taken: select some of them")
    }
    for (index, value) in samples.enumerated() where !value.isFinite {
      throw NNError(.invalidArgument, "t-SNE of sample \(index / width), which holds \(value)")
    }
    return count
  }

  /// p_j|i (N, N): the probability that i would choose j as its neighbour, Gaussian in the distance, equation 1. Each row sums
  /// to 1 and has the perplexity asked for, unless more samples than that lie in one place.
  ///
  /// - Throws: as ``init(_:width:options:)``; ``ErrorCode/invalidArgument`` for a perplexity below 1 or not below N/3.
  public static func conditionalAffinities(
    _ samples: [Float], width: Int, perplexity: Double
  ) throws(NNError) -> [Double] {
    let count = try sampleCount(samples, width)
    guard perplexity >= 1, perplexity < Double(count) / 3 else {
      throw NNError(
        .invalidArgument,
        "a perplexity of \(perplexity) for \(count) samples; it must be at least 1 and less than a third of them"
      )
    }
    var affinities = [Double](repeating: 0, count: count * count)
    for i in 0..<count {
      for j in 0..<i {
        var sum = 0.0
        for index in 0..<width {
          let difference = Double(samples[i * width + index]) - Double(samples[j * width + index])
          sum += difference * difference
        }
        affinities[i * count + j] = sum
        affinities[j * count + i] = sum
      }
    }
    for i in 0..<count {
      affinities.withUnsafeMutableBufferPointer { all in
        distribute(UnsafeMutableBufferPointer(rebasing: all[i * count..<(i + 1) * count]), own: i, perplexity)
      }
    }
    return affinities
  }

  /// Turns the squared distances of a row into probabilities: bisection for the 1/2σ² whose entropy is ln perplexity.
  private static func distribute(
    _ row: UnsafeMutableBufferPointer<Double>, own: Int, _ perplexity: Double
  ) {
    var nearest = Double.infinity
    for (j, distance) in row.enumerated() where j != own { nearest = min(nearest, distance) }
    // Differences from the nearest keep the exponentials from underflowing all at once.
    func spread(_ precision: Double) -> (sum: Double, entropy: Double) {
      var sum = 0.0
      var weighted = 0.0
      for (j, distance) in row.enumerated() where j != own {
        let e = exp(-(distance - nearest) * precision)
        sum += e
        weighted += e * (distance - nearest)
      }
      return (sum, log(sum) + precision * weighted / sum)
    }
    let target = log(perplexity)
    var (low, high) = (0.0, Double.infinity)
    var precision = 1.0
    for _ in 0..<200 {
      let difference = spread(precision).entropy - target
      if difference.magnitude < 1e-9 { break }
      if difference > 0 {
        low = precision
        let next = high.isFinite ? (low + high) / 2 : precision * 2
        guard next.isFinite else { break }
        precision = next
      } else {
        high = precision
        precision = (low + high) / 2
      }
    }
    let sum = spread(precision).sum
    for j in row.indices { row[j] = j == own ? 0 : exp(-(row[j] - nearest) * precision) / sum }
  }
}

/// Points that move down the gradient of the divergence.
private struct TSNELayout {
  private let joint: [Double]
  private let count: Int
  private let options: TSNE.Options
  private let learningRate: Double
  private(set) var positions: [Double]
  private var velocity: [Double]
  private var gains: [Double]
  private var gradient: [Double]
  /// (1 + |yᵢ − yⱼ|²)⁻¹, (N, N).
  private var closeness: [Double]

  init(joint: [Double], count: Int, options: TSNE.Options) {
    self.joint = joint
    self.count = count
    self.options = options
    learningRate = options.learningRate ?? max(Double(count) / options.exaggeration / 4, 50)
    let size = count * options.dimensions
    var generator = Philox(seed: options.seed, stream: Philox.stream(of: "t-SNE"))
    positions = (0..<size).map { _ in 1e-4 * generator.normal() }
    velocity = [Double](repeating: 0, count: size)
    gains = [Double](repeating: 1, count: size)
    gradient = velocity
    closeness = [Double](repeating: 0, count: count * count)
  }

  /// Fills ``closeness`` and gives its sum over all pairs.
  private mutating func measure() -> Double {
    let (count, dimensions) = (count, options.dimensions)
    var total = 0.0
    positions.withUnsafeBufferPointer { y in
      closeness.withUnsafeMutableBufferPointer { closeness in
        for i in 0..<count {
          for j in 0..<i {
            var square = 0.0
            for axis in 0..<dimensions {
              let difference = y[i * dimensions + axis] - y[j * dimensions + axis]
              square += difference * difference
            }
            let value = 1 / (1 + square)
            closeness[i * count + j] = value
            closeness[j * count + i] = value
            total += 2 * value
          }
        }
      }
    }
    return max(total, .leastNormalMagnitude)
  }

  /// ∂C/∂yᵢ = 4 Σⱼ (p_ij − q_ij)(yᵢ − yⱼ)(1 + |yᵢ − yⱼ|²)⁻¹, equation 5.
  private mutating func differentiate(exaggeration: Double) {
    let total = measure()
    let (count, dimensions) = (count, options.dimensions)
    joint.withUnsafeBufferPointer { p in
      positions.withUnsafeBufferPointer { y in
        closeness.withUnsafeBufferPointer { closeness in
          gradient.withUnsafeMutableBufferPointer { gradient in
            for index in gradient.indices { gradient[index] = 0 }
            for i in 0..<count {
              for j in 0..<count where j != i {
                let near = closeness[i * count + j]
                let force = 4 * (exaggeration * p[i * count + j] - near / total) * near
                for axis in 0..<dimensions {
                  gradient[i * dimensions + axis] +=
                    force * (y[i * dimensions + axis] - y[j * dimensions + axis])
                }
              }
            }
          }
        }
      }
    }
  }

  /// One step with momentum, 0.5 early and 0.8 later, and a gain for each coordinate that grows while its gradient keeps
  /// its direction (Jacobs 1988), as section 3.4 says.
  mutating func step(_ iteration: Int) {
    let isEarly = iteration < options.exaggerationIterations
    differentiate(exaggeration: isEarly ? options.exaggeration : 1)
    let momentum = isEarly ? 0.5 : 0.8
    for index in positions.indices {
      let keeps = (gradient[index] > 0) == (velocity[index] < 0)
      gains[index] = keeps ? gains[index] + 0.2 : max(gains[index] * 0.8, 0.01)
      velocity[index] = momentum * velocity[index] - learningRate * gains[index] * gradient[index]
      positions[index] += velocity[index]
    }
    for axis in 0..<options.dimensions {
      var mean = 0.0
      for i in 0..<count { mean += positions[i * options.dimensions + axis] }
      mean /= Double(count)
      for i in 0..<count { positions[i * options.dimensions + axis] -= mean }
    }
  }

  /// Σ p_ij·ln(p_ij/q_ij), without exaggeration.
  mutating func divergence() -> Double {
    let total = measure()
    var sum = 0.0
    for i in 0..<count {
      for j in 0..<count where j != i {
        let q = max(closeness[i * count + j] / total, 1e-12)
        sum += joint[i * count + j] * log(joint[i * count + j] / q)
      }
    }
    return sum
  }
}
