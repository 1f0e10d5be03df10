import NNGraph

/// What the graph section holds. Constants have neither type nor contents yet: the tensor index knows them.
struct StoredGraphs {
  /// The main graph, then the graphs inside it in the order of the table of bodies, each without its own bodies.
  private(set) var graphs: [Graph] = []
  /// For each graph but the first, the one it lies in.
  private var parents: [Int] = []
  /// The constants of all graphs, in order.
  private(set) var constants: [(graph: Int, value: ValueID)] = []

  mutating func append(_ graph: Graph, parent: Int, constants: [ValueID]) {
    for value in constants { self.constants.append((graphs.count, value)) }
    graphs.append(graph)
    parents.append(parent)
  }

  /// The constants' names, in order.
  var names: [Name] {
    var names: [Name] = []
    names.reserveCapacity(constants.count)
    for constant in constants { names.append(graphs[constant.graph][constant.value].name) }
    return names
  }

  /// The main graph with everything in its place, given the constants' tensors in order.
  consuming func assembled(_ tensors: [Tensor]) -> Graph {
    for (constant, tensor) in zip(constants, tensors) {
      graphs[constant.graph].values[constant.value.index].type = tensor.type
      graphs[constant.graph].values[constant.value.index].constant = tensor
    }
    // A body comes after the graph it lies in, so from the end on each is complete when it is its turn.
    while graphs.count > 1 {
      var body = graphs.removeLast()
      body.bodies.reverse()
      graphs[parents.removeLast()].bodies.append(body)
    }
    graphs[0].bodies.reverse()
    return graphs[0]
  }
}

extension FileReader {
  /// The graph section.
  func readGraph() throws(NNError) -> StoredGraphs {
    guard let section = section(.graph) else { throw NNError(.corruptFile, "the file has no graph section") }
    var reader = try open(section, .graph)
    var stored = StoredGraphs()
    var graph = try readFront(&reader)
    let bodies = try readBodies(&reader)
    let constants = try readValues(&reader, &graph)
    graph.inputs = try readReferences(&reader, "inputs")
    graph.outputs = try readReferences(&reader, "outputs")
    let stateCount = try reader.count(of: "states", minimumSize: 2)
    try budget.take(stateCount, of: CarriedState.self, for: "\(stateCount) states")
    for _ in 0..<stateCount {
      let input = ValueID(try reader.natural())
      graph.states.append(CarriedState(input: input, output: ValueID(try reader.natural())))
    }
    try readNodes(&reader, &graph)
    try takeVerification(of: graph)
    stored.append(graph, parent: 0, constants: constants)
    for (index, body) in bodies.enumerated() {
      var inner = ByteReader(try reader.take(body.length), role: "body")
      do throws(NNError) {
        var graph = try readFront(&inner)
        let constants = try readValues(&inner, &graph)
        graph.inputs = try readReferences(&inner, "inputs")
        graph.outputs = try readReferences(&inner, "outputs")
        try readNodes(&inner, &graph)
        try inner.finish()
        try takeVerification(of: graph)
        stored.append(graph, parent: body.parent, constants: constants)
      } catch {
        throw error.within("body \(index)")
      }
    }
    try reader.finish()
    return stored
  }

  /// Name and free dimensions.
  private func readFront(_ reader: inout ByteReader) throws(NNError) -> Graph {
    var graph = Graph(name: try readName(&reader))
    let symbolCount = try reader.count(of: "free dimensions", minimumSize: 1)
    try budget.take(symbolCount, of: Name.self, for: "\(symbolCount) free dimensions")
    graph.symbols.reserveCapacity(symbolCount)
    for _ in 0..<symbolCount { graph.symbols.append(try readName(&reader)) }
    return graph
  }

  /// What the verifier takes for a while.
  private func takeVerification(of graph: Graph) throws(NNError) {
    try budget.take(graph.inputs.count + graph.outputs.count, of: Name.self, for: "verifying the graph")
    try budget.take(graph.values.count, of: UInt32.self, for: "verifying the graph")
  }

  /// The table of graphs inside the graph. They nest by reference, so a loop measures their depth.
  private func readBodies(_ reader: inout ByteReader) throws(NNError) -> [(parent: Int, length: Int)] {
    let count = try reader.count(of: "bodies", minimumSize: 2)
    try budget.take(count, of: UInt8.self, for: "\(count) bodies")
    try budget.take(count, of: Graph.self, for: "\(count) bodies")
    try budget.take(count, of: (parent: Int, length: Int).self, for: "\(count) bodies")
    var depths: [UInt8] = []
    var bodies: [(parent: Int, length: Int)] = []
    for index in 0..<count {
      let parent = try reader.natural()
      guard parent <= index else { throw reader.corrupt("body \(index) stands before its parent \(parent)") }
      let depth = parent == 0 ? 1 : depths[parent - 1] + 1
      guard depth <= Graph.maximumBodyDepth else {
        throw NNError(
          .limitExceeded,
          "graph: body \(index) lies \(depth) graphs deep, at most \(Graph.maximumBodyDepth) are allowed")
      }
      depths.append(depth)
      let length = try reader.natural()
      guard length <= reader.remaining else {
        throw reader.corrupt("\(length) bytes declared for body \(index), \(reader.remaining) left")
      }
      bodies.append((parent, length))
    }
    return bodies
  }

  private func readValues(_ reader: inout ByteReader, _ graph: inout Graph) throws(NNError) -> [ValueID] {
    let count = try reader.count(of: "values", minimumSize: 2)
    guard count <= 4 * Graph.maximumNodeCount else {
      throw NNError(.limitExceeded, "graph: \(count) values declared")
    }
    try budget.take(count, of: Value.self, for: "\(count) values")
    graph.values.reserveCapacity(count)
    var constants: [ValueID] = []
    for index in 0..<count {
      let name = try readName(&reader)
      if try reader.flag() {
        try budget.take(2 * MemoryLayout<ValueID>.stride, for: "constants")
        constants.append(ValueID(index))
        graph.values.append(Value(name: name, type: TensorType(.f32, [])))
      } else {
        let dtype = try reader.dtype()
        try budget.take(Shape.maximumRank, of: Dimension.self, for: "a shape")
        graph.values.append(Value(name: name, type: TensorType(dtype, try reader.shape())))
      }
    }
    return constants
  }

  private func readNodes(_ reader: inout ByteReader, _ graph: inout Graph) throws(NNError) {
    let count = try reader.count(of: "nodes", minimumSize: 5)
    guard count <= Graph.maximumNodeCount else {
      throw NNError(.limitExceeded, "graph: \(count) nodes declared")
    }
    try budget.take(count, of: Node.self, for: "\(count) nodes")
    graph.nodes.reserveCapacity(count)
    for index in 0..<count {
      do throws(NNError) {
        graph.nodes.append(try readNode(&reader))
      } catch {
        throw error.within("node \(index)")
      }
    }
  }

  private func readNode(_ reader: inout ByteReader) throws(NNError) -> Node {
    let name = try readName(&reader)
    let number = try reader.natural()
    guard let code = UInt16(exactly: number).flatMap({ OpCode(rawValue: $0) }) else {
      throw NNError(
        .unsupportedOperator, "\(name.quoted) has operator code \(number), which this reader does not know")
    }
    let inputs = try readReferences(&reader, "inputs")
    let outputs = try readReferences(&reader, "results")
    guard inputs.count <= Format.maximumNodeArity, outputs.count <= Format.maximumNodeArity else {
      throw NNError(
        .limitExceeded, "\(name.quoted) has \(inputs.count) inputs and \(outputs.count) results")
    }
    let length = try reader.natural()
    var attributes = ByteReader(try reader.take(length), role: "attributes")
    // The longest attributes are a window's five lists.
    try budget.take(5 * (32 + Shape.maximumRank * MemoryLayout<SliceRange>.stride), for: "attributes")
    do throws(NNError) {
      let op = try attributes.attributes(of: code)
      try attributes.finish()
      return Node(name: name, op: op, inputs: inputs, outputs: outputs)
    } catch {
      throw error.within(name.quoted)
    }
  }

  private func readReferences(_ reader: inout ByteReader, _ role: StaticString) throws(NNError) -> [ValueID] {
    let count = try reader.count(of: role, minimumSize: 1)
    try budget.take(count, of: ValueID.self, for: "\(count) \(role)")
    var ids: [ValueID] = []
    ids.reserveCapacity(count)
    for _ in 0..<count { ids.append(ValueID(try reader.natural())) }
    return ids
  }

  func readName(_ reader: inout ByteReader, atMost limit: Int = Format.maximumNameLength) throws(NNError)
    -> Name
  {
    let name = try reader.text(atMost: limit)
    if !name.isEmpty { try budget.take(32 + name.utf8.count, for: "a text") }
    return name
  }
}
