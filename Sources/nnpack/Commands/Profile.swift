import ArgumentParser
import Files
import NNGraph
import NNRuntime

struct Profile: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measures what each operator of a .nnrt file takes.",
    discussion: """
      The model runs on the inputs that bench takes; the shortest time of each operator counts. Elementwise \
      operators that run as one chain are told as one, the last of them. GFLOP/s count products, as bench does; GB/s \
      count the bytes of what an operator reads and writes once each, wherever they come from.

      EXAMPLE:
        nnpack profile model.nnrt --runs 50
        nnpack profile model.nnrt --threads 4 --summary
        nnpack profile model.nnrt --trace model.json   # for Perfetto or chrome://tracing
      """)

  @Argument(help: "The .nnrt file.") var file: String

  @OptionGroup var trial: TrialExtents

  @Option(parsing: .unconditional, help: "How often to run.") var runs = 20

  @OptionGroup var execution: ExecutionOptions

  @Flag(help: "Add up operators of the same kind and shapes, those that take longest first.") var summary =
    false

  @Option(help: ArgumentHelp("Write one run as a Chrome trace.", valueName: "file")) var trace: String?

  @Flag(help: "Print the result as JSON.") var json = false

  func validate() throws {
    guard (1...1_000_000).contains(runs) else { throw ValidationError("--runs is from 1 to 1000000") }
  }

  func run() throws {
    if let trace {
      var files = FileRoles()
      files.reads(file, as: "the model")
      try files.writes(trace, as: "--trace")
      try ModelOutput.requireWritable(trace, as: "--trace")
    }
    let graph = try Model.open(path: file).graph
    let profile = try ModelProfile(
      graph, try trial.inputs(for: graph), execution.session, runs: runs)
    if let trace { try WholeFile.write(Array(try JSON.text(profile.trace).utf8), to: trace) }
    print(json ? try JSON.text(profile.operators) : summary ? profile.summaryText : profile.text)
  }
}
