import NNGraph

/// How often each class was taken for each: what accuracy, precision and the like are made of.
public struct ConfusionMatrix: Equatable, Sendable {
  public let classes: Int
  /// Row: the true class. Column: the predicted one. Row-major.
  public private(set) var counts: [Int]

  /// - Parameters:
  ///   - predicted: one class for each sample.
  ///   - targets: the true ones; −1 does not count.
  /// - Throws: ``ErrorCode/shapeMismatch`` for different numbers of samples, ``ErrorCode/indexOutOfRange`` for a class beyond.
  public init(predicted: [Int], targets: [Int], classes: Int) throws(NNError) {
    guard predicted.count == targets.count else {
      throw NNError(.shapeMismatch, "\(predicted.count) predictions for \(targets.count) targets")
    }
    let (size, overflow) = classes.multipliedReportingOverflow(by: classes)
    guard classes >= 1, !overflow, size <= 1 << 28 else {
      throw NNError(.invalidArgument, "a confusion matrix of \(classes) classes")
    }
    self.classes = classes
    counts = [Int](repeating: 0, count: size)
    for (said, truth) in zip(predicted, targets) where truth != -1 {
      guard said >= 0, said < classes, truth >= 0, truth < classes else {
        throw NNError(
          .indexOutOfRange,
          "class \(min(said, truth) < 0 ? min(said, truth) : max(said, truth)) of \(classes)")
      }
      counts[truth * classes + said] += 1
    }
  }

  public subscript(truth: Int, predicted: Int) -> Int { counts[truth * classes + predicted] }

  public var accuracy: Double {
    let right = (0..<classes).reduce(0) { $0 + self[$1, $1] }
    return Double(right) / Double(max(counts.reduce(0, +), 1))
  }

  /// Of the samples called a class, the part that is of it; 0 for a class that none was called.
  public var precision: [Double] {
    (0..<classes).map { index in ratio(self[index, index], (0..<classes).reduce(0) { $0 + self[$1, index] }) }
  }

  /// Of the samples of a class, the part that was called it; 0 for a class without samples.
  public var recall: [Double] {
    (0..<classes).map { index in ratio(self[index, index], (0..<classes).reduce(0) { $0 + self[index, $1] }) }
  }

  /// The harmonic mean of precision and recall of each class.
  public var f1: [Double] {
    zip(precision, recall).map { $0 + $1 > 0 ? 2 * $0 * $1 / ($0 + $1) : 0 }
  }

  /// Intersection over union of each class: hits over everything that is of the class or was called it.
  public var intersectionOverUnion: [Double] {
    (0..<classes).map { index in
      let all = (0..<classes).reduce(0) { $0 + self[$1, index] + self[index, $1] }
      return ratio(self[index, index], all - self[index, index])
    }
  }

  /// The mean over classes, as "macro" averages are.
  public static func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(max(values.count, 1)) }

  private func ratio(_ part: Int, _ whole: Int) -> Double { whole == 0 ? 0 : Double(part) / Double(whole) }
}

extension ConfusionMatrix: CustomStringConvertible {
  /// A table with a row for each true class and a column for each predicted one.
  public var description: String {
    let width = max(counts.map { "\($0)".count }.max() ?? 1, "\(classes - 1)".count) + 1
    func pad(_ text: String) -> String { String(repeating: " ", count: max(width - text.count, 0)) + text }
    var lines = [pad("") + (0..<classes).map { pad("\($0)") }.joined()]
    for truth in 0..<classes {
      lines.append(pad("\(truth)") + (0..<classes).map { pad("\(self[truth, $0])") }.joined())
    }
    return lines.joined(separator: "\n")
  }
}

/// Numbers that say how good predictions are over a whole data set, computed from predictions and targets.
public enum Scores {
  /// The index of the largest number of each row; the first one wins.
  ///
  /// - Throws: ``ErrorCode/shapeMismatch`` unless the numbers divide into rows.
  public static func classes(of scores: [Float], classes: Int) throws(NNError) -> [Int] {
    guard classes >= 1, scores.count % classes == 0 else {
      throw NNError(.shapeMismatch, "\(scores.count) scores do not divide into rows of \(classes)")
    }
    return stride(from: 0, to: scores.count, by: classes).map { first in
      var best = 0
      for index in 1..<max(classes, 1) where scores[first + index] > scores[first + best] { best = index }
      return best
    }
  }

  /// The part of the samples whose class is among the `k` largest scores of its row; equal scores count in favour.
  public static func topK(_ k: Int, scores: [Float], targets: [Int], classes: Int) throws(NNError) -> Double {
    guard k >= 1, classes >= 1, !targets.isEmpty, isProduct(scores.count, targets.count, classes) else {
      throw NNError(
        .shapeMismatch, "\(scores.count) scores for \(targets.count) targets of \(classes) classes")
    }
    var hits = 0
    for (sample, target) in targets.enumerated() {
      guard target >= 0, target < classes else {
        throw NNError(.indexOutOfRange, "sample \(sample) has class \(target) of \(classes)")
      }
      let row = scores[sample * classes..<(sample + 1) * classes]
      let own = scores[sample * classes + target]
      if row.count(where: { $0 > own }) < k { hits += 1 }
    }
    return Double(hits) / Double(targets.count)
  }

  /// The area under the receiver operating characteristic: the probability that a positive sample scores above a negative
  /// one, ties counting half. Hanley and McNeil 1982.
  ///
  /// - Throws: ``ErrorCode/invalidArgument`` unless there are samples of both kinds.
  public static func rocAUC(scores: [Float], isPositive: [Bool]) throws(NNError) -> Double {
    guard scores.count == isPositive.count else {
      throw NNError(.shapeMismatch, "\(scores.count) scores for \(isPositive.count) samples")
    }
    let positives = isPositive.count { $0 }
    let negatives = isPositive.count - positives
    guard positives > 0, negatives > 0, !scores.contains(where: { $0.isNaN }) else {
      throw NNError(
        .invalidArgument, "an area under the curve needs positive and negative samples, and no NaN")
    }
    let order = scores.indices.sorted { scores[$0] < scores[$1] }
    var ranks = 0.0
    var first = 0
    while first < order.count {
      var last = first
      while last + 1 < order.count, scores[order[last + 1]] == scores[order[first]] { last += 1 }
      // Equal scores share the mean of their ranks, which count from 1.
      let rank = Double(first + last) / 2 + 1
      for position in first...last where isPositive[order[position]] { ranks += rank }
      first = last + 1
    }
    return (ranks - Double(positives) * Double(positives + 1) / 2) / (Double(positives) * Double(negatives))
  }

  /// e to the mean cross-entropy in nats: how many equally likely choices a model is unsure between.
  public static func perplexity(crossEntropy: Double) -> Double { exponential(crossEntropy) }

  /// The coefficient of determination, 1 − Σ (t − p)²/Σ (t − mean t)², of each column by itself, and their mean: scikit-learn's
  /// `r2_score` with its default, `uniform_average`. A column whose targets are all the same counts 1 if it was told exactly, else 0.
  ///
  /// - Parameters:
  ///   - predicted: (N, columns), as are the targets.
  ///   - columns: numbers of one target.
  /// - Throws: ``ErrorCode/shapeMismatch``; ``ErrorCode/invalidArgument`` if all samples have the same target.
  public static func r2(predicted: [Float], targets: [Float], columns: Int = 1) throws(NNError) -> Double {
    try requirePairs(predicted, targets)
    guard columns >= 1, targets.count % columns == 0 else {
      throw NNError(.shapeMismatch, "\(targets.count) numbers are no samples with \(columns) targets each")
    }
    var (sum, isDefined) = (0.0, false)
    for column in 0..<columns {
      let places = stride(from: column, to: targets.count, by: columns)
      let mean = places.reduce(0.0) { $0 + Double(targets[$1]) } / Double(targets.count / columns)
      let residual = places.reduce(0.0) { $0 + square(Double(targets[$1]) - Double(predicted[$1])) }
      let total = places.reduce(0.0) { $0 + square(Double(targets[$1]) - mean) }
      if total > 0 { isDefined = true }
      sum += total > 0 ? 1 - residual / total : residual == 0 ? 1 : 0
    }
    guard isDefined else { throw NNError(.invalidArgument, "all targets are the same: R² is not defined") }
    return sum / Double(columns)
  }

  /// √(mean (t − p)²)
  public static func rootMeanSquaredError(predicted: [Float], targets: [Float]) throws(NNError) -> Double {
    try requirePairs(predicted, targets)
    let sum = zip(predicted, targets).reduce(0.0) { $0 + square(Double($1.1) - Double($1.0)) }
    return (sum / Double(targets.count)).squareRoot()
  }

  /// mean |t − p|
  public static func meanAbsoluteError(predicted: [Float], targets: [Float]) throws(NNError) -> Double {
    try requirePairs(predicted, targets)
    let sum = zip(predicted, targets).reduce(0.0) { $0 + (Double($1.1) - Double($1.0)).magnitude }
    return sum / Double(targets.count)
  }

  private static func square(_ x: Double) -> Double { x * x }

  private static func requirePairs(_ predicted: [Float], _ targets: [Float]) throws(NNError) {
    guard predicted.count == targets.count, !targets.isEmpty else {
      throw NNError(.shapeMismatch, "\(predicted.count) predictions for \(targets.count) targets")
    }
  }
}
