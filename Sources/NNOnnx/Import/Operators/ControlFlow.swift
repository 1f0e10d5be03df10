import NNGraph

/// Nodes with bodies: put in their place where the course is known when the model is imported, else graphs inside the graph.
enum ControlFlow {
  static let operators: [String: StructureLowering] = [
    "If": branch, "Loop": loop, "Scan": Scan.lower,
  ]

  /// A loop is written out if that makes at most this many nodes.
  static let unrolledNodeLimit = 4096

  private static func branch(_ node: OnnxNode, _ importer: Importer) throws -> [Imported] {
    let condition = try node.input(0)
    if let known = importer.builder.constant(condition)?.integers?.first {
      let name = known != 0 ? "then_branch" : "else_branch"
      return try importer.inline(try node.required(try node.body(name), name), [], in: node.scope)
    }
    let then = try node.required(try node.body("then_branch"), "then_branch")
    let otherwise = try node.required(try node.body("else_branch"), "else_branch")
    let captures = try importer.captures([then, otherwise], in: node.scope)
    guard let first = try importer.body(then, inputs: [], captures: captures, in: node.scope),
      let second = try importer.body(otherwise, inputs: [], captures: captures, in: node.scope)
    else { return node.proto.output.map { _ in .unavailable } }
    if !first.hasOutputs(ofRanksIn: second) { throw Fork(node: node, then: then, otherwise: otherwise) }
    let graph = importer.builder
    let index = graph.graph.bodies.count
    graph.graph.bodies += [first, second]
    let values = try captures.map { try importer.tensor($0, in: node.scope) }
    let results = try graph.appendAll(
      .dynamic(.branch(then: index, otherwise: index + 1)), [condition] + values)
    return results.map { .tensor($0) }
  }

  /// Inputs: most iterations?, condition?, carried values.
  private static func loop(_ node: OnnxNode, _ importer: Importer) throws -> [Imported] {
    let body = try node.required(try node.body("body"), "body")
    let carried = node.inputs.dropFirst(2).map { $0 ?? .absent }
    if let results = try importer.attempting({ try unrolled(node, body, carried, importer) }) {
      return results
    }
    let graph = importer.builder
    let trips = try node.optional(0) ?? graph.scalar(int: Int.max, .i64)
    let condition = try node.optional(1) ?? graph.scalar(int: 1, .bool)
    let values = try carried.indices.map { try node.input($0 + 2) }
    let results = try repeated(body, trips: trips, condition, values, node, importer)
    return results?.map { .tensor($0) } ?? node.proto.output.map { _ in .unavailable }
  }

  /// The loop as an operator with a body; nil if something in the body is not supported.
  private static func repeated(
    _ body: OnnxGraphProto, trips: ValueID, _ condition: ValueID, _ values: [ValueID],
    _ node: OnnxNode, _ importer: Importer
  ) throws -> [ValueID]? {
    let graph = importer.builder
    let captures = try importer.captures([body], in: node.scope)
    let fixed = [TensorType(.i64, []), TensorType(.bool, [])]
    // First as if the carried values kept their shapes; if they do not, they are of any shape of their rank.
    var types = values.map { graph.graph[$0].type.withoutSymbols }
    guard let first = try importer.body(body, inputs: fixed + types, captures: captures, in: node.scope)
    else {
      return nil
    }
    var made = first
    for (index, output) in made.outputs.dropFirst().prefix(values.count).enumerated()
    where made[output].type.withoutSymbols != types[index] {
      types[index].shape = Shape([Dimension](repeating: .unknown, count: types[index].shape.rank))
    }
    if types != values.map({ graph.graph[$0].type.withoutSymbols }) {
      guard let second = try importer.body(body, inputs: fixed + types, captures: captures, in: node.scope)
      else {
        return nil
      }
      made = second
    }
    let index = graph.graph.bodies.count
    graph.graph.bodies.append(made)
    let captured = try captures.map { try importer.tensor($0, in: node.scope) }
    let inputs =
      [try graph.reshape(trips, [Int]()), try graph.reshape(condition, [Int]())] + values + captured
    return try graph.appendAll(.dynamic(.loop(body: index, carried: values.count)), inputs)
  }

  /// The body as often as the loop runs, if that is known and not too often; nil otherwise.
  private static func unrolled(
    _ node: OnnxNode, _ body: OnnxGraphProto, _ initial: [Imported], _ importer: Importer
  ) throws -> [Imported]? {
    guard let trips = try node.optional(0).map({ importer.builder.constant($0)?.integers?.first ?? -1 }),
      trips >= 0,
      trips <= unrolledNodeLimit / max(body.node.count, 1)
    else { return nil }
    var isRunning = true
    if let condition = try node.optional(1) {
      guard let known = importer.builder.constant(condition)?.integers?.first else { return nil }
      isRunning = known != 0
    }
    var carried = initial
    var scans = [[ValueID]](repeating: [], count: max(0, body.output.count - 1 - initial.count))
    for trip in 0..<trips where isRunning {
      let iteration = Imported.tensor(try importer.builder.scalar(int: trip, .i64))
      let going = Imported.tensor(try importer.builder.scalar(int: 1, .bool))
      let results = try importer.inline(body, [iteration, going] + carried, in: node.scope)
      guard results.count == 1 + carried.count + scans.count, case .tensor(let next) = results[0] else {
        return nil
      }
      guard let known = importer.builder.constant(next)?.integers?.first else { return nil }
      isRunning = known != 0
      carried = Array(results[1...].prefix(carried.count))
      for index in scans.indices {
        guard case .tensor(let value) = results[1 + carried.count + index] else { return nil }
        scans[index].append(try importer.builder.unsqueeze(value, [0]))
      }
    }
    guard scans.allSatisfy({ !$0.isEmpty }) else { return nil }
    return try carried + scans.map { .tensor(try importer.builder.concat($0, axis: 0)) }
  }
}

/// The scan: a loop over the elements of an axis.
enum Scan {
  /// Axes and directions of the sequences that go in or come out.
  private struct Sequences {
    let axes: [Int]
    let areReversed: [Bool]

    init(_ node: OnnxNode, _ kind: String, count: Int) throws {
      axes = try node.ints("scan_\(kind)_axes") ?? [Int](repeating: 0, count: count)
      areReversed = try (node.ints("scan_\(kind)_directions") ?? [Int](repeating: 0, count: count)).map {
        $0 != 0
      }
      guard axes.count == count, areReversed.count == count else {
        throw NNError(.invalidGraph, "axes or directions of other than \(count) sequences")
      }
    }
  }

  static func lower(_ node: OnnxNode, _ importer: Importer) throws -> [Imported] {
    let body = try node.required(try node.body("body"), "body")
    let scanned = try node.required(try node.int("num_scan_inputs"), "num_scan_inputs")
    if node.version < 9 { return try batched(node, body, scanned, importer) }
    let inputs = try node.allInputs()
    guard scanned >= 1, scanned <= inputs.count else {
      throw NNError(.invalidGraph, "\(scanned) scan inputs")
    }
    return try scan(node, body, inputs, scanned, importer).map { .tensor($0) }
  }

  /// Version 8: every tensor has a first axis of batches, each of which is scanned by itself.
  private static func batched(
    _ node: OnnxNode, _ body: OnnxGraphProto, _ scanned: Int, _ importer: Importer
  ) throws -> [Imported] {
    guard !node.has(0) else { throw NNError(.unsupportedOperator, "sequences of different lengths") }
    let graph = importer.builder
    let inputs = try (1..<node.inputs.count).map { try node.input($0) }
    guard scanned >= 1, scanned <= inputs.count else {
      throw NNError(.invalidGraph, "\(scanned) scan inputs")
    }
    var results: [[ValueID]] = []
    for batch in 0..<(try graph.extent(inputs[0], 0)) {
      let parts = try inputs.map { try graph.squeeze(try graph.slice($0, axis: 0, batch, batch + 1), [0]) }
      let outputs = try scan(node, body, parts, scanned, importer)
      results.append(try outputs.map { try graph.unsqueeze($0, [0]) })
    }
    guard let first = results.first else { throw NNError(.unsupportedOperator, "a scan of no batches") }
    return try first.indices.map { index in
      .tensor(try graph.concat(results.map { $0[index] }, axis: 0))
    }
  }

  private static func scan(
    _ node: OnnxNode, _ body: OnnxGraphProto, _ inputs: [ValueID], _ scanned: Int, _ importer: Importer
  ) throws -> [ValueID] {
    let graph = importer.builder
    let stateCount = inputs.count - scanned
    let ins = try Sequences(node, "input", count: scanned)
    let outs = try Sequences(node, "output", count: max(0, body.output.count - stateCount))
    let sequences = Array(inputs[stateCount...])
    let axes = try sequences.indices.map { try OnnxNode.axis(ins.axes[$0], rank: graph.rank(sequences[$0])) }
    let steps = try graph.extent(sequences[0], axes[0])
    guard steps >= 1, steps <= ControlFlow.unrolledNodeLimit / max(body.node.count, 1) else {
      throw NNError(.unsupportedOperator, "a scan of \(steps) steps")
    }
    var states = Array(inputs[..<stateCount]).map { Imported.tensor($0) }
    var collected = [[ValueID]](repeating: [], count: outs.axes.count)
    for step in 0..<steps {
      let elements = try sequences.indices.map { index -> Imported in
        let place = ins.areReversed[index] ? steps - 1 - step : step
        let element = try graph.slice(sequences[index], axis: axes[index], place, place + 1)
        return .tensor(try graph.squeeze(element, [axes[index]]))
      }
      let results = try importer.inline(body, states + elements, in: node.scope)
      guard results.count == body.output.count, results.count >= stateCount else {
        throw NNError(.invalidGraph, "its body gives \(results.count) results")
      }
      states = Array(results[..<stateCount])
      for index in collected.indices {
        guard case .tensor(let value) = results[stateCount + index] else {
          throw NNError(.unsupportedOperator, "its body could not be imported")
        }
        collected[index].append(value)
      }
    }
    let finals = try states.map { state -> ValueID in
      guard case .tensor(let value) = state else {
        throw NNError(.unsupportedOperator, "its body could not be imported")
      }
      return value
    }
    return try finals
      + collected.enumerated().map { index, values in
        let ordered = outs.areReversed[index] ? values.reversed() : values
        let axis = try OnnxNode.axis(outs.axes[index], rank: graph.rank(values[0]) + 1)
        return try graph.concat(try ordered.map { try graph.unsqueeze($0, [axis]) }, axis: axis)
      }
  }
}
