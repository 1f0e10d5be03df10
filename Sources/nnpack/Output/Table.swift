/// Columns of text, aligned with spaces.
struct Table {
  enum Alignment {
    case left, right
  }

  private let alignments: [Alignment]
  private var rows: [[String]]

  init(_ header: [String], alignments: [Alignment]) {
    precondition(header.count == alignments.count)
    self.alignments = alignments
    rows = [header]
  }

  mutating func append(_ row: [String]) {
    precondition(row.count == alignments.count)
    rows.append(row)
  }

  /// Two spaces in front of every line and between columns, no trailing ones.
  var text: String {
    let widths = alignments.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
      var line = ""
      for (column, cell) in row.enumerated() {
        let space = String(repeating: " ", count: widths[column] - cell.count)
        line += "  " + (alignments[column] == .left ? cell + space : space + cell)
      }
      while line.hasSuffix(" ") { line.removeLast() }
      return line
    }.joined(separator: "\n")
  }
}
