import NNGraph

/// Principal components: the orthogonal directions in which samples vary most. Pearson 1901.
public struct PCA: Sendable {
  public let mean: [Double]
  /// Directions of length 1, the one of most variance first.
  public let components: [[Double]]
  /// The variance along each component.
  public let variances: [Double]

  /// All eigenvectors of the covariance matrix are found, in a time that grows with the cube of `width`;
  /// ``leading(_:width:components:)`` finds the first few of wide samples.
  ///
  /// - Parameters:
  ///   - samples: one after the other, each of `width` numbers; two at least.
  ///   - components: how many directions to keep, at most `width`.
  /// - Throws: ``ErrorCode/shapeMismatch``, ``ErrorCode/invalidArgument``.
  public init(_ samples: [Float], width: Int, components count: Int) throws(NNError) {
    guard width >= 1, samples.count % width == 0, samples.count / width >= 2 else {
      throw NNError(.shapeMismatch, "\(samples.count) numbers are not two or more samples of \(width)")
    }
    guard count >= 1, count <= width else {
      throw NNError(.invalidArgument, "\(count) components of samples with \(width) numbers")
    }
    let rows = samples.count / width
    var mean = [Double](repeating: 0, count: width)
    for index in samples.indices { mean[index % width] += Double(samples[index]) }
    mean = mean.map { $0 / Double(rows) }
    var covariance = [[Double]](repeating: [Double](repeating: 0, count: width), count: width)
    for row in 0..<rows {
      let centred = (0..<width).map { Double(samples[row * width + $0]) - mean[$0] }
      for i in 0..<width where centred[i] != 0 {
        for j in i..<width { covariance[i][j] += centred[i] * centred[j] }
      }
    }
    for i in 0..<width {
      for j in i..<width {
        covariance[i][j] /= Double(rows - 1)
        covariance[j][i] = covariance[i][j]
      }
    }
    let (values, vectors) = PCA.eigen(covariance)
    let order = values.indices.sorted { (values[$1], $0) < (values[$0], $1) }.prefix(count)
    self.init(
      mean: mean, components: order.map { index in vectors.map { $0[index] } },
      variances: order.map { max(values[$0], 0) })
  }

  /// The signs of components are arbitrary: their largest elements are made positive.
  init(mean: [Double], components: [[Double]], variances: [Double]) {
    self.mean = mean
    self.variances = variances
    self.components = components.map { vector in
      let largest = vector.max { $0.magnitude < $1.magnitude } ?? 0
      return largest < 0 ? vector.map { -$0 } : vector
    }
  }

  /// Eigenvalues and eigenvectors (as columns) of a symmetric matrix, by Jacobi's rotations.
  static func eigen(_ matrix: [[Double]]) -> (values: [Double], vectors: [[Double]]) {
    var a = matrix
    let n = a.count
    var v = (0..<n).map { i in (0..<n).map { $0 == i ? 1.0 : 0.0 } }
    for _ in 0..<60 {
      var rest = 0.0
      var whole = 0.0
      for i in 0..<n {
        for j in 0..<n {
          whole += a[i][j] * a[i][j]
          if i != j { rest += a[i][j] * a[i][j] }
        }
      }
      if rest <= whole * 1e-24 { break }
      for p in 0..<n - 1 {
        for q in p + 1..<n where a[p][q] != 0 {
          let theta = (a[q][q] - a[p][p]) / (2 * a[p][q])
          let t = (theta < 0 ? -1 : 1) / (theta.magnitude + (theta * theta + 1).squareRoot())
          let c = 1 / (t * t + 1).squareRoot()
          let s = t * c
          for k in 0..<n {
            let (akp, akq) = (a[k][p], a[k][q])
            a[k][p] = c * akp - s * akq
            a[k][q] = s * akp + c * akq
          }
          for k in 0..<n {
            let (apk, aqk) = (a[p][k], a[q][k])
            a[p][k] = c * apk - s * aqk
            a[q][k] = s * apk + c * aqk
            let (vkp, vkq) = (v[k][p], v[k][q])
            v[k][p] = c * vkp - s * vkq
            v[k][q] = s * vkp + c * vkq
          }
        }
      }
    }
    return ((0..<n).map { a[$0][$0] }, v)
  }

  /// Each sample's coordinates along the components, sample after sample.
  ///
  /// - Throws: ``ErrorCode/shapeMismatch`` unless the numbers are whole samples.
  public func transform(_ samples: [Float]) throws(NNError) -> [Float] {
    let width = mean.count
    guard samples.count % width == 0 else {
      throw NNError(.shapeMismatch, "\(samples.count) numbers are not samples of \(width)")
    }
    var coordinates: [Float] = []
    for first in stride(from: 0, to: samples.count, by: width) {
      for component in components {
        var sum = 0.0
        for index in 0..<width { sum += component[index] * (Double(samples[first + index]) - mean[index]) }
        coordinates.append(Float(sum))
      }
    }
    return coordinates
  }

  /// The samples that have the given coordinates and nothing beyond the components.
  ///
  /// - Throws: ``ErrorCode/shapeMismatch`` unless there is a coordinate for each component.
  public func inverseTransform(_ coordinates: [Float]) throws(NNError) -> [Float] {
    let count = components.count
    guard coordinates.count % count == 0 else {
      throw NNError(
        .shapeMismatch, "\(coordinates.count) numbers are not coordinates along \(count) components")
    }
    var samples: [Float] = []
    for first in stride(from: 0, to: coordinates.count, by: count) {
      for index in mean.indices {
        var sum = mean[index]
        for (position, component) in components.enumerated() {
          sum += component[index] * Double(coordinates[first + position])
        }
        samples.append(Float(sum))
      }
    }
    return samples
  }
}
