import Files
import Foundation
import Glibc
import NNFormat
import NNGraph
import NNPasses
import Testing

@testable import NNOnnx

@Test func everythingUnsupportedIsNamedAtOnce() {
  let message = refusal(
    try model([
      node("Frobnicate", ["x"], ["a"], name: "first"), node("Relu", ["a"], ["b"]),
      node("Mangle", ["b"], ["y"], domain: "org.example", name: "second"),
    ]))
  #expect(message.contains("2 things are not supported"))
  #expect(message.contains("node \"first\" (Frobnicate), operator set ai.onnx 17"))
  #expect(message.contains("node \"second\" (Mangle), operator set org.example"))
}

@Test func cycleIsRefusedWithTheNodesName() {
  let message = refusal(
    try model([node("Add", ["x", "b"], ["a"], name: "turn"), node("Relu", ["a"], ["b"])], outputs: ["b"]))
  #expect(message.contains("node \"turn\" (Add): input \"b\""))
  #expect(message.contains("cycle or wrong order"))
}

@Test func missingInitializerIsRefused() {
  #expect(
    refusal(try model([node("Add", ["x", "w"], ["y"], name: "n")])).contains(
      "node \"n\" (Add): input \"w\" is neither"))
}

@Test func missingOutputIsRefused() {
  #expect(refusal(try model([node("Relu", ["x"], ["z"])])).contains("output \"y\" is neither"))
}

@Test func resultDefinedTwiceIsRefused() {
  #expect(
    refusal(try model([node("Relu", ["x"], ["y"]), node("Abs", ["x"], ["y"])])).contains("defined twice"))
}

@Test func shapesThatDoNotFitAreRefusedWithTheNodesName() {
  let message = refusal(
    try model([node("MatMul", ["x", "z"], ["y"], name: "product")], inputs: ["x": [2, 3], "z": [4, 5]]))
  #expect(message.contains("node \"product\" (MatMul)"))
}

@Test func absurdShapesAreRefused() {
  for extents in [[Int.max, Int.max], [1 << 40, 1 << 40], [-3], [Int](repeating: 1, count: 20)] {
    var tensor = integers("w", [1])
    tensor.dims = extents.map { Int64($0) }
    #expect(
      refusal(try model([node("Identity", ["w"], ["y"])], initializers: [tensor])).contains("tensor \"w\""))
  }
  let message = refusal(
    try model(
      [node("Reshape", ["x", "s"], ["y"], name: "r")], initializers: [integers("s", [Int.max, Int.max])]))
  #expect(message.contains("node \"r\""))
}

@Test func dataThatDoesNotFillItsShapeIsRefused() {
  let short = integers("w", [1, 2], extents: [3])
  #expect(
    refusal(try model([node("Identity", ["w"], ["y"])], initializers: [short])).contains(
      "has 2 elements, its shape asks for 3"))
}

@Test func functionThatCallsItselfIsRefused() throws {
  var function = OnnxFunctionProto()
  function.name = "Again"
  function.domain = "local"
  function.input = ["a"]
  function.output = ["b"]
  function.node = [node("Again", ["a"], ["b"], domain: "local")]
  var proto = try model([node("Again", ["x"], ["y"], domain: "local")]).proto
  proto.functions = [function]
  let bytes: [UInt8] = try proto.serializedBytes()
  #expect(
    refusal(try bytes.withUnsafeBytes { try OnnxModel(bytes: $0, folder: nil) }).contains("nested more than"))
}

/// Imports and packs what can be, and says nothing but why it cannot: only a crash is a failure.
private func survive(_ bytes: some Sequence<UInt8>) {
  do {
    let model = try Array(bytes).withUnsafeBytes { try OnnxModel(bytes: $0, folder: nil) }
    _ = try ModelFile(graph: try model.imported().packed(Pass.allCases)).encode(WriteOptions(codec: .raw))
  } catch {
    #expect(!error.localizedDescription.isEmpty)
  }
}

private func bytes(of path: String) throws -> [UInt8] {
  try WholeFile.read(path) { (bytes) throws(NNError) in Array(bytes) }
}

@Test func truncatedModelsAreRefusedOrReadWithoutACrash() throws {
  for name in ["mlp", "function", "branch"] {
    let bytes = try bytes(of: modelPath(name))
    for count in bytes.indices { survive(bytes[..<count]) }
  }
}

@Test func modelsWithFlippedBitsAreRefusedOrReadWithoutACrash() throws {
  for name in ["mlp", "function", "branch"] {
    var bytes = try bytes(of: modelPath(name))
    for index in bytes.indices {
      for bit in [0, 3, 7] {
        bytes[index] ^= 1 << bit
        survive(bytes)
        bytes[index] ^= 1 << bit
      }
    }
  }
}

/// Findings holds what once made importing fail: it must be imported or refused, whole and cut short.
@Test func formerFindingsAreImportedOrRefused() throws {
  let folder = modelPath("").split(separator: "/").dropLast(2).joined(separator: "/")
  for name in try FileManager.default.contentsOfDirectory(atPath: "/\(folder)/Findings")
  where name.hasSuffix(".onnx") {
    let bytes = try bytes(of: "/\(folder)/Findings/\(name)")
    for count in [bytes.count, bytes.count / 2, max(bytes.count - 1, 0)] { survive(bytes[..<count]) }
  }
}

@Test func functionsThatCallEachOtherWithoutEndAreRefusedInTime() throws {
  // Each calls the next one twice: 2⁴⁰ nodes.
  var proto = try model([node("F0", ["x"], ["y"], domain: "local", name: "first")]).proto
  proto.functions = (0..<40).map { level in
    var function = OnnxFunctionProto()
    function.name = "F\(level)"
    function.domain = "local"
    function.input = ["a"]
    function.output = ["c"]
    let next = level == 39 ? "Relu" : "F\(level + 1)"
    let domain = level == 39 ? "" : "local"
    function.node = [node(next, ["a"], ["b"], domain: domain), node(next, ["b"], ["c"], domain: domain)]
    return function
  }
  let bytes: [UInt8] = try proto.serializedBytes()
  let message = refusal(try bytes.withUnsafeBytes { try OnnxModel(bytes: $0, folder: nil) })
  #expect(message.contains("node \"first\"") && message.contains("more nodes than are allowed"))
}

@Test func constantsThatDoubleDoNotFillTheMemory() throws {
  // Each is the one before, twice: 2⁴⁰ numbers.
  let doublings = (0..<40).map { level in
    node(
      "Concat", ["c\(level)", "c\(level)"], ["c\(level + 1)"],
      attributes: [attribute("axis", 0)])
  }
  let last = node("Size", ["c40"], ["y"])
  let graph = try model(doublings + [last], initializers: [integers("c0", [1])]).imported()
  let held = graph.values.reduce(0) { $0 + ($1.constant?.bytes.count ?? 0) }
  #expect(held < 1 << 20)
}

private func externalTensor(_ location: String, offset: String? = nil, length: String? = nil)
  -> OnnxTensorProto
{
  var tensor = OnnxTensorProto()
  tensor.name = "w"
  tensor.dataType = 1
  tensor.dims = [2]
  tensor.dataLocation = 1
  for (key, value) in [("location", location), ("offset", offset), ("length", length)] {
    guard let value else { continue }
    var entry = OnnxStringStringEntryProto()
    entry.key = key
    entry.value = value
    tensor.externalData.append(entry)
  }
  return tensor
}

@Test func externalDataStaysInTheModelsFolder() throws {
  let root = FileManager.default.temporaryDirectory.appendingPathComponent("nnrt-\(UUID().uuidString)").path
  try WholeFile.makeFolder(root + "/model/part")
  defer {
    for path in ["/model/w.bin", "/model/link", "/secret.bin", "/model/part", "/model", ""] {
      remove(root + path)
    }
  }
  let bytes: [UInt8] = [0, 0, 0, 0, 0, 0, 128, 63, 0, 0, 0, 64]
  try WholeFile.write(bytes, to: root + "/model/w.bin")
  try WholeFile.write(bytes, to: root + "/secret.bin")
  #expect(symlink(root + "/secret.bin", root + "/model/link") == 0)
  func weights(_ tensor: OnnxTensorProto) throws -> OnnxModel {
    try model(
      [node("Add", ["x", "w"], ["y"])], inputs: ["x": [2]], initializers: [tensor], folder: root + "/model")
  }
  let y = try run(
    try weights(externalTensor("w.bin", offset: "4", length: "8")), [try Tensor([1.0, 1.0], extents: [2])])
  #expect(y.floats == [2, 3])
  for location in ["../secret.bin", root + "/secret.bin", "part/../../secret.bin", "link", "a\0b"] {
    #expect(refusal(try weights(externalTensor(location))).contains("is not in the model's folder"))
  }
  #expect(refusal(try weights(externalTensor("w.bin", offset: "8"))).contains("4 bytes"))
  #expect(
    refusal(try weights(externalTensor("w.bin", offset: "9223372036854775807", length: "8"))).contains(
      "are not in a file"))
  #expect(refusal(try weights(externalTensor("w.bin", offset: "-4"))).contains("offset \"-4\""))
  #expect(refusal(try weights(externalTensor("missing.bin"))).contains("missing.bin"))
}

@Test func aRecurrentNodeWithWeightsForOtherDirectionsOrUnitsIsRefused() throws {
  func zeros(_ name: String, _ extents: [Int]) -> OnnxTensorProto {
    var tensor = OnnxTensorProto()
    tensor.name = name
    tensor.dataType = 1
    tensor.dims = extents.map { Int64($0) }
    tensor.floatData = [Float](repeating: 0, count: extents.reduce(1, *))
    return tensor
  }
  func message(directions: Int, hidden: Int) -> String {
    refusal(
      try model(
        [node("LSTM", ["x", "w", "r"], ["y"], name: "cell", attributes: [attribute("hidden_size", hidden)])],
        inputs: ["x": [5, 2, 3]],
        initializers: [zeros("w", [directions, 8, 3]), zeros("r", [directions, 8, 2])]))
  }
  #expect(message(directions: 1, hidden: 2) == "")
  #expect(message(directions: 2, hidden: 2).contains("node \"cell\" (LSTM)"))
  #expect(message(directions: 2, hidden: 2).contains("direction \"forward\", but W has weights for 2"))
  #expect(message(directions: 1, hidden: 4).contains("for 2 hidden units, hidden_size says otherwise"))
}
