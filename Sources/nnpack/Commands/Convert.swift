import ArgumentParser
import Files
import NNFormat
import NNGraph
import NNOnnx
import NNPasses
import NNTraining

struct Convert: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: """
      Makes .nnrt files of ONNX models, or of .nnrt files and other weights, and ONNX models of .nnrt files.
      """,
    discussion: """
      The names say which way: from .nnrt to .onnx, or else to .nnrt. ONNX models are written for operator set 20, \
      or a newer one where element types ask for it; constants of more than 1 GB stand in a file beside the model.

      What a model has that cannot be converted is listed, all of it. The output appears when it is complete: where \
      something fails, nothing is written.

      EXAMPLE:
        nnpack convert model.onnx model.nnrt
        nnpack convert model.onnx model.nnrt --input-shape batch=1,length=128
        nnpack convert model.onnx model.nnrt --weights bf16 --check --tolerance 0.01
        nnpack convert model.nnrt tuned.nnrt --weights-from tuned.safetensors --map '^model\\.='
        nnpack convert model.nnrt model.onnx
        nnpack convert --batch list.txt
      """)

  @Argument(help: "The model: ONNX, or a .nnrt file.") var input: String?

  @Argument(help: "The file to write: .nnrt, or .onnx.") var output: String?

  @Option(
    help: ArgumentHelp(
      "Fix free dimensions of the inputs, by the names that the model gives them.", valueName: "N=1,T=128"))
  var inputShape: DimensionAssignments = DimensionAssignments()

  @Option(
    help: ArgumentHelp(
      "Convert many models: a file with a line INPUT OUTPUT, separated by a tab, for each.", valueName: "file"
    ))
  var batch: String?

  @Option(help: "How hard to compress, from 1 to 22; 0 leaves weights to be mapped into memory as they are.")
  var level = Conversion.usualLevel

  @Option(
    help: ArgumentHelp(
      "How many self-test vectors the file gets: random inputs with the outputs that the packed model gives for them. Up to \(SelfTestChoice.usual) unless told, as far as they are small beside the weights.",
      valueName: "N"))
  var selfTests: Int?

  @Option(
    help: ArgumentHelp(
      "Extents of free dimensions in the inputs of self-test vectors and checks; small ones unless told.",
      valueName: "N=1,T=128"))
  var testShape: DimensionAssignments = DimensionAssignments()

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "Leave out passes over the graph: \(Pass.allCases.map { $0.rawValue }.joined(separator: ", ")).",
      valueName: "pass"))
  var without: [Pass] = []

  @Flag(
    help: "Run the graph after each pass on random inputs, and fail at the first pass that changes a result.")
  var checkPasses = false

  @Option(
    help: ArgumentHelp(
      "Round the large weights to the numbers of f16 or bf16, which makes the file smaller and dense layers over one row faster; they are computed with in f32 all the same. What it costs is told.",
      valueName: "f32|f16|bf16"))
  var weights = WeightPrecision.f32

  @Option(
    help: ArgumentHelp(
      "Take the weights from this .safetensors, .npz or .nnrt file, as far as they have the names of the model's. What was taken and what was not is told.",
      valueName: "file"))
  var weightsFrom: String?

  @Option(
    help: ArgumentHelp(
      "What weights of that file are called in the model: a regular expression and what to put in its place, where $1 is the first group; or a file with a line NAME NAME, separated by a tab, for each. May be given again. A name with .T behind it is that of the transposed matrix.",
      valueName: "pattern=replacement|file"))
  var map: [String] = []

  @Flag(
    help:
      "Compare every output with ONNX Runtime on random inputs, and with the folders test_data_set_* beside the model; write nothing if one differs."
  )
  var check = false

  @Option(
    help: ArgumentHelp(
      "What --check lets pass, in parts of an output's largest number; integers must be the same.",
      valueName: "number"))
  var tolerance = ConversionCheck.usualTolerance

  @Option(help: ArgumentHelp("The Python that has ONNX Runtime, for --check.", valueName: "program"))
  var python = "python3"

  @Flag(
    help: "Write the constants of an ONNX model to a file beside it, named OUTPUT.data, whatever their size.")
  var externalData = false

  @Flag(help: "Print nothing but errors.") var quiet = false

  func validate() throws {
    guard batch == nil ? input != nil && output != nil : input == nil else {
      throw ValidationError("give a model and a file to write, or --batch")
    }
    guard (0...22).contains(level) else { throw ValidationError("--level is from 0 to 22") }
    guard tolerance >= 0 else { throw ValidationError("--tolerance takes a number of at least 0") }
    guard map.isEmpty || weightsFrom != nil else { throw ValidationError("--map goes with --weights-from") }
    guard !check || weightsFrom == nil else {
      throw ValidationError(
        "--check compares with the weights that the model has; it does not go with --weights-from")
    }
    if let selfTests, !(0...Convert.mostSelfTests).contains(selfTests) {
      throw ValidationError("--self-tests takes a number from 0 to \(Convert.mostSelfTests)")
    }
  }

  private static let mostSelfTests = 1000

  func run() throws {
    if let batch {
      try convertAll(batch)
    } else if let input, let output {
      try ModelOutput.requireFolder(of: output)
      if Convert.isExport(input, output) {
        let text = try export(input, to: output)
        if !quiet { print(text) }
        return
      }
      try requireFittingOptions(input)
      let report = try conversion(isQuiet: quiet).run(input, to: output)
      if quiet { return }
      for warning in report.warnings { StandardError.write("nnpack: warning: \(warning)\n") }
      print(report.text)
    }
  }

  private func conversion(isQuiet: Bool) throws(NNError) -> Conversion {
    Conversion(
      importing: ImportOptions(extents: inputShape.extents),
      passes: Pass.allCases.filter { !without.contains($0) }, checksPasses: checkPasses, level: level,
      source: try weightsFrom.map { (path) throws(NNError) in
        WeightSource(path: path, names: try WeightNameMap(map))
      },
      weights: weights, selfTests: SelfTestChoice(count: selfTests, extents: testShape.extents),
      check: check ? ConversionCheck(runtime: try OnnxRuntime(python: python), tolerance: tolerance) : nil,
      progress: ProgressLine(isQuiet: isQuiet))
  }

  /// Throws if options of ONNX models are given for another one.
  private func requireFittingOptions(_ input: String) throws {
    guard try NamedTensor.isModel(path: input) else { return }
    if !inputShape.extents.isEmpty || !without.isEmpty || checkPasses || check {
      throw ValidationError(
        "--input-shape, --without, --check-passes and --check are for ONNX models; \(input) is a .nnrt file")
    }
  }

  /// Converts what it can, says on standard error what it cannot, and fails if there was any.
  private func convertAll(_ list: String) throws {
    let text = try WholeFile.read(list) { (bytes) throws(NNError) in String(decoding: bytes, as: UTF8.self) }
    let conversion = try conversion(isQuiet: true)
    var failures = 0
    for line in text.split(separator: "\n") {
      let paths = line.split(separator: "\t")
      guard paths.count == 2 else {
        throw NNError(.invalidArgument, Message(text: "\(list): not a line of two paths: \(line)"))
      }
      do throws(NNError) {
        let (input, output) = (String(paths[0]), String(paths[1]))
        if Convert.isExport(input, output) {
          _ = try export(input, to: output)
        } else {
          _ = try conversion.run(input, to: output)
        }
      } catch {
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
