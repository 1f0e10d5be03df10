import Foundation
import Testing

@testable import nnbench

private struct Outcome {
  var status: Int32
  var output: String
  var errors: String
}

/// Runs the nnbench that was built with these tests: they are a program of their own that stands beside it.
private func nnbench(_ arguments: [String]) throws -> Outcome {
  let process = Process()
  process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    .deletingLastPathComponent().appendingPathComponent("nnbench")
  process.arguments = arguments
  let (output, errors) = (Pipe(), Pipe())
  process.standardOutput = output
  process.standardError = errors
  try process.run()
  let text = output.fileHandleForReading.readDataToEndOfFile()
  let errorText = errors.fileHandleForReading.readDataToEndOfFile()
  process.waitUntilExit()
  return Outcome(
    status: process.terminationStatus, output: String(decoding: text, as: UTF8.self),
    errors: String(decoding: errorText, as: UTF8.self))
}

private func withTemporaryFile(_ body: (String) throws -> Void) throws {
  let path = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).json").path
  defer { try? FileManager.default.removeItem(atPath: path) }
  try body(path)
}

private let quick = [
  "--quick", "--filter", "matmul 64 x 64 x 64", "--filter", "conv 128x28x28 to 128, 3x3/1", "--filter",
  "gelu 2048",
  "--filter", "transpose 64x64 by 1, 0",
]

@Test func aQuickRunWritesSharesOfTheRoof() throws {
  try withTemporaryFile { path in
    // Other tests take turns on the core, and the machine may be busy when it is measured: then once more.
    for attempt in 1...3 {
      let outcome = try nnbench(quick + ["--json", path])
      #expect(outcome.status == 0 && outcome.errors.isEmpty, "\(outcome.errors)")
      let report = try Report.read(path)
      #expect(report.results.map(\.kernel) == ["matmul", "conv", "transpose", "gelu"])
      #expect(report.machine.peak > 0 && report.machine.levels.allSatisfy { $0.gigabytesPerSecond > 0 })
      #expect(report.machine.levels.last?.capacity == nil)
      for result in report.results {
        #expect(result.seconds > 0 && result.share > 0 && outcome.output.contains(result.name))
      }
      if report.results.allSatisfy({ $0.share <= 1.2 || $0.isWinograd }) { break }
      #expect(attempt < 3, "\(report)")
    }
  }
}

@Test func aKernelThatIsSlowerThanBeforeEndsWith1AndIsNamed() throws {
  try withTemporaryFile { path in
    let arguments = ["--quick", "--filter", "matmul 64 x 64 x 64"]
    #expect(try nnbench(arguments + ["--json", path]).status == 0)
    var report = try Report.read(path)
    let seconds = report.results[0].seconds
    report.results[0].seconds = seconds * 100
    try report.write(path)
    let faster = try nnbench(arguments + ["--compare", path])
    #expect(faster.status == 0 && faster.output.contains("0 slower and 1 faster"))

    report.results[0].seconds = seconds / 100
    try report.write(path)
    let slower = try nnbench(arguments + ["--compare", path])
    #expect(slower.status == 1 && slower.output.contains("slower:\n  matmul: matmul 64 x 64 x 64"))

    report.machine.instructionSet = "none"
    try report.write(path)
    let other = try nnbench(arguments + ["--compare", path])
    #expect(other.status == 1 && other.errors.contains("none") && other.errors.contains("--isa"))
  }
}

@Test func listNamesKernelsAndMeasuresNothing() throws {
  let outcome = try nnbench(["--list", "--group", "pool"])
  let lines = outcome.output.split(separator: "\n")
  #expect(outcome.status == 0 && lines.count == Benchmark.pools.count)
  #expect(lines.allSatisfy { $0.hasPrefix("pool: ") })
}

@Test func wrongCommandLinesExitWith64AndSayWhy() throws {
  let wrong: [([String], String)] = [
    (["--group", "matmull"], "convolution"), (["--filter", "no such kernel"], "--list"),
    (["--isa", "v9"], "v4"),
    (["--threshold", "0"], "--threshold"), (["--lowest", "0"], "--lowest"),
    (["--frobnicate"], "--frobnicate"),
  ]
  for (arguments, word) in wrong {
    let outcome = try nnbench(arguments)
    #expect(outcome.status == 64 && outcome.output.isEmpty && outcome.errors.contains(word), "\(arguments)")
  }
}

@Test func aFileThatIsNoReportIsNamed() throws {
  try withTemporaryFile { path in
    try "{}".write(toFile: path, atomically: true, encoding: .utf8)
    for file in ["/no/such/file.json", path] {
      let outcome = try nnbench(["--filter", "gelu 2048", "--compare", file])
      #expect(outcome.status == 1 && outcome.output.isEmpty && outcome.errors.contains(file))
    }
  }
}
