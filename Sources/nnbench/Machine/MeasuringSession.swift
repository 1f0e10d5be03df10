import Foundation
import NNKernels

/// Measures kernels one after another, and the machine before and after them.
struct MeasuringSession {
  let table: KernelTable
  let effort: Effort
  /// Those of the report, in its order.
  private var measured: [Benchmark] = []

  init(table: KernelTable, effort: Effort) {
    self.table = table
    self.effort = effort
  }

  /// What the instruction set has no kernel for is left out.
  mutating func measure(_ chosen: [Benchmark]) -> Report {
    let progress = ProgressLine(count: chosen.count)
    progress.show("the machine", 0)
    let machine = Machine.measured(table, effort)
    var times: [Double] = []
    measured = []
    for (index, benchmark) in chosen.enumerated() {
      progress.show(benchmark.name, index + 1)
      guard let seconds = benchmark.seconds(table, effort) else { continue }
      measured.append(benchmark)
      times.append(seconds)
    }
    // Others may have kept the machine busy the first time.
    progress.show("the machine", chosen.count)
    let best = machine.best(Machine.measured(table, effort))
    progress.clear()
    return Report(machine: best, results: zip(measured, times).map { Measurement($0, seconds: $1, best) })
  }

  /// Measures what seems slower than in the earlier report again, twice: a busy machine is no regression.
  func repeatSlower(_ report: inout Report, than earlier: Report, threshold: Double) {
    for _ in 0..<2 {
      let slower = Comparison(earlier, report, threshold: threshold).slower
      for (index, benchmark) in measured.enumerated() {
        let result = report.results[index]
        guard slower.contains(where: { $0.group == result.group && $0.name == result.name }),
          let seconds = benchmark.seconds(table, effort)
        else { continue }
        report.results[index] = Measurement(
          benchmark, seconds: min(seconds, result.seconds), report.machine)
      }
    }
  }
}

/// A line on standard error that tells what is being measured, if that is a terminal.
private struct ProgressLine {
  let count: Int
  let isShown = isatty(2) != 0

  func show(_ name: String, _ index: Int) { write("\r\u{1B}[K[\(index)/\(count)] \(name)") }
  func clear() { write("\r\u{1B}[K") }

  private func write(_ text: String) {
    if isShown { FileHandle.standardError.write(Data(text.utf8)) }
  }
}
