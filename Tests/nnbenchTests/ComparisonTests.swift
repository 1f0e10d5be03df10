import Foundation
import Testing

@testable import nnbench

private func report(_ times: [(String, Double)]) -> Report {
  Report(
    machine: machine,
    results: times.map { shape, seconds in
      Measurement(
        Benchmark(.matmul, "matmul", shape, Work(flops: 1e6, bytes: 1e5)) { _, _ in nil }, seconds: seconds,
        machine)
    })
}

@Test func changesBeyondTheThresholdAreToldGreatestFirst() {
  let earlier = report([("a", 1), ("b", 1), ("c", 1), ("d", 1), ("e", 1), ("gone", 1)])
  let later = report([("a", 1.09), ("b", 1.2), ("c", 1.5), ("d", 0.95), ("e", 0.5), ("new", 1)])
  let comparison = Comparison(earlier, later, threshold: 0.1)
  #expect(comparison.slower.map(\.name) == ["matmul c", "matmul b"])
  #expect(comparison.faster.map(\.name) == ["matmul e"])
  #expect(comparison.compared == 5 && comparison.added == ["matmul new"])
  #expect(abs(comparison.slower[0].share - 0.5) < 1e-12)
  #expect(
    comparison.text == """
      5 kernels compared: 2 slower and 1 faster by more than 10.00 %
      slower:
        matmul: matmul c  +50.0 %  1000000 -> 1500000 µs
        matmul: matmul b  +20.0 %  1000000 -> 1200000 µs
      faster:
        matmul: matmul e  -50.0 %  1000000 -> 500000 µs
      not in the earlier report: 1
      """)
}

@Test func aReportIsNotSlowerThanItself() {
  let one = report([("a", 1), ("b", 2)])
  let comparison = Comparison(one, one, threshold: 1e-9)
  #expect(comparison.slower.isEmpty && comparison.faster.isEmpty && comparison.compared == 2)
}

@Test func anotherProcessorAndAnotherPeakAreDoubted() {
  var other = machine
  #expect(machine.doubts(about: other, threshold: 0.1) == nil)
  other.peak = 120
  #expect(machine.doubts(about: other, threshold: 0.1)?.contains("120.0") == true)
  #expect(machine.doubts(about: other, threshold: 0.3) == nil)
  other.processor = "B"
  #expect(machine.doubts(about: other, threshold: 0.1)?.contains("B") == true)
}

@Test func theTableIsAlignedAndMarkdownHasOneCellForEachColumn() {
  let one = report([("a", 1), ("longer", 2)])
  let lines = one.table.split(separator: "\n")
  #expect(lines.count == 4 && lines[1] == "matmul")
  #expect(
    Set(
      [lines[0], lines[2], lines[3]].map {
        $0.range(of: "µs|1000000|2000000", options: .regularExpression)?.upperBound.utf16Offset(in: $0)
      }
    ).count == 1)
  let rows = one.markdown.split(separator: "\n").map {
    $0.split(separator: "|", omittingEmptySubsequences: false).count
  }
  #expect(Set(rows) == [rows[0]] && rows.count == 4)
}
