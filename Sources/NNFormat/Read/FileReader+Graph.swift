import NNGraph

extension FileReader {
  /// The graph section. Constants have neither type nor contents yet: ``readTensorIndex(_:)`` knows them.
  ///
  /// Gives the graph and the constants among its values, in order.
  func readGraph() throws(NNError) -> (graph: Graph, constants: [ValueID]) {
    guard let section = section(.graph) else { throw NNError(.corruptFile, "the file has no graph section") }
    var reader = try open(section, .graph)
    var graph = Graph(name: try readName(&reader))
    let symbolCount = try reader.count(of: "free dimensions", minimumSize: 1)
    try budget.take(symbolCount, of: Name.self, for: "\(symbolCount) free dimensions")
    graph.symbols.reserveCapacity(symbolCount)
    for _ in 0..<symbolCount { graph.symbols.append(try readName(&reader)) }
    try readBodies(&reader)
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
    try reader.finish()
    // What the verifier takes for a while.
    try budget.take(graph.inputs.count + graph.outputs.count, of: Name.self, for: "verifying the graph")
    try budget.take(graph.values.count, of: UInt32.self, for: "verifying the graph")
    return (graph, constants)
  }

  /// The table of graphs inside the graph: parents and lengths. They nest by reference, so a loop measures their depth.
  /// No operator of this version has a body.
  private func readBodies(_ reader: inout ByteReader) throws(NNError) {
    let count = try reader.count(of: "bodies", minimumSize: 2)
    try budget.take(count, of: UInt8.self, for: "\(count) bodies")
    var depths: [UInt8] = []
    for index in 0..<count {
      let parent = try reader.natural()
      guard parent <= index else { throw reader.corrupt("body \(index) stands before its parent \(parent)") }
      let depth = parent == 0 ? 1 : depths[parent - 1] + 1
      guard depth <= Format.maximumBodyDepth else {
        throw NNError(
          .limitExceeded,
          "graph: body \(index) lies \(depth) graphs deep, at most \(Format.maximumBodyDepth) are allowed")
      }
      depths.append(depth)
      let length = try reader.natural()
      guard length <= reader.remaining else {
        throw reader.corrupt("\(length) bytes declared for body \(index), \(reader.remaining) left")
      }
    }
    guard count == 0 else {
      throw NNError(.unsupportedOperator, "graph: \(count) bodies, which no operator of this version has")
    }
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
