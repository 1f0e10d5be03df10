import NNGraph
import NNTraining

/// How good a trained network is on samples that it has never seen.
struct HeldOutResults {
  /// Several lines, the last of which begins with `result:`.
  let text: String

  /// Classes up to which a table of confusions is printed.
  private static let tableLimit = 12
  /// Classes up to which confusions are counted.
  private static let matrixLimit = 4096

  /// - Parameter signs: whether the network tells two classes by the sign of one number.
  init(_ task: LearningTask, _ held: Dataset?, signs: Bool, predicting model: TrainedModel) throws(NNError) {
    guard let held else {
      text = "result: no samples held out"
      return
    }
    let predicted = try model.predict(held)
    switch held.targets {
    case .values(let targets, let shape):
      text = try HeldOutResults.regression(predicted, targets, held.count, columns: shape.reduce(1, *))
    case .classes(let targets):
      let classes =
        signs
        ? predicted.map { $0 > 0 ? 1 : 0 } : try Scores.classes(of: predicted, classes: task.classNames.count)
      text = try HeldOutResults.classification(classes, targets, task.classNames)
    case .positions:
      throw NNError(.invalidArgument, "targets with a class at each position")
    }
  }

  /// R² is the mean over the columns, as of ``Scores/r2(predicted:targets:columns:)``.
  private static func regression(
    _ predicted: [Float], _ targets: [Float], _ count: Int, columns: Int
  ) throws(NNError) -> String {
    let error = try Scores.rootMeanSquaredError(predicted: predicted, targets: targets)
    let absolute = try Scores.meanAbsoluteError(predicted: predicted, targets: targets)
    // Of targets that are all the same, which a small part may have, it is not defined.
    let isDefined = targets.indices.contains { targets[$0] != targets[$0 % columns] }
    let r2 =
      isDefined ? try Scores.r2(predicted: predicted, targets: targets, columns: columns) : Double.nan
    let r2Text = isDefined ? r2.fixed(4) : "undefined"
    return
      "held-out: R2 \(r2Text), RMSE \(error.significant(4)), MAE \(absolute.significant(4)) over \(samples(count))\n"
      + "result: held-out R2=\(r2Text)"
  }

  private static func classification(_ predicted: [Int], _ targets: [Int], _ names: [String]) throws(NNError)
    -> String
  {
    let right = zip(predicted, targets).count { $0 == $1 }
    let accuracy = Double(right) / Double(max(targets.count, 1))
    var line = "held-out: accuracy \(accuracy.fixed(4))"
    var lines: [String] = []
    if names.count <= matrixLimit {
      let matrix = try ConfusionMatrix(predicted: predicted, targets: targets, classes: names.count)
      // Classes without samples among those held out say nothing.
      let present = zip(matrix.f1, matrix.support).filter { $0.1 > 0 }.map { $0.0 }
      line += ", macro F1 \(ConfusionMatrix.mean(present).fixed(4))"
      if names.count <= tableLimit { lines = table(matrix, names) }
    }
    return
      ([line + " over \(samples(targets.count))"] + lines + ["result: held-out accuracy=\(accuracy.fixed(4))"])
      .joined(separator: "\n")
  }

  private static func samples(_ count: Int) -> String { "\(count) sample\(count == 1 ? "" : "s")" }

  /// A row for each true class, a column for each predicted one.
  private static func table(_ matrix: ConfusionMatrix, _ names: [String]) -> [String] {
    let short = names.map { $0.count > 12 ? $0.prefix(11) + "…" : $0 }
    var table = Table(
      ["true \\ told"] + short, alignments: [.left] + [Table.Alignment](repeating: .right, count: names.count)
    )
    for truth in names.indices {
      table.append([short[truth]] + names.indices.map { "\(matrix[truth, $0])" })
    }
    return [table.text]
  }
}
