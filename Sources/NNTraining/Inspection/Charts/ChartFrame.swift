/// The drawing area of a chart with its axes: places of points, and the marks and texts around them.
struct ChartFrame {
  let x: ChartScale
  let y: ChartScale
  let xLabel: String
  let yLabel: String
  /// Of the whole picture, in pixels.
  let width: Double
  var height = 280.0
  /// Room for the legend on the right.
  let legendWidth: Double

  private let left: Double
  private let top = 12.0
  private let bottom = 44.0
  private var right: Double { width - legendWidth - 12 }
  private var base: Double { height - bottom }

  init(
    x: ChartScale, y: ChartScale, xLabel: String, yLabel: String, legend: [LegendEntry], width: Double = 548,
    height: Double = 280
  ) {
    self.x = x
    self.y = y
    self.xLabel = xLabel
    self.yLabel = yLabel
    let longest = legend.map { ChartFrame.shortened($0.name).count }.max() ?? 0
    legendWidth = legend.isEmpty ? 0 : Double(longest) * 6.6 + 40
    self.width = width
    // The label of the axis stands left of the longest of its numbers.
    left = Double(y.marks.map { $0.label.count }.max() ?? 0) * 7 + 40
    // A long legend makes the picture higher.
    self.height = max(height, top + Double(legend.count) * 17 + 8)
  }

  /// A line of the legend: a name, and how its marks look.
  struct LegendEntry {
    let name: String
    let mark: (_ x: Double, _ y: Double) -> Markup
  }

  /// The place of a point; nil if one of its numbers has none.
  func place(_ xValue: Double, _ yValue: Double) -> (x: Double, y: Double)? {
    guard let across = x.position(xValue), let up = y.position(yValue) else { return nil }
    return (left + across * (right - left), base - up * (base - top))
  }

  /// The chart: axes, `content`, legend.
  ///
  /// - Parameter title: what is read aloud instead of the picture.
  func chart(title: String, _ content: [Markup], legend: [LegendEntry], note: String? = nil) -> Markup {
    var pieces = [Markup.element("title", [:], title), axes]
    pieces += content
    for (row, entry) in legend.enumerated() {
      let y = top + 8 + Double(row) * 17
      pieces.append(entry.mark(right + 22, y))
      var text = [Markup(ChartFrame.shortened(entry.name))]
      if entry.name != ChartFrame.shortened(entry.name) { text.append(.element("title", [:], entry.name)) }
      pieces.append(
        .element("text", ["x": coordinate(right + 38), "y": coordinate(y + 4)], text))
    }
    if let note {
      pieces.append(
        .element(
          "text",
          ["x": coordinate((left + right) / 2), "y": coordinate((top + base) / 2), "class": "middle note"],
          note))
    }
    return .element(
      "svg",
      [
        "viewBox": "0 0 \(coordinate(width)) \(coordinate(height))", "width": coordinate(width),
        "height": coordinate(height), "role": "img",
      ], pieces)
  }

  private var axes: Markup {
    var pieces: [Markup] = []
    for mark in y.marks {
      let y = base - mark.position * (base - top)
      pieces.append(line(left, y, right, y, "grid"))
      pieces.append(text(left - 8, y + 4, "end", mark.label))
    }
    for mark in x.marks {
      let x = left + mark.position * (right - left)
      pieces.append(line(x, base, x, base + 5, "axis"))
      pieces.append(text(x, base + 18, "middle", mark.label))
    }
    pieces.append(line(left, base, right, base, "axis"))
    pieces.append(line(left, top, left, base, "axis"))
    pieces.append(text((left + right) / 2, base + 37, "middle label", xLabel))
    let middle = (top + base) / 2
    pieces.append(
      .element(
        "text",
        [
          "x": "14", "y": coordinate(middle), "class": "middle label",
          "transform": "rotate(-90 14 \(coordinate(middle)))",
        ], yLabel))
    return Markup(pieces)
  }

  private func line(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ kind: String) -> Markup {
    .element(
      "line",
      [
        "x1": coordinate(x1), "y1": coordinate(y1), "x2": coordinate(x2), "y2": coordinate(y2), "class": kind,
      ])
  }

  private func text(_ x: Double, _ y: Double, _ kind: String, _ content: String) -> Markup {
    .element("text", ["x": coordinate(x), "y": coordinate(y), "class": kind], content)
  }

  private func coordinate(_ value: Double) -> String { NumberText.coordinate(value) }

  /// A name that leaves room for the chart.
  static func shortened(_ name: String, to count: Int = 22) -> String {
    name.count > count ? name.prefix(count - 1) + "…" : name
  }
}

/// How the series and classes of charts look: seven colours that colour-blind people tell apart (after Okabe and Ito 2008),
/// and a dash or a shape of their own for those who see none.
enum ChartStyle {
  static let colorCount = 7

  /// The CSS class that sets the colour.
  static func color(_ index: Int) -> String { "s\(index % colorCount)" }

  /// An SVG dash pattern; nothing for the first seven.
  static func dash(_ index: Int) -> String {
    ["none", "7 3", "2 3", "9 3 2 3"][index / colorCount % 4]
  }

  /// One of five shapes around a place. With five shapes and seven colours, 35 classes look different.
  static func marker(_ index: Int, _ x: Double, _ y: Double, size: Double = 3.2) -> Markup {
    let kind = "mark f\(index % colorCount)"
    func at(_ dx: Double, _ dy: Double) -> String {
      NumberText.coordinate(x + dx * size) + " " + NumberText.coordinate(y + dy * size)
    }
    let path: String
    switch index % 5 {
    case 0:
      return .element(
        "circle",
        [
          "cx": NumberText.coordinate(x), "cy": NumberText.coordinate(y), "r": NumberText.coordinate(size),
          "class": kind,
        ])
    case 1: path = "M\(at(-0.9, -0.9))L\(at(0.9, -0.9))L\(at(0.9, 0.9))L\(at(-0.9, 0.9))Z"
    case 2: path = "M\(at(0, -1.2))L\(at(1.1, 0.9))L\(at(-1.1, 0.9))Z"
    case 3: path = "M\(at(0, -1.3))L\(at(1.3, 0))L\(at(0, 1.3))L\(at(-1.3, 0))Z"
    default:
      path =
        "M\(at(-0.4, -1.2))L\(at(0.4, -1.2))L\(at(0.4, -0.4))L\(at(1.2, -0.4))L\(at(1.2, 0.4))L\(at(0.4, 0.4))"
        + "L\(at(0.4, 1.2))L\(at(-0.4, 1.2))L\(at(-0.4, 0.4))L\(at(-1.2, 0.4))L\(at(-1.2, -0.4))L\(at(-0.4, -0.4))Z"
    }
    return .element("path", ["d": path, "class": kind])
  }
}
