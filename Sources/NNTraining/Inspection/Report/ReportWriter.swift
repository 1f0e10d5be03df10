import ImageFiles
import NNGraph

/// A picture of a report.
struct ReportPicture {
  let name: String
  let png: [UInt8]
}

/// Puts a report's page together: what was measured while training, and what the trained model says about held-out samples.
///
/// A part that cannot be made for a model, as one whose operators have no derivative, says why instead of failing the page.
final class ReportWriter {
  let report: TrainingReport
  let trainer: Trainer
  let model: TrainedModel
  let held: Dataset?
  let names: [String]
  /// (C, H, W) if the samples are images of one or three channels.
  let imageShape: [Int]?
  /// What the model says about the held-out samples, (N, outputs…).
  let predictions: [Float]
  /// From the least to the largest pixel of the held-out samples.
  let pixelRange: ClosedRange<Float>
  private(set) var pictures: [ReportPicture] = []

  init(
    _ report: TrainingReport, trainer: Trainer, held: Dataset?, classNames: [String], imageShape: [Int]?
  ) throws(NNError) {
    self.report = report
    self.trainer = trainer
    self.held = held.flatMap { $0.count > 0 ? $0 : nil }
    model = trainer.trained
    names = classNames
    if let held = self.held {
      try trainer.require(held)
      predictions = try model.predict(held)
    } else {
      predictions = []
    }
    let shape = imageShape ?? trainer.sampleShape
    let plane = shape.count == 2 && imageShape != nil ? [1] + shape : shape
    let isImage =
      plane.count == 3 && [1, 3].contains(plane[0]) && plane[1] >= 2 && plane[2] >= 2
      && model.inputType == .f32 && Shape(plane).elementCount == Shape(trainer.sampleShape).elementCount
    if imageShape != nil, !isImage {
      throw NNError(
        .shapeMismatch,
        "samples of shape \(Shape(trainer.sampleShape).description) are no images \(Shape(shape).description) of "
          + "1 or 3 channels")
    }
    self.imageShape = isImage ? plane : nil
    pixelRange = isImage ? ReportWriter.pixelRange(of: self.held) : 0...1
  }

  func html() -> String {
    var body = [Markup.element("h1", [:], report.title)]
    body += part("Settings", settings)
    body += part("Layers", layers)
    body += part("Learning", learning)
    body += part("Held-out samples", results)
    body += part("What the first layer looks for", filters)
    body += part("What the model looks at", explanations)
    body += part("The last hidden layer", embedding)
    body += part("Most confident mistakes", mistakes)
    let head: [Markup] = [
      .element("meta", ["charset": "utf-8"]),
      .element("meta", ["name": "viewport", "content": "width=device-width, initial-scale=1"]),
      .element(
        "meta",
        [
          "http-equiv": "Content-Security-Policy",
          "content": "default-src 'none'; img-src data:; style-src 'unsafe-inline'",
        ]),
      .element("title", [:], report.title),
      .style(ReportWriter.styleSheet),
    ]
    return Markup.document(
      .element(
        "html", ["lang": "en"],
        [.element("head", [:], head), .element("body", [:], [.element("main", [:], body)])]))
  }

  /// A section; none if there is nothing to say, and the reason if it cannot be made.
  private func part(_ heading: String, _ content: () throws(NNError) -> [Markup]) -> [Markup] {
    var pieces: [Markup]
    do throws(NNError) {
      pieces = try content()
    } catch {
      pieces = [.element("p", ["class": "caption"], "This part could not be made: \(error.message)")]
    }
    if pieces.isEmpty { return [] }
    pieces.insert(.element("h2", [:], heading), at: 0)
    return [.element("section", [:], pieces)]
  }

  /// The name of a class.
  func name(_ index: Int) -> String { index >= 0 && index < names.count ? names[index] : "\(index)" }

  /// A picture that is kept for the folder of pictures too.
  ///
  /// - Parameter width: on the page, in CSS pixels; nil for one pixel of the picture each.
  func image(_ picture: RasterImage, name: String, about: String, width: Int? = nil) throws(NNError) -> Markup
  {
    let png = try PNG.encode(picture)
    pictures.append(ReportPicture(name: name, png: png))
    return .element(
      "img",
      [
        "src": "data:image/png;base64," + Base64.encode(png), "alt": about,
        "width": "\(width ?? picture.width)",
      ])
  }
}

// Tables
extension ReportWriter {
  func table(_ head: [String], _ rows: [[String]], numeric: Set<Int> = []) -> Markup {
    func cells(_ row: [String], _ name: StaticString) -> [Markup] {
      row.enumerated().map { column, text in
        .element(name, ["class": numeric.contains(column) ? "number" : "text"], text)
      }
    }
    let header = Markup.element("thead", [:], [.element("tr", [:], cells(head, "th"))])
    let body = Markup.element("tbody", [:], rows.map { .element("tr", [:], cells($0, "td")) })
    return .element("table", [:], head.isEmpty ? [body] : [header, body])
  }

  func caption(_ text: String) -> Markup { .element("p", ["class": "caption"], text) }

  /// A drawing with its heading above.
  func figure(_ heading: String, _ drawing: Markup) -> Markup {
    .element("figure", [:], [.element("figcaption", [:], heading), drawing])
  }
}

/// Bytes as text, RFC 4648, section 4.
enum Base64 {
  static func encode(_ bytes: [UInt8]) -> String {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    var text: [UInt8] = []
    text.reserveCapacity((bytes.count + 2) / 3 * 4)
    for first in stride(from: 0, to: bytes.count, by: 3) {
      let group = bytes[first..<min(first + 3, bytes.count)]
      var bits: UInt32 = 0
      for (index, byte) in group.enumerated() { bits |= UInt32(byte) << UInt32(16 - 8 * index) }
      for index in 0..<4 {
        let isPadding = index > group.count
        text.append(
          isPadding ? UInt8(ascii: "=") : alphabet[Int(bits >> UInt32(18 - 6 * index) & 63)])
      }
    }
    return String(decoding: text, as: UTF8.self)
  }
}
