import ArgumentParser
import CPlatform
import Foundation
import NNKernels
import NNKernelsBaseline
import NNKernelsX86V3
import NNKernelsX86V4

/// Measures the kernels on one core; see tools/bench/kernels.
@main struct Nnbench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tools/bench/kernels",
    abstract: "Measures each kernel over a grid of shapes against the roofline of this machine, on one core.",
    discussion: """
      The roof of a kernel is the lower one of the machine's multiply-adds and of its operations per byte times the bandwidth of the \
      memory level that holds its operands. Bytes are the least that must move: each operand once. Times are medians of processor time.

      EXAMPLE:
        tools/bench/kernels --group convolution --filter 3x3
        tools/bench/kernels --json before.json
        tools/bench/kernels --compare before.json

      EXIT STATUS:
        0  success
        1  a kernel is slower than in the report it was compared with, or the command failed
        64 the command line is not right
      """)

  @Option(help: ArgumentHelp("Measure this group only; repeatable.", valueName: "name"))
  var group: [Benchmark.Group] = []

  @Option(
    help: ArgumentHelp(
      "Measure only what has this text in its group, kernel or shape; repeatable.", valueName: "text"))
  var filter: [String] = []

  @Option(help: "The instruction set; the best one of this machine unless told.")
  var isa: InstructionSetName?

  @Flag(help: "Print the names of what would be measured, and measure nothing.") var list = false
  @Flag(help: "Fewer and shorter rounds: less time and less precise.") var quick = false
  @Flag(help: "Print a Markdown table.") var markdown = false

  @Option(
    help: ArgumentHelp("Print only this many kernels, those farthest below their roof.", valueName: "count"))
  var lowest: Int?

  @Option(help: ArgumentHelp("Write everything that was measured to this file.", valueName: "file"))
  var json: String?

  @Option(
    help: ArgumentHelp(
      "Tell what is slower or faster than in this file of an earlier --json.", valueName: "file"))
  var compare: String?

  @Option(
    help: ArgumentHelp("The share of the time by which --compare lets kernels differ.", valueName: "share"))
  var threshold = 0.1

  func validate() throws {
    if !(threshold > 0 && threshold.isFinite) { throw ValidationError("--threshold takes a number above 0") }
    if let lowest, lowest < 1 { throw ValidationError("--lowest takes a number of at least 1") }
    if Benchmark.selected(groups: group, filters: filter).isEmpty {
      throw ValidationError("no kernel of the groups has the text in its name; --list names all")
    }
  }

  func run() throws {
    let benchmarks = Benchmark.selected(groups: group, filters: filter)
    if list {
      for benchmark in benchmarks { print("\(benchmark.group.rawValue): \(benchmark.name)") }
      return
    }
    let table = try kernelTable()
    let earlier = try compare.map(Report.read)
    if let earlier, earlier.machine.instructionSet != "\(table.name)" {
      throw Failure("\(compare ?? "") was measured with \(earlier.machine.instructionSet); give --isa")
    }
    var session = MeasuringSession(table: table, effort: quick ? .quick : .full)
    var report = session.measure(benchmarks)
    if let earlier { session.repeatSlower(&report, than: earlier, threshold: threshold) }

    print(report.heading + "\n")
    var shown = report
    if let lowest { shown.results = Array(report.results.sorted { $0.share < $1.share }.prefix(lowest)) }
    print(markdown ? shown.markdown : shown.table)
    if let json { try report.write(json) }
    guard let earlier else { return }
    let comparison = Comparison(earlier, report, threshold: threshold)
    print("\n" + comparison.text)
    if let doubts = report.machine.doubts(about: earlier.machine, threshold: threshold) {
      print("but \(doubts)")
    }
    if !comparison.slower.isEmpty { throw ExitCode(1) }
  }

  private func kernelTable() throws -> KernelTable {
    var tables = [Baseline.kernels]
    #if arch(x86_64)
      if nnp_cpu_has_x86_v3() != 0 { tables.append(X86V3.kernels) }
      if nnp_cpu_has_x86_v4() != 0 { tables.append(X86V3.kernels.replacing(X86V4.kernels)) }
    #endif
    guard let isa else { return tables[tables.count - 1] }
    guard let table = tables.first(where: { "\($0.name)" == isa.rawValue }) else {
      throw Failure("this machine cannot run \(isa.rawValue)")
    }
    return table
  }
}

enum InstructionSetName: String, CaseIterable, ExpressibleByArgument {
  case baseline, v3, v4
}

extension Benchmark.Group: ExpressibleByArgument {}

/// What went wrong, in words.
struct Failure: Error, CustomStringConvertible {
  var description: String
  init(_ description: String) { self.description = description }
}
