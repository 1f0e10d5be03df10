import ArgumentParser
import NNFormat
import NNGraph
import NNRuntime

struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measures how fast a .nnrt file loads and runs.",
    discussion: """
      Inputs are seeded random numbers. Loading is opening the file, checking it and \
      decompressing its weights: the median of several times, the file being in the system's cache.

      GFLOP/s count the matrix products and convolutions alone: 2·M·N·K operations for the product of (M, K) and (K, N), \
      and 2·N·M·oH·oW·(C/groups)·kH·kW for a convolution.

      EXAMPLE:
        nnpack bench digits.nnrt --batch 64 --seconds 2
      """)

  @Argument(help: "The .nnrt file.") var file: String

  @OptionGroup var trial: TrialExtents

  @Option(parsing: .unconditional, help: "How long to measure.") var seconds = 1.0

  @OptionGroup var execution: ExecutionOptions

  @Flag(help: "Print the result as JSON.") var json = false

  func validate() throws {
    if !(seconds > 0 && seconds <= 3600) { throw ValidationError("--seconds takes a number in (0, 3600]") }
  }

  func run() throws {
    let loading = try Bench.loadTime(file)
    let model = try Model.open(path: file)
    let inputs = try trial.inputs(for: model.graph)
    let extents = inputs.map { $0.extents }
    let operations = try model.graph.resolve(inputExtents: extents).productOperations(model.graph)
    let session = try Session(model, options: execution.session)
    for (index, input) in inputs.enumerated() { try session.setInput(index, input) }
    let samples = try Bench.measure(seconds: seconds) { () throws(NNError) in try session.run() }
    let result = Result(
      file: file, instructionSet: "\(try execution.session.instructionSet.resolved().name)",
      threads: execution.threads,
      inputs: extents, runs: samples.runs, loadSeconds: loading, medianSeconds: samples.median,
      minimumSeconds: samples.minimum, operationsPerRun: operations)
    print(json ? try JSON.text(result) : result.text)
  }

  /// The median time of opening the file, over at least 3 times and about a fifth of a second.
  private static func loadTime(_ path: String) throws(NNError) -> Double {
    var times: [Double] = []
    while times.count < 3 || (times.reduce(0, +) < 0.2 && times.count < 1000) {
      let start = ContinuousClock.now
      _ = try Model.open(path: path)
      times.append((ContinuousClock.now - start) / .seconds(1))
    }
    return times.sorted()[times.count / 2]
  }

  /// Median and minimum seconds of one call of `body`. Short calls are timed in groups, so that reading the clock does
  /// not count.
  static func measure(seconds: Double, _ body: () throws(NNError) -> Void) throws(NNError)
    -> (runs: Int, median: Double, minimum: Double)
  {
    func time(_ repetitions: Int) throws(NNError) -> Double {
      let start = ContinuousClock.now
      for _ in 0..<repetitions { try body() }
      return (ContinuousClock.now - start) / .seconds(1)
    }
    // The first runs plan, touch memory for the first time and wake the processor up.
    for _ in 0..<3 { try body() }
    var group = 1
    while try time(group) < 20e-6, group < 1 << 20 { group *= 2 }
    var samples: [Double] = []
    var total = 0.0
    while total < seconds || samples.count < 3 {
      let elapsed = try time(group)
      total += elapsed
      samples.append(elapsed / Double(group))
    }
    samples.sort()
    return (samples.count * group, samples[samples.count / 2], samples[0])
  }
}

extension Bench {
  struct Result: Encodable {
    var file: String
    var instructionSet: String
    var threads: Int
    /// The extents of each input.
    var inputs: [[Int]]
    var runs: Int
    var loadSeconds: Double
    var medianSeconds: Double
    var minimumSeconds: Double
    var operationsPerRun: Int

    var text: String {
      let shapes = inputs.map { Shape($0).description }.joined(separator: ", ")
      var lines = [
        "\(file): \(instructionSet), \(threads) thread\(threads == 1 ? "" : "s"), inputs \(shapes)"
      ]
      lines.append("  load   \((loadSeconds * 1e3).fixed(3)) ms")
      lines.append(
        "  run    \((medianSeconds * 1e6).fixed(2)) µs median, \((minimumSeconds * 1e6).fixed(2)) µs at best (\(runs.grouped) runs)"
      )
      lines.append("  rate   \(Int(1 / medianSeconds).grouped) runs/s")
      if operationsPerRun > 0 {
        let rate = Double(operationsPerRun) / medianSeconds / 1e9
        lines.append("  speed  \(rate.fixed(2)) GFLOP/s (\(operationsPerRun.grouped) operations a run)")
      }
      return lines.joined(separator: "\n")
    }
  }
}
