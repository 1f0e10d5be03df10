/// How often numbers fall into parts of their range.
struct Histogram {
  var title: String
  var xLabel: String
  var values: [Double]
  var bins = 30

  var markup: Markup {
    let finite = values.filter { $0.isFinite }.map { min(max($0, -1e300), 1e300) }
    let x = ChartScale(over: finite, isTight: true)
    let bins = max(bins, 1)
    var counts = [Int](repeating: 0, count: bins)
    for value in finite {
      guard let part = x.position(value) else { continue }
      counts[min(max(Int(part * Double(bins)), 0), bins - 1)] += 1
    }
    let y = ChartScale(over: counts.map { Double($0) }, includesZero: true)
    let frame = ChartFrame(x: x, y: y, xLabel: xLabel, yLabel: "samples", legend: [])
    let step = (x.high - x.low) / Double(bins)
    let bars = counts.enumerated().compactMap { index, count -> Markup? in
      let start = x.low + Double(index) * step
      guard count > 0, let corner = frame.place(start, Double(count)),
        let end = frame.place(start + step, 0)
      else { return nil }
      return .element(
        "rect",
        [
          "x": NumberText.coordinate(corner.x), "y": NumberText.coordinate(corner.y),
          "width": NumberText.coordinate(max(end.x - corner.x - 1, 0.5)),
          "height": NumberText.coordinate(max(end.y - corner.y, 0)), "class": "f0",
        ])
    }
    return frame.chart(title: title, bars, legend: [], note: bars.isEmpty ? "nothing to draw" : nil)
  }
}
