import Files
import Foundation
import NNGraph
import Testing

@testable import NNOnnx

/// A small model with something wrong in it, converted in a folder of its own: what the program said.
///
private func conversion(_ spoil: (inout OnnxModelProto) -> Void) throws -> Outcome {
  let models = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("NNOnnxTests/Models")
  var proto = try OnnxModelProto(
    serializedBytes: try Data(contentsOf: models.appendingPathComponent("mlp.onnx")))
  spoil(&proto)
  return try conversion(of: try proto.serializedBytes())
}

private func conversion(of bytes: [UInt8]) throws -> Outcome {
  try withTemporaryFolder { root in
    let folder = root + "/model"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try Data(bytes).write(to: URL(fileURLWithPath: folder + "/model.onnx"))
    try Data(repeating: 0, count: 96).write(to: URL(fileURLWithPath: root + "/secret.bin"))
    try FileManager.default.createSymbolicLink(
      atPath: folder + "/link.bin", withDestinationPath: root + "/secret.bin")
    let outcome = try nnpack("convert", folder + "/model.onnx", folder + "/model.nnrt")
    let left = try FileManager.default.contentsOfDirectory(atPath: folder)
    #expect(Set(left) == ["model.onnx", "link.bin"], "files are left behind: \(left)")
    return outcome
  }
}

/// Exit status 1, nothing but a message, and the message holds all of `words`.
private func expectRefusal(_ outcome: Outcome, _ words: String...) {
  #expect(outcome.status == 1 && outcome.output.isEmpty)
  for word in words {
    #expect(outcome.errors.hasPrefix("nnpack: ") && outcome.errors.contains(word), "\(outcome.errors)")
  }
}

private func external(_ location: String) -> (inout OnnxModelProto) -> Void {
  { proto in
    var entry = OnnxStringStringEntryProto()
    entry.key = "location"
    entry.value = location
    proto.graph.initializer[weight(proto)].clearRawData()
    proto.graph.initializer[weight(proto)].dataLocation = 1
    proto.graph.initializer[weight(proto)].externalData = [entry]
  }
}

private func weight(_ proto: OnnxModelProto) -> Int {
  proto.graph.initializer.firstIndex { $0.name == "w1" } ?? 0
}

private func index(of type: String, _ proto: OnnxModelProto) -> Int {
  proto.graph.node.firstIndex { $0.opType == type } ?? 0
}

@Test func aModelWithAWrongGraphIsRefusedWithTheNodesName() throws {
  expectRefusal(
    try conversion { $0.graph.node[index(of: "Gemm", $0)].input[0] = "logits" }, "(Gemm)", "\"logits\"",
    "cycle")
  expectRefusal(
    try conversion { $0.graph.initializer.remove(at: weight($0)) }, "(Gemm)", "input \"w1\" is neither")
  expectRefusal(
    try conversion { $0.graph.node[index(of: "MatMul", $0)].opType = "Frobnicate" }, "(Frobnicate)",
    "no such operator")
  expectRefusal(
    try conversion { $0.graph.node[index(of: "MatMul", $0)].input[1] = "rest" }, "(MatMul)")
  expectRefusal(
    try conversion { $0.graph.node[index(of: "Gemm", $0)].input[1] = "zero" }, "(Gemm)")
}

@Test func aModelWithAWrongConstantIsRefusedWithTheConstantsName() throws {
  expectRefusal(try conversion { $0.graph.initializer[weight($0)].dataType = 11 }, "\"w1\"", "bytes")
  expectRefusal(try conversion { $0.graph.initializer[weight($0)].dataType = 99 }, "\"w1\"", "99")
  expectRefusal(try conversion { $0.graph.initializer[weight($0)].dims = [1 << 40, 1 << 40] }, "\"w1\"")
  expectRefusal(try conversion { $0.graph.initializer[weight($0)].dims = [-1, 6] }, "\"w1\"", "-1")
  expectRefusal(
    try conversion { $0.graph.initializer[weight($0)].dims = [1 << 30, 1 << 10] }, "\"w1\"", "bytes")
}

@Test func aModelThatReadsOtherFilesIsRefused() throws {
  for location in ["../secret.bin", "/etc/passwd", "link.bin"] {
    expectRefusal(try conversion(external(location)), "\"w1\"", "is not in the model's folder")
  }
}

@Test func aFileThatIsNoModelIsRefused() throws {
  var whole: [UInt8] = []
  _ = try conversion {
    whole = (try? $0.serializedBytes()) ?? []; $0.clearGraph()
  }
  for count in [0, 1, whole.count / 3, whole.count / 2, whole.count - 1] {
    expectRefusal(try conversion(of: Array(whole[..<count])), "nnpack: ")
  }
  expectRefusal(
    try conversion(of: (0..<999).map { UInt8(truncatingIfNeeded: $0 &* 97) }), "not an ONNX model")
}
