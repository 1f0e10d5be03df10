import ArgumentParser
import Files
import NNFormat
import NNGraph
import NNOnnx
import NNPasses

struct Convert: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Makes .nnrt files of ONNX models.",
    discussion: """
      What a model has that cannot be converted is listed, all of it. The output appears when it is complete: where \
      something fails, nothing is written.

      EXAMPLE:
        nnpack convert model.onnx model.nnrt
        nnpack convert model.onnx model.nnrt --input-shape batch=1,length=128
        nnpack convert --batch list.txt
      """)

  @Argument(help: "The ONNX model.") var input: String?

  @Argument(help: "The .nnrt file to write.") var output: String?

  @Option(
    help: ArgumentHelp(
      "Fix free dimensions of the inputs, by the names that the model gives them.", valueName: "N=1,T=128"))
  var inputShape: DimensionAssignments = DimensionAssignments()

  @Option(
    help: ArgumentHelp(
      "Convert many models: a file with a line INPUT OUTPUT, separated by a tab, for each.", valueName: "file"
    ))
  var batch: String?

  @Option(help: "How hard to compress, from 1 to 22.") var level = 19

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "Leave out passes over the graph: \(Pass.allCases.map { $0.rawValue }.joined(separator: ", ")).",
      valueName: "pass"))
  var without: [Pass] = []

  @Flag(
    help: "Run the graph after each pass on random inputs, and fail at the first pass that changes a result.")
  var checkPasses = false

  func validate() throws {
    guard batch == nil ? input != nil && output != nil : input == nil else {
      throw ValidationError("give a model and a file to write, or --batch")
    }
    guard (1...22).contains(level) else { throw ValidationError("--level is from 1 to 22") }
  }

  func run() throws {
    if let batch {
      try convertAll(batch)
    } else if let input, let output {
      try ModelOutput.requireFolder(of: output)
      print(try convert(input, to: output).text)
    }
  }

  private func convert(_ input: String, to output: String) throws(NNError) -> ConversionReport {
    let model = try OnnxModel(path: input)
    let graph: Graph
    do throws(NNError) {
      graph = try packed(try model.imported(ImportOptions(extents: inputShape.extents)))
    } catch {
      throw error.within(input)
    }
    try ModelFile(graph: graph).write(to: output, WriteOptions(codec: .zstd(level: level)))
    return try ConversionReport(model, graph, input: input, output: output)
  }

  private func packed(_ graph: Graph) throws(NNError) -> Graph {
    let passes = Pass.allCases.filter { !without.contains($0) }
    guard checkPasses else { return try graph.packed(passes) }
    var check = try PassCheck(graph)
    let result = try graph.packed(passes) { (pass, graph) throws(NNError) in check.observe(pass, graph) }
    if let finding = check.finding {
      throw NNError(.selfTestFailed, Message(text: "pass \(finding.pass.rawValue): \(finding.description)"))
    }
    return result
  }

  /// Converts what it can, says on standard error what it cannot, and fails if there was any.
  private func convertAll(_ list: String) throws {
    let text = try WholeFile.read(list) { (bytes) throws(NNError) in String(decoding: bytes, as: UTF8.self) }
    var failures = 0
    for line in text.split(separator: "\n") {
      let paths = line.split(separator: "\t")
      guard paths.count == 2 else {
        throw NNError(.invalidArgument, Message(text: "\(list): not a line of two paths: \(line)"))
      }
      do {
        _ = try convert(String(paths[0]), to: String(paths[1]))
      } catch let error as NNError {
        failures += 1
        StandardError.write("nnpack: \(error.message)\n")
      }
    }
    if failures > 0 { throw ExitCode.failure }
  }
}

/// Extents by the names of free dimensions, written `N=1,T=128`.
struct DimensionAssignments: ExpressibleByArgument {
  var extents: [String: Int] = [:]

  init() {}

  init?(argument: String) {
    for pair in argument.split(separator: ",") {
      let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard sides.count == 2, !sides[0].isEmpty, let extent = Int(sides[1]), extent >= 0 else { return nil }
      extents[String(sides[0])] = extent
    }
  }

  var defaultValueDescription: String { "none" }
}

extension Pass: ExpressibleByArgument {}
