import CPlatform
import Foundation
import NNGraph
import NNKernels
import NNKernelsBaseline
import NNKernelsX86V3
import NNKernelsX86V4

/// Measures the kernels of one instruction set on one core; see tools/bench/kernels.
@main struct Nnbench {
  static func main() {
    var json: String?
    var requested: String?
    var arguments = CommandLine.arguments.dropFirst().makeIterator()
    while let argument = arguments.next() {
      switch argument {
      case "--json": json = arguments.next()
      case "--isa": requested = arguments.next()
      default: fail("usage: nnbench [--isa baseline|v3|v4] [--json FILE]")
      }
    }
    guard let table = table(requested) else { fail("this machine cannot run \(requested ?? "")") }
    let report = run(table)
    if let json { write(report, json) }
  }

  /// The best table the machine can run, or the one asked for.
  private static func table(_ name: String?) -> KernelTable? {
    var tables = [Baseline.kernels]
    #if arch(x86_64)
      if nnp_cpu_has_x86_v3() != 0 { tables.append(X86V3.kernels) }
      if nnp_cpu_has_x86_v4() != 0 { tables.append(X86V3.kernels.replacing(X86V4.kernels)) }
    #endif
    guard let name else { return tables.last }
    return tables.first { "\($0.name)" == name }
  }

  private static func run(_ table: KernelTable) -> Report {
    var report = Report(processor: processorName(), instructionSet: "\(table.name)", results: [])
    func add(_ result: Result) {
      result.printed()
      report.results.append(result)
    }
    print(
      "\(report.processor), one core, instruction set \(report.instructionSet); medians of processor time")
    let peak = Peak(report.instructionSet)
    if let value = peak.gigaflops {
      add(Result(group: "peak", name: "fused multiply-add peak", value: value, unit: "GFLOP/s"))
    }
    memoryResults(table).forEach(add)
    let products = [
      (128, 384, 384), (128, 1536, 384), (128, 384, 1536), (512, 512, 512), (1024, 1024, 1024),
      (256, 256, 256), (64, 64, 64), (512, 512, 32), (100, 100, 1000),
      (1, 512, 512), (1, 4096, 4096), (2, 512, 512), (4, 512, 512), (8, 512, 512), (32, 512, 512),
      (32, 10, 128),
      (1, 128, 64),
    ]
    for (m, n, k) in products { add(matmulResult(table, peak, m: m, n: n, k: k)) }
    for result in recurrentResults(table, peak) { add(result) }
    let convolutions = [
      (3, 224, 64, 7, 2, 1), (64, 56, 64, 3, 1, 1), (128, 28, 128, 3, 1, 1), (256, 14, 256, 3, 1, 1),
      (64, 56, 256, 1, 1, 1), (256, 56, 64, 1, 1, 1), (512, 28, 128, 1, 1, 1), (1024, 14, 256, 1, 1, 1),
      (2048, 7, 512, 1, 1, 1),
      (256, 28, 512, 1, 2, 1), (128, 28, 128, 3, 2, 1), (96, 56, 96, 3, 1, 96), (96, 56, 96, 3, 2, 96),
      (16, 28, 32, 3, 1, 1),
      (1, 8, 16, 3, 1, 1),
    ]
    for (channels, size, outputs, kernel, stride, groups) in convolutions {
      add(
        convolutionResult(
          table, peak, channels: channels, size: size, outputs: outputs, kernel: kernel, stride: stride,
          groups: groups))
    }
    for function in UnaryFunction.allCases { add(unaryResult(table, function)) }
    add(softmaxResult(table, rows: 128, columns: 128))
    add(softmaxResult(table, rows: 64, columns: 1000))
    add(softmaxResult(table, rows: 64, columns: 10))
    return report
  }

  private static func write(_ report: Report, _ path: String) {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    do {
      try encoder.encode(report).write(to: URL(fileURLWithPath: path))
    } catch {
      fail("cannot write \(path): \(error)")
    }
  }

  private static func fail(_ message: String) -> Never {
    FileHandle.standardError.write(Data("nnbench: \(message)\n".utf8))
    exit(1)
  }
}
