import NNGraph

// Numbers that one class, or many samples of it, cannot make look good
extension ConfusionMatrix {
  /// Samples of each class.
  public var support: [Int] {
    (0..<classes).map { index in (0..<classes).reduce(0) { $0 + self[index, $1] } }
  }

  /// Samples that were called each class.
  private var called: [Int] {
    (0..<classes).map { index in (0..<classes).reduce(0) { $0 + self[$1, index] } }
  }

  /// The mean of the recalls of the classes that have samples: accuracy as if all were equally frequent.
  public var balancedAccuracy: Double {
    let present = zip(recall, support).filter { $0.1 > 0 }.map { $0.0 }
    return ConfusionMatrix.mean(present)
  }

  /// The mean over classes weighted by their samples, as "weighted" averages are.
  public func weightedMean(_ values: [Double]) -> Double {
    let total = support.reduce(0, +)
    guard total > 0 else { return 0 }
    return zip(values, support).reduce(0) { $0 + $1.0 * Double($1.1) } / Double(total)
  }

  /// Matthews's correlation of predictions and classes, −1…1, in the form of Gorodkin 2004 for several classes; 0 if all samples
  /// are of one class or are called one.
  public var matthewsCorrelation: Double {
    let total = Double(counts.reduce(0, +))
    let right = Double((0..<classes).reduce(0) { $0 + self[$1, $1] })
    let (truths, predictions) = (support.map { Double($0) }, called.map { Double($0) })
    let product = zip(truths, predictions).reduce(0) { $0 + $1.0 * $1.1 }
    let a = total * total - truths.reduce(0) { $0 + $1 * $1 }
    let b = total * total - predictions.reduce(0) { $0 + $1 * $1 }
    guard a > 0, b > 0 else { return 0 }
    return (right * total - product) / (a * b).squareRoot()
  }

  /// How much better than chance the predictions agree with the classes: 1 for always, 0 as by chance. Cohen 1960.
  public var cohensKappa: Double {
    let total = Double(counts.reduce(0, +))
    guard total > 0 else { return 0 }
    let chance = zip(support, called).reduce(0) { $0 + Double($1.0) / total * Double($1.1) / total }
    return chance < 1 ? (accuracy - chance) / (1 - chance) : 0
  }
}

// Over scores and probabilities
extension Scores {
  /// The mean precision over the recall, Σ (Rₙ − Rₙ₋₁)·Pₙ, at each of the scores as a threshold: the area under the curve of
  /// precision and recall without interpolation, as in scikit-learn.
  ///
  /// - Throws: ``ErrorCode/invalidArgument`` without positive samples.
  public static func averagePrecision(scores: [Float], isPositive: [Bool]) throws(NNError) -> Double {
    guard scores.count == isPositive.count else {
      throw NNError(.shapeMismatch, "\(scores.count) scores for \(isPositive.count) samples")
    }
    let positives = isPositive.count { $0 }
    guard positives > 0, !scores.contains(where: { $0.isNaN }) else {
      throw NNError(.invalidArgument, "an average precision needs positive samples, and no NaN")
    }
    let order = scores.indices.sorted { scores[$0] > scores[$1] }
    var (hits, area, first) = (0, 0.0, 0)
    while first < order.count {
      var last = first
      while last + 1 < order.count, scores[order[last + 1]] == scores[order[first]] { last += 1 }
      let before = hits
      hits += order[first...last].count { isPositive[$0] }
      first = last + 1
      area += Double(hits - before) / Double(positives) * Double(hits) / Double(first)
    }
    return area
  }

  /// The mean over classes of ``rocAUC(scores:isPositive:)`` of each class against the others, unweighted.
  ///
  /// - Parameter scores: a row of one score for each class for each sample.
  /// - Throws: as there; each class must have samples.
  public static func macroAUC(scores: [Float], targets: [Int], classes: Int) throws(NNError) -> Double {
    guard classes >= 2, isProduct(scores.count, targets.count, classes) else {
      throw NNError(
        .shapeMismatch, "\(scores.count) scores for \(targets.count) targets of \(classes) classes")
    }
    var sum = 0.0
    for index in 0..<classes {
      let column = targets.indices.map { scores[$0 * classes + index] }
      do throws(NNError) {
        sum += try rocAUC(scores: column, isPositive: targets.map { $0 == index })
      } catch {
        throw error.within("class \(index)")
      }
    }
    return sum / Double(classes)
  }

  /// The mean of (p − t)² over probabilities p of an event and t, 1 where it came about and else 0. Brier 1950.
  public static func brier(probabilities: [Float], happened: [Bool]) throws(NNError) -> Double {
    let error = try rootMeanSquaredError(predicted: probabilities, targets: happened.map { $0 ? 1 : 0 })
    return error * error
  }
}

// Over numbers
extension Scores {
  /// The median of |t − p|, which single bad predictions do not move.
  public static func medianAbsoluteError(predicted: [Float], targets: [Float]) throws(NNError) -> Double {
    let errors = try errors(predicted, targets).map { $0.magnitude }.sorted()
    let middle = errors.count / 2
    return errors.count % 2 == 1 ? errors[middle] : (errors[middle - 1] + errors[middle]) / 2
  }

  /// The largest |t − p|.
  public static func maximumError(predicted: [Float], targets: [Float]) throws(NNError) -> Double {
    try errors(predicted, targets).map { $0.magnitude }.max() ?? 0
  }

  /// The mean of |t − p|/|t|, as a part, not per cent; a target of 0 counts as 2⁻⁵², as in scikit-learn.
  public static func meanAbsolutePercentageError(predicted: [Float], targets: [Float]) throws(NNError)
    -> Double
  {
    let parts = try zip(errors(predicted, targets), targets).map {
      $0.magnitude / max(Double($1).magnitude, Double.ulpOfOne)
    }
    return parts.reduce(0, +) / Double(parts.count)
  }

  /// 1 − variance of t − p/variance of t: as R², but a constant offset of all predictions does not count.
  public static func explainedVariance(predicted: [Float], targets: [Float]) throws(NNError) -> Double {
    let total = variance(targets.map { Double($0) })
    guard total > 0 else {
      throw NNError(.invalidArgument, "all targets are the same: explained variance is not defined")
    }
    return 1 - variance(try errors(predicted, targets)) / total
  }

  private static func errors(_ predicted: [Float], _ targets: [Float]) throws(NNError) -> [Double] {
    guard predicted.count == targets.count, !targets.isEmpty else {
      throw NNError(.shapeMismatch, "\(predicted.count) predictions for \(targets.count) targets")
    }
    guard !predicted.contains(where: { $0.isNaN }), !targets.contains(where: { $0.isNaN }) else {
      throw NNError(.invalidArgument, "predictions or targets are NaN")
    }
    return zip(predicted, targets).map { Double($1) - Double($0) }
  }

  private static func variance(_ values: [Double]) -> Double {
    let mean = values.reduce(0, +) / Double(max(values.count, 1))
    return values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(max(values.count, 1))
  }
}
