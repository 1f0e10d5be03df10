import Foundation

/// How long measuring one kernel may take.
struct Effort {
  var rounds: Int
  /// How long each round lasts at least.
  var roundSeconds: Double

  static let full = Effort(rounds: 9, roundSeconds: 0.02)
  static let quick = Effort(rounds: 3, roundSeconds: 0.004)

  /// Seconds of processor time that one call takes: the median of the rounds.
  func secondsPerCall(_ body: () -> Void) -> Double { sortedTimes(body)[rounds / 2] }

  /// As ``secondsPerCall(_:)`` of the fastest round, for what the processor can do at most.
  func leastSecondsPerCall(_ body: () -> Void) -> Double { sortedTimes(body)[0] }

  private func sortedTimes(_ body: () -> Void) -> [Double] {
    body()
    var calls = 1
    while true {
      let seconds = measure(calls, body)
      if seconds >= roundSeconds { break }
      calls = max(calls + 1, Int(Double(calls) * min(10, 1.2 * roundSeconds / max(seconds, 1e-9))))
    }
    return (0..<rounds).map { _ in measure(calls, body) / Double(calls) }.sorted()
  }
}

private func measure(_ calls: Int, _ body: () -> Void) -> Double {
  let start = processorSeconds()
  for _ in 0..<calls { body() }
  return processorSeconds() - start
}

/// Processor time, because a busy machine takes turns: the wall clock would measure the others too.
private func processorSeconds() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}
