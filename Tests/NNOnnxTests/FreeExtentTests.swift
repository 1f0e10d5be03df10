import NNFormat
import NNGraph
import NNRuntime
import Testing

@testable import NNOnnx

/// The model with the given axes of its first input free.
private func freed(_ model: OnnxModel, _ axes: Int...) throws -> OnnxModel { try freed(model, [axes]) }

/// The model with the given axes of its inputs free; what has one number and one name is the same for all of them.
private func freed(_ model: OnnxModel, _ axes: [[Int]]) throws -> OnnxModel {
  var proto = model.proto
  for (input, axes) in axes.enumerated() {
    for axis in axes {
      let name = axis == 0 ? "N" : "D\(input)\(axis)"
      proto.graph.input[input].type.tensorType.shape.dim[axis].dimParam = name
    }
  }
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

@Test func transposedConvolutionsOfFreeExtentsAgreeWithFixedOnes() throws {
  let cases: [(kernel: [Int], groups: Int, attributes: [OnnxAttributeProto])] = [
    ([2, 2], 1, [attribute("strides", [2, 2])]),
    (
      [3, 4], 2,
      [attribute("strides", [2, 3]), attribute("pads", [1, 0, 0, 2]), attribute("output_padding", [1, 2])]
    ),
    (
      [3, 2], 1,
      [attribute("dilations", [2, 1]), attribute("strides", [1, 2]), attribute("pads", [0, 1, 2, 0])]
    ),
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
    [node("ConvTranspose", ["x", "w"], ["y"], attributes: [attribute("strides", [2])])],
    inputs: ["x": [1, 1, 2]], initializers: [weight])
  let y = try run(try freed(made, 2), [try Tensor([1, 10] as [Float], extents: [1, 1, 2])])
  #expect(y.floats == [1, 2, 13, 20, 30])
}

@Test func imagesOfFreeExtentsAreResizedAsThoseOfFixedOnes() throws {
  let fixed = try model(
    [node("Resize", ["x", "", "", "s"], ["y"], attributes: [attribute("mode", "linear")])],
    inputs: ["x": [1, 1, 3, 4]],
    initializers: [integers("s", [1, 1, 7, 5])])
  let x = try numbers([1, 1, 3, 4])
  let (y, z) = (try run(fixed, [x]), try run(try freed(fixed, 0, 1, 2, 3), [x]))
  #expect(y.extents == [1, 1, 7, 5] && y.extents == z.extents && y.floats == z.floats)
}

/// A node, the extents of its inputs x and z, and which of their axes may be free.
private struct FreeCase {
  let node: OnnxNodeProto
  let extents: [[Int]]
  let free: [[Int]]
  var initializers: [OnnxTensorProto] = []
}

private func freeCases() throws -> [FreeCase] {
  let inputs = ["x", "z"]
  func made(
    _ type: String, _ extents: [[Int]], free: [[Int]], _ attributes: [OnnxAttributeProto] = [],
    initializers: [OnnxTensorProto] = []
  ) -> FreeCase {
    let names = Array(inputs.prefix(extents.count)) + initializers.map { $0.name }
    return FreeCase(
      node: node(type, names, ["y"], attributes: attributes), extents: extents, free: free,
      initializers: initializers)
  }
  let blocks = [attribute("blocksize", 2)]
  let kernel = floats("w", try numbers([3, 2, 2, 3, 2]))
  return [
    made("DepthToSpace", [[2, 8, 3, 4]], free: [[0, 2, 3]], blocks),
    made("DepthToSpace", [[2, 8, 3, 4]], free: [[0, 2, 3]], blocks + [attribute("mode", "CRD")]),
    made("DepthToSpace", [[2, 8, 3, 4]], free: [[0]], blocks),
    made("SpaceToDepth", [[2, 3, 4, 6]], free: [[0, 2, 3]], blocks),
    made("SpaceToDepth", [[2, 3, 4, 6]], free: [[0]], blocks),
    made("Trilu", [[2, 4, 5]], free: [[0, 1, 2]], [attribute("upper", 0)]),
    made(
      "ReverseSequence", [[4, 3, 2]], free: [[0, 1, 2]], initializers: [integers("lengths", [2, 4, 1])]),
    made(
      "Conv", [[2, 2, 4, 5, 3]], free: [[0, 3, 4]], [attribute("pads", [1, 0, 1, 1, 1, 0])],
      initializers: [kernel]
    ),
    made(
      "AveragePool", [[2, 3, 7, 8]], free: [[0]],
      [
        attribute("kernel_shape", [3, 3]), attribute("strides", [2, 2]), attribute("pads", [1, 1, 1, 1]),
        attribute("ceil_mode", 1), attribute("count_include_pad", 1),
      ]),
    made("AveragePool", [[2, 1, 5, 4, 4]], free: [[0]], [attribute("kernel_shape", [3, 2, 2])]),
    made(
      "LpPool", [[2, 3, 7, 8]], free: [[0, 2, 3]],
      [attribute("kernel_shape", [3, 2]), attribute("strides", [2, 2])]),
    made("GridSample", [[2, 3, 4, 5], [2, 3, 6, 2]], free: [[0], [0, 1, 2]]),
    made("GridSample", [[2, 3, 4, 5], [2, 3, 6, 2]], free: [[0], [0]], [attribute("mode", "bicubic")]),
    made(
      "Einsum", [[2, 3, 4, 5], [2, 3, 6, 5]], free: [[0, 2], [0, 2]],
      [attribute("equation", "bhqd,bhkd->bhqk")]),
    made(
      "Einsum", [[2, 4, 3, 5], [2, 6, 3, 5]], free: [[0, 1], [0, 1]],
      [attribute("equation", "bqhd,bkhd->bhqk")]),
    made(
      "Einsum", [[2, 3, 4, 5], [3, 6]], free: [[0, 2, 3], []], [attribute("equation", "bchw,cd->bdhw")]),
    made(
      "Einsum", [[2, 3, 4, 5], [5, 6]], free: [[0, 1, 2], []], [attribute("equation", "...i,ij->...j")]),
  ]
}

@Test func operatorsOverFreeExtentsAgreeWithThoseOverFixedOnes() throws {
  for one in try freeCases() {
    let inputs = Dictionary(uniqueKeysWithValues: zip(["x", "z"], one.extents))
    let fixed = try model([one.node], inputs: inputs, initializers: one.initializers, opset: 20)
    let tensors = try one.extents.map { try numbers($0) }
    let (y, z) = (try run(fixed, tensors), try run(try freed(fixed, one.free), tensors))
    #expect(y.extents == z.extents && y.floats == z.floats, "\(one.node.opType) \(one.free)")
  }
}

@Test func theIndicesOfAMaximumOverAFreeBatchCountAllElements() throws {
  let attributes = [attribute("kernel_shape", [2, 2]), attribute("strides", [2, 2])]
  let pool = node("MaxPool", ["x"], ["m", "i"], attributes: attributes)
  let number = node("Cast", ["i"], ["y"], attributes: [attribute("to", 1)])
  let fixed = try model([pool, number], inputs: ["x": [2, 1, 2, 4]])
  let x = try Tensor((0..<16).map { Float($0 * 7 % 16) }, extents: [2, 1, 2, 4])
  let (y, z) = (try run(fixed, [x]), try run(try freed(fixed, 0), [x]))
  #expect(y.floats == [4, 2, 9, 11] && z.floats == y.floats)
}

@Test func aLetterThatStandsTwiceInOneInputAndHasNoArrowIsSummed() throws {
  let trace = try model(
    [node("Einsum", ["x"], ["y"], attributes: [attribute("equation", "ii")])], inputs: ["x": [2, 2]])
  let y = try run(trace, [try Tensor([1, 2, 3, 4] as [Float], extents: [2, 2])])
  #expect(y.extents == [] && y.floats == [5])
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
