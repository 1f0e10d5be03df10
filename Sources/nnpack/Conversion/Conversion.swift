import Files
import NNFormat
import NNGraph
import NNOnnx
import NNPasses
import NNTraining

/// Makes `.nnrt` files of ONNX models, and other ones of `.nnrt` files.
struct Conversion {
  var importing = ImportOptions()
  var passes = Pass.allCases
  /// Whether the graph is run after each pass, to find one that changes a result.
  var checksPasses = false
  /// Of compression; 0 for none.
  var level = usualLevel
  /// Other numbers for the weights.
  var source: WeightSource?
  var weights = WeightPrecision.f32
  var selfTests = SelfTestChoice()
  /// nil for no check.
  var check: ConversionCheck?
  let progress: ProgressLine

  /// Two levels more take two thirds more time, and save a file of weights less than a thousandth.
  static let usualLevel = 17

  /// Converts one model. The output appears when everything has succeeded.
  func run(_ input: String, to output: String) throws(NNError) -> ConversionReport {
    defer { progress.end() }
    progress.begin("reading \(input)")
    if try NamedTensor.isModel(path: input) { return try repack(input, to: output) }
    let model = try OnnxModel(path: input)
    let metadata = model.metadata
    var report = ConversionReport(output: output, model)
    let bytes: [UInt8]
    do throws(NNError) {
      var graph = try (consume model).imported(importing) { report.warnings.append($0) }
      report.loaded = try source?.load(into: &graph)
      try pack(&graph, &report)
      report.nodesAfter = graph.nodeCount
      var file = ModelFile(graph: graph, metadata: metadata)
      let rounded = try round(&file.graph)
      progress.begin("running it")
      let trials = try trials(of: file.graph, &report)
      if let (dtype, weights) = rounded {
        report.rounding = try RoundingReport(dtype, weights, from: graph, trials)
      }
      file.selfTests = try selfTests.chosen(from: trials, for: file.graph, &report)
      bytes = try encoded(&file, &report)
      if check != nil { progress.begin("checking") }
      report.comparisons =
        try check?.run(bytes, of: input, Array(trials.prefix(ConversionCheck.inputCount))) ?? []
    } catch {
      throw error.within(input)
    }
    try WholeFile.write(bytes, to: output)
    report.bytesAfter = bytes.count
    return report
  }

  /// Writes a `.nnrt` file with other weights. Its graph is packed already; its self-test vectors keep their inputs.
  private func repack(_ input: String, to output: String) throws(NNError) -> ConversionReport {
    var size = 0
    var file = try WholeFile.read(input) { (bytes) throws(NNError) in
      size = bytes.count
      return try ModelFile.decode(bytes, keptAliveBy: nil, limits: ReadLimits(memory: .max))
    }
    var report = ConversionReport(output: output, file.graph, bytes: size)
    do throws(NNError) {
      report.loaded = try source?.load(into: &file.graph)
      let graph = file.graph
      let rounded = try round(&file.graph)
      progress.begin("running it")
      let recorder = try SelfTestRecorder(file.graph, extents: selfTests.extents)
      for index in file.selfTests.indices {
        file.selfTests[index].outputs = try recorder.outputs(for: file.selfTests[index].inputs)
      }
      var trials = file.selfTests
      if selfTests.count != nil || trials.isEmpty && rounded != nil {
        trials = try self.trials(of: file.graph, &report)
      }
      if let (dtype, weights) = rounded {
        report.rounding = try RoundingReport(dtype, weights, from: graph, trials)
      }
      if let count = selfTests.count { file.selfTests = Array(trials.prefix(count)) }
    } catch {
      throw error.within(input)
    }
    report.selfTestCount = file.selfTests.count
    progress.begin("compressing")
    let bytes = try file.encode(writing) { done, total in
      progress.advance(done, of: total)
    }
    try WholeFile.write(bytes, to: output)
    report.bytesAfter = bytes.count
    return report
  }

  private var writing: WriteOptions { WriteOptions(codec: level == 0 ? .raw : .zstd(level: level)) }

  private func round(_ graph: inout Graph) throws(NNError) -> (dtype: DType, weights: RoundedWeights)? {
    guard let dtype = weights.dtype else { return nil }
    return (dtype, try graph.roundWeights(to: dtype))
  }

  /// Runs the passes in place, so that weights that they replace are let go of.
  private func pack(_ graph: inout Graph, _ report: inout ConversionReport) throws(NNError) {
    var check = checksPasses ? try PassCheck(graph) : nil
    var done = 0
    graph = try graph.packed(passes) { (pass, graph) throws(NNError) in
      check?.observe(pass, graph)
    } count: { pass, count in
      done += 1
      report.effects.append((pass, count))
      progress.begin("pass \(done) of \(passes.count)")
    }
    if let finding = check?.finding {
      throw NNError(.selfTestFailed, Message(text: "pass \(finding.pass.rawValue): \(finding.description)"))
    }
  }

  /// Runs on random inputs, as many as any of the options needs; none if the model does not run.
  private func trials(of graph: Graph, _ report: inout ConversionReport) throws(NNError) -> [SelfTest] {
    var count = selfTests.count ?? SelfTestChoice.usual
    if check != nil || weights != .f32 { count = max(count, ConversionCheck.inputCount) }
    let recorder = try SelfTestRecorder(graph, extents: selfTests.extents)
    var trials: [SelfTest] = []
    do throws(NNError) {
      for number in 0..<count { trials.append(try recorder.vector(number)) }
    } catch {
      report.selfTestNote = "the model does not run on random inputs: \(error.message)"
      return []
    }
    return trials
  }

  /// The bytes of the file, with as many of the vectors as leave it smaller than the ONNX file, if it was not said how many.
  private func encoded(_ file: inout ModelFile, _ report: inout ConversionReport) throws(NNError) -> [UInt8] {
    let options = writing
    progress.begin("compressing")
    let bytes = try file.encode(options) { done, total in progress.advance(done, of: total) }
    guard selfTests.count == nil, bytes.count > report.bytesBefore, !file.selfTests.isEmpty else {
      report.selfTestCount = file.selfTests.count
      return bytes
    }
    // Sections are aligned: a little is set aside for that.
    let rest = bytes.count - (try file.encodedSelfTestSize(options)) + 64
    let drops = try file.keepSelfTests(within: max(report.bytesBefore - rest, 0), options)
    report.selfTestCount = file.selfTests.count
    if drops { report.selfTestNote = "more would make the file larger than the ONNX file" }
    return drops ? try file.encode(options) : bytes
  }
}

extension ModelFile {
  /// Drops the last self-test vectors, as few as leave no more than so many bytes of them in the file.
  ///
  /// - Returns: whether any was dropped.
  mutating func keepSelfTests(within limit: Int, _ options: WriteOptions) throws(NNError) -> Bool {
    let all = selfTests
    if try encodedSelfTestSize(options) <= limit { return false }
    var (fits, tooMany) = (0, all.count)
    while tooMany - fits > 1 {
      let middle = (fits + tooMany) / 2
      selfTests = Array(all.prefix(middle))
      if try encodedSelfTestSize(options) <= limit { fits = middle } else { tooMany = middle }
    }
    selfTests = Array(all.prefix(fits))
    return true
  }
}

extension Graph {
  /// Nodes here and in all bodies.
  var nodeCount: Int { bodies.reduce(nodes.count) { $0 + $1.nodeCount } }
}
