/// What a long command is doing: one line on standard error that is redrawn, if that is a terminal, and gone at the end.
final class ProgressLine {
  private let terminal: Terminal?
  private var stage = ""
  private var begin = ContinuousClock.now
  private var lastDrawn: ContinuousClock.Instant?

  /// What takes less than this needs no line.
  private static let patience = Duration.milliseconds(300)

  /// - Parameter isQuiet: whether nothing is ever drawn.
  init(isQuiet: Bool) {
    terminal = isQuiet ? nil : Terminal.standardError
  }

  /// Says what begins now.
  func begin(_ stage: String) {
    self.stage = stage
    draw(share: nil)
  }

  /// Says how much of it is done. Draws at most ten times a second.
  func advance(_ done: Int, of total: Int) {
    if let lastDrawn, ContinuousClock.now - lastDrawn < .milliseconds(100) { return }
    draw(share: Double(done) / Double(max(total, 1)))
  }

  /// Takes the line away.
  func end() {
    if lastDrawn != nil { terminal?.redraw("") }
    lastDrawn = nil
    begin = ContinuousClock.now
  }

  private func draw(share: Double?) {
    let now = ContinuousClock.now
    guard let terminal, lastDrawn != nil || now - begin >= ProgressLine.patience else { return }
    lastDrawn = now
    terminal.redraw(ProgressLine.text(stage, share: share, width: terminal.width))
  }

  /// A line of at most `width - 1` columns; without room for it, the bar is left out.
  static func text(_ stage: String, share: Double?, width: Int) -> String {
    guard let share else { return String(stage.prefix(max(width - 1, 0))) }
    let tail = " \(Int((share * 100).rounded(.down))) %"
    let cells = min(width - 2 - stage.count - tail.count, 40)
    let bar = cells >= 8 ? " " + ProgressPrinter.cells(cells, share: share) : ""
    return String((stage + bar + tail).prefix(max(width - 1, 0)))
  }
}
