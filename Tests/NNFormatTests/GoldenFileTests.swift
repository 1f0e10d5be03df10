@testable import NNFormat
import Foundation
import NNGraph
import Testing

// Files of every released version of the format stay in Golden and load forever. Their models are made again here and
// compared with what the files hold. `NNRT_RECORD_GOLDEN=1 swift test --filter golden` writes files that are missing,
// and fails, so that a recording is never mistaken for a test; files that exist are never overwritten.

struct GoldenFile: Sendable, CustomTestStringConvertible {
  var name: String
  var options: WriteOptions
  var make: @Sendable () throws -> ModelFile

  var testDescription: String { name }

  var url: URL { goldenFolder.appendingPathComponent(name) }
}

private let goldenFolder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
  .appendingPathComponent("Golden")

private let raw = WriteOptions(codec: .raw)
private let zstd = WriteOptions(codec: .zstd(level: 19))

/// Added to the format after its first golden file of operators.
private let operatorsOfTraining: [OpCode] = [.convolutionWeightGradient, .normalizeTraining]
/// Added to them after their golden file.
@Sendable private func isBatchGradient(_ sample: OperatorSample) -> Bool {
  if case .normalizeTraining(let training) = sample.op { training.kind == .batchGradient } else { false }
}
private let selection: [OpCode] = [.scatter, .argsort]
private let recurrences: [OpCode] = [.recurrent, .recurrentGradient]

private let firstTypes: [DType] = [.f32, .f64, .f16, .bf16, .i8, .i16, .i32, .i64, .u8, .bool]

/// Whether a sample of an operator that the first golden file has was added later.
@Sendable private func isAddition(_ sample: OperatorSample) -> Bool {
  switch sample.op {
  case .unary(let activation): (18..<32).contains(activation.function.rawValue)
  case .binary(let function): function.rawValue > BinaryFunction.power.rawValue
  case .cast(let dtype, let mode): !firstTypes.contains(dtype) || mode != .standard
  case .argument(let argument): argument.selectsLast
  case .pad: sample.inputs.count > 1
  default: false
  }
}

let goldenFiles: [GoldenFile] = [
  GoldenFile(name: "v1/minimal-raw.nnrt", options: raw, make: minimal),
  GoldenFile(name: "v1/perceptron-raw.nnrt", options: raw) { try mlp([4, 18, 3]) },
  GoldenFile(name: "v1/perceptron-zstd.nnrt", options: zstd) { try mlp([4, 18, 3]) },
  GoldenFile(name: "v1/operators-zstd.nnrt", options: zstd) {
    try everyOperator(
      of: OpCode.allCases.filter {
        !(operatorsOfTraining + recurrences + selection + [.dynamic]).contains($0)
      }, where: { !isAddition($0) })
  },
  GoldenFile(name: "v1/numeric-operators-zstd.nnrt", options: zstd) { try everyOperator(where: isAddition) },
  GoldenFile(name: "v1/operators-of-training-zstd.nnrt", options: zstd) {
    try everyOperator(of: operatorsOfTraining, where: { !isBatchGradient($0) })
  },
  GoldenFile(name: "v1/batch-gradient-raw.nnrt", options: raw) {
    try everyOperator(of: [.normalizeTraining], where: isBatchGradient)
  },
  GoldenFile(name: "v1/recurrences-zstd.nnrt", options: zstd) { try everyOperator(of: recurrences) },
  GoldenFile(name: "v1/selection-zstd.nnrt", options: zstd) { try everyOperator(of: selection) },
  GoldenFile(name: "v1/dynamic-zstd.nnrt", options: zstd) { try everyOperator(of: [.dynamic]) },
  GoldenFile(name: "v1/bodies-raw.nnrt", options: raw, make: everyBody),
  GoldenFile(name: "v1/types-raw.nnrt", options: raw) { try everyType(of: firstTypes) },
  GoldenFile(name: "v1/types-zstd.nnrt", options: zstd) { try everyType(of: firstTypes) },
  GoldenFile(name: "v1/narrow-types-raw.nnrt", options: raw) {
    try everyType(of: DType.allCases.filter { !firstTypes.contains($0) })
  },
  GoldenFile(name: "v1/filters-in-panels-zstd.nnrt", options: zstd, make: filtersInPanels),
  GoldenFile(name: "v1/sections-raw.nnrt", options: raw, make: everySection),
  GoldenFile(name: "v1/sections-zstd.nnrt", options: zstd, make: everySection),
]

/// y = max(2·x, 0): the specification's worked example.
@Sendable private func minimal() throws -> ModelFile {
  var graph = Graph(name: "tiny")
  let batch = graph.dimension("N")
  let x = graph.addInput("x", .f32, Shape([batch]))
  let two = graph.addConstant("two", try Tensor([Float(2)], extents: [1]))
  let product = try graph.append(.binary(.multiply), [x, two], name: "scale")
  graph.addOutput(try graph.append(.unary(Activation(.relu)), [product], name: "relu"), name: "y")
  var model = ModelFile(graph: graph)
  model.metadata.name = "tiny"
  model.selfTests = [
    SelfTest(
      inputs: [try Tensor([Float(-1), 3], extents: [2])], outputs: [try Tensor([Float(0), 6], extents: [2])])
  ]
  return model
}

@Test(arguments: goldenFiles)
func goldenFileHoldsItsModel(file: GoldenFile) throws {
  let model = try file.make()
  if ProcessInfo.processInfo.environment["NNRT_RECORD_GOLDEN"] == "1",
    !FileManager.default.fileExists(atPath: file.url.path)
  {
    try model.write(to: file.url.path, file.options)
    Issue.record("recorded \(file.name)")
  }
  let bytes = Array(try Data(contentsOf: file.url))
  expectSame(model, try ModelFile.decode(bytes))
  #expect(try ModelFile.layout(of: bytes).version == 1)
}

/// Compression may change with the version of zstd; everything else is fixed.
@Test(arguments: goldenFiles.filter { $0.options.codec == .raw })
func goldenRawFileIsWrittenByteForByte(file: GoldenFile) throws {
  #expect(try file.make().encode(file.options) == Array(Data(contentsOf: file.url)))
}

@Test func folderHoldsNoOtherGoldenFiles() throws {
  let found = try FileManager.default.subpathsOfDirectory(atPath: goldenFolder.path)
    .filter { $0.hasSuffix(".nnrt") }
  #expect(found.sorted() == goldenFiles.map(\.name).sorted())
}

/// The worked example of SPECIFICATION.md: lines of an offset, a colon and hexadecimal bytes.
@Test func specificationShowsTheBytesOfAGoldenFile() throws {
  let document = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("Sources/NNFormat/SPECIFICATION.md")
  var bytes: [UInt8] = []
  for line in try String(contentsOf: document, encoding: .utf8).split(separator: "\n") {
    let parts = line.split(separator: " ", omittingEmptySubsequences: true)
    guard let first = parts.first, first.count == 5, first.hasSuffix(":"),
      let offset = Int(first.dropLast(), radix: 16)
    else { continue }
    #expect(offset == bytes.count, "\(line)")
    for part in parts.dropFirst() {
      guard part.count == 2, let byte = UInt8(part, radix: 16) else { break }
      bytes.append(byte)
    }
  }
  #expect(bytes == Array(try Data(contentsOf: goldenFiles[0].url)))
}
