import Foundation

/// What has become slower or faster since an earlier report.
struct Comparison {
  struct Change: Equatable {
    var group: Benchmark.Group
    var name: String
    /// Seconds of a call.
    var before: Double
    var after: Double

    /// By which share of the time before it takes longer; negative if it takes less.
    var share: Double { after / before - 1 }
  }

  /// By more than the threshold, the greatest change first.
  var slower: [Change] = []
  var faster: [Change] = []
  /// How many kernels both reports have.
  var compared = 0
  /// The names of kernels that only the later one has.
  var added: [String] = []
  var threshold: Double

  init(_ earlier: Report, _ later: Report, threshold: Double) {
    self.threshold = threshold
    var before: [String: Double] = [:]
    for result in earlier.results { before[Self.key(result)] = result.seconds }
    for result in later.results {
      guard let seconds = before[Self.key(result)] else {
        added.append(result.name)
        continue
      }
      compared += 1
      let change = Change(group: result.group, name: result.name, before: seconds, after: result.seconds)
      if change.share > threshold { slower.append(change) }
      if change.share < -threshold { faster.append(change) }
    }
    slower.sort { $0.share > $1.share }
    faster.sort { $0.share < $1.share }
  }

  private static func key(_ result: Measurement) -> String { "\(result.group.rawValue) \(result.name)" }

  var text: String {
    let percent = formatted(threshold * 100)
    var lines = [
      "\(compared) kernels compared: \(slower.count) slower and \(faster.count) faster by more than \(percent) %"
    ]
    for (title, changes) in [("slower", slower), ("faster", faster)] where !changes.isEmpty {
      lines.append("\(title):")
      let width = changes.map { $0.group.rawValue.count + $0.name.count }.max() ?? 0
      for change in changes {
        let space = String(
          repeating: " ", count: width - change.group.rawValue.count - change.name.count)
        let times = "\(formatted(change.before * 1e6)) -> \(formatted(change.after * 1e6)) µs"
        lines.append(
          "  \(change.group.rawValue): \(change.name)\(space)  \(String(format: "%+.1f %%", change.share * 100))  \(times)"
        )
      }
    }
    if !added.isEmpty { lines.append("not in the earlier report: \(added.count)") }
    return lines.joined(separator: "\n")
  }
}

extension Machine {
  /// Why times on two machines tell little about the kernels; nil if nothing is known against it.
  func doubts(about earlier: Machine, threshold: Double) -> String? {
    if processor != earlier.processor {
      return "the earlier report is of another processor: \(earlier.processor)"
    }
    let change = earlier.peak / peak - 1
    guard abs(change) > threshold else { return nil }
    return String(
      format: "the machine itself was at %.1f GFLOP/s of multiply-adds and is at %.1f now", earlier.peak, peak
    )
  }
}
