import NNFormat
import NNGraph
import NNRuntime
import Testing

@testable import NNOnnx

/// The model with the given axes of its input free.
private func freed(_ model: OnnxModel, _ axes: Int...) throws -> OnnxModel {
  var proto = model.proto
  for axis in axes { proto.graph.input[0].type.tensorType.shape.dim[axis].dimParam = "D\(axis)" }
  let bytes: [UInt8] = try proto.serializedBytes()
  return try bytes.withUnsafeBytes { try OnnxModel(bytes: $0, folder: nil) }
}

private func numbers(_ extents: [Int]) throws -> Tensor {
  try Tensor((0..<extents.reduce(1, *)).map { Float($0 * 7919 % 101) / 50 - 1 }, extents: extents)
}

private func floats(_ name: String, _ tensor: Tensor) -> OnnxTensorProto {
  var proto = OnnxTensorProto()
  proto.name = name
  proto.dataType = 1
  proto.dims = tensor.extents.map { Int64($0) }
  proto.floatData = tensor.floats ?? []
  return proto
}

private func list(_ name: String, _ values: [Int]) -> OnnxAttributeProto {
  var attribute = OnnxAttributeProto()
  attribute.name = name
  attribute.type = 7
  attribute.ints = values.map { Int64($0) }
  return attribute
}

@Test func transposedConvolutionsOfFreeExtentsAgreeWithFixedOnes() throws {
  let cases: [(kernel: [Int], groups: Int, attributes: [OnnxAttributeProto])] = [
    ([2, 2], 1, [list("strides", [2, 2])]),
    ([3, 4], 2, [list("strides", [2, 3]), list("pads", [1, 0, 0, 2]), list("output_padding", [1, 2])]),
    ([3, 2], 1, [list("dilations", [2, 1]), list("strides", [1, 2]), list("pads", [0, 1, 2, 0])]),
  ]
  for (kernel, groups, attributes) in cases {
    let weight = floats("w", try numbers([4, 3] + kernel))
    let bias = floats("b", try numbers([3 * groups]))
    for image in [[33, 32], [5, 6]] {
      let fixed = try model(
        [
          node(
            "ConvTranspose", ["x", "w", "b"], ["y"], attributes: attributes + [attribute("group", groups)])
        ], inputs: ["x": [2, 4] + image], initializers: [weight, bias])
      let x = try numbers([2, 4] + image)
      let (y, z) = (try run(fixed, [x]), try run(try freed(fixed, 0, 2, 3), [x]))
      #expect(y.extents == z.extents, "\(kernel)")
      if image[0] == 33 || groups > 1 {
        #expect(y.floats == z.floats, "\(kernel)")
      } else {
        // Small images of known extents add whole patches, in another order.
        for (a, b) in zip(y.floats ?? [], z.floats ?? []) { #expect(abs(a - b) <= 4e-6, "\(kernel)") }
      }
    }
  }
}

@Test func aTransposedConvolutionSpreadsEveryElement() throws {
  // 1 and 10 at places 0 and 1, two apart, each times (1, 2, 3).
  let weight = floats("w", try Tensor([1, 2, 3] as [Float], extents: [1, 1, 3]))
  let made = try model(
    [node("ConvTranspose", ["x", "w"], ["y"], attributes: [list("strides", [2])])],
    inputs: ["x": [1, 1, 2]], initializers: [weight])
  let y = try run(try freed(made, 2), [try Tensor([1, 10] as [Float], extents: [1, 1, 2])])
  #expect(y.floats == [1, 2, 13, 20, 30])
}

@Test func imagesOfFreeExtentsAreResizedAsThoseOfFixedOnes() throws {
  let fixed = try model(
    [node("Resize", ["x", "", "", "s"], ["y"], attributes: [text("mode", "linear")])],
    inputs: ["x": [1, 1, 3, 4]],
    initializers: [integers("s", [1, 1, 7, 5])])
  let x = try numbers([1, 1, 3, 4])
  let (y, z) = (try run(fixed, [x]), try run(try freed(fixed, 0, 1, 2, 3), [x]))
  #expect(y.extents == [1, 1, 7, 5] && y.extents == z.extents && y.floats == z.floats)
}

private func text(_ name: String, _ value: String) -> OnnxAttributeProto {
  var attribute = OnnxAttributeProto()
  attribute.name = name
  attribute.type = 3
  attribute.s = .init(value.utf8)
  return attribute
}

private func body(_ name: String, _ node: OnnxNodeProto) -> OnnxAttributeProto {
  var attribute = OnnxAttributeProto()
  attribute.name = name
  attribute.type = 5
  attribute.g.name = name
  attribute.g.node = [node]
  var output = OnnxValueInfoProto()
  output.name = node.output[0]
  attribute.g.output = [output]
  return attribute
}

/// x (N, 3, T) without its last axis if that has extent 1, as PyTorch writes it, and then what `following` does with it.
private func squeezedIfPossible(_ following: OnnxNodeProto, _ constants: [OnnxTensorProto] = []) throws
  -> OnnxModel
{
  let nodes = [
    node("Shape", ["x"], ["shape"]), node("Gather", ["shape", "last"], ["extent"]),
    node("Equal", ["extent", "one"], ["isOne"]),
    node(
      "If", ["isOne"], ["squeezed"], name: "choice",
      attributes: [
        body("then_branch", node("Squeeze", ["x", "last"], ["a"])),
        body("else_branch", node("Identity", ["x"], ["b"])),
      ]),
    following,
  ]
  let made = try model(
    nodes, inputs: ["x": [2, 3, 1]], initializers: [integers("last", [-1]), integers("one", [1])] + constants)
  return try freed(made, 0, 2)
}

@Test func aBranchOfTwoRanksIsTheOneThatTheRestIsMadeFor() throws {
  let weight = floats("w", try Tensor([1, 0, 0, 1, 1, 1] as [Float], extents: [3, 2]))
  let made = try squeezedIfPossible(node("Gemm", ["squeezed", "w"], ["y"]), [weight])
  let session = try Session(try Model(ModelFile(graph: try made.imported())))
  let y = try session([try Tensor([1, 2, 3, 4, 5, 6] as [Float], extents: [2, 3, 1])])[0]
  #expect(y.extents == [2, 2] && y.floats == [4, 5, 10, 11])
  #expect(throws: NNError.self) { try session([try numbers([2, 3, 2])]) }
}

@Test func aBranchOfTwoRanksThatTheRestFitsBothOfIsRefused() throws {
  let message = refusal(try squeezedIfPossible(node("Relu", ["squeezed"], ["y"])))
  #expect(message.contains("node \"choice\" (If)") && message.contains("may fit both"))
}
