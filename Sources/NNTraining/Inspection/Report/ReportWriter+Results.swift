import NNGraph

/// The held-out classes and what the model says they are.
struct ClassResults {
  let truth: [Int]
  let said: [Int]
  /// The probability of what was said.
  let confidence: [Double]
  let classes: Int
  /// Whether there is one class for each sample, and not for each of its positions.
  let isPerSample: Bool
}

// How good the model is on held-out samples
extension ReportWriter {
  func results() throws(NNError) -> [Markup] {
    guard let held else { return [] }
    let evaluation = try trainer.evaluate(held)
    var rows = [["loss", NumberText.short(evaluation.loss)]]
    rows += evaluation.metrics.map { [$0.name, NumberText.short($0.value)] }
    if let results = try classResults() {
      return [table([], rows, numeric: [1])] + (try classification(results))
    }
    guard case .values(let truth, let shape) = held.targets, truth.count == predictions.count else {
      return [table([], rows, numeric: [1])]
    }
    return try regression(truth, columns: shape.reduce(1, *), &rows)
  }

  /// What is said of classes; nil if the targets are numbers.
  func classResults() throws(NNError) -> ClassResults? {
    guard let held else { return nil }
    let (truth, classes): ([Int], Int)
    switch held.targets {
    case .classes(let all): (truth, classes) = (all, trainer.outputShape.last ?? 0)
    case .positions(let all, _): (truth, classes) = (all, trainer.outputShape.last ?? 0)
    case .values(let values, _):
      // One logit that says yes or no.
      guard trainer.recipe.loss is BinaryCrossEntropy, trainer.outputShape == [1] else { return nil }
      let said = predictions.map { $0 > 0 ? 1 : 0 }
      let confidence = predictions.map { 1 / (1 + exponential(-Double($0.magnitude))) }
      return ClassResults(
        truth: values.map { $0 > 0.5 ? 1 : 0 }, said: said, confidence: confidence, classes: 2,
        isPerSample: true)
    }
    guard classes >= 2, predictions.count == truth.count * classes else { return nil }
    let said = try Scores.classes(of: predictions, classes: classes)
    var confidence: [Double] = []
    for (row, best) in said.enumerated() {
      let top = Double(predictions[row * classes + best])
      var sum = 0.0
      for index in 0..<classes { sum += exponential(Double(predictions[row * classes + index]) - top) }
      confidence.append(1 / sum)
    }
    return ClassResults(
      truth: truth, said: said, confidence: confidence, classes: classes,
      isPerSample: truth.count == held.count)
  }

  private func classification(_ results: ClassResults) throws(NNError) -> [Markup] {
    // A table of more classes is no picture any more.
    guard results.classes <= 1000 else { return [] }
    let matrix = try ConfusionMatrix(
      predicted: results.said, targets: results.truth, classes: results.classes)
    var figures: [Markup] = []
    if results.classes <= 40 {
      let map = HeatMap(
        title: "Confusion matrix", rowLabel: "true class", columnLabel: "predicted class",
        names: (0..<results.classes).map { name($0) }, counts: matrix.counts)
      figures.append(figure("Confusion matrix", map.markup))
    }
    let (precision, recall, f1) = (matrix.precision, matrix.recall, matrix.f1)
    // Of very many classes, those that are told apart worst.
    let order = (0..<results.classes).sorted { (f1[$0], $0) < (f1[$1], $1) }
    let shown = results.classes <= 40 ? Array(0..<results.classes) : Array(order.prefix(40))
    func percent(_ value: Double) -> String { NumberText.short(value, digits: 3) }
    var rows = shown.map { index in
      let count = (0..<results.classes).reduce(0) { $0 + matrix[index, $1] }
      return [
        name(index), percent(precision[index]), percent(recall[index]), percent(f1[index]),
        NumberText.grouped(count),
      ]
    }
    rows.append([
      "mean over classes", percent(ConfusionMatrix.mean(precision)), percent(ConfusionMatrix.mean(recall)),
      percent(ConfusionMatrix.mean(f1)), NumberText.grouped(matrix.counts.reduce(0, +)),
    ])
    figures.append(
      figure(
        shown.count < results.classes ? "The 40 classes of least F1" : "Classes",
        table(["class", "precision", "recall", "F1", "samples"], rows, numeric: [1, 2, 3, 4])))
    return [.element("div", ["class": "figures"], figures)]
  }

  private func regression(
    _ truth: [Float], columns: Int, _ rows: inout [[String]]
  ) throws(NNError) -> [Markup] {
    rows.append(
      [
        "root of mean squared error",
        NumberText.short(try Scores.rootMeanSquaredError(predicted: predictions, targets: truth)),
      ])
    rows.append(
      [
        "mean absolute error",
        NumberText.short(try Scores.meanAbsoluteError(predicted: predictions, targets: truth)),
      ])
    if columns >= 1, truth.indices.contains(where: { truth[$0] != truth[$0 % columns] }) {
      let r2 = try Scores.r2(predicted: predictions, targets: truth, columns: columns)
      rows.append(["R²", NumberText.short(r2)])
    }
    // Evenly spaced ones of very many.
    let step = max(truth.count / 2000, 1)
    let shown = Array(stride(from: 0, to: truth.count, by: step))
    let points = shown.map { (x: Double(truth[$0]), y: Double(predictions[$0])) }
    let scatter = ScatterChart(
      title: "Predicted over true values", xLabel: "true", yLabel: "predicted", points: points,
      hasDiagonal: true)
    let residuals = Histogram(
      title: "Histogram of predicted minus true values", xLabel: "predicted − true",
      values: zip(predictions, truth).map { Double($0) - Double($1) })
    return [
      table([], rows, numeric: [1]),
      .element(
        "div", ["class": "figures"],
        [figure("Predicted and true", scatter.markup), figure("Residuals", residuals.markup)]),
    ]
  }
}
