/// Numbers that change along an axis. What is not finite leaves a gap.
struct LineChart {
  struct Series {
    var name: String
    var points: [(x: Double, y: Double)]
  }

  var title: String
  var xLabel: String
  var yLabel: String
  var series: [Series]
  var isLogarithmic = false

  var markup: Markup {
    let points = series.flatMap { $0.points }
    let values = points.map { $0.y }
    let drawn = values.filter { $0.isFinite && (!isLogarithmic || $0 > 0) }
    let entries = series.enumerated().map { index, series in
      ChartFrame.LegendEntry(name: series.name) { x, y in
        LineChart.stroke("M\(NumberText.coordinate(x - 9)) \(NumberText.coordinate(y))h18", index)
      }
    }
    let legend = entries.count > 1 ? entries : []
    let frame = ChartFrame(
      x: ChartScale(over: points.map { $0.x }, isTight: true),
      y: isLogarithmic ? ChartScale(logarithmicOver: values) : ChartScale(over: values), xLabel: xLabel,
      yLabel: yLabel, legend: legend)
    let missing = values.count - drawn.count
    let note =
      drawn.isEmpty
      ? "nothing to draw" : missing > 0 ? "\(missing) of \(values.count) values have no place" : nil
    return frame.chart(
      title: title, series.enumerated().map { LineChart.lines($1, $0, frame) }, legend: legend, note: note)
  }

  /// The runs of points that have a place, as lines; a run of one point as a dot.
  private static func lines(_ series: Series, _ index: Int, _ frame: ChartFrame) -> Markup {
    var pieces: [Markup] = []
    var run: [(x: Double, y: Double)] = []
    func close() {
      if run.count == 1 {
        pieces.append(ChartStyle.marker(index, run[0].x, run[0].y))
      } else if !run.isEmpty {
        let path = run.map { NumberText.coordinate($0.x) + " " + NumberText.coordinate($0.y) }
        pieces.append(stroke("M" + path.joined(separator: "L"), index))
      }
      run = []
    }
    for point in series.points {
      if let place = frame.place(point.x, point.y) { run.append(place) } else { close() }
    }
    close()
    return Markup(pieces)
  }

  private static func stroke(_ path: String, _ index: Int) -> Markup {
    .element(
      "path",
      ["d": path, "class": "line " + ChartStyle.color(index), "stroke-dasharray": ChartStyle.dash(index)])
  }
}
