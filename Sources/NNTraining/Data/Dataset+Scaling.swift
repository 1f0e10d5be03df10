import NNGraph

extension Dataset {
  /// A layer that brings each feature to mean 0 and variance 1 over these samples. Put it first in the model: it is exported
  /// with it, so that a program gives raw features.
  ///
  /// - Parameter perChannel: whether all features of a channel share mean and variance, for images (C, H, W).
  /// - Throws: ``ErrorCode/invalidArgument`` without samples or for a feature that is not finite, ``ErrorCode/dtypeMismatch`` for
  ///   tokens.
  public func standardization(perChannel: Bool = false) throws(NNError) -> Standardization {
    var means: [Float] = []
    var inverses: [Float] = []
    let groups = try featureGroups(perChannel: perChannel)
    for group in groups.starts {
      let numbers = Double(count * groups.length)
      var sum = 0.0
      each(group, groups.length) { sum += $0 }
      let mean = sum / numbers
      var squares = 0.0
      each(group, groups.length) { squares += ($0 - mean) * ($0 - mean) }
      let deviation = (squares / numbers).squareRoot()
      means.append(Float(mean))
      inverses.append(deviation > 0 ? Float(1 / deviation) : 1)
    }
    return Standardization(mean: means, inverseDeviation: inverses)
  }

  /// A layer that brings each feature of these samples into a range, from its least number to its largest; one that is constant goes
  /// to the range's beginning. Put it first in the model: it is exported with it, so that a program gives raw features.
  ///
  /// - Parameter perChannel: whether all features of a channel share minimum and maximum, for images (C, H, W).
  /// - Throws: ``ErrorCode/invalidArgument`` without samples, or for a feature or a range that is not finite;
  ///   ``ErrorCode/dtypeMismatch`` for tokens.
  public func normalization(
    to range: ClosedRange<Float> = 0...1, perChannel: Bool = false
  ) throws(NNError) -> Normalization {
    let width = Double(range.upperBound) - Double(range.lowerBound)
    guard width > 0, width.isFinite else {
      throw NNError(.invalidArgument, "a range from \(range.lowerBound) to \(range.upperBound)")
    }
    var minima: [Float] = []
    var scales: [Float] = []
    let groups = try featureGroups(perChannel: perChannel)
    for group in groups.starts {
      var (least, largest) = (Double.infinity, -Double.infinity)
      each(group, groups.length) { value in
        least = min(least, value)
        largest = max(largest, value)
      }
      minima.append(Float(least))
      scales.append(largest > least ? Float(width / (largest - least)) : 0)
    }
    return Normalization(minimum: minima, scale: scales, offset: range.lowerBound)
  }

  /// Features that share their numbers: where each group begins in a sample, and how many it has.
  private func featureGroups(perChannel: Bool) throws(NNError) -> (starts: [Int], length: Int) {
    guard inputType == .f32 else { throw NNError(.dtypeMismatch, "tokens have no mean and no range") }
    guard count > 0 else { throw NNError(.invalidArgument, "no samples to take mean or range from") }
    if let place = features.firstIndex(where: { !$0.isFinite }) {
      throw NNError(
        .invalidArgument,
        "sample \(place / sampleSize) has \(features[place]) in feature \(place % sampleSize), hence no mean and no range"
      )
    }
    let length = perChannel ? sampleSize / max(sampleShape.first ?? sampleSize, 1) : 1
    return (Array(stride(from: 0, to: sampleSize, by: length)), length)
  }

  /// The numbers of some features, of all samples.
  private func each(_ first: Int, _ length: Int, _ body: (Double) -> Void) {
    for sample in 0..<count {
      for feature in first..<first + length { body(Double(features[sample * sampleSize + feature])) }
    }
  }
}
