import NNGraph

extension PCA {
  /// The first few principal components of samples that may be wide, by orthogonal iteration over the samples themselves
  /// (Golub and Van Loan, "Matrix Computations", section 8.2.4): no matrix of `width` squared is formed.
  ///
  /// The iteration goes on until variances no longer change by 10⁻¹⁰ of themselves, or for 300 rounds: of components with
  /// nearly the same variance, the plane they span is found before each of them.
  ///
  /// - Parameters:
  ///   - samples: one after the other, each of `width` numbers; two at least.
  ///   - components: how many directions to keep, at most `width`.
  /// - Throws: ``ErrorCode/shapeMismatch``, ``ErrorCode/invalidArgument``.
  public static func leading(_ samples: [Float], width: Int, components count: Int) throws(NNError) -> PCA {
    guard width >= 1, samples.count % width == 0, samples.count / width >= 2 else {
      throw NNError(.shapeMismatch, "\(samples.count) numbers are not two or more samples of \(width)")
    }
    guard count >= 1, count <= width else {
      throw NNError(.invalidArgument, "\(count) components of samples with \(width) numbers")
    }
    // A few directions more than asked for make the iteration converge faster.
    let block = min(count + 8, width)
    let rows = samples.count / width
    var mean = [Double](repeating: 0, count: width)
    for index in samples.indices { mean[index % width] += Double(samples[index]) }
    mean = mean.map { $0 / Double(rows) }
    var centred = samples.map { Double($0) }
    for index in centred.indices { centred[index] -= mean[index % width] }

    var generator = Philox(seed: 0, stream: Philox.stream(of: "principal components"))
    var basis = orthonormal((0..<block).map { _ in (0..<width).map { _ in generator.normal() } })
    var variances = [Double](repeating: 0, count: block)
    for _ in 0..<300 {
      let images = basis.map { covarianceTimes($0, centred, rows) }
      // Rayleigh–Ritz: the best directions within the plane spanned so far.
      let projected = basis.map { direction in images.map { dot(direction, $0) } }
      let (values, vectors) = eigen(projected)
      let order = values.indices.sorted { (values[$1], $0) < (values[$0], $1) }
      let next = orthonormal(
        order.map { index in
          var mixed = [Double](repeating: 0, count: width)
          for (row, image) in images.enumerated() {
            let part = vectors[row][index]
            for position in 0..<width { mixed[position] += part * image[position] }
          }
          return mixed
        })
      let found = order.map { max(values[$0], 0) }
      let isDone = (0..<count).allSatisfy {
        (found[$0] - variances[$0]).magnitude <= 1e-10 * max(found[$0], found[0] * 1e-12)
      }
      (basis, variances) = (next, found)
      if isDone { break }
    }
    return PCA(mean: mean, components: Array(basis.prefix(count)), variances: Array(variances.prefix(count)))
  }

  private static func dot(_ a: [Double], _ b: [Double]) -> Double {
    var sum = 0.0
    for index in a.indices { sum += a[index] * b[index] }
    return sum
  }

  /// Xᵀ·(X·v)/(rows − 1) for centred samples X (rows, width).
  private static func covarianceTimes(_ vector: [Double], _ centred: [Double], _ rows: Int) -> [Double] {
    let width = vector.count
    var result = [Double](repeating: 0, count: width)
    for row in 0..<rows {
      let base = row * width
      var along = 0.0
      for index in 0..<width { along += centred[base + index] * vector[index] }
      for index in 0..<width { result[index] += along * centred[base + index] }
    }
    return result.map { $0 / Double(rows - 1) }
  }

  /// Gram–Schmidt, twice for the sake of rounding. What depends on the vectors before becomes an axis that does not.
  private static func orthonormal(_ vectors: [[Double]]) -> [[Double]] {
    var result: [[Double]] = []
    for vector in vectors {
      let scale = dot(vector, vector).squareRoot()
      var axis = 0
      var candidate = scale > 0 && scale.isFinite ? vector.map { $0 / scale } : unit(0, vector.count)
      while true {
        for _ in 0..<2 {
          for other in result {
            let part = dot(candidate, other)
            for index in candidate.indices { candidate[index] -= part * other[index] }
          }
        }
        let length = dot(candidate, candidate).squareRoot()
        if length > 1e-10 || axis >= vector.count {
          result.append(length > 0 ? candidate.map { $0 / length } : candidate)
          break
        }
        candidate = unit(axis, vector.count)
        axis += 1
      }
    }
    return result
  }

  private static func unit(_ axis: Int, _ count: Int) -> [Double] {
    (0..<count).map { $0 == axis ? 1 : 0 }
  }
}
