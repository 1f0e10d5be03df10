/// A graph's types once the extents of all inputs are known.
public struct ResolvedGraph: Sendable {
  /// The type of each value of the graph, every extent known.
  public var types: [TensorType]
  /// Each node's operator, with free dimensions in its attributes replaced.
  public var ops: [Op]

  public init(types: [TensorType], ops: [Op]) {
    self.types = types
    self.ops = ops
  }
}

extension Graph {
  /// Infers every type for inputs of the given extents, in the order of ``inputs``.
  ///
  /// - Throws: ``ErrorCode/shapeMismatch`` naming the input or node at fault, ``ErrorCode/unsupportedOperator`` if some extents
  ///   depend on values.
  public func resolve(inputExtents: [[Int]]) throws(NNError) -> ResolvedGraph {
    var resolution = try Resolution(self, inputExtents: inputExtents)
    _ = try resolution.advance { (_, _, _) throws(NNError) in nil }
    for index in nodes.indices where !resolution.isResolved[index] {
      throw NNError(.unsupportedOperator, "takes or gives extents that are values").within(
        nodes[index].description)
    }
    try requireStableStates(resolution.types)
    return ResolvedGraph(types: resolution.types, ops: resolution.ops)
  }

  /// Throws unless the next content of every state has the type of the present one.
  public func requireStableStates(_ types: [TensorType]) throws(NNError) {
    for state in states where types[state.input.index] != types[state.output.index] {
      throw NNError(.shapeMismatch, "state \(self[state.input].name.quoted) changes its shape between runs")
    }
  }
}

/// What is known of a graph's values for inputs of given extents: types first, and the contents of some small tensors.
///
/// It advances as far as it can; where extents depend on contents that nobody knows yet, it waits until somebody has computed them.
public struct Resolution: Sendable {
  /// Computes the result of an operator, whose type is given, from its inputs; nil if that is not to be done ahead of a run.
  public typealias Evaluator = (Op, [Tensor], TensorType) throws(NNError) -> Tensor?

  /// The type of each value; meaningful where ``hasType`` says so.
  public private(set) var types: [TensorType]
  public private(set) var hasType: [Bool]
  /// The operator of each node, with known extents and parameters in its attributes; meaningful for nodes that are resolved.
  public private(set) var ops: [Op]
  /// Whether all is known that a plan needs to run a node.
  public private(set) var isResolved: [Bool]
  /// Contents of values, other than the graph's constants, that are known.
  public private(set) var known: [Tensor?]
  private let graph: Graph
  private var extents: [Int?]

  /// Elements of a tensor that is computed while the graph is resolved.
  private static let largestKnown = 1 << 12

  public init(_ graph: Graph, inputExtents: [[Int]]) throws(NNError) {
    guard inputExtents.count == graph.inputs.count else {
      throw NNError(.invalidArgument, "\(inputExtents.count) input shapes for \(graph.inputs.count) inputs")
    }
    self.graph = graph
    extents = [Int?](repeating: nil, count: graph.symbols.count)
    types = []
    types.reserveCapacity(graph.values.count)
    hasType = []
    hasType.reserveCapacity(graph.values.count)
    known = [Tensor?](repeating: nil, count: graph.values.count)
    ops = []
    ops.reserveCapacity(graph.nodes.count)
    isResolved = [Bool](repeating: false, count: graph.nodes.count)
    for value in graph.values {
      types.append(value.type)
      hasType.append(value.constant != nil)
    }
    for node in graph.nodes { ops.append(node.op) }
    for (id, extents) in zip(graph.inputs, inputExtents) {
      try bind(id, extents)
      types[id.index].shape = Shape(extents)
      try types[id.index].shape.validate()
      hasType[id.index] = true
    }
  }

  /// The contents of a value if they are known.
  public func content(_ id: ValueID) -> Tensor? {
    if let constant = graph[id].constant { return constant.layout == .rowMajor ? constant : nil }
    return known[id.index]
  }

  /// Says what a value holds.
  public mutating func learn(_ id: ValueID, _ content: Tensor) { known[id.index] = content }

  /// Says what the results of a node are that runs alone. Types that were there are replaced.
  public mutating func settle(_ node: Int, _ results: [TensorType]) {
    for (output, type) in zip(graph.nodes[node].outputs, results) {
      types[output.index] = type
      hasType[output.index] = true
    }
    isResolved[node] = true
  }

  /// Resolves every node whose inputs and parameters are known.
  ///
  /// - Returns: the values whose contents other nodes wait for.
  /// - Throws: ``ErrorCode/shapeMismatch`` and the like, naming the node.
  public mutating func advance(_ evaluate: Evaluator) throws(NNError) -> [ValueID] {
    var wanted: [ValueID] = []
    for index in graph.nodes.indices where !isResolved[index] {
      if !hasInputs(index) { continue }
      do throws(NNError) {
        try advance(index, &wanted, evaluate)
      } catch {
        throw error.within(graph.nodes[index].description)
      }
    }
    return wanted
  }

  /// Whether the types of all inputs of a node are known.
  public func hasInputs(_ index: Int) -> Bool {
    for input in graph.nodes[index].inputs where !hasType[input.index] { return false }
    return true
  }

  private mutating func advance(
    _ index: Int, _ wanted: inout [ValueID], _ evaluate: Evaluator
  ) throws(NNError) {
    let node = graph.nodes[index]
    if case .dynamic(let dynamic) = node.op {
      if dynamic.runsAlone { return }
      if dynamic == .shape {
        var extents: [Int64] = []
        for extent in types[node.inputs[0].index].shape.extents ?? [] { extents.append(Int64(extent)) }
        return try know(index, try Tensor(extents, extents: [extents.count]))
      }
      var parameters: [Tensor] = []
      for position in dynamic.parameters {
        let id = node.inputs[position]
        if let content = content(id) { parameters.append(content) } else { wanted.append(id) }
      }
      if parameters.count < dynamic.parameters.count { return }
      if dynamic == .range {
        guard let result = try evaluate(node.op, parameters, types[node.outputs[0].index]) else { return }
        return try know(index, result)
      }
      let x = types[node.inputs[0].index]
      guard
        let op = try dynamic.binding(
          x, try parameters.map { (tensor) throws(NNError) in try tensor.integers() })
      else { return }
      return try resolve(index, op, [x], evaluate)
    }
    var inputTypes: [TensorType] = []
    for input in node.inputs { inputTypes.append(types[input.index]) }
    try resolve(index, try node.op.binding(symbols: extents, names: graph.symbols), inputTypes, evaluate)
  }

  private mutating func know(_ index: Int, _ tensor: Tensor) throws(NNError) {
    let result = graph.nodes[index].outputs[0].index
    types[result] = tensor.type
    hasType[result] = true
    known[result] = tensor
    isResolved[index] = true
  }

  private mutating func resolve(
    _ index: Int, _ op: Op, _ inputs: [TensorType], _ evaluate: Evaluator
  ) throws(NNError) {
    let node = graph.nodes[index]
    let result = try op.inferOutputs(inputs)[0]
    guard result.shape.extents != nil else {
      throw NNError(
        .invalidGraph, "the result's shape \(result.shape.description) does not follow from the inputs")
    }
    let output = node.outputs[0].index
    types[output] = result
    hasType[output] = true
    ops[index] = op
    if case .reshape = op { ops[index] = .reshape(result.shape) }
    isResolved[index] = true
    guard let contents = contents(node, inputs.count),
      (result.shape.elementCount ?? Int.max) <= Resolution.largestKnown
    else { return }
    known[output] = try evaluate(ops[index], contents, result)
  }

  /// The contents of a node's first inputs if all are known and small, and not all are constants of the graph.
  private func contents(_ node: Node, _ count: Int) -> [Tensor]? {
    var contents: [Tensor] = []
    var isNew = false
    for input in node.inputs.prefix(count) {
      guard let content = content(input), content.elementCount <= Resolution.largestKnown else { return nil }
      if known[input.index] != nil { isNew = true }
      contents.append(content)
    }
    return isNew ? contents : nil
  }

  private mutating func bind(_ id: ValueID, _ given: [Int]) throws(NNError) {
    let declared = graph[id].type.shape
    guard given.count == declared.rank else { throw mismatch(id, given) }
    for (axis, extent) in given.enumerated() {
      guard extent >= 0 else { throw mismatch(id, given) }
      switch declared[axis] {
      case .fixed(let expected):
        guard extent == expected else { throw mismatch(id, given) }
      case .named(let symbol):
        if let other = extents[symbol], other != extent {
          throw mismatch(id, given, ", and \(graph.symbols[symbol].string) is \(other) in another place")
        }
        extents[symbol] = extent
      case .unknown: break
      }
    }
  }

  private func mismatch(_ id: ValueID, _ extents: [Int], _ detail: Message = "") -> NNError {
    NNError(
      .shapeMismatch,
      "input \(graph[id].name.quoted) has shape \(Shape(extents).description) but the model takes "
        + graph[id].type.shape.describe(symbols: graph.symbols) + detail)
  }
}

extension Tensor {
  /// The elements of an i32 or i64 tensor in row-major order.
  ///
  /// - Throws: ``ErrorCode/dtypeMismatch`` for other types.
  public func integers() throws(NNError) -> [Int64] {
    var result: [Int64] = []
    result.reserveCapacity(elementCount)
    switch dtype {
    case .i64:
      for index in 0..<elementCount {
        result.append(bytes.loadUnaligned(fromByteOffset: index * 8, as: Int64.self))
      }
    case .i32:
      for index in 0..<elementCount {
        result.append(Int64(bytes.loadUnaligned(fromByteOffset: index * 4, as: Int32.self)))
      }
    default: throw NNError(.dtypeMismatch, "\(dtype.name) numbers where i64 is wanted")
    }
    return result
  }
}

extension Op {
  /// The operator with named free dimensions replaced by their extents.
  fileprivate func binding(symbols bound: [Int?], names: [Name]) throws(NNError) -> Op {
    switch self {
    case .reshape(let shape): return .reshape(try shape.binding(bound, names))
    case .expand(let shape): return .expand(try shape.binding(bound, names))
    case .unary, .binary, .compare, .select, .reduce, .argument, .matmul, .convolution, .pool, .normalize,
      .softmax, .recurrent, .recurrentGradient,
      .transpose, .slice, .pad, .concat, .gather, .scatter, .argsort, .cast, .dynamic, .random,
      .normalizeTraining,
      .convolutionWeightGradient, .unfold, .fold, .poolGradient:
      return self
    }
  }
}

extension Shape {
  fileprivate func binding(_ bound: [Int?], _ names: [Name]) throws(NNError) -> Shape {
    var result = self
    for axis in 0..<rank {
      guard case .named(let symbol) = self[axis] else { continue }
      guard let extent = bound[symbol] else {
        throw NNError(.invalidGraph, "free dimension \(names[symbol].quoted) is not an extent of any input")
      }
      result[axis] = .fixed(extent)
    }
    return result
  }
}
