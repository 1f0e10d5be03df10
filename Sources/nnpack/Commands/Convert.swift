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
      A .nnrt file becomes an ONNX model if the output ends in .onnx; all else becomes a .nnrt file. ONNX models are \
      written for operator set 20, or a newer one where element types ask for it; constants of more than 1 GB stand in a \
      file beside the model.

      What a model has that cannot be converted is listed, all of it. The output appears when it is complete: where \
      something fails, nothing is written. A .nnrt file may be replaced by itself with other weights.

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

  @Option(
    parsing: .unconditional,
    help:
      "How hard to compress, from 1 to 22, \(Conversion.usualLevel) unless told; 0 leaves weights to be mapped into memory as they are."
  )
  var level: Int?

  @Option(
    parsing: .unconditional,
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
  var weights: WeightPrecision?

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
    parsing: .unconditional,
    help: ArgumentHelp(
      "What --check lets pass, in parts of an output's largest number: \(ConversionCheck.usualTolerance) unless told; integers must be the same.",
      valueName: "number"))
  var tolerance: Double?

  @Option(
    help: ArgumentHelp(
      "The Python that has ONNX Runtime, for --check: python3 unless told.", valueName: "program"))
  var python: String?

  @Flag(
    help: "Write the constants of an ONNX model to a file beside it, named OUTPUT.data, whatever their size.")
  var externalData = false

  @Flag(help: "Print nothing but errors.") var quiet = false

  func validate() throws {
    guard batch == nil ? input != nil && output != nil : input == nil else {
      throw ValidationError("give a model and a file to write, or --batch")
    }
    if let level, !(0...22).contains(level) { throw ValidationError("--level is from 0 to 22") }
    if let tolerance, !(tolerance >= 0) {
      throw ValidationError("--tolerance takes a number of at least 0")
    }
    guard check || tolerance == nil && python == nil else {
      throw ValidationError("\(tolerance != nil ? "--tolerance" : "--python") goes with --check")
    }
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
      let told = try convert(input, to: output) { () throws(NNError) in try conversion(isQuiet: quiet) }
      if quiet { return }
      for warning in told.warnings { StandardError.write("nnpack: warning: \(warning)\n") }
      print(told.text)
    }
  }

  /// Converts one model; gives what to say about it.
  ///
  /// - Parameter conversion: makes what converts to `.nnrt`, if that is wanted.
  func convert(
    _ input: String, to output: String, by conversion: () throws(NNError) -> Conversion
  ) throws -> (text: String, warnings: [String]) {
    let direction = try Convert.direction(input, output)
    try requireFittingOptions(direction)
    try requireApart(input, output, direction)
    try ModelOutput.requireWritable(output, as: "the output")
    if direction == .exporting { return (try export(input, to: output), []) }
    let report = try conversion().run(input, to: output)
    return (report.text, report.warnings)
  }

  func conversion(isQuiet: Bool) throws(NNError) -> Conversion {
    Conversion(
      importing: ImportOptions(extents: inputShape.extents),
      passes: Pass.allCases.filter { !without.contains($0) }, checksPasses: checkPasses,
      level: level ?? Conversion.usualLevel,
      source: try weightsFrom.map { (path) throws(NNError) in
        WeightSource(path: path, names: try WeightNameMap(map))
      },
      weights: weights ?? .f32, selfTests: SelfTestChoice(count: selfTests, extents: testShape.extents),
      check: check
        ? ConversionCheck(
          runtime: try OnnxRuntime(python: python ?? "python3"),
          tolerance: tolerance ?? ConversionCheck.usualTolerance) : nil,
      progress: ProgressLine(isQuiet: isQuiet))
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
