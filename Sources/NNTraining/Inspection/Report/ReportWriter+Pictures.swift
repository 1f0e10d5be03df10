import ImageFiles
import NNGraph

// What the model has learned, and what it looks at, in pictures
extension ReportWriter {
  func filters() throws(NNError) -> [Markup] {
    // The first weights may be of a layer that does not see whole images: patches of them, say.
    guard let imageShape, let weight = try? model.firstWeight(),
      weight.extents.count == 4 || weight.extents[0] == imageShape.reduce(1, *)
    else { return [] }
    let picture = try model.filterPicture(imageShape: imageShape, colors: .diverging)
    var figures = [
      figure("Weights", try image(picture, name: "filters", about: "The weights of the first layer"))
    ]
    if let held, let layer = try firstMapLayer(held) {
      let sample = Array(held.features.prefix(held.sampleSize))
      let maps = try model.featureMapPicture(layer: layer, for: sample)
      figures.append(
        figure(
          "Feature maps of \(layer) for the first held-out sample",
          try image(maps, name: "feature-maps", about: "Feature maps of \(layer)")))
    }
    return [
      .element("div", ["class": "figures"], figures),
      caption(
        "Weights: blue is negative, white zero, orange positive (of three channels: their own colours around gray). "
          + "Feature maps: dark is the least of all numbers, yellow the largest."),
    ]
  }

  /// The first layer with weights whose result is feature maps.
  private func firstMapLayer(_ held: Dataset) throws(NNError) -> String? {
    let traced = try TracedModel(model)
    let summary = try model.summary()
    for (call, row) in zip(traced.layers, summary.rows)
    where call.result.rank == 4 && traced.isShown(call.result) && row.parameterCount > 0 {
      return call.name
    }
    return nil
  }

  /// Saliency, integrated gradients and Grad-CAM of a few samples, one of each class first.
  func explanations() throws(NNError) -> [Markup] {
    guard let imageShape, let held, trainer.outputShape.count == 1 else { return [] }
    let results = try classResults()
    // The largest pixel of an image that a model makes has nothing to say.
    guard results != nil || trainer.outputShape == [1] else { return [] }
    let chosen = shownSamples(held)
    let samples = try held.selecting(chosen).features
    var rows: [(name: String, cells: [RasterImage])] = [("sample", try thumbnails(samples, imageShape))]
    let saliency = try model.inputGradients(for: samples)
    rows.append(("saliency", try maps(saliency.inShape(imageShape).magnitudes, colors: .sequential)))
    let integrated = try model.integratedGradients(for: samples, baseline: baseline(held))
    rows.append(
      ("integrated gradients", try maps(integrated.inShape(imageShape).channelSums, colors: .diverging)))
    if trainer.sampleShape.count == 3, let layer = try? model.lastFeatureLayer() {
      let cam = try model.gradCAM(layer: layer, for: samples)
      rows.append(("Grad-CAM of \(layer)", try overlays(cam, samples, imageShape)))
    }
    var head = [Markup.element("th", [:], "")]
    for sample in chosen {
      guard let results, results.isPerSample else {
        head.append(.element("th", [:], "\(sample + 1)"))
        continue
      }
      let isRight = results.truth[sample] == results.said[sample]
      let said = isRight ? "" : ", said \(name(results.said[sample]))"
      head.append(.element("th", [:], name(results.truth[sample]) + said))
    }
    var lines = [Markup.element("tr", [:], head)]
    for row in rows {
      var cells = [Markup.element("th", [:], row.name)]
      for (index, picture) in row.cells.enumerated() {
        let file = "\(row.name.split(separator: " ").joined(separator: "-"))-\(chosen[index] + 1)"
        cells.append(
          .element(
            "td", [:],
            [try image(picture, name: file, about: "\(row.name), sample \(chosen[index] + 1)", width: 88)]))
      }
      lines.append(.element("tr", [:], cells))
    }
    return [
      .element(
        "div", ["class": "scroll"],
        [.element("table", ["class": "samples"], [.element("tbody", [:], lines)])]),
      caption(
        "Saliency: how much the largest score changes with each pixel (Simonyan et al. 2013). Integrated gradients: what "
          + "each pixel adds to it, orange, or takes from it, blue, beginning with an image of the least pixels "
          + "(Sundararajan et al. 2017). Grad-CAM: where a convolution sees what speaks for it (Selvaraju et al. 2017)."
      ),
    ]
  }

  /// Up to ten samples: the first of each class, or the first ones.
  private func shownSamples(_ held: Dataset) -> [Int] {
    guard case .classes(let classes) = held.targets else { return Array(0..<min(held.count, 10)) }
    var seen: Set<Int> = []
    let firsts = classes.indices.filter { seen.insert(classes[$0]).inserted }
    return Array(firsts.sorted { classes[$0] < classes[$1] }.prefix(10))
  }

  /// The image where integrated gradients begin: the least pixel everywhere.
  private func baseline(_ held: Dataset) -> [Float] {
    [Float](repeating: pixelRange.lowerBound, count: held.sampleSize)
  }

  /// From the least to the largest pixel of some samples.
  static func pixelRange(of samples: Dataset?) -> ClosedRange<Float> {
    var (low, high) = (Float.infinity, -Float.infinity)
    for value in samples?.features ?? [] where value.isFinite {
      low = min(low, value)
      high = max(high, value)
    }
    return low < high ? low...high : 0...1
  }

  /// Pictures of images (C, H, W), one after the other.
  func thumbnails(_ samples: [Float], _ shape: [Int]) throws(NNError) -> [RasterImage] {
    let size = shape.reduce(1, *)
    let range = pixelRange
    var pictures: [RasterImage] = []
    for first in stride(from: 0, to: samples.count, by: size) {
      let sample = Array(samples[first..<first + size])
      pictures.append(
        shape[0] == 3
          ? try PictureGrid.color(
            sample, height: shape[1], width: shape[2], columns: 1, range: range, scale: scale(shape))
          : try PictureGrid.gray(
            sample, height: shape[1], width: shape[2], columns: 1, range: range, scale: scale(shape)))
    }
    return pictures
  }

  /// So that small images are not all frame.
  private func scale(_ shape: [Int]) -> Int { min(max(88 / max(shape[2], 1), 1), 16) }

  /// A picture of each sample's map, each with its own range: from 0, or around it.
  private func maps(_ attributions: Attributions, colors: ColorMap) throws(NNError) -> [RasterImage] {
    let (height, width) = (attributions.extents[1], attributions.extents[2])
    var pictures: [RasterImage] = []
    for sample in 0..<attributions.extents[0] {
      let map = Array(attributions[sample: sample])
      let largest = max(map.reduce(0) { $1.isFinite ? max($0, $1.magnitude) : $0 }, .leastNormalMagnitude)
      pictures.append(
        try PictureGrid.mapped(
          map, height: height, width: width, columns: 1, colors: colors,
          range: (colors == .diverging ? -largest : 0)...largest, scale: scale([1, height, width])))
    }
    return pictures
  }

  private func overlays(_ cam: Attributions, _ samples: [Float], _ shape: [Int]) throws(NNError)
    -> [RasterImage]
  {
    let area = shape[1] * shape[2]
    var pictures: [RasterImage] = []
    for sample in 0..<cam.extents[0] {
      var gray = [Float](repeating: 0, count: area)
      for channel in 0..<shape[0] {
        for place in 0..<area {
          gray[place] += samples[(sample * shape[0] + channel) * area + place] / Float(shape[0])
        }
      }
      let map = cam[sample: sample]
      let largest = max(map.max() ?? 0, .leastNormalMagnitude)
      pictures.append(
        try PictureGrid.overlay(
          map.map { $0 / largest }, on: gray, height: shape[1], width: shape[2], columns: 1,
          range: pixelRange, scale: scale(shape)))
    }
    return pictures
  }

  /// The samples that were taken for another class with the most confidence.
  func mistakes() throws(NNError) -> [Markup] {
    guard let held, let results = try classResults(), results.isPerSample else { return [] }
    let wrong = results.truth.indices.filter {
      results.truth[$0] >= 0 && results.truth[$0] != results.said[$0]
    }
    guard !wrong.isEmpty else { return [caption("Every held-out sample is classified rightly.")] }
    let order = wrong.sorted { (results.confidence[$1], $0) < (results.confidence[$0], $1) }.prefix(12)
    let about = caption(
      "\(NumberText.grouped(wrong.count)) of \(NumberText.grouped(results.truth.count)) held-out samples are taken for "
        + "another class. Confidence is the probability that the model gives to what it says.")
    func confidence(_ sample: Int) -> String { NumberText.short(results.confidence[sample], digits: 3) }
    guard let imageShape else {
      let rows = order.map {
        ["\($0 + 1)", name(results.truth[$0]), name(results.said[$0]), confidence($0)]
      }
      return [about, table(["held-out sample", "true class", "said", "confidence"], rows, numeric: [0, 3])]
    }
    let thumbnails = try thumbnails(try held.selecting(Array(order)).features, imageShape)
    var figures: [Markup] = []
    for (sample, picture) in zip(order, thumbnails) {
      let text =
        "true \(name(results.truth[sample])), said \(name(results.said[sample])) with \(confidence(sample))"
      figures.append(
        .element(
          "figure", ["class": "mistake"],
          [
            try image(picture, name: "mistake-\(sample + 1)", about: text, width: 104),
            .element("figcaption", [:], text),
          ]))
    }
    return [about, .element("div", ["class": "figures"], figures)]
  }
}

extension Attributions {
  /// Attributions to samples that are images (C, H, W) though their shape does not say so.
  fileprivate func inShape(_ shape: [Int]) -> Attributions {
    Attributions(extents: [extents[0]] + shape, values: values, explained: explained)
  }

  /// Σ over the channels of attributions (N, C, H, W): (N, H, W).
  fileprivate var channelSums: Attributions {
    let (channels, area) = (extents[1], extents[2] * extents[3])
    var sums: [Float] = []
    for sample in 0..<extents[0] {
      for place in 0..<area {
        sums.append((0..<channels).reduce(0) { $0 + values[(sample * channels + $1) * area + place] })
      }
    }
    return Attributions(extents: [extents[0], extents[2], extents[3]], values: sums, explained: explained)
  }
}
