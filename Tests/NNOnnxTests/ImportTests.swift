import NNGraph
import NNRuntime
import Testing

@testable import NNOnnx

private let x: [Float] = (0..<12).map { Float($0) / 8 - 0.5 }

@Test func exportedPerceptronComputesWhatTheReferenceDoes() throws {
  let y = try run(try model("mlp"), [try Tensor(x, extents: [2, 2, 3])])
  // By onnx.reference.ReferenceEvaluator.
  let expected: [Float] = [0.91347092, 0.086529076, 8.1249868e-4, 0.99918753]
  #expect(y.extents == [2, 2])
  for (got, wanted) in zip(try #require(y.floats), expected) { #expect(abs(got - wanted) < 1e-6) }
}

@Test func functionIsInlinedWithItsCallersAttributes() throws {
  let y = try run(try model("function"), [try Tensor([1, -0.5], extents: [2])])
  #expect(y.floats == [-6, 3])
}

@Test func branchIsTakenAsTheInputSays() throws {
  let model = try model("branch")
  #expect(try run(model, [try Tensor([1.0, 2, -1], extents: [3])]).floats == [2, 4, -2])
  #expect(try run(model, [try Tensor([-1.0, -2, 1], extents: [3])]).floats == [1, 2, -1])
}

@Test func arithmeticWithFixedShapesLeavesNoNode() throws {
  let graph = try model(
    [
      node("Shape", ["x"], ["s"]), node("ReduceProd", ["s"], ["n"]), node("Reshape", ["x", "n"], ["y"]),
    ]
  ).imported()
  #expect(graph.nodes.count == 1)
  #expect(graph[graph.outputs[0]].type == TensorType(.f32, [6]))
}

@Test func freeDimensionsKeepTheirNames() throws {
  let graph = try model("mlp").imported()
  #expect(graph.symbols.map { $0.string } == ["N"])
  #expect(graph[graph.inputs[0]].type.shape == Shape([.named(0), .fixed(2), .fixed(3)]))
}

@Test func fixingADimensionThatNoInputHasIsRefused() throws {
  let error = #expect(throws: NNError.self) {
    try model("mlp").imported(ImportOptions(extents: ["N": 4, "batch": 1]))
  }
  #expect(error?.code == .invalidArgument)
  #expect(
    error?.message == "no free dimension \"batch\" in the inputs; there are N", "\(error?.message ?? "")")
}

@Test func freeDimensionsCanBeFixed() throws {
  let graph = try model("mlp").imported(ImportOptions(extents: ["N": 4]))
  #expect(graph[graph.inputs[0]].type.shape == [4, 2, 3])
  #expect(graph[graph.outputs[0]].type.shape == [4, 2])
}

@Test func constantLoopIsWrittenOut() throws {
  var attribute = OnnxAttributeProto()
  attribute.name = "body"
  attribute.type = 5
  attribute.g.node = [node("Add", ["carried", "carried"], ["twice"]), node("Identity", ["going"], ["on"])]
  for name in ["i", "going", "carried"] {
    var value = OnnxValueInfoProto()
    value.name = name
    attribute.g.input.append(value)
  }
  for name in ["on", "twice"] {
    var value = OnnxValueInfoProto()
    value.name = name
    attribute.g.output.append(value)
  }
  let loop = node("Loop", ["three", "", "x"], ["y"], attributes: [attribute])
  let y = try run(
    try model([loop], inputs: ["x": [2]], initializers: [integers("three", [3], extents: [])]),
    [try Tensor([1.0, -2], extents: [2])])
  #expect(y.floats == [8, -16])
}
