/// An index into ``Graph/values``.
public struct ValueID: Equatable, Comparable, Sendable {
  public let index: Int

  public init(_ index: Int) {
    self.index = index
  }

  public static func < (a: ValueID, b: ValueID) -> Bool { a.index < b.index }
}

/// Something that exists while a graph runs: an input, a constant, or the result of a node.
public struct Value: Sendable {
  public var name: Name
  public var type: TensorType
  /// The value itself, if it is a constant.
  public var constant: Tensor?

  public init(name: Name, type: TensorType, constant: Tensor? = nil) {
    self.name = name
    self.type = type
    self.constant = constant
  }
}

/// One operator applied to values.
public struct Node: Sendable {
  /// The name of the layer it stems from, for messages; may be empty.
  public var name: Name
  public var op: Op
  public var inputs: [ValueID]
  public var outputs: [ValueID]

  public init(name: Name, op: Op, inputs: [ValueID], outputs: [ValueID]) {
    self.name = name
    self.op = op
    self.inputs = inputs
    self.outputs = outputs
  }

  /// `node "conv1" (convolution)`, for messages.
  public var description: String {
    @inline(never) get { ("node \(name.quoted) (\(op.name))" as Message).text }
  }
}

/// A value carried from one run to the next: what `output` was becomes what `input` is.
public struct CarriedState: Equatable, Sendable {
  public var input: ValueID
  public var output: ValueID

  public init(input: ValueID, output: ValueID) {
    self.input = input
    self.output = output
  }
}

/// What a model is: values, and nodes that make values from values, each node after those it depends on.
///
/// Everything else in the project is a function of a graph: training makes graphs, importers translate into them, passes
/// rewrite them, the format stores them and the runtime plans and runs them.
public struct Graph: Sendable {
  public var name: Name
  /// The names of the free dimensions that ``Dimension/named(_:)`` refers to.
  public var symbols: [Name]
  public var values: [Value]
  /// In an order in which they can run.
  public var nodes: [Node]
  public var inputs: [ValueID]
  public var outputs: [ValueID]
  /// Pairs of an input and an output; a session keeps them between runs.
  public var states: [CarriedState]
  /// The graphs inside this one, which nodes of ``Dynamic`` refer to by index. Each is a graph of its own: all it reads of this one
  /// comes in through its inputs.
  public var bodies: [Graph]

  public init(name: Name) {
    self.name = name
    symbols = []
    values = []
    nodes = []
    inputs = []
    outputs = []
    states = []
    bodies = []
  }

  public subscript(id: ValueID) -> Value {
    get { values[id.index] }
    set { values[id.index] = newValue }
  }
}

// Building
extension Graph {
  /// The free dimension called `name`, the same one for the same name.
  public mutating func dimension(_ name: Name) -> Dimension {
    for (index, symbol) in symbols.enumerated() where symbol == name { return .named(index) }
    symbols.append(name)
    return .named(symbols.count - 1)
  }

  public mutating func addInput(_ name: Name, _ dtype: DType, _ shape: Shape) -> ValueID {
    let id = addValue(Value(name: name, type: TensorType(dtype, shape)))
    inputs.append(id)
    return id
  }

  public mutating func addConstant(_ name: Name, _ tensor: Tensor) -> ValueID {
    addValue(Value(name: name, type: tensor.type, constant: tensor))
  }

  public mutating func addOutput(_ id: ValueID, name: Name? = nil) {
    if let name { values[id.index].name = name }
    outputs.append(id)
  }

  /// Appends a node and gives its result, whose type is inferred.
  ///
  /// - Throws: what ``Op/inferOutputs(_:)`` throws, with the node's name and family in front.
  public mutating func append(_ op: Op, _ inputs: [ValueID], name: Name = "") throws(NNError) -> ValueID {
    try appendAll(op, inputs, name: name)[0]
  }

  /// As ``append(_:_:name:)``, of an operator with several results: gives them all.
  public mutating func appendAll(_ op: Op, _ inputs: [ValueID], name: Name = "") throws(NNError) -> [ValueID]
  {
    var types: [TensorType] = []
    for input in inputs { types.append(self[input].type) }
    var node = Node(name: name, op: op, inputs: inputs, outputs: [])
    let results: [TensorType]
    do throws(NNError) {
      results = try inferOutputs(op, types)
    } catch {
      throw error.within(node.description)
    }
    for type in results { node.outputs.append(addValue(Value(name: name, type: type))) }
    nodes.append(node)
    return node.outputs
  }

  private mutating func addValue(_ value: Value) -> ValueID {
    values.append(value)
    return ValueID(values.count - 1)
  }
}
