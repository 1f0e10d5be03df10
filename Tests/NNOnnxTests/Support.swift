import Files
import NNFormat
import NNGraph
import NNRuntime
import Testing

@testable import NNOnnx

/// One of the models that Models/make.py makes.
func model(_ name: String) throws -> OnnxModel {
  try OnnxModel(path: modelPath(name))
}

func modelPath(_ name: String) -> String {
  let folder = #filePath.split(separator: "/").dropLast().joined(separator: "/")
  return "/\(folder)/Models/\(name).onnx"
}

/// A node with inputs and results by name.
func node(
  _ type: String, _ inputs: [String], _ outputs: [String], domain: String = "", name: String = "",
  attributes: [OnnxAttributeProto] = []
) -> OnnxNodeProto {
  var node = OnnxNodeProto()
  node.opType = type
  node.input = inputs
  node.output = outputs
  node.domain = domain
  node.name = name.isEmpty ? outputs.joined() : name
  node.attribute = attributes
  return node
}

/// A model of nodes over f32 inputs of the given extents.
func model(
  _ nodes: [OnnxNodeProto], inputs: [String: [Int]] = ["x": [2, 3]], outputs: [String] = ["y"],
  initializers: [OnnxTensorProto] = [], opset: Int = 17, domains: [String] = [], folder: String? = nil
) throws -> OnnxModel {
  var proto = OnnxModelProto()
  proto.irVersion = 8
  for (domain, version) in [("", opset)] + domains.map({ ($0, 1) }) {
    var set = OnnxOperatorSetIdProto()
    set.domain = domain
    set.version = Int64(version)
    proto.opsetImport.append(set)
  }
  proto.graph.name = "test"
  proto.graph.node = nodes
  proto.graph.initializer = initializers
  for (name, extents) in inputs.sorted(by: { $0.key < $1.key }) {
    var value = OnnxValueInfoProto()
    value.name = name
    value.type.tensorType.elemType = 1
    value.type.tensorType.shape.dim = extents.map { extent in
      var dimension = OnnxTensorShapeProto.Dimension()
      dimension.dimValue = Int64(extent)
      return dimension
    }
    proto.graph.input.append(value)
  }
  for name in outputs {
    var value = OnnxValueInfoProto()
    value.name = name
    proto.graph.output.append(value)
  }
  let bytes: [UInt8] = try proto.serializedBytes()
  return try bytes.withUnsafeBytes { try OnnxModel(bytes: $0, folder: folder) }
}

func attribute(_ name: String, _ value: Int) -> OnnxAttributeProto {
  attribute(name, type: 2) { $0.i = Int64(value) }
}

func attribute(_ name: String, _ values: [Int]) -> OnnxAttributeProto {
  attribute(name, type: 7) { $0.ints = values.map { Int64($0) } }
}

func attribute(_ name: String, _ text: String) -> OnnxAttributeProto {
  attribute(name, type: 3) { $0.s = .init(text.utf8) }
}

func attribute(_ name: String, float value: Float) -> OnnxAttributeProto {
  attribute(name, type: 1) { $0.f = value }
}

func attribute(_ name: String, floats values: [Float]) -> OnnxAttributeProto {
  attribute(name, type: 6) { $0.floats = values }
}

private func attribute(
  _ name: String, type: Int32, _ fill: (inout OnnxAttributeProto) -> Void
) -> OnnxAttributeProto {
  var attribute = OnnxAttributeProto()
  attribute.name = name
  attribute.type = type
  fill(&attribute)
  return attribute
}

func integers(_ name: String, _ values: [Int], extents: [Int]? = nil) -> OnnxTensorProto {
  var tensor = OnnxTensorProto()
  tensor.name = name
  tensor.dataType = 7
  tensor.dims = (extents ?? [values.count]).map { Int64($0) }
  tensor.int64Data = values.map { Int64($0) }
  return tensor
}

/// The message that importing ends with.
func refusal(_ make: @autoclosure () throws -> OnnxModel) -> String {
  do {
    _ = try make().imported()
    return ""
  } catch let error as NNError {
    return error.message
  } catch {
    return "\(error)"
  }
}

/// The only output for f32 inputs.
func run(_ model: OnnxModel, _ inputs: [Tensor]) throws -> Tensor {
  let session = try Session(try Model(ModelFile(graph: try model.imported())))
  return try session(inputs)[0]
}
