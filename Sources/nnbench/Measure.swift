import Foundation

/// Seconds of processor time that one call takes: the median of several rounds, each long enough for the clock.
///
/// Processor time, because a busy machine takes turns: the wall clock would measure the others too.
func secondsPerCall(rounds: Int = 9, roundSeconds: Double = 0.02, _ body: () -> Void) -> Double {
  body()
  var calls = 1
  while true {
    let seconds = measure(calls, body)
    if seconds >= roundSeconds { break }
    calls = max(calls + 1, Int(Double(calls) * min(10, 1.2 * roundSeconds / max(seconds, 1e-9))))
  }
  let times = (0..<rounds).map { _ in measure(calls, body) / Double(calls) }
  return times.sorted()[rounds / 2]
}

private func measure(_ calls: Int, _ body: () -> Void) -> Double {
  let start = processorSeconds()
  for _ in 0..<calls { body() }
  return processorSeconds() - start
}

private func processorSeconds() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}

/// The processor's name as the system gives it.
func processorName() -> String {
  guard let text = try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8) else { return "unknown" }
  let line = text.split(separator: "\n").first { $0.hasPrefix("model name") || $0.hasPrefix("Model") }
  return line?.split(separator: ":").last.map { $0.trimmingCharacters(in: .whitespaces) } ?? "unknown"
}

/// Memory of random floats that lives as long as the program.
func randomFloats(_ count: Int) -> UnsafeMutablePointer<Float> {
  let floats = UnsafeMutableRawPointer.allocate(byteCount: max(64, count * 4), alignment: 64)
    .bindMemory(to: Float.self, capacity: count)
  var state: UInt32 = 1
  for i in 0..<count {
    state = state &* 1_664_525 &+ 1_013_904_223
    floats[i] = Float(state >> 8) * 0x1p-23 - 1
  }
  return floats
}

/// One line of the report.
struct Result: Encodable {
  var group: String
  var name: String
  var value: Double
  var unit: String
  /// Of the measured peak, for what is counted in GFLOP/s.
  var shareOfPeak: Double?

  func printed() {
    let share = shareOfPeak.map { String(format: "  %5.1f %% of peak", $0 * 100) } ?? ""
    let padded = name.padding(toLength: 44, withPad: " ", startingAt: 0)
    print("\(padded) \(String(format: "%9.2f", value)) \(unit)\(share)")
  }
}

struct Report: Encodable {
  var processor: String
  var instructionSet: String
  var results: [Result]
}
