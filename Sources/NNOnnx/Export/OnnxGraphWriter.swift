import NNGraph
import NNPasses

/// An input of a node on its way out: what it is called in the ONNX graph, and what is known of it.
struct Operand {
  let name: String
  let type: TensorType
  let constant: Tensor?

  init(_ name: String, _ type: TensorType, constant: Tensor? = nil) {
    self.name = name
    self.type = type
    self.constant = constant
  }

  var dtype: DType { type.dtype }
  var shape: Shape { type.shape }
  var rank: Int { type.shape.rank }
}

/// The nodes of one ONNX graph, or of a body, in the order in which they are added.
final class OnnxGraphWriter {
  private(set) var nodes: [OnnxNodeProto] = []
  /// What new values and nodes are named after.
  var label = ""
  /// The names of all values of the model.
  let names: UniqueNames
  /// The names of all nodes of the model.
  private let nodeNames: UniqueNames
  let initializers: OnnxInitializers

  init() {
    names = UniqueNames()
    nodeNames = UniqueNames()
    initializers = OnnxInitializers(names: names)
  }

  /// The writer of a body, which shares names and constants with what stands around it.
  init(bodyOf outer: OnnxGraphWriter) {
    names = outer.names
    nodeNames = outer.nodeNames
    initializers = outer.initializers
    label = outer.label
  }

  // Nodes

  /// Adds a node; gives the names of its results.
  @discardableResult
  func add(
    _ type: String, _ inputs: [String], _ attributes: [OnnxAttributeProto] = [], outputs: Int = 1
  ) -> [String] {
    var node = OnnxNodeProto()
    node.opType = type
    node.name = nodeNames.take(label.isEmpty ? type : label)
    node.input = inputs
    node.output = (0..<outputs).map { _ in names.take(label) }
    node.attribute = attributes
    nodes.append(node)
    return node.output
  }

  func node(_ type: String, _ inputs: String..., attributes: [OnnxAttributeProto] = []) -> String {
    add(type, inputs, attributes)[0]
  }

  /// Adds a node whose only result has the given name, which must be taken already.
  func add(_ type: String, _ input: String, as output: String) {
    var node = OnnxNodeProto()
    node.opType = type
    node.name = nodeNames.take(label.isEmpty ? type : label)
    node.input = [input]
    node.output = [output]
    nodes.append(node)
  }

  /// Gives a result of the nodes from `first` on another name, which must be taken already.
  func rename(_ old: String, to new: String, from first: Int) {
    func renamed(_ name: String) -> String { name == old ? new : name }
    for index in nodes.indices[first...] {
      nodes[index].input = nodes[index].input.map(renamed)
      nodes[index].output = nodes[index].output.map(renamed)
    }
  }

  /// Whether one of the nodes from `first` on gives a value.
  func makes(_ name: String, from first: Int) -> Bool {
    nodes[first...].contains { $0.output.contains(name) }
  }

  // Constants

  func constant(_ tensor: Tensor) -> String { initializers.name(of: tensor, wish: label) }

  /// A vector of i64.
  func ints(_ values: [Int]) throws -> String {
    constant(try Tensor(values.map { Int64($0) }, extents: [values.count]))
  }

  func scalar(_ value: Double, _ dtype: DType) throws -> String {
    constant(try Tensor.scalar(value).cast(to: dtype))
  }

  /// An integer of any type, exactly.
  func scalar(int value: Int, _ dtype: DType) throws -> String {
    constant(try Tensor([Int64(value)], extents: []).cast(to: dtype))
  }

  // Short forms

  func cast(_ x: String, _ dtype: DType) -> String {
    node("Cast", x, attributes: [.int("to", ElementType.number(dtype))])
  }

  /// x in another type, unless it has it; constants at once.
  func cast(_ x: Operand, _ dtype: DType) throws -> String {
    if x.dtype == dtype { return x.name }
    if let constant = x.constant, constant.layout == .rowMajor {
      return self.constant(try constant.cast(to: dtype))
    }
    return cast(x.name, dtype)
  }

  func reshape(_ x: String, _ extents: [Int]) throws -> String {
    node("Reshape", x, try ints(extents))
  }

  /// An operand of one element without axes.
  func single(_ x: Operand) throws -> String { x.rank == 0 ? x.name : try reshape(x.name, []) }

  func unsqueeze(_ x: String, _ axes: [Int]) throws -> String { node("Unsqueeze", x, try ints(axes)) }
  func squeeze(_ x: String, _ axes: [Int]) throws -> String { node("Squeeze", x, try ints(axes)) }

  func transpose(_ x: String, _ permutation: [Int]) -> String {
    permutation == Array(permutation.indices)
      ? x : node("Transpose", x, attributes: [.ints("perm", permutation)])
  }

  func reduce(_ function: ReduceFunction, _ x: String, _ axes: [Int], keeps: Bool = true) throws -> String {
    node(function.onnxName, x, try ints(axes), attributes: [.flag("keepdims", keeps)])
  }

  /// The elements from start to end of one axis.
  func slice(_ x: String, axis: Int, _ start: Int, _ end: Int, step: Int = 1) throws -> String {
    node("Slice", x, try ints([start]), try ints([end]), try ints([axis]), try ints([step]))
  }

  /// The extents of some axes of x, i64.
  func extents(_ x: String, _ axes: Range<Int>) -> String {
    node("Shape", x, attributes: [.int("start", axes.lowerBound), .int("end", axes.upperBound)])
  }

  /// The extent of an axis of x, i64 (1).
  func extent(_ x: Operand, _ axis: Int) throws -> String {
    if let known = x.shape[axis].extent { return try ints([known]) }
    return extents(x.name, axis..<axis + 1)
  }
}
