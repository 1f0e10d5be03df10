/// Points in a plane.
struct ScatterChart {
  /// What the looks of points say.
  enum Coloring {
    /// The class of each point, and the names of the classes.
    case classes([Int], names: [String])
    /// A number for each point, and what it is.
    case numbers([Double], name: String)
    case none
  }

  var title: String
  var xLabel: String
  var yLabel: String
  var points: [(x: Double, y: Double)]
  var coloring = Coloring.none
  /// Whether a line is drawn where both are the same, and both axes have the same scale.
  var hasDiagonal = false
  /// Classes beyond are not in the legend.
  private static let legendLimit = 20

  init(
    title: String, xLabel: String, yLabel: String, points: [(x: Double, y: Double)],
    coloring: Coloring = .none, hasDiagonal: Bool = false
  ) {
    self.title = title
    self.xLabel = xLabel
    self.yLabel = yLabel
    self.points = points
    self.coloring = coloring
    self.hasDiagonal = hasDiagonal
  }

  var markup: Markup {
    let legend = legend
    let all = points.flatMap { [$0.x, $0.y] }
    let frame = ChartFrame(
      x: ChartScale(over: hasDiagonal ? all : points.map { $0.x }),
      y: ChartScale(over: hasDiagonal ? all : points.map { $0.y }), xLabel: xLabel, yLabel: yLabel,
      legend: legend, height: 360)
    var pieces: [Markup] = []
    if hasDiagonal, let from = frame.place(frame.x.low, frame.y.low),
      let to = frame.place(frame.x.high, frame.y.high)
    {
      pieces.append(
        .element(
          "line",
          [
            "x1": NumberText.coordinate(from.x), "y1": NumberText.coordinate(from.y),
            "x2": NumberText.coordinate(to.x), "y2": NumberText.coordinate(to.y), "class": "diagonal",
          ]))
    }
    for (index, point) in points.enumerated() {
      guard let place = frame.place(point.x, point.y) else { continue }
      pieces.append(mark(index, place))
    }
    return frame.chart(
      title: title, pieces, legend: legend, note: pieces.isEmpty ? "nothing to draw" : nil)
  }

  private func mark(_ index: Int, _ place: (x: Double, y: Double)) -> Markup {
    switch coloring {
    case .classes(let classes, _):
      return ChartStyle.marker(index < classes.count ? max(classes[index], 0) : 0, place.x, place.y)
    case .numbers(let numbers, _):
      let range = ScatterChart.range(numbers)
      let number = index < numbers.count ? numbers[index] : .nan
      let part = (number - range.low) / max(range.high - range.low, .leastNormalMagnitude)
      return ScatterChart.dot(place.x, place.y, part)
    case .none: return ChartStyle.marker(0, place.x, place.y)
    }
  }

  private static func dot(_ x: Double, _ y: Double, _ part: Double) -> Markup {
    let color = ColorMap.sequential.color(Float(part))
    return .element(
      "circle",
      [
        "cx": NumberText.coordinate(x), "cy": NumberText.coordinate(y), "r": "3.2", "class": "mark",
        "fill": "rgb(\(color.red),\(color.green),\(color.blue))",
      ])
  }

  private static func range(_ numbers: [Double]) -> (low: Double, high: Double) {
    let finite = numbers.filter { $0.isFinite }
    return (finite.min() ?? 0, finite.max() ?? 0)
  }

  private var legend: [ChartFrame.LegendEntry] {
    switch coloring {
    case .classes(_, let names):
      return names.prefix(ScatterChart.legendLimit).enumerated().map { index, name in
        ChartFrame.LegendEntry(name: name) { x, y in ChartStyle.marker(index, x, y, size: 4) }
      }
    case .numbers(let numbers, let name):
      let range = ScatterChart.range(numbers)
      let steps = [1, 0.75, 0.5, 0.25, 0]
      let title = ChartFrame.LegendEntry(name: name) { _, _ in Markup("") }
      return [title]
        + steps.map { step in
          ChartFrame.LegendEntry(name: NumberText.short(range.low + (range.high - range.low) * step)) {
            x, y in
            ScatterChart.dot(x, y, step)
          }
        }
    case .none: return []
    }
  }
}
