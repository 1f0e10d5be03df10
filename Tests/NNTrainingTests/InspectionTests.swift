import ImageFiles
import NNGraph
import Reference
import Testing

@testable import NNTraining

/// A model with parameters of its own, outside a trainer.
private func trained(_ model: any Layer, sampleShape: [Int], seed: UInt64 = 4) throws -> TrainedModel {
  let trained = TrainedModel(model, parameters: ParameterStore(seed: seed), sampleShape: sampleShape)
  _ = try trained.layerNames()
  return trained
}

extension TrainedModel {
  fileprivate func set(_ name: Name, _ values: [Float]) throws {
    let parameter = try #require(parameters[name])
    try #require(parameter.values.count == values.count)
    for (index, value) in values.enumerated() { parameter.values[index] = value }
  }
}

@Suite struct ActivationTests {
  @Test func layersAreListedWithShapesAndParameters() throws {
    let summary = try trained(smallConvolutionalModel(), sampleShape: [1, 6, 6]).summary()
    #expect(
      summary.rows.map { $0.layer } == [
        "conv2d_1", "batchnorm_1", "activation_1", "maxpool2d_1", "flatten_1", "dropout_1", "dense_1",
        "layernorm_1", "dense_2",
      ])
    #expect(
      summary.rows.map { $0.outputShape }.prefix(5) == [
        "(N, 4, 6, 6)", "(N, 4, 6, 6)", "(N, 4, 6, 6)", "(N, 4, 3, 3)", "(N, 36)",
      ])
    #expect(summary.rows.map { $0.parameterCount } == [40, 16, 0, 0, 0, 0, 296, 16, 18])
    #expect(summary.parameterCount == 386 && summary.trainableCount == 378 && summary.otherCount == 8)
    let lines = summary.description.split(separator: "\n")
    #expect(lines.count == 12 && lines[2].hasPrefix("conv2d_1") && lines[2].hasSuffix("40"))
    #expect(lines.last == "386 parameters, 378 of them trained")
  }

  @Test func aLayerThatIsSharedHasItsParametersOnce() throws {
    struct Twice: Layer {
      var kind: String { "" }
      func forward(_ x: SymbolicTensor) throws(NNError) -> SymbolicTensor {
        let shared = Network("shared") { Dense(3) }
        return try shared(shared(x))
      }
    }
    let model = try trained(Twice(), sampleShape: [3])
    let summary = try model.summary()
    #expect(summary.rows.map { $0.layer } == ["shared.dense_1", "shared.dense_1"])
    #expect(summary.rows.map { $0.parameterCount } == [12, 0] && summary.parameterCount == 12)
    let calls = try model.activations(of: ["shared.dense_1"], for: [1, 2, 3])
    #expect(calls.count == 2)
    #expect(calls[1].values == (try model.predict([1, 2, 3])) && calls[0].values != calls[1].values)
  }

  @Test func activationsAreThoseThatTheModelComputes() throws {
    let model = try trained(smallConvolutionalModel(), sampleShape: [1, 6, 6])
    let data = try stripes(count: 7)
    let all = try model.activations(for: data, batchSize: 3)
    #expect(all.map { $0.layer } == (try model.layerNames()))
    #expect(all[0].extents == [7, 4, 6, 6] && all[0].width == 144 && all[4].extents == [7, 36])
    // The last layer is the model, and the others do not depend on which are asked for or on the batch.
    #expect(all[8].values == (try model.predict(data)))
    let some = try model.activations(of: ["dense_1", "conv2d_1"], for: data)
    #expect(some == [all[6], all[0]])
    #expect(all[2].values == all[1].values.map { max($0, 0) })
    // Dropout is off: what it gives is what it takes.
    #expect(all[5].values == all[4].values)
    // The convolution of the first sample by hand, at a place inside.
    let weight = try #require(model.parameters["conv2d_1.weight"]).values
    var sum = 0.0
    for row in 0..<3 {
      for column in 0..<3 {
        sum += Double(weight[2 * 9 + row * 3 + column]) * Double(data.features[(1 + row) * 6 + 2 + column])
      }
    }
    #expect((Double(all[0].values[2 * 36 + 2 * 6 + 3]) - sum).magnitude < 1e-5)
    #expect(all[0][sample: 6].count == 144 && all[0][sample: 7].isEmpty && all[0][sample: -1].isEmpty)
  }

  @Test func unknownLayersAndWrongSamplesAreRefused() throws {
    let model = try trained(smallConvolutionalModel(), sampleShape: [1, 6, 6])
    let error = #expect(throws: NNError.self) { try model.activations(of: ["dense_9"], for: []) }
    #expect(error?.message.contains("dense_9") == true && error?.message.contains("batchnorm_1") == true)
    #expect(throws: NNError.self) { try model.activations(for: [1, 2, 3]) }
    #expect(throws: NNError.self) { try model.activations(forTokens: [1, 2, 3]) }
    #expect(throws: NNError.self) { try model.activations(for: [], batchSize: 0) }
    #expect(try model.activations(of: ["dense_1"], for: []).map { $0.extents } == [[0, 8]])
  }

  @Test func activationsOfAModelOfTokensAreShown() throws {
    let model = TrainedModel(
      Sequential {
        Embedding(5, dimension: 3)
        Dense(2)
      }, parameters: ParameterStore(seed: 1), sampleShape: [4], inputType: .i64)
    let data = try Dataset(
      tokens: [0, 1, 2, 3, 4, 0, 1, 2], sampleShape: [4], targets: .classes([0, 1]))
    let all = try model.activations(for: data)
    #expect(all.map { $0.extents } == [[2, 4, 3], [2, 4, 2]])
    let table = try #require(model.parameters["embedding_1.weight"]).values
    #expect(Array(all[0].values[12..<15]) == Array(table[12..<15]))
    #expect(throws: NNError.self) { try model.inputGradients(for: [1, 2, 3, 4]) }
  }
}

@Suite struct AttributionTests {
  private struct Content: Decodable {
    let weights: [String: Golden.Numbers]
    let samples, baseline, output, maps, gradients, saliency, integrated, cam: Golden.Numbers
    let scores: [Int]
    let steps: Int
  }

  /// The network of `make_attributions.py` with its weights.
  private func goldenModel(_ content: Content) throws -> TrainedModel {
    let model = try trained(
      Sequential {
        Conv2D(3, kernelSize: 3, padding: .same, activation: .relu)
        MaxPool2D(2)
        Conv2D(4, kernelSize: 3, padding: .same, activation: .tanh)
        Flatten()
        Dense(5)
      }, sampleShape: [2, 8, 8])
    for (name, numbers) in content.weights { try model.set(Name(name), numbers.values.map { Float($0) }) }
    return model
  }

  private func expectClose(_ actual: [Float], _ expected: Golden.Numbers, _ what: String) {
    let difference = relativeDifference(actual.map { Double($0) }, expected.values)
    #expect(difference < 2e-5, "\(what) differs by \(difference)")
  }

  @Test func attributionsAreThoseOfPyTorch() throws {
    let content = Golden.load("attributions.json", as: Content.self)
    let model = try goldenModel(content)
    let samples = content.samples.values.map { Float($0) }
    let scores = ScoreChoice.indices(content.scores)
    expectClose(try model.predict(samples), content.output, "output")
    expectClose(try model.activations(of: ["conv2d_2"], for: samples)[0].values, content.maps, "maps")
    // Batches of two leave one over.
    let gradients = try model.inputGradients(of: scores, for: samples, batchSize: 2)
    #expect(gradients.extents == [3, 2, 8, 8] && gradients.explained == content.scores)
    expectClose(gradients.values, content.gradients, "gradients")
    let saliency = try model.saliency(of: scores, for: samples)
    #expect(saliency.extents == [3, 8, 8])
    expectClose(saliency.values, content.saliency, "saliency")
    let integrated = try model.integratedGradients(
      of: scores, for: samples, baseline: content.baseline.values.map { Float($0) }, steps: content.steps,
      batchSize: 7)
    expectClose(integrated.values, content.integrated, "integrated gradients")
    #expect(try model.lastFeatureLayer() == "conv2d_2")
    for layer in ["conv2d_2", nil] {
      let cam = try model.gradCAM(layer: layer, of: scores, for: samples, batchSize: 2)
      #expect(cam.extents == [3, 8, 8])
      expectClose(cam.values, content.cam, "Grad-CAM")
    }
  }

  @Test func attributionsOfALinearModelAreItsWeights() throws {
    let model = try trained(Dense(3), sampleShape: [4])
    let weight = spread(12, seed: 8).map { Float($0) }
    try model.set("dense_1.weight", weight)
    let samples = spread(8, seed: 9).map { Float($0) }
    let baseline = spread(4, seed: 10).map { Float($0) }
    func column(_ index: Int) -> [Float] { (0..<4).map { weight[$0 * 3 + index] } }
    let gradients = try model.inputGradients(of: .index(2), for: samples)
    #expect(gradients.values == column(2) + column(2))
    #expect(
      try model.saliency(of: .indices([0, 1]), for: samples).values
        == (column(0) + column(1)).map { $0.magnitude })
    let integrated = try model.integratedGradients(of: .index(1), for: samples, baseline: baseline, steps: 3)
    for (index, value) in integrated.values.enumerated() {
      let expected = column(1)[index % 4] * (samples[index] - baseline[index % 4])
      #expect((value - expected).magnitude < 1e-5)
    }
    // Noise does not matter where the gradient is the same everywhere.
    let smoothed = try model.smoothedGradients(of: .index(0), for: samples, draws: 5)
    for (value, expected) in zip(smoothed.values, column(0) + column(0)) {
      #expect((value - expected).magnitude < 1e-6)
    }
  }

  @Test func theLargestScoreIsExplainedUnlessTold() throws {
    let content = Golden.load("attributions.json", as: Content.self)
    let model = try goldenModel(content)
    let samples = content.samples.values.map { Float($0) }
    let said = try Scores.classes(of: model.predict(samples), classes: 5)
    let unnamed = try model.inputGradients(for: samples)
    #expect(unnamed == (try model.inputGradients(of: .indices(said), for: samples)))
  }

  @Test func gradientsOfProbabilitiesMatchDifferences() throws {
    let content = Golden.load("attributions.json", as: Content.self)
    let model = try goldenModel(content)
    let sample = Array(content.samples.values.map { Float($0) }.prefix(128))
    let gradients = try model.inputGradients(of: .index(3), for: sample, head: .softmax).values
    let largest = gradients.map { $0.magnitude }.max() ?? 0
    #expect(largest > 1e-4)
    for index in stride(from: 0, to: 128, by: 9) {
      var (above, below) = (sample, sample)
      above[index] += 2e-2
      below[index] -= 2e-2
      let outputs = try model.predict(above + below, head: .softmax)
      let slope = (outputs[3] - outputs[5 + 3]) / 4e-2
      #expect((slope - gradients[index]).magnitude < 0.02 * largest, "pixel \(index)")
    }
  }

  @Test func integratedGradientsAddUpToTheChangeOfTheScore() throws {
    let content = Golden.load("attributions.json", as: Content.self)
    let model = try goldenModel(content)
    let samples = content.samples.values.map { Float($0) }
    let baseline = [Float](repeating: 0.25, count: 128)
    func gap(steps: Int) throws -> Float {
      let attributions = try model.integratedGradients(
        of: .indices(content.scores), for: samples, baseline: baseline, steps: steps)
      let (ends, start) = (try model.predict(samples), try model.predict(baseline))
      var worst: Float = 0
      for (sample, score) in content.scores.enumerated() {
        let change = ends[sample * 5 + score] - start[score]
        worst = max(worst, (attributions[sample: sample].reduce(0, +) - change).magnitude)
      }
      return worst
    }
    #expect(try gap(steps: 400) < 0.01)
    #expect(try gap(steps: 1) > 0.05)
  }

  @Test func smoothedGradientsAreTheMeanOverNoiseAndRepeatable() throws {
    let content = Golden.load("attributions.json", as: Content.self)
    let model = try goldenModel(content)
    let sample = Array(content.samples.values.map { Float($0) }.prefix(128))
    func smoothed(noise: Double, draws: Int = 8, seed: UInt64 = 3) throws -> [Float] {
      try model.smoothedGradients(
        of: .index(1), for: sample, noise: noise, draws: draws, seed: seed, batchSize: 3
      )
      .values
    }
    let plain = try model.inputGradients(of: .index(1), for: sample).values
    for (a, b) in zip(try smoothed(noise: 0), plain) { #expect((a - b).magnitude < 1e-5) }
    #expect(try smoothed(noise: 0.2) == smoothed(noise: 0.2))
    #expect(try smoothed(noise: 0.2) != smoothed(noise: 0.2, seed: 4))
    #expect(try smoothed(noise: 0.2) != plain)
  }

  @Test func whatCannotBeExplainedIsRefused() throws {
    let model = try trained(smallConvolutionalModel(), sampleShape: [1, 6, 6])
    let sample = [Float](repeating: 1, count: 36)
    #expect(throws: NNError.self) { try model.inputGradients(of: .index(2), for: sample) }
    #expect(throws: NNError.self) { try model.inputGradients(of: .index(-1), for: sample) }
    #expect(throws: NNError.self) { try model.inputGradients(of: .indices([0, 0]), for: sample) }
    #expect(throws: NNError.self) { try model.inputGradients(for: [1]) }
    #expect(throws: NNError.self) { try model.inputGradients(for: sample, batchSize: 0) }
    #expect(throws: NNError.self) { try model.integratedGradients(for: sample, baseline: [1]) }
    #expect(throws: NNError.self) { try model.integratedGradients(for: sample, steps: 0) }
    #expect(throws: NNError.self) { try model.smoothedGradients(for: sample, noise: .nan) }
    #expect(throws: NNError.self) { try model.gradCAM(layer: "dense_1", for: sample) }
    #expect(throws: NNError.self) { try model.gradCAM(layer: "conv2d_7", for: sample) }
    #expect(throws: NNError.self) { try trained(Dense(2), sampleShape: [4]).gradCAM(for: [1, 2, 3, 4]) }
    #expect(try model.inputGradients(for: []).extents == [0, 1, 6, 6])
    // The activation behind the convolution and its normalisation.
    #expect(try model.lastFeatureLayer() == "activation_1")
  }
}

@Suite struct PictureTests {
  @Test func colorsOfMapsAreTheirEndsAndMiddles() {
    #expect(ColorMap.gray.color(0) == (0, 0, 0) && ColorMap.gray.color(1) == (255, 255, 255))
    #expect(ColorMap.diverging.color(0.5) == (247, 247, 247))
    #expect(ColorMap.sequential.color(.nan) == ColorMap.sequential.color(-3))
    #expect(ColorMap.sequential.color(.infinity) == ColorMap.sequential.color(1))
    // Yellow is brighter than violet, so that the map reads without colour.
    var last: Float = -1
    for step in 0...20 {
      let color = ColorMap.sequential.color(Float(step) / 20)
      let brightness = 0.2126 * Float(color.red) + 0.7152 * Float(color.green) + 0.0722 * Float(color.blue)
      #expect(brightness > last)
      last = brightness
    }
  }

  @Test func filtersAreDrawnWithZeroInTheMiddle() throws {
    let model = try trained(Conv2D(2, kernelSize: 2), sampleShape: [1, 4, 4])
    try model.set("conv2d_1.weight", [0, 2, -2, 1, 0, 0, 0, 0])
    let picture = try model.filterPicture(scale: 1)
    // Two pictures of 2×2 with lines around: 7 wide, 4 high.
    #expect(picture.width == 7 && picture.height == 4 && picture.channels == 3)
    func pixel(_ row: Int, _ column: Int) -> [UInt8] {
      Array(picture.pixels[(row * 7 + column) * 3..<(row * 7 + column) * 3 + 3])
    }
    #expect(pixel(1, 1) == [128, 128, 128] && pixel(1, 2) == [255, 255, 255] && pixel(2, 1) == [0, 0, 0])
    #expect(pixel(0, 0) == [96, 96, 96] && pixel(1, 4) == [128, 128, 128])
  }

  @Test func filtersOfThreeChannelsAreInColor() throws {
    let model = try trained(Conv2D(1, kernelSize: 1), sampleShape: [3, 4, 4])
    try model.set("conv2d_1.weight", [4, -4, 0])
    let picture = try model.filterPicture(scale: 1)
    #expect(Array(picture.pixels[(1 * 3 + 1) * 3..<(1 * 3 + 1) * 3 + 3]) == [255, 0, 127])
  }

  @Test func weightsOfADenseLayerAreImagesOfTheirUnits() throws {
    let model = try trained(Dense(2), sampleShape: [4])
    try model.set("dense_1.weight", [1, 0, -1, 0, 0, 1, 0, 0])  // (4, 2): unit 1 is 1, −1, 0, 0
    let picture = try model.filterPicture(imageShape: [2, 2], scale: 1)
    #expect(picture.pixels[(1 * 7 + 1) * 3] == 255 && picture.pixels[(1 * 7 + 2) * 3] == 0)
    // Unit 2 is 0, 0, 1, 0.
    #expect(picture.pixels[(2 * 7 + 4) * 3] == 255 && picture.pixels[(1 * 7 + 4) * 3] == 128)
    #expect(throws: NNError.self) { try model.filterPicture(imageShape: [3, 2]) }
    #expect(throws: NNError.self) { try model.filterPicture(layer: "dense_2", imageShape: [2, 2]) }
    #expect(throws: NNError.self) { try model.filterPicture() }
  }

  @Test func filtersOfManyChannelsHaveARowEach() throws {
    let model = try trained(Conv2D(3, kernelSize: 2), sampleShape: [5, 4, 4])
    let picture = try model.filterPicture(scale: 1)
    #expect(picture.width == 5 * 3 + 1 && picture.height == 3 * 3 + 1)
  }

  @Test func featureMapsAreThoseOfTheLayer() throws {
    let model = try trained(smallConvolutionalModel(), sampleShape: [1, 6, 6])
    let sample = try stripes(count: 1).features
    let picture = try model.featureMapPicture(layer: "conv2d_1", for: sample, scale: 1)
    let maps = try model.activations(of: ["conv2d_1"], for: sample)[0].values
    let (low, high) = (try #require(maps.min()), try #require(maps.max()))
    let columns = (picture.width - 1) / 7
    for map in 0..<4 {
      let (row, column) = (map / columns * 7 + 1, map % columns * 7 + 1)
      let expected = ColorMap.sequential.color((maps[map * 36] - low) / (high - low))
      let start = (row * picture.width + column) * 3
      #expect(Array(picture.pixels[start..<start + 3]) == [expected.red, expected.green, expected.blue])
    }
    #expect(throws: NNError.self) { try model.featureMapPicture(layer: "dense_1", for: sample) }
    #expect(throws: NNError.self) { try model.featureMapPicture(layer: "conv2d_1", for: sample + sample) }
  }

  @Test func mapsLieOverImages() throws {
    let picture = try PictureGrid.overlay([0, 1], on: [1, 0], height: 1, width: 2, columns: 1, scale: 1)
    #expect(Array(picture.pixels[(1 * 4 + 1) * 3..<(1 * 4 + 2) * 3]) == [255, 255, 255])
    let covered = Array(picture.pixels[(1 * 4 + 2) * 3..<(1 * 4 + 3) * 3])
    #expect(covered == [190, 173, 28])
    #expect(throws: NNError.self) {
      try PictureGrid.overlay([0], on: [1, 0], height: 1, width: 2, columns: 1)
    }
    #expect(throws: NNError.self) {
      try PictureGrid.gray([1], height: .max, width: 2, columns: 1)
    }
    #expect(throws: NNError.self) {
      try PictureGrid.gray([1], height: 1, width: 1, columns: .max)
    }
  }
}
