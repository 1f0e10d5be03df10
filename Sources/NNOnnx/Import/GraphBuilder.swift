import NNGraph
import NNPasses

/// The graph that an import makes. Nodes whose inputs are constants are computed at once, so that what a model derives from
/// fixed shapes is a constant where an operator needs it as an attribute.
final class GraphBuilder {
  var graph: Graph
  /// The name that new nodes get.
  var nodeName: Name = ""
  /// How many casts from f64 to narrower types lowerings have made.
  var narrowings = 0
  /// How many sources of random numbers there are.
  var randomStreams: UInt32 = 0
  /// What is known of values that are made of extents.
  var symbolic: [Int: [Dimension]] = [:]
  private var scalars: [ScalarKey: ValueID] = [:]
  private let budget: ImportBudget

  fileprivate struct ScalarKey: Hashable {
    let dtype: DType
    let bits: UInt64
  }

  init(name: Name, budget: ImportBudget) {
    graph = Graph(name: name)
    self.budget = budget
  }

  /// Everything that has been made, to come back to.
  struct State {
    fileprivate let graph: Graph
    fileprivate let symbolic: [Int: [Dimension]]
    fileprivate let scalars: [ScalarKey: ValueID]
    fileprivate let randomStreams: UInt32
  }

  var state: State {
    get { State(graph: graph, symbolic: symbolic, scalars: scalars, randomStreams: randomStreams) }
    set {
      graph = newValue.graph
      symbolic = newValue.symbolic
      scalars = newValue.scalars
      randomStreams = newValue.randomStreams
    }
  }

  // Questions

  func dtype(_ value: ValueID) -> DType { graph[value].type.dtype }
  func shape(_ value: ValueID) -> Shape { graph[value].type.shape }
  func rank(_ value: ValueID) -> Int { graph[value].type.shape.rank }
  func constant(_ value: ValueID) -> Tensor? { graph[value].constant }

  /// The extents of a value.
  ///
  /// - Throws: ``ErrorCode/unsupportedOperator`` if some are not known before the model runs.
  func extents(_ value: ValueID) throws -> [Int] {
    guard let extents = shape(value).extents else {
      throw NNError(
        .unsupportedOperator,
        Message(
          text: "needs fixed extents, but has \(shape(value).describe(symbols: graph.symbols)); "
            + "fix them with --input-shape"))
    }
    return extents
  }

  func extent(_ value: ValueID, _ axis: Int) throws -> Int {
    guard axis >= 0, axis < rank(value) else {
      throw NNError(.shapeMismatch, "a tensor of rank \(rank(value)) has no axis \(axis)")
    }
    guard let extent = shape(value)[axis].extent else { return try extents(value)[axis] }
    return extent
  }

  /// The product of extents of several tensors.
  ///
  /// - Throws: ``ErrorCode/limitExceeded`` if it is more than any tensor's number of elements.
  static func product(_ extents: Int...) throws -> Int {
    guard let product = Shape(extents).elementCount else {
      throw NNError(.limitExceeded, "a tensor of shape \(Shape(extents).description)")
    }
    return product
  }

  // Nodes

  /// Appends a node, with casts around it where there is no kernel for the operands' type; computes it if all its inputs are
  /// constants.
  func append(_ op: Op, _ inputs: [ValueID]) throws -> ValueID {
    try budget.takeNode()
    let first = graph.nodes.count
    let result = try graph.appendComputing(op, inputs, name: nodeName)
    try foldNodes(from: first)
    if constant(result) == nil { try followExtents(op, inputs, result, from: first) }
    return result
  }

  /// As ``append(_:_:)``, of an operator with several results and no casts: gives them all.
  func appendAll(_ op: Op, _ inputs: [ValueID]) throws -> [ValueID] {
    try budget.takeNode()
    let first = graph.nodes.count
    let results = try graph.appendAll(op, inputs, name: nodeName)
    try foldNodes(from: first)
    return results
  }

  private func foldNodes(from first: Int) throws {
    let added = Array(graph.nodes[first...])
    graph.nodes.removeSubrange(first...)
    for node in added {
      guard let folded = try graph.foldedResults(of: node, within: &budget.folding) else {
        graph.nodes.append(node)
        continue
      }
      for (result, tensor) in zip(node.outputs, folded) {
        graph[result].constant = tensor
        graph[result].type = tensor.type
      }
    }
  }

  func append(_ op: Op, _ inputs: ValueID...) throws -> ValueID { try append(op, inputs) }

  // Constants

  /// A constant that the import makes, at the cost of its budget.
  func add(_ tensor: Tensor) throws -> ValueID {
    try budget.take(bytes: tensor.bytes.count)
    return graph.addConstant(nodeName, tensor)
  }

  /// Bytes that constants which the model does not hold may still take.
  var room: Int { budget.folding.bytes }

  /// A constant that the model holds. Those of functions and bodies may come again and again, so they cost like any other.
  func add(_ tensor: Tensor, heldIn scope: Scope) throws -> ValueID {
    guard scope.depth == 0 else { return try add(tensor) }
    budget.folding.grant(constantBytes: tensor.bytes.count)
    return graph.addConstant(nodeName, tensor)
  }

  func ints(_ values: [Int]) throws -> ValueID {
    try add(try Tensor(values.map { Int64($0) }, extents: [values.count]))
  }

  /// A vector whose elements follow from their places.
  func ints(count: Int, _ element: (Int) -> Int) throws -> ValueID {
    try requireRoom(for: count)
    return try ints((0..<count).map(element))
  }

  /// - Throws: ``ErrorCode/limitExceeded`` if a vector of so many i64 elements costs more than is left.
  func requireRoom(for count: Int) throws {
    try budget.requireRoom(bytes: count.multipliedReportingOverflow(by: 8).overflow ? .max : count * 8)
  }

  func floats(_ values: [Float], extents: [Int]) throws -> ValueID {
    try add(try Tensor(values, extents: extents))
  }

  /// A scalar of any type: the nearest one to `value`, or for integer types `value` itself.
  func scalar(_ value: Double, _ dtype: DType) throws -> ValueID {
    try scalar(bits: value.bitPattern, dtype) {
      if dtype.isInteger, let exact = Int64(exactly: value) { return try Tensor([exact], extents: []) }
      return try Tensor.scalar(value)
    }
  }

  func scalar(int value: Int, _ dtype: DType) throws -> ValueID {
    try scalar(bits: UInt64(bitPattern: Int64(value)) ^ 1 << 63, dtype) {
      try Tensor([Int64(value)], extents: [])
    }
  }

  private func scalar(bits: UInt64, _ dtype: DType, _ make: () throws -> Tensor) throws -> ValueID {
    let key = ScalarKey(dtype: dtype, bits: bits)
    if let known = scalars[key] { return known }
    let wide = try make()
    let tensor = try wide.cast(to: dtype)
    let id = graph.addConstant("", tensor)
    scalars[key] = id
    return id
  }
}

extension Tensor {
  /// The f64 scalar `value`.
  static func scalar(_ value: Double) throws -> Tensor {
    let storage = try TensorStorage.allocate(size: 8) { (memory) throws(NNError) in
      memory.storeBytes(of: value.bitPattern, as: UInt64.self)
    }
    return try Tensor(dtype: .f64, extents: [], storage: storage)
  }

  /// The elements of a tensor of integers or truth values; nil for other types.
  var integers: [Int]? {
    guard layout == .rowMajor, dtype.isInteger || dtype == .bool else { return nil }
    guard let wide = try? cast(to: .i64) else { return nil }
    return wide.bytes.bindMemory(to: Int64.self).map { Int($0) }
  }

  /// The elements of a tensor of numbers, as f64.
  var doubles: [Double]? {
    guard layout == .rowMajor else { return nil }
    guard let wide = try? cast(to: .f64) else { return nil }
    return Array(wide.bytes.bindMemory(to: Double.self))
  }
}
