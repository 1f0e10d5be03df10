import FoundationEssentials
import NNGraph

/// A node of an ONNX graph as a lowering sees it: inputs looked up, attributes by name.
struct OnnxNode {
  let proto: OnnxNodeProto
  /// The version of the operator set that the node's domain is imported with.
  let version: Int
  /// nil where an optional input is left out.
  let inputs: [Imported?]
  let scope: Scope
  let externalData: ExternalData
  private let attributes: [String: OnnxAttributeProto]

  init(
    _ proto: OnnxNodeProto, version: Int, inputs: [Imported?], scope: Scope, externalData: ExternalData
  ) {
    self.proto = proto
    self.version = version
    self.inputs = inputs
    self.scope = scope
    self.externalData = externalData
    var attributes: [String: OnnxAttributeProto] = [:]
    for attribute in proto.attribute {
      guard !attribute.refAttrName.isEmpty else {
        attributes[attribute.name] = attribute
        continue
      }
      // In a function's body the caller's attribute takes this one's place; without it, the operator's default does.
      if let given = scope.callAttributes?[attribute.refAttrName] { attributes[attribute.name] = given }
    }
    self.attributes = attributes
  }

  /// The attributes as a function that this node calls gets them.
  var givenAttributes: [String: OnnxAttributeProto] { attributes }

  /// The domain, "" for the standard's own.
  var domain: String { OnnxNode.domain(of: proto) }

  static func domain(of proto: OnnxNodeProto) -> String { proto.domain == "ai.onnx" ? "" : proto.domain }

  /// How messages call the node.
  var label: String { OnnxNode.label(of: proto) }

  static func label(of proto: OnnxNodeProto) -> String {
    let name = proto.name.isEmpty ? (proto.output.first { !$0.isEmpty } ?? "") : proto.name
    return "node \"\(name)\" (\(proto.opType))"
  }

  var outputCount: Int { proto.output.count }

  func isUsed(output index: Int) -> Bool {
    proto.output.indices.contains(index) && !proto.output[index].isEmpty
  }
}

// Inputs
extension OnnxNode {
  func has(_ index: Int) -> Bool { inputs.indices.contains(index) && inputs[index] != nil }

  /// A tensor that must be there.
  func input(_ index: Int) throws -> ValueID {
    guard let value = try optional(index) else { throw NNError(.invalidGraph, "has no input \(index)") }
    return value
  }

  /// A tensor that may be left out.
  func optional(_ index: Int) throws -> ValueID? {
    guard inputs.indices.contains(index), let input = inputs[index] else { return nil }
    switch input {
    case .tensor(let value), .optional(.tensor(let value)): return value
    case .sequence: throw NNError(.invalidGraph, "input \(index) is a sequence, not a tensor")
    case .optional: throw NNError(.invalidGraph, "input \(index) is an optional without a tensor in it")
    case .absent: return nil
    case .strings: throw NNError(.unsupportedOperator, "input \(index) is a tensor of strings")
    case .unavailable: throw NNError(.invalidGraph, "input \(index) could not be imported")
    }
  }

  /// All inputs, as tensors that must be there.
  func allInputs() throws -> [ValueID] { try inputs.indices.map { try input($0) } }

  /// The elements of an input of integers that is known when the model is imported; nil if it is left out.
  func constantInts(_ index: Int, _ graph: GraphBuilder, _ role: String) throws -> [Int]? {
    guard let value = try optional(index) else { return nil }
    guard let tensor = graph.constant(value) else { throw notConstant(role) }
    guard let integers = tensor.integers else {
      throw NNError(.dtypeMismatch, Message(text: "\(role) must be integers, not \(tensor.dtype.name)"))
    }
    return integers
  }

  /// The only element of an input of numbers that is known when the model is imported; nil if it is left out.
  func constantNumber(_ index: Int, _ graph: GraphBuilder, _ role: String) throws -> Double? {
    guard let value = try optional(index) else { return nil }
    guard let tensor = graph.constant(value) else { throw notConstant(role) }
    guard let numbers = tensor.doubles, numbers.count == 1 else {
      throw NNError(.shapeMismatch, Message(text: "\(role) must be one number"))
    }
    return numbers[0]
  }

  func notConstant(_ role: String) -> NNError {
    NNError(.unsupportedOperator, Message(text: "\(role) is not known before the model runs"))
  }
}

// Attributes
extension OnnxNode {
  /// Numbers of AttributeProto.AttributeType.
  private enum Kind: Int32 {
    case float = 1
    case int, string, tensor, graph, floats, ints, strings, tensors, graphs
  }

  func has(attribute name: String) -> Bool { attributes[name] != nil }

  private func attribute(_ name: String, _ kind: Kind, _ present: (OnnxAttributeProto) -> Bool) throws
    -> OnnxAttributeProto?
  {
    guard let attribute = attributes[name] else { return nil }
    // Old writers leave the type out.
    let fits = attribute.hasType ? attribute.type == kind.rawValue : present(attribute)
    guard fits else {
      throw NNError(.invalidGraph, Message(text: "attribute \"\(name)\" is not of type \(kind)"))
    }
    return attribute
  }

  func int(_ name: String) throws -> Int? { try attribute(name, .int) { $0.hasI }.map { Int($0.i) } }
  func int(_ name: String, default value: Int) throws -> Int { try int(name) ?? value }
  func flag(_ name: String, default value: Bool = false) throws -> Bool {
    try int(name).map { $0 != 0 } ?? value
  }
  func float(_ name: String) throws -> Float? { try attribute(name, .float) { $0.hasF }?.f }
  func float(_ name: String, default value: Float) throws -> Float { try float(name) ?? value }
  func ints(_ name: String) throws -> [Int]? {
    try attribute(name, .ints) { !$0.ints.isEmpty }?.ints.map { Int($0) }
  }
  func floats(_ name: String) throws -> [Float]? {
    try attribute(name, .floats) { !$0.floats.isEmpty }?.floats
  }

  func string(_ name: String) throws -> String? {
    try attribute(name, .string) { $0.hasS }.map { String(decoding: $0.s, as: UTF8.self) }
  }
  func string(_ name: String, default value: String) throws -> String { try string(name) ?? value }

  func strings(_ name: String) throws -> [String]? {
    try attribute(name, .strings) { !$0.strings.isEmpty }?.strings.map { String(decoding: $0, as: UTF8.self) }
  }

  func tensor(_ name: String) throws -> Tensor? {
    try attribute(name, .tensor) { $0.hasT }?.t.tensor(externalData: externalData)
  }

  func tensorProto(_ name: String) throws -> OnnxTensorProto? { try attribute(name, .tensor) { $0.hasT }?.t }

  func sparseTensor(_ name: String) -> OnnxSparseTensorProto? { attributes[name]?.sparseTensor }

  func body(_ name: String) throws -> OnnxGraphProto? { try attribute(name, .graph) { $0.hasG }?.g }

  func required<Value>(_ value: Value?, _ name: String) throws -> Value {
    guard let value else { throw NNError(.invalidGraph, Message(text: "attribute \"\(name)\" is missing")) }
    return value
  }

  /// Numbers that take part in the arithmetic of shapes, each from `least` to 2⁴⁰.
  func extents(_ name: String, least: Int = 0) throws -> [Int]? {
    guard let values = try ints(name) else { return nil }
    for value in values where value < least || value > 1 << 40 {
      throw NNError(.invalidGraph, Message(text: "attribute \"\(name)\" has a value of \(value)"))
    }
    return values
  }

  /// An axis of a tensor of `rank` axes, counted from the end if negative.
  func axis(_ name: String = "axis", default value: Int? = nil, rank: Int) throws -> Int {
    try OnnxNode.axis(try required(try int(name) ?? value, name), rank: rank)
  }

  static func axis(_ axis: Int, rank: Int) throws -> Int {
    guard axis >= -rank, axis < rank else {
      throw NNError(.shapeMismatch, "axis \(axis) of a tensor of rank \(rank)")
    }
    return axis < 0 ? axis + rank : axis
  }

  /// Distinct axes, ascending.
  static func axes(_ axes: [Int], rank: Int) throws -> [Int] {
    let sorted = try axes.map { try axis($0, rank: rank) }.sorted()
    for index in sorted.indices.dropFirst() where sorted[index] == sorted[index - 1] {
      throw NNError(.invalidGraph, "axis \(sorted[index]) is named twice")
    }
    return sorted
  }
}
