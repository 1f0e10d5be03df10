import Glibc
import NNGraph

// How the last hidden layer arranges samples
extension ReportWriter {
  /// So many samples are drawn at most: t-SNE takes the square of their number.
  private static var sampleLimit: Int { 500 }

  func embedding() throws(NNError) -> [Markup] {
    guard let held, held.count >= 4, let layer = try lastHiddenLayer() else { return [] }
    let step = (held.count + ReportWriter.sampleLimit - 1) / ReportWriter.sampleLimit
    let chosen = Array(stride(from: 0, to: held.count, by: max(step, 1)))
    let calls = try model.activations(of: [layer], for: try held.selecting(chosen))
    let (features, width) = calls[calls.count - 1].pooled(beyond: 1024)
    guard width >= 2, chosen.count >= 4 else { return [] }
    guard features.allSatisfy({ $0.isFinite }) else {
      return [caption("Layer \(layer) gives numbers that are not finite.")]
    }
    let coloring = try coloring(chosen)
    let pca = try PCA.leading(features, width: width, components: 2)
    let total = variance(features, width)
    func share(_ component: Int) -> String {
      let part = total > 0 ? pca.variances[component] / total * 100 : 0
      return "component \(component + 1) (\(NumberText.short(part, digits: 2)) % of the variance)"
    }
    var figures = [
      figure(
        "Principal components",
        ScatterChart(
          title: "Principal components of \(layer)", xLabel: share(0), yLabel: share(1),
          points: points(try pca.transform(features)), coloring: coloring
        ).markup)
    ]
    let perplexity = min(30, floor((Double(chosen.count) - 1) / 3 * 0.9))
    if perplexity >= 2 {
      let tsne = try TSNE(
        features, width: width,
        options: TSNE.Options(perplexity: perplexity, iterations: 500, seed: trainer.seed))
      figures.append(
        figure(
          "t-SNE, perplexity \(NumberText.short(perplexity))",
          ScatterChart(
            title: "t-SNE of \(layer)", xLabel: "", yLabel: "", points: points(tsne.coordinates),
            coloring: coloring
          ).markup))
    }
    return [
      .element("div", ["class": "figures"], figures),
      caption(
        "What layer \(layer) gives for \(chosen.count) held-out samples. In t-SNE's plane (van der Maaten and Hinton 2008) "
          + "near points are alike; distances between groups and their sizes mean little."),
    ]
  }

  /// The layer in front of the last one with weights.
  private func lastHiddenLayer() throws(NNError) -> String? {
    let traced = try TracedModel(model)
    let summary = try model.summary()
    let calls = traced.layers
    guard calls.count == summary.rows.count,
      let last = summary.rows.lastIndex(where: { $0.parameterCount > 0 })
    else { return nil }
    return calls[..<last].last { traced.isShown($0.result) && ($0.result.shape.rank >= 2) }?.name
  }

  private func coloring(_ chosen: [Int]) throws(NNError) -> ScatterChart.Coloring {
    if let results = try classResults(), results.isPerSample {
      return .classes(chosen.map { results.truth[$0] }, names: (0..<results.classes).map { name($0) })
    }
    if let held, case .values(let values, let shape) = held.targets, shape.reduce(1, *) == 1 {
      return .numbers(chosen.map { Double(values[$0]) }, name: "target")
    }
    return .none
  }

  private func points(_ coordinates: [Float]) -> [(x: Double, y: Double)] {
    stride(from: 0, to: coordinates.count - 1, by: 2).map {
      (Double(coordinates[$0]), Double(coordinates[$0 + 1]))
    }
  }

  /// The sum of the variances of all numbers.
  private func variance(_ features: [Float], _ width: Int) -> Double {
    let rows = features.count / width
    var (sums, squares) = ([Double](repeating: 0, count: width), 0.0)
    for (index, value) in features.enumerated() {
      sums[index % width] += Double(value)
      squares += Double(value) * Double(value)
    }
    let means = sums.reduce(0) { $0 + $1 * $1 / Double(rows) }
    return max(squares - means, 0) / Double(max(rows - 1, 1))
  }
}

extension LayerActivations {
  /// The numbers of each sample, and how many they are. Of more than `limit` the mean over places (N, C, H, W) or over time
  /// (N, T, D) is taken.
  fileprivate func pooled(beyond limit: Int) -> (values: [Float], width: Int) {
    guard width > limit, extents.count == 3 || extents.count == 4 else { return (values, width) }
    let (count, isImage) = (extents[0], extents.count == 4)
    let kept = isImage ? extents[1] : extents[2]
    let pooled = width / max(kept, 1)
    var means: [Float] = []
    means.reserveCapacity(count * kept)
    for sample in 0..<count {
      for index in 0..<kept {
        var sum = 0.0
        for place in 0..<pooled {
          sum += Double(values[sample * width + (isImage ? index * pooled + place : place * kept + index)])
        }
        means.append(Float(sum / Double(pooled)))
      }
    }
    return (means, kept)
  }
}
