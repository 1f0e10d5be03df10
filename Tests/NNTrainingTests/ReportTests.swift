import Foundation
import FoundationXML
import ImageFiles
import NNGraph
import Testing

@testable import NNTraining

/// A page read as XML: the names of its elements, their attributes and its text.
private final class Page: NSObject, XMLParserDelegate {
  private(set) var elements: [(name: String, attributes: [String: String])] = []
  private(set) var text = ""
  /// The text of each table cell.
  private(set) var cells: [String] = []
  private(set) var problem: String?

  init(_ html: String) throws {
    super.init()
    try #require(html.hasPrefix("<!DOCTYPE html>\n"))
    let parser = XMLParser(data: Data(html.utf8))
    parser.delegate = self
    if !parser.parse() {
      problem = "line \(parser.lineNumber): \(parser.parserError.map { "\($0)" } ?? "")"
    }
  }

  func parser(
    _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
    attributes: [String: String]
  ) {
    elements.append((name, attributes))
    if name == "td" || name == "th" { cells.append("") }
  }

  func parser(_ parser: XMLParser, foundCharacters string: String) {
    text += string
    if !cells.isEmpty { cells[cells.count - 1] += string }
  }

  func parser(
    _ parser: XMLParser, didEndElement name: String, namespaceURI: String?, qualifiedName: String?
  ) {
    // Text between cells belongs to none.
    if name == "td" || name == "th" { cells.append("") }
  }

  func count(_ name: String) -> Int { elements.count { $0.name == name } }

  var headings: [String] {
    [
      "Settings", "Layers", "Learning", "Held-out samples", "What the first layer looks for",
      "What the model looks at",
      "The last hidden layer", "Most confident mistakes",
    ].filter { text.contains($0) }
  }

  /// The cell that follows the one with a text.
  func cell(after name: String) -> String? {
    cells.firstIndex(of: name).flatMap { index in cells[(index + 1)...].first { !$0.isEmpty } }
  }
}

@Suite struct ReportTests {
  private func trainedOnStripes(
    epochs: Int = 2, callbacks: [any Callback], checkpoint: Checkpointing? = nil
  ) throws -> Trainer {
    let trainer = try smallConvolutionalTrainer()
    try trainer.fit(
      stripes(), epochs: epochs, batchSize: 16, validation: stripes(count: 20, seed: 9), callbacks: callbacks,
      checkpoint: checkpoint)
    return trainer
  }

  @Test func pageIsWellFormedAndLoadsNothing() throws {
    let report = try TrainingReport(title: "Stripes", of: stripes())
    let trainer = try trainedOnStripes(callbacks: [report])
    let html = try report.html(
      trainer: trainer, held: stripes(count: 40, seed: 8), classNames: ["row", "column"])
    let page = try Page(html)
    #expect(page.problem == nil)
    #expect(page.headings.count == 8)
    #expect(!page.text.contains("could not be made"))
    #expect(!html.contains("http:") && !html.contains("https:") && !html.contains("url("))
    for element in page.elements {
      #expect(!["script", "link", "iframe", "object"].contains(element.name))
      #expect(element.attributes["href"] == nil)
      if let source = element.attributes["src"] { #expect(source.hasPrefix("data:image/png;base64,")) }
    }
    // Loss, accuracy, rate, gradients, confusion, two embeddings.
    #expect(page.count("svg") == 7)
    for layer in ["conv2d_1", "batchnorm_1", "dense_1", "dense_2", "layernorm_1"] {
      #expect(page.text.contains(layer))
    }
    let evaluation = try trainer.evaluate(stripes(count: 40, seed: 8))
    #expect(page.cell(after: "accuracy") == NumberText.short(try #require(evaluation["accuracy"])))
    #expect(page.cell(after: "parameters") == "386" && page.cell(after: "trained of them") == "378")
    #expect(page.cell(after: "seed") == "3" && page.cell(after: "epochs") == "2 of 2")
    // What browsers take for void must be, and nothing else may be written as if it were.
    #expect(!html.contains("<td/>") && !html.contains("<p/>") && !html.contains("</img>"))
  }

  @Test func textIsEscaped() throws {
    let names = ["<b>&\"'\u{1}</b>", "]]>\u{FFFF}ü"]
    let report = TrainingReport(title: "<script>alert(1)</script> & co", settings: [("from", "a < b")])
    let trainer = try trainedOnStripes(epochs: 1, callbacks: [report])
    let html = try report.html(trainer: trainer, held: stripes(count: 40, seed: 8), classNames: names)
    let page = try Page(html)
    #expect(page.problem == nil)
    #expect(!html.contains("<script") && !html.contains("<b>"))
    #expect(page.text.contains("<script>alert(1)</script> & co") && page.cell(after: "from") == "a < b")
    #expect(page.cells.contains("<b>&\"'\u{FFFD}</b>") && page.cells.contains("]]>\u{FFFD}ü"))
  }

  @Test func lossesThatAreNotFiniteDoNotBreakThePage() throws {
    let report = TrainingReport(title: "bad")
    let trainer = try trainedOnStripes(epochs: 1, callbacks: [report])
    for (loss, validation) in [(Double.nan, 1.0), (.infinity, -.infinity), (1e308, -1e308)] {
      try report.epochEnded(
        EpochReport(
          epoch: 1, epochs: 4, training: Evaluation(loss: loss, metrics: [("accuracy", .nan)]),
          validation: Evaluation(loss: validation, metrics: []), seconds: 1, samplesPerSecond: 1), trainer)
    }
    let page = try Page(report.html(trainer: trainer))
    #expect(page.problem == nil && page.text.contains("3 of 8 values have no place"))
    #expect(page.headings == ["Settings", "Layers", "Learning", "What the first layer looks for"])
    // Coordinates are numbers, whatever was drawn.
    for element in page.elements where element.name == "path" {
      let path = element.attributes["d"] ?? ""
      #expect(!path.contains("nan") && !path.contains("inf"))
    }
  }

  @Test func oneEpochAndNoEpochHavePages() throws {
    let report = try TrainingReport(title: "short", of: stripes())
    let trainer = try smallConvolutionalTrainer()
    let before = try Page(report.html(trainer: trainer, held: stripes(count: 6)))
    #expect(before.problem == nil && before.text.contains("No epoch was finished."))
    try trainer.fit(stripes(), epochs: 1, callbacks: [report])
    let after = try Page(report.html(trainer: trainer, held: stripes(count: 6)))
    #expect(after.problem == nil && !after.text.contains("nothing to draw"))
    // An epoch alone is a dot.
    #expect(after.elements.contains { $0.name == "circle" && $0.attributes["class"] == "mark f0" })
    #expect(report.learningRates.count == 2 && report.learningRates[1].position == 1)
  }

  @Test func aResumedTrainingHasTheWholeCurve() throws {
    let whole = try TrainingReport(title: "", of: stripes())
    let uninterrupted = try trainedOnStripes(epochs: 4, callbacks: [whole])
    try withTemporaryPath { path in
      let checkpoint = Checkpointing(path: path)
      let first = try TrainingReport(title: "", of: stripes())
      _ = try trainedOnStripes(epochs: 2, callbacks: [first], checkpoint: checkpoint)
      let second = try TrainingReport(title: "", of: stripes())
      let resumed = try trainedOnStripes(epochs: 4, callbacks: [second], checkpoint: checkpoint)
      #expect(resumed.bits == uninterrupted.bits)
      #expect(first.epochs.count == 2 && second.epochs.count == 4)
      #expect(second.epochs.map { $0.training } == whole.epochs.map { $0.training })
      #expect(second.epochs.map { $0.validation } == whole.epochs.map { $0.validation })
      #expect(second.gradientNorms == whole.gradientNorms && whole.gradientNorms.count == 4 * 5)
      #expect(second.learningRates.map { $0.position } == whole.learningRates.map { $0.position })
    }
    // Watching changes nothing.
    #expect(try trainedOnStripes(epochs: 4, callbacks: []).bits == uninterrupted.bits)
  }

  @Test func gradientNormsOfALayerAreOfAllItsParameters() throws {
    let data = try stripes(count: 16)
    let report = TrainingReport(title: "", gradientSamples: data)
    let trainer = try smallConvolutionalTrainer(optimizer: SGD(learningRate: 0))
    try trainer.fit(data, epochs: 1, batchSize: 16, callbacks: [report])
    let gradients = try trainer.gradients(of: data)
    for layer in ["conv2d_1", "dense_2"] {
      var square = 0.0
      for (parameter, gradient) in gradients where parameter.name.string.hasPrefix(layer + ".") {
        square += gradient.reduce(0.0) { $0 + Double($1) * Double($1) }
      }
      let norm = try #require(report.gradientNorms.first { $0.layer == layer }).norm
      #expect(norm > 0 && (norm / square.squareRoot() - 1).magnitude < 1e-12)
    }
  }

  @Test func damagedCurvesOfACheckpointAreRefused() throws {
    let report = try TrainingReport(title: "", of: stripes())
    let trainer = try trainedOnStripes(epochs: 2, callbacks: [report])
    let bytes = report.save()
    let copy = TrainingReport(title: "")
    try copy.restore(bytes, trainer)
    #expect(copy.save() == bytes)
    for length in stride(from: 0, to: bytes.count, by: 13) {
      #expect(throws: NNError.self) { try copy.restore(Array(bytes.prefix(length)), trainer) }
    }
    #expect(throws: NNError.self) { try copy.restore(bytes + [0], trainer) }
    // Counts that are negative or larger than the file.
    for value: UInt8 in [0x7F, 0xFF] {
      var damaged = bytes
      for index in 8..<16 { damaged[index] = value }
      #expect(throws: NNError.self) { try copy.restore(damaged, trainer) }
    }
    #expect(copy.save() == bytes)
  }

  @Test func regressionHasResiduals() throws {
    let values = (0..<40).map { Float($0) / 20 + 1 }
    let data = try Dataset(
      features: (0..<40).map { Float($0) / 40 }, sampleShape: [1], targets: .values(values, shape: [1]))
    let report = TrainingReport(title: "line")
    let trainer = try Trainer(
      Sequential {
        Dense(4, activation: .tanh)
        Dense(1)
      }, sampleShape: [1], loss: .meanSquaredError, optimizer: Adam(learningRate: 0.05), seed: 2)
    try trainer.fit(data, epochs: 3, callbacks: [report])
    let page = try Page(report.html(trainer: trainer, held: data))
    #expect(page.problem == nil && !page.text.contains("could not be made"))
    let predicted = try trainer.predict(data.features)
    #expect(page.cell(after: "R²") == NumberText.short(try Scores.r2(predicted: predicted, targets: values)))
    // Loss, rate, scatter, residuals, components, t-SNE.
    #expect(page.count("svg") == 6 && page.text.contains("predicted − true"))
    #expect(page.headings == ["Settings", "Layers", "Learning", "Held-out samples", "The last hidden layer"])
  }

  @Test func samplesOfOtherKindsHavePages() throws {
    let blobs = try blobs(count: 30)
    let report = TrainingReport(title: "points")
    let trainer = try Trainer(
      Sequential {
        Dense(4, activation: .relu)
        Dense(3)
      }, sampleShape: [2], loss: .softmaxCrossEntropy, optimizer: SGD(learningRate: 0), metrics: [.accuracy],
      seed: 2)
    try trainer.fit(blobs, epochs: 1, callbacks: [report])
    let points = try Page(report.html(trainer: trainer, held: blobs, classNames: ["a", "b"]))
    #expect(points.problem == nil && !points.text.contains("could not be made"))
    // Not trained, so that there are mistakes, which are rows of a table here; the third class has its number as its name.
    #expect(
      points.cells.contains("held-out sample") && points.cells.contains("2") && points.count("img") == 0)

    let tokens = try Dataset(
      tokens: (0..<40).map { Int32($0 % 5) }, sampleShape: [4],
      targets: .positions((0..<40).map { $0 % 3 - 1 }, shape: [4]))
    let reader = try Trainer(
      Sequential {
        Embedding(5, dimension: 3)
        Dense(3)
      }, sampleShape: [4], inputType: .i64, loss: .softmaxCrossEntropy, optimizer: SGD(), seed: 1)
    let text = TrainingReport(title: "words")
    try reader.fit(tokens, epochs: 1, callbacks: [text])
    let words = try Page(text.html(trainer: reader, held: tokens))
    #expect(words.problem == nil && !words.text.contains("could not be made"))
    // Positions with a target of −1 do not count.
    #expect(words.cells.contains("\((0..<40).count { $0 % 3 != 0 })"))

    let xor = try exclusiveOr(repeats: 2)
    let yesOrNo = try Trainer(
      Dense(1), sampleShape: [2], loss: .binaryCrossEntropy, optimizer: SGD(), metrics: [.binaryAccuracy],
      seed: 1)
    let logic = TrainingReport(title: "xor")
    try yesOrNo.fit(xor, epochs: 1, callbacks: [logic])
    let binary = try Page(logic.html(trainer: yesOrNo, held: xor, classNames: ["no", "yes"]))
    #expect(binary.problem == nil && binary.text.contains("Confusion matrix"))
  }

  @Test func aModelThatHasBrokenDownHasAPage() throws {
    let report = TrainingReport(title: "broken")
    let trainer = try trainedOnStripes(epochs: 1, callbacks: [report])
    for value in [Float.nan, .infinity] {
      for parameter in trainer.parameters { parameter.values[0] = value }
      let page = try Page(report.html(trainer: trainer, held: stripes(count: 20, seed: 8)))
      #expect(page.problem == nil && page.cell(after: "loss") != nil)
      #expect(page.text.contains("gives numbers that are not finite"))
    }
  }

  @Test func whatDoesNotFitIsRefused() throws {
    let report = TrainingReport(title: "")
    let trainer = try trainedOnStripes(epochs: 1, callbacks: [report])
    #expect(throws: NNError.self) { try report.html(trainer: trainer, held: blobs()) }
    #expect(throws: NNError.self) {
      try report.html(trainer: trainer, held: stripes(), imageShape: [1, 5, 7])
    }
    #expect(throws: NNError.self) { try report.write(to: "/nowhere/report.html", trainer: trainer) }
  }

  @Test func picturesAreWrittenToAFolder() throws {
    let report = TrainingReport(title: "")
    let trainer = try trainedOnStripes(epochs: 1, callbacks: [report])
    try withTemporaryPath { path in
      let folder = path + ".pictures"
      defer { try? FileManager.default.removeItem(atPath: folder) }
      try report.write(
        to: path, trainer: trainer, held: stripes(count: 40, seed: 8), imageShape: [6, 6], picturesTo: folder)
      #expect(try Page(String(contentsOfFile: path, encoding: .utf8)).problem == nil)
      let files = try FileManager.default.contentsOfDirectory(atPath: folder)
      #expect(files.contains("filters.png") && files.contains("feature-maps.png"))
      #expect(files.contains { $0.hasPrefix("saliency-") } && files.contains { $0.hasPrefix("Grad-CAM") })
      for file in files { _ = try ImageFile.read(folder + "/" + file) }
    }
  }
}

@Suite struct ChartTests {
  @Test func ticksAreNiceAndInside() {
    for (low, high) in [
      (0.0, 1.0), (-3, 17), (1e-9, 3e-9), (1e12, 1e12 + 5), (-1e308, 1e308), (5, 5), (0, 0),
    ] {
      let scale = ChartScale(over: [low, high])
      #expect((2...12).contains(scale.ticks.count), "\(low)…\(high): \(scale.ticks)")
      #expect(scale.low < scale.high && (scale.position(low) ?? -1) >= 0 && (scale.position(high) ?? 2) <= 1)
      for mark in scale.marks { #expect(mark.position > -1e-6 && mark.position < 1 + 1e-6) }
    }
    #expect(
      ChartScale(over: [0, 1], isTight: true).marks.map { $0.label } == [
        "0", "0.2", "0.4", "0.6", "0.8", "1",
      ])
    #expect(ChartScale(over: []).position(.nan) == nil)
    let decades = ChartScale(logarithmicOver: [0, .nan, 0.002, 30])
    #expect(decades.marks.map { $0.label } == ["10⁻³", "10⁻²", "10⁻¹", "10⁰", "10¹", "10²"])
    #expect(decades.position(0) == nil && (decades.position(1).map { ($0 - 0.6).magnitude < 1e-12 } ?? false))
  }

  @Test func linesHaveGapsWhereNumbersAreNot() {
    let series = LineChart.Series(
      name: "a", points: [(1, 1), (2, 2), (3, .nan), (4, 1), (5, .infinity), (6, 2), (7, 3)])
    let svg = LineChart(title: "t", xLabel: "x", yLabel: "y", series: [series]).markup.source
    // Two lines and a dot.
    #expect(svg.components(separatedBy: "class=\"line s0\"").count == 3)
    #expect(svg.components(separatedBy: "<circle").count == 2)
    let empty = LineChart(title: "t", xLabel: "x", yLabel: "y", series: []).markup.source
    #expect(empty.contains("nothing to draw"))
    let zeros = LineChart(
      title: "t", xLabel: "x", yLabel: "y", series: [.init(name: "a", points: [(1, 0), (2, 0)])],
      isLogarithmic: true)
    #expect(zeros.markup.source.contains("nothing to draw"))
  }

  @Test func barsHoldEveryNumber() throws {
    let values = (0..<100).map { Double($0) }
    let svg = Histogram(title: "t", xLabel: "x", values: values + [.nan], bins: 10).markup.source
    let heights = svg.components(separatedBy: "<rect").dropFirst().compactMap { bar in
      bar.components(separatedBy: "height=\"").last?.split(separator: "\"").first.flatMap { Double($0) }
    }
    #expect(heights.count == 10)
    for height in heights { #expect((height - heights[0]).magnitude < 0.02) }
    #expect(Histogram(title: "t", xLabel: "x", values: []).markup.source.contains("nothing to draw"))
  }

  @Test func numbersAreShort() {
    let cases: [(Double, String)] = [
      (0, "0"), (1, "1"), (0.98611, "0.9861"), (-0.5, "−0.5"), (12345.6, "12,346"), (1234.56, "1235"),
      (1.23456e-7, "1.235e-7"), (3e12, "3e12"), (0.00012345, "0.0001235"), (.nan, "NaN"), (-.infinity, "−∞"),
      (99999.6, "100,000"), (0.99999, "1"), (5e-324, "5e-324"),
    ]
    for (number, text) in cases { #expect(NumberText.short(number) == text) }
    #expect(NumberText.grouped(1_234_567) == "1,234,567" && NumberText.grouped(-12) == "−12")
    #expect(NumberText.coordinate(1.237) == "1.24" && NumberText.coordinate(-20) == "-20")
    #expect(NumberText.coordinate(-0.001) == "0" && NumberText.coordinate(.nan) == "0")
    #expect(NumberText.powerOfTen(-12) == "10⁻¹²")
  }

  @Test func base64IsThatOfTheStandard() {
    // RFC 4648, section 10.
    for (plain, coded) in [
      ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
      ("foobar", "Zm9vYmFy"),
    ] {
      #expect(Base64.encode(Array(plain.utf8)) == coded)
    }
    let bytes = (0...255).map { UInt8($0) }
    #expect(Data(base64Encoded: Base64.encode(bytes)) == Data(bytes))
  }
}
