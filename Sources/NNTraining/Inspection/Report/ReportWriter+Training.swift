import NNGraph

// Settings, layers and curves
extension ReportWriter {
  func settings() throws(NNError) -> [Markup] {
    var rows = report.settings.map { [$0.name, $0.value] }
    let recipe = trainer.recipe
    if let plan = report.plan {
      rows.append(["training samples", NumberText.grouped(plan.samples)])
      rows.append(["batches per epoch", NumberText.grouped(plan.batches)])
    }
    if let held { rows.append(["held-out samples", NumberText.grouped(held.count)]) }
    rows.append(["sample", "\(Shape(trainer.sampleShape).description) \(model.inputType.name)"])
    rows.append(["output", Shape(trainer.outputShape).description])
    rows.append(["parameters", NumberText.grouped(try model.summary().parameterCount)])
    rows.append(["trained of them", NumberText.grouped(trainer.trainableParameterCount)])
    rows.append(["loss", "\(recipe.loss)"])
    rows.append(["optimiser", recipe.optimizer.description])
    rows.append(["learning rate", NumberText.short(Double(recipe.optimizer.learningRate))])
    for group in recipe.groups { rows.append(["group", group.description]) }
    if recipe.clipping != .none { rows.append(["gradient clipping", "\(recipe.clipping)"]) }
    rows.append(["seed", "\(trainer.seed)"])
    if !report.epochs.isEmpty {
      let asked = report.plan.map { " of \($0.epochs)" } ?? ""
      rows.append(["epochs", "\(report.epochs.count)" + asked])
      let seconds = report.epochs.reduce(0) { $0 + $1.seconds }
      rows.append(["time in epochs", NumberText.short(seconds, digits: 3) + " s"])
    }
    return [table([], rows)]
  }

  func layers() throws(NNError) -> [Markup] {
    let summary = try model.summary()
    let rows = summary.rows.map {
      [$0.layer, $0.outputShape, $0.parameterCount == 0 ? "" : NumberText.grouped($0.parameterCount)]
    }
    return [
      table(["layer", "output", "parameters"], rows, numeric: [2]),
      caption(
        "\(NumberText.grouped(summary.parameterCount)) parameters, \(NumberText.grouped(summary.trainableCount)) of "
          + "them trained; the others are running statistics."),
    ]
  }

  func learning() throws(NNError) -> [Markup] {
    guard !report.epochs.isEmpty else { return [caption("No epoch was finished.")] }
    var figures = [curve("Loss", "loss") { $0.loss }]
    // Metrics are the same in every epoch, unless a report went through several trainings.
    for metric in report.epochs[report.epochs.count - 1].training.metrics {
      figures.append(curve(metric.name, metric.name) { $0[metric.name] })
    }
    if !report.learningRates.isEmpty {
      let points = report.learningRates.map { (x: $0.position, y: $0.rate) }
      let chart = LineChart(
        title: "Learning rate over the epochs", xLabel: "epoch", yLabel: "learning rate",
        series: [LineChart.Series(name: "learning rate", points: points)])
      figures.append(figure("Learning rate", chart.markup))
    }
    if !report.gradientNorms.isEmpty { figures.append(gradients()) }
    var pieces = [Markup.element("div", ["class": "figures"], figures)]
    let hasValidation = report.epochs.contains { $0.validation != nil }
    pieces.append(
      caption(
        "Training numbers are means over an epoch's predictions, made while parameters changed and with dropout"
          + (hasValidation ? "; validation numbers are of the parameters after the epoch." : ".")))
    return pieces
  }

  private func curve(_ heading: String, _ label: String, _ value: (Evaluation) -> Double?) -> Markup {
    func points(_ evaluations: [Evaluation?]) -> [(x: Double, y: Double)] {
      evaluations.enumerated().compactMap { index, evaluation in
        evaluation.flatMap { value($0) }.map { (Double(index + 1), $0) }
      }
    }
    var series = [LineChart.Series(name: "training", points: points(report.epochs.map { $0.training }))]
    let validation = points(report.epochs.map { $0.validation })
    if !validation.isEmpty { series.append(LineChart.Series(name: "validation", points: validation)) }
    let chart = LineChart(
      title: "\(heading) over the epochs", xLabel: "epoch", yLabel: label, series: series)
    return figure(heading.prefix(1).uppercased() + heading.dropFirst(), chart.markup)
  }

  private func gradients() -> Markup {
    var layers: [String] = []
    for norm in report.gradientNorms where !layers.contains(norm.layer) { layers.append(norm.layer) }
    let series = layers.map { layer in
      LineChart.Series(
        name: layer,
        points: report.gradientNorms.filter { $0.layer == layer }.map { (Double($0.epoch + 1), $0.norm) })
    }
    let chart = LineChart(
      title: "Norm of the gradient of each layer over the epochs", xLabel: "epoch", yLabel: "gradient norm",
      series: series, isLogarithmic: true)
    return figure("Gradient norms", chart.markup)
  }
}
