/// A table of counts whose cells are the darker the larger their part of the row is: a confusion matrix.
struct HeatMap {
  var title: String
  var rowLabel: String
  var columnLabel: String
  var names: [String]
  /// (names, names), row-major.
  var counts: [Int]

  var markup: Markup {
    let labels = names.map { ChartFrame.shortened($0, to: 16) }
    let longest = Double(labels.map { $0.count }.max() ?? 1)
    let digits = Double(counts.map { "\($0)".count }.max() ?? 1)
    let cell = min(max(digits * 8 + 10, names.count > 20 ? 22 : 30), 64)
    // Names that do not fit above a column stand upright.
    let isUpright = longest * 6.6 + 6 > cell
    let (left, top) = (longest * 6.6 + 40, isUpright ? longest * 6.6 + 34 : 44)
    let side = Double(names.count) * cell
    var pieces = [Markup.element("title", [:], title)]
    pieces.append(text(left + side / 2, 14, "middle label", columnLabel))
    pieces.append(
      .element(
        "text",
        [
          "x": "14", "y": coordinate(top + side / 2), "class": "middle label",
          "transform": "rotate(-90 14 \(coordinate(top + side / 2)))",
        ], rowLabel))
    for (index, label) in labels.enumerated() {
      let middle = Double(index) * cell + cell / 2
      pieces.append(text(left - 8, top + middle + 4, "end", label))
      if isUpright {
        let (x, y) = (coordinate(left + middle + 4), coordinate(top - 8))
        pieces.append(.element("text", ["x": x, "y": y, "transform": "rotate(-90 \(x) \(y))"], label))
      } else {
        pieces.append(text(left + middle, top - 8, "middle", label))
      }
    }
    for row in names.indices { pieces += cells(row, left, top, cell) }
    let (width, height) = (left + side + 4, top + side + 4)
    return .element(
      "svg",
      [
        "viewBox": "0 0 \(coordinate(width)) \(coordinate(height))", "width": coordinate(width),
        "height": coordinate(height), "role": "img",
      ], pieces)
  }

  private func cells(_ row: Int, _ left: Double, _ top: Double, _ size: Double) -> [Markup] {
    let all = counts[row * names.count..<(row + 1) * names.count]
    let total = Double(max(all.reduce(0, +), 1))
    var pieces: [Markup] = []
    for (column, count) in all.enumerated() {
      let (x, y) = (left + Double(column) * size, top + Double(row) * size)
      let part = Double(count) / total
      pieces.append(
        .element(
          "rect",
          [
            "x": coordinate(x), "y": coordinate(y), "width": coordinate(size - 1),
            "height": coordinate(size - 1), "class": "cell " + (row == column ? "f0" : "f1"),
            "fill-opacity": count == 0 ? "0.05" : NumberText.coordinate(0.15 + 0.85 * part),
          ]))
      if count > 0 {
        let kind = part > 0.5 ? "middle inverse" : "middle"
        pieces.append(text(x + (size - 1) / 2, y + size / 2 + 4, kind, "\(count)"))
      }
    }
    return pieces
  }

  private func text(_ x: Double, _ y: Double, _ kind: String, _ content: String) -> Markup {
    .element("text", ["x": coordinate(x), "y": coordinate(y), "class": kind], content)
  }

  private func coordinate(_ value: Double) -> String { NumberText.coordinate(value) }
}
