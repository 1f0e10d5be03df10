import Glibc

/// Where a training run stands, for printing.
struct Progress {
  var epoch: Int
  var epochs: Int
  /// Samples of this epoch seen so far, and in all.
  var samples: Int
  var samplesPerEpoch: Int
  /// Means over this epoch so far.
  var loss: Double
  var accuracy: Double?
  var samplesPerSecond: Double

  /// Seconds until the last epoch ends at the present rate.
  var timeLeft: Double {
    let remaining = Double(epochs - epoch) * Double(samplesPerEpoch) + Double(samplesPerEpoch - samples)
    return remaining / samplesPerSecond
  }
}

/// Prints progress: one line that is redrawn on a terminal, one plain line per epoch otherwise.
final class ProgressPrinter {
  private let terminal = Terminal.standardOutput
  private var lastDrawn: ContinuousClock.Instant?

  /// Called after every batch. Draws at most ten times a second, so that printing does not slow training down.
  func batchEnded(_ progress: Progress) {
    let now = ContinuousClock.now
    guard let terminal, lastDrawn.map({ now - $0 >= .milliseconds(100) }) ?? true else { return }
    lastDrawn = now
    terminal.redraw(ProgressPrinter.bar(progress, width: terminal.width))
  }

  /// Called after every epoch; `validation` are metrics on data kept aside, if there are any.
  func epochEnded(_ progress: Progress, validation: [(name: String, value: Double)] = []) {
    var line = "epoch \(progress.epoch)/\(progress.epochs)  loss \(progress.loss.fixed(4))"
    if let accuracy = progress.accuracy { line += "  accuracy \(accuracy.fixed(4))" }
    for (name, value) in validation { line += "  \(name) \(value.fixed(4))" }
    line += "  \(progress.samplesPerSecond.short) samples/s"
    if let terminal {
      terminal.redraw(ProgressPrinter.bar(progress, width: terminal.width))
    } else {
      print(line)
      fflush(nil)
    }
  }

  /// Leaves the last line standing.
  func ended() {
    if terminal != nil { print() }
  }

  /// A line of at most `width - 1` columns. What does not fit is left out, the bar first.
  static func bar(_ progress: Progress, width: Int) -> String {
    let head = "epoch \(progress.epoch)/\(progress.epochs) "
    var fields = ["loss " + progress.loss.fixed(4)]
    if let accuracy = progress.accuracy { fields.append("accuracy " + accuracy.fixed(3)) }
    fields += [progress.samplesPerSecond.short + "/s", progress.timeLeft.clock + " left"]
    while !fields.isEmpty {
      let tail = "  " + fields.joined(separator: "  ")
      let room = width - 1 - head.count - tail.count
      if room >= 8 {
        let cells = min(room, 40)
        let share = Double(progress.samples) / Double(max(progress.samplesPerEpoch, 1))
        return head + ProgressPrinter.cells(cells, share: share) + tail
      }
      if room >= 0 { return head + tail.dropFirst(2) }
      fields.removeLast()
    }
    return String(head.prefix(max(width - 1, 0)))
  }

  /// A bar of `count` cells, filled up to `share`.
  static func cells(_ count: Int, share: Double) -> String {
    let filled = max(0, min(Int((share * Double(count)).rounded()), count))
    return String(repeating: "█", count: filled) + String(repeating: "░", count: count - filled)
  }
}
