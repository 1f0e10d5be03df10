import NNGraph

/// One graph, or body, on its way out: walks through the nodes in order and gives each to its family.
final class GraphExporter {
  let graph: Graph
  let writer: OnnxGraphWriter
  /// The names of values that have been computed, are inputs or come from outside.
  private var names: [String?]
  /// The name that a result shall have, for outputs.
  private var wishes: [Int: String] = [:]
  /// Where the extent of each free dimension can be read: an input and its axis.
  private var symbolSources: [(input: String, axis: Int)?]
  /// Recurrences that become layers of the standard, by node; and the products that go into them.
  private let layers: [Int: RecurrentLayerPlan]
  private let absorbed: Set<Int>
  private let problems: Problems

  /// What cannot be expressed, collected from the graph and its bodies.
  final class Problems {
    var messages: [String] = []
  }

  init(_ graph: Graph, _ writer: OnnxGraphWriter, _ problems: Problems) {
    self.graph = graph
    self.writer = writer
    self.problems = problems
    names = [String?](repeating: nil, count: graph.values.count)
    symbolSources = [(input: String, axis: Int)?](repeating: nil, count: graph.symbols.count)
    layers = RecurrentLayerPlan.plans(for: graph)
    absorbed = Set(layers.values.map { $0.productNode })
  }

  /// Says what an input is called.
  func bind(_ id: ValueID, to name: String) {
    names[id.index] = name
    for (axis, dimension) in graph[id].type.shape.dimensions.enumerated() {
      guard case .named(let symbol) = dimension, symbolSources[symbol] == nil else { continue }
      symbolSources[symbol] = (name, axis)
    }
  }

  /// Adds all nodes, and gives the outputs the names given.
  func run(outputNames: [String]) throws {
    let isResult = graph.nodes.reduce(into: [Bool](repeating: false, count: graph.values.count)) {
      for output in $1.outputs { $0[output.index] = true }
    }
    for (id, name) in zip(graph.outputs, outputNames) where isResult[id.index] && wishes[id.index] == nil {
      wishes[id.index] = name
    }
    for (index, node) in graph.nodes.enumerated() where !absorbed.contains(index) {
      do {
        try export(index, node)
      } catch let error as NNError where error.code == .unsupportedOperator {
        problems.messages.append("\(node.description): \(error.message)")
        for output in node.outputs { names[output.index] = "" }
      } catch let error as NNError {
        throw error.within(node.description)
      }
    }
    for (id, name) in zip(graph.outputs, outputNames) where wishes[id.index] != name {
      writer.label = name
      try same(operand(id), as: name)
    }
  }

  private func export(_ index: Int, _ node: Node) throws {
    let first = writer.nodes.count
    let results = node.outputs.map { id in
      wishes[id.index] ?? writer.names.take(graph[id].name.isEmpty ? label(of: node) : graph[id].name.string)
    }
    writer.label = label(of: node)
    let made: [String]
    if let layer = layers[index] {
      made = [try layer.export(self)]
    } else {
      made = try lower(node, node.inputs.map { operand($0) })
    }
    for (id, (name, old)) in zip(node.outputs, zip(results, made)) {
      if writer.makes(old, from: first) {
        writer.rename(old, to: name, from: first)
      } else {
        try same(Operand(old, graph[id].type), as: name)
      }
      names[id.index] = name
    }
  }

  private func label(of node: Node) -> String { node.name.isEmpty ? "\(node.op.name)" : node.name.string }

  /// An operand for a value; constants are put into the model when they are asked for.
  func operand(_ id: ValueID) -> Operand {
    let value = graph[id]
    if let name = names[id.index] { return Operand(name, value.type, constant: value.constant) }
    guard let constant = value.constant else { return Operand("", value.type) }
    let name = writer.initializers.name(
      of: constant, wish: value.name.isEmpty ? "constant" : value.name.string)
    names[id.index] = name
    return Operand(name, value.type, constant: constant)
  }

  /// A value under another name. ONNX Runtime cannot pass on the narrowest types as they are.
  private func same(_ x: Operand, as name: String) throws {
    let carrier = MovementKind.rearranging.carrier(of: x.dtype)
    guard carrier != x.dtype else { return writer.add("Identity", x.name, as: name) }
    let first = writer.nodes.count
    let result = try writer.moving(.rearranging, [x]) { $0[0] }
    writer.rename(result, to: name, from: first)
  }
}

// Extents that are known when the model runs
extension GraphExporter {
  /// A shape as i64 (rank), whose extents are known now or are those of inputs.
  func shapeValue(_ shape: Shape) throws -> String {
    if let extents = shape.extents { return try writer.ints(extents) }
    let parts = try shape.dimensions.map { dimension -> String in
      switch dimension {
      case .fixed(let extent): return try writer.ints([extent])
      case .named(let symbol):
        guard let source = symbolSources[symbol] else {
          throw NNError(
            .unsupportedOperator,
            "free dimension \(graph.symbols[symbol].quoted) is not an extent of any input")
        }
        return writer.extents(source.input, source.axis..<source.axis + 1)
      case .unknown: throw NNError(.unsupportedOperator, "an extent follows from nothing")
      }
    }
    return parts.count == 1 ? parts[0] : writer.add("Concat", parts, [.int("axis", 0)])[0]
  }

  /// A body as a graph of the standard's: its first inputs are the body's own, and the others stand for values outside.
  func body(_ index: Int, ownInputs: Int, captures: ArraySlice<Operand>) throws -> OnnxGraphProto {
    let body = graph.bodies[index]
    let exporter = GraphExporter(body, OnnxGraphWriter(bodyOf: writer), problems)
    var proto = OnnxGraphProto()
    proto.name = body.name.isEmpty ? "body" : body.name.string
    for (position, id) in body.inputs.enumerated() {
      if position < ownInputs {
        let name = writer.names.take(body[id].name.string)
        proto.input.append(OnnxValueInfoProto(name, body[id].type, symbols: []))
        exporter.bind(id, to: name)
      } else {
        exporter.bind(id, to: captures[captures.startIndex + position - ownInputs].name)
      }
    }
    let outputs = body.outputs.map { writer.names.take(body[$0].name.string) }
    try exporter.run(outputNames: outputs)
    proto.node = exporter.writer.nodes
    proto.output = zip(body.outputs, outputs).map {
      OnnxValueInfoProto($1, body[$0].type.withoutSymbols, symbols: [])
    }
    return proto
  }
}

// The families
extension GraphExporter {
  private func lower(_ node: Node, _ x: [Operand]) throws -> [String] {
    if case .dynamic(let dynamic) = node.op { return try lower(dynamic, node, x) }
    return [try lowerPlain(node, x)]
  }

  private func lowerPlain(_ node: Node, _ x: [Operand]) throws -> String {
    switch node.op {
    case .unary(let activation): return try Activations.export(activation, x[0].name, x[0].dtype, writer)
    case .binary(let function): return try Elementwise.export(function, x[0], x[1], writer)
    case .compare(let function): return try Elementwise.export(function, x[0], x[1], writer)
    case .select: return try Elementwise.exportSelect(x, writer)
    case .reduce(let reduce): return try Reductions.export(reduce, x[0], writer)
    case .argument(let argument): return try Reductions.export(argument, x[0], writer)
    case .softmax(let softmax):
      return writer.node(softmax.function.onnxName, x[0].name, attributes: [.int("axis", softmax.axis)])
    case .matmul(let matmul): return try Products.export(matmul, x, writer)
    case .convolution(let convolution): return try Convolutions.export(convolution, x, writer)
    case .unfold(let window): return try Convolutions.exportUnfold(window, x[0], writer)
    case .fold(let window, let height, let width):
      return try Convolutions.exportFold(window, height, width, x[0], writer)
    case .convolutionWeightGradient(let window, let groups):
      return try Convolutions.exportWeightGradient(window, groups, x[0], x[1], writer)
    case .pool(let pool): return Pools.export(pool, x[0], writer)
    case .normalize(let normalize): return Normalisation.export(normalize, x, writer)
    case .normalizeTraining(let training): return try Normalisation.export(training, x, writer)
    case .recurrent(let recurrent): return try Recurrence.export(recurrent, x, writer)
    case .reshape(let shape): return try Movement.exportReshape(x[0], shape, node, self)
    case .transpose(let permutation):
      return try writer.moving(.rearranging, [x[0]]) { writer.transpose($0[0], permutation) }
    case .expand(let shape): return try Movement.exportExpand(x[0], shape, self)
    case .slice(let ranges): return try Movement.exportSlice(x[0], ranges, writer)
    case .pad(let pad): return try Movement.exportPad(x, pad, writer)
    case .concat(let axis):
      return try writer.moving(.rearranging, x) { writer.add("Concat", $0, [.int("axis", axis)])[0] }
    case .gather(let axis):
      return try writer.moving(.rearranging, [x[0]]) {
        writer.node("Gather", $0[0], x[1].name, attributes: [.int("axis", axis)])
      }
    case .scatter(let function, let axis): return try Gathering.export(function, x, axis: axis, writer)
    case .argsort(let axis, let isDescending):
      return try Gathering.exportSort(x[0], axis: axis, isDescending: isDescending, writer)
    case .cast(let dtype, let mode): return try Elementwise.exportCast(x[0], dtype, mode, writer)
    case .random(let function, let stream): return try RandomNumbers.export(function, stream, x, writer)
    case .recurrentGradient: throw NNError(.unsupportedOperator, "the gradient of a recurrence")
    case .poolGradient: throw NNError(.unsupportedOperator, "the gradient of pooling")
    case .dynamic: throw NNError(.invalidGraph, "may have several results")
    }
  }

  private func lower(_ dynamic: Dynamic, _ node: Node, _ x: [Operand]) throws -> [String] {
    switch dynamic {
    case .shape: return [writer.node("Shape", x[0].name)]
    case .reshape(let allowsZero):
      return [
        try writer.moving(.rearranging, [x[0]]) {
          writer.node("Reshape", $0[0], x[1].name, attributes: allowsZero ? [.int("allowzero", 1)] : [])
        }
      ]
    case .expand: return [try writer.moving(.expanding, [x[0]]) { writer.node("Expand", $0[0], x[1].name) }]
    case .slice(let axes):
      return [
        try writer.moving(.rearranging, [x[0]]) {
          writer.node("Slice", $0[0], x[1].name, x[2].name, try writer.ints(axes), x[3].name)
        }
      ]
    case .pad(let axes, let value): return [try Movement.exportPad(x, axes: axes, value, writer)]
    case .range: return writer.add("Range", try x.map { try writer.single($0) })
    case .nonZero: return [try Selection.exportNonZero(x[0], writer)]
    case .unique(let axis, let sorts):
      return try Selection.exportUnique(x[0], axis: axis, sorts: sorts, writer)
    case .nonMaxSuppression(let isCentered):
      return [try Selection.exportSuppression(x, isCentered: isCentered, writer)]
    case .branch(let then, let otherwise):
      return try ControlFlow.exportBranch(then, otherwise, node, x, self)
    case .loop(let body, let carried):
      return try ControlFlow.exportLoop(body, carried: carried, node, x, self)
    }
  }
}
