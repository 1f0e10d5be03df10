import Files
import NNFormat
import NNGraph
import NNOnnx
import NNPasses

/// Makes `.nnrt` files of ONNX models.
struct Conversion {
  var importing = ImportOptions()
  var passes = Pass.allCases
  /// Whether the graph is run after each pass, to find one that changes a result.
  var checksPasses = false
  var level = 19
  var selfTests = SelfTestChoice()
  let progress: ProgressLine

  /// Converts one model. The output appears when everything has succeeded.
  func run(_ input: String, to output: String) throws(NNError) -> ConversionReport {
    defer { progress.end() }
    progress.begin("reading \(input)")
    let model = try OnnxModel(path: input)
    var report = ConversionReport(output: output, model)
    var file: ModelFile
    do throws(NNError) {
      let imported = try model.imported(importing) { report.warnings.append($0) }
      file = ModelFile(graph: try packed(imported, &report))
      report.nodesAfter = file.graph.nodeCount
      progress.begin("running it")
      try selfTests.record(in: &file, &report)
    } catch {
      throw error.within(input)
    }
    let bytes = try encoded(&file, &report)
    try WholeFile.write(bytes, to: output)
    report.bytesAfter = bytes.count
    return report
  }

  private func packed(_ graph: Graph, _ report: inout ConversionReport) throws(NNError) -> Graph {
    var check = checksPasses ? try PassCheck(graph) : nil
    var done = 0
    let result = try graph.packed(passes) { (pass, graph) throws(NNError) in
      check?.observe(pass, graph)
    } count: { pass, count in
      done += 1
      report.effects.append((pass, count))
      progress.begin("pass \(done) of \(passes.count)")
    }
    if let finding = check?.finding {
      throw NNError(.selfTestFailed, Message(text: "pass \(finding.pass.rawValue): \(finding.description)"))
    }
    return result
  }

  /// The bytes of the file, with as many of the vectors as leave it smaller than the ONNX file.
  private func encoded(_ file: inout ModelFile, _ report: inout ConversionReport) throws(NNError) -> [UInt8] {
    let options = WriteOptions(codec: .zstd(level: level))
    progress.begin("compressing")
    let bytes = try file.encode(options) { done, total in progress.advance(done, of: total) }
    guard bytes.count > report.bytesBefore, !file.selfTests.isEmpty else {
      report.selfTestCount = file.selfTests.count
      return bytes
    }
    // Sections are aligned: a little is set aside for that.
    let rest = bytes.count - (try file.encodedSelfTestSize(options)) + 64
    try file.keepSelfTests(within: max(report.bytesBefore - rest, 0), options)
    report.selfTestCount = file.selfTests.count
    report.selfTestNote = "more would make the file larger than the ONNX file"
    return try file.encode(options)
  }
}

extension ModelFile {
  /// Drops the last self-test vectors, as few as leave no more than so many bytes of them in the file.
  ///
  /// - Returns: whether any was dropped.
  @discardableResult
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
