import Foundation

extension Report {
  /// The machine in a line.
  var heading: String {
    let levels = machine.levels.map { level in
      let size = level.capacity.map { " (\($0 >> 10) KiB)" } ?? ""
      return "\(formatted(level.gigabytesPerSecond)) in \(level.name)\(size)"
    }
    return """
      \(machine.processor), one core, instruction set \(machine.instructionSet): \(formatted(machine.peak)) GFLOP/s of \
      multiply-adds; reads GB/s: \(levels.joined(separator: ", "))
      """
  }

  /// Aligned columns, under a line for each group.
  var table: String {
    var lines = [Self.header.map(\.title)]
    var groups: [Int: String] = [:]
    for (index, result) in results.enumerated() {
      if index == 0 || results[index - 1].group != result.group {
        groups[lines.count] = result.group.rawValue
      }
      lines.append(result.cells)
    }
    let widths = Self.header.indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
    var text: [String] = []
    for (index, cells) in lines.enumerated() {
      if let group = groups[index] { text += ["", group] }
      let padded = cells.indices.map { column in
        let space = String(repeating: " ", count: widths[column] - cells[column].count)
        return Self.header[column].isText ? cells[column] + space : space + cells[column]
      }
      var line = "  " + padded.joined(separator: "  ")
      while line.last == " " { line.removeLast() }
      text.append(line)
    }
    return (text + notes.flatMap { ["", $0] }).joined(separator: "\n")
  }

  var markdown: String {
    var lines = [
      Self.row(["group"] + Self.header.map(\.title)),
      Self.row(["---"] + Self.header.map { $0.isText ? "---" : "---:" }),
    ]
    lines += results.map { Self.row([$0.group.rawValue] + $0.cells) }
    return (lines + notes.flatMap { ["", $0] }).joined(separator: "\n")
  }

  private static func row(_ cells: [String]) -> String { "| " + cells.joined(separator: " | ") + " |" }

  private var notes: [String] {
    guard results.contains(where: \.isWinograd) else { return [] }
    return [
      "winograd: the plain sum's operations are counted; the algorithm does fewer, so the share may be above 100 %"
    ]
  }

  fileprivate static let header: [(title: String, isText: Bool)] = [
    ("kernel", true), ("µs", false), ("MFLOP", false), ("KB", false), ("FLOP/B", false), ("GFLOP/s", false),
    ("GB/s", false), ("ns each", false), ("roof", false), ("bound", true), ("share", false),
    ("algorithm", true),
  ]
}

extension Measurement {
  fileprivate var cells: [String] {
    func optional(_ value: Double?) -> String { value.map(formatted) ?? "" }
    return [
      name, formatted(seconds * 1e6), optional(flops.map { $0 * 1e-6 }), formatted(bytes * 1e-3),
      optional(intensity), optional(gigaflops), formatted(gigabytesPerSecond),
      optional(nanosecondsPerElement),
      "\(formatted(roof)) \(roofUnit.rawValue)", bound, String(format: "%.1f %%", share * 100),
      algorithm ?? "",
    ]
  }
}

/// Four digits or, above a thousand, all before the point.
func formatted(_ value: Double) -> String {
  let digits = value >= 1000 ? 0 : value >= 100 ? 1 : value >= 10 ? 2 : 3
  return String(format: "%.\(digits)f", value)
}
