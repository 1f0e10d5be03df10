import Files
import Foundation
import Glibc
import NNFormat
import NNGraph
import NNRuntime
import Testing

@testable import NNOnnx

/// x (N, 3), memory (2) → x·weight, and memory · 2, with a state and texts.
private func stateful() throws -> ModelFile {
  var graph = Graph(name: "")
  let x = graph.addInput("x", .f32, Shape([graph.dimension("N"), .fixed(3)]))
  let memory = graph.addInput("memory", .f32, [2])
  let weight = graph.addConstant("x", try Tensor([Float](repeating: 0.5, count: 3 * 400), extents: [3, 400]))
  graph.addOutput(try graph.append(.matmul(Matmul()), [x, weight]), name: "y")
  let next = try graph.append(.binary(.add), [memory, memory])
  graph.addOutput(next, name: "memory")
  graph.states.append(CarriedState(input: memory, output: next))
  var metadata = Metadata()
  metadata.description = "Doubles."
  metadata.labels = ["a", "b"]
  return ModelFile(graph: graph, metadata: metadata)
}

private func imported(_ export: OnnxExport) throws -> OnnxModel {
  try export.serialized().withUnsafeBytes { try OnnxModel(bytes: $0, folder: nil) }
}

@Test func exportedModelHasTheNamesStatesAndTextsOfItsFile() throws {
  let model = try imported(try stateful().exportedToOnnx())
  #expect(model.metadata.description == "Doubles.")
  #expect(model.metadata.labels == ["a", "b"])
  let graph = try model.imported()
  #expect(graph.symbols == ["N"])
  #expect(graph.inputs.map { graph[$0].name } == ["x", "memory"])
  // ONNX has one name space for all values.
  #expect(graph.outputs.map { graph[$0].name } == ["y", "memory_1"])
  #expect(graph.states == [CarriedState(input: graph.inputs[1], output: graph.outputs[1])])
}

@Test func namesOfExportedNodesAndValuesAreUnique() throws {
  let proto = try imported(try stateful().exportedToOnnx()).proto.graph
  let values =
    proto.input.map { $0.name } + proto.initializer.map { $0.name } + proto.node.flatMap { $0.output }
  #expect(Set(values).count == values.count && !values.contains(""))
  #expect(Set(proto.node.map { $0.name }).count == proto.node.count)
}

@Test func filtersInPanelsAreExportedInTheirOrder() throws {
  var graph = Graph(name: "")
  let x = graph.addInput("x", .f32, [1, 64, 3, 4])
  let numbers = (0..<64 * 40).map { Float($0 % 101) - 50 }
  let weight = graph.addConstant("w", try Tensor(numbers, extents: [40, 64, 1, 1]))
  let window = Window(extent: [1, 1])
  graph.addOutput(try graph.append(.convolution(Convolution(window: window)), [x, weight]), name: "y")
  let packed = try graph.packed()
  #expect(packed[packed.nodes[0].inputs[1]].constant?.layout == .filterPanels)
  let again = try imported(try ModelFile(graph: packed).exportedToOnnx()).imported()
  #expect(again[again.nodes[0].inputs[1]].constant?.floats == numbers)
}

@Test func everythingThatOnnxCannotExpressIsNamedAtOnce() throws {
  var graph = Graph(name: "gradients")
  let x = graph.addInput("x", .f32, [1, 1, 4, 4])
  let dy = graph.addInput("dy", .f32, [1, 1, 2, 2])
  for name in ["first", "second"] as [Name] {
    let pool = Pool(.maximum, window: Window(extent: [2, 2], strides: [2, 2]))
    graph.addOutput(try graph.append(.poolGradient(pool), [x, dy], name: name), name: name)
  }
  do {
    _ = try ModelFile(graph: graph).exportedToOnnx()
    Issue.record("it was written")
  } catch {
    #expect(error.code == .unsupportedOperator)
    #expect(error.message.contains("2 things"))
    #expect(error.message.contains("node \"first\"") && error.message.contains("node \"second\""))
  }
}

@Test func constantsInAFileOfTheirOwnAreRead() throws {
  let root = FileManager.default.temporaryDirectory.appendingPathComponent("nnrt-\(UUID().uuidString)").path
  try WholeFile.makeFolder(root)
  defer { for path in ["/m.onnx", "/m.onnx.data", ""] { remove(root + path) } }
  let files = try stateful().exportedToOnnx().write(to: root + "/m.onnx", constantsOfAtMost: 0)
  #expect(files.map { $0.path } == [root + "/m.onnx", root + "/m.onnx.data"])
  #expect(try WholeFile.names(inFolder: root) == ["m.onnx", "m.onnx.data"])
  let session = try Session(try Model(ModelFile(graph: try OnnxModel(path: root + "/m.onnx").imported())))
  let x = try Tensor([1, 2, 3] as [Float], extents: [1, 3])
  try x.extents.withUnsafeBufferPointer { try session.setInput(0, dtype: .f32, extents: $0, bytes: x.bytes) }
  try session.run()
}

@Test func exportThatFailsLeavesNoFile() throws {
  let export = try stateful().exportedToOnnx()
  let root = FileManager.default.temporaryDirectory.appendingPathComponent("nnrt-\(UUID().uuidString)").path
  try WholeFile.makeFolder(root + "/m.onnx")
  defer { for path in ["/m.onnx", ""] { remove(root + path) } }
  #expect(throws: NNError.self) { try export.write(to: root + "/m.onnx", constantsOfAtMost: 0) }
  #expect(try WholeFile.names(inFolder: root) == ["m.onnx"])
}
