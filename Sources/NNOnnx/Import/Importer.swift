import NNFormat
import NNGraph
import NNPasses

extension OnnxModel {
  /// The model as a graph that computes the same. Its tensors are let go of one by one, if nobody else holds the model.
  ///
  /// - Parameter warn: is told what is computed less precisely than the model says, node by node.
  /// - Throws: ``ErrorCode/unsupportedOperator`` with everything in the model that has no counterpart here, node by node;
  ///   ``ErrorCode/invalidGraph`` and the like, naming the node, if the model is not well formed; ``ErrorCode/invalidArgument`` for an
  ///   extent of a dimension that its inputs have not, naming those that they have.
  public consuming func imported(
    _ options: ImportOptions = ImportOptions(), warn: (String) -> Void = { _ in }
  ) throws(NNError) -> Graph {
    let importer = Importer(self, options)
    do {
      let graph = try importer.run()
      importer.warnings.forEach(warn)
      return graph
    } catch let error as NNError {
      throw error
    } catch {
      throw NNError(.invalidGraph, Message(text: "\(error)"))
    }
  }
}

/// One import: walks through the nodes in order and gives each to its lowering.
final class Importer {
  /// The graph that nodes go into: the model's, or a body's while one is imported.
  private(set) var builder: GraphBuilder
  let externalData: ExternalData
  private var proto: OnnxModelProto
  private let options: ImportOptions
  /// Names of the free dimensions of inputs, in their order.
  private var freeDimensions: [String] = []
  private var functions: [FunctionKey: OnnxFunctionProto] = [:]
  var unsupported: [String] = []
  var warnings: [String] = []
  private let budget: ImportBudget

  /// Functions and bodies stand in each other at most this deep.
  private static let maximumDepth = 64

  private struct FunctionKey: Hashable {
    let domain: String
    let name: String
    let overload: String
  }

  init(_ model: consuming OnnxModel, _ options: ImportOptions) {
    externalData = model.externalData
    proto = model.proto
    self.options = options
    budget = ImportBudget(fileSize: model.fileSize)
    builder = GraphBuilder(name: Name(proto.graph.name), budget: budget)
  }

  func run() throws -> Graph {
    for function in proto.functions {
      let domain = function.domain == "ai.onnx" ? "" : function.domain
      functions[FunctionKey(domain: domain, name: function.name, overload: function.overload)] = function
    }
    let scope = Scope(opsets: Importer.opsets(proto.opsetImport))
    var graph = proto.graph
    proto.clearGraph()
    try importInitializers(&graph, into: scope)
    try importInputs(graph, into: scope)
    try importNodes(graph.node, in: scope)
    if !unsupported.isEmpty { throw unsupportedError() }
    try exportOutputs(graph, from: scope)
    var result = builder.graph
    result.states = proto.states(of: result)
    result.removeUnused()
    try result.verify()
    return result
  }

  static func opsets(_ imports: [OnnxOperatorSetIdProto]) -> [String: Int] {
    var opsets: [String: Int] = [:]
    for set in imports { opsets[set.domain == "ai.onnx" ? "" : set.domain] = Int(set.version) }
    return opsets
  }

  private func unsupportedError() -> NNError {
    let heading =
      unsupported.count == 1
      ? "one thing is not supported:" : "\(unsupported.count) things are not supported:"
    return NNError(
      .unsupportedOperator, Message(text: ([heading] + unsupported).joined(separator: "\n  ")))
  }
}

// What stands around the nodes
extension Importer {
  /// Makes constants of a graph's initialisers, and lets go of their bytes in the message one by one.
  func importInitializers(_ graph: inout OnnxGraphProto, into scope: Scope) throws {
    for index in graph.initializer.indices {
      let name = graph.initializer[index].name
      builder.nodeName = Name(name)
      try collectingUnsupported("initializer \"\(name)\"", results: [name], scope) {
        let tensor = graph.initializer[index]
        if Int(tensor.dataType) == ElementType.string { return [try tensor.texts()] }
        return [.tensor(try builder.add(try tensor.tensor(externalData: externalData), heldIn: scope))]
      }
      graph.initializer[index] = OnnxTensorProto()
    }
    for sparse in graph.sparseInitializer {
      let name = sparse.values.name
      try collectingUnsupported("initializer \"\(name)\"", results: [name], scope) {
        [.tensor(try builder.add(try sparse.tensor(externalData: externalData, sizeLimit: builder.room)))]
      }
    }
  }

  private func importInputs(_ graph: OnnxGraphProto, into scope: Scope) throws {
    // Up to version 3 of the representation, initialisers were listed as inputs too.
    for input in graph.input where !scope.definesLocally(input.name) {
      try collectingUnsupported("input \"\(input.name)\"", results: [input.name], scope) {
        guard let type = input.type.tensor else {
          throw NNError(.unsupportedOperator, "only tensors can be inputs of a model")
        }
        let dtype = try ElementType.require(Int(type.elemType))
        guard type.hasShape else {
          throw NNError(.unsupportedOperator, "its number of axes is not declared")
        }
        return [
          .tensor(builder.graph.addInput(Name(input.name), dtype, try shape(type.shape, of: input.name)))
        ]
      }
    }
    try options.requireExtents(of: freeDimensions)
  }

  private func shape(_ proto: OnnxTensorShapeProto, of name: String) throws -> Shape {
    var dimensions: [Dimension] = []
    for (axis, dimension) in proto.dim.enumerated() {
      switch dimension.value {
      case .dimValue(let extent) where extent >= 0: dimensions.append(.fixed(Int(extent)))
      case .dimParam(let symbol) where !symbol.isEmpty: dimensions.append(named(symbol))
      case .dimValue, .dimParam, nil: dimensions.append(named("\(name)_\(axis)"))
      }
    }
    let shape = Shape(dimensions)
    try shape.validate()
    return shape
  }

  private func named(_ symbol: String) -> Dimension {
    if !freeDimensions.contains(symbol) { freeDimensions.append(symbol) }
    if let extent = options.extents[symbol] { return .fixed(extent) }
    return builder.graph.dimension(Name(symbol))
  }

  private func exportOutputs(_ graph: OnnxGraphProto, from scope: Scope) throws {
    try addOutputs(graph.output.map { $0.name }, from: scope)
  }

  /// Makes outputs of the graph under construction, each a value of its own with the given name.
  private func addOutputs(_ names: [String], from scope: Scope) throws {
    for name in names {
      guard let value = scope.find(name) else {
        throw NNError(
          .invalidGraph, Message(text: "output \"\(name)\" is neither an input, an initializer nor a result"))
      }
      guard case .tensor(let id) = value else {
        throw NNError(
          .unsupportedOperator, Message(text: "output \"\(name)\": only tensors can be outputs of a model"))
      }
      // What is an input, a constant or an output already gets another value with a name of its own.
      let isResult = builder.graph.nodes.contains { $0.outputs.contains(id) }
      builder.nodeName = Name(name)
      let own =
        isResult && !builder.graph.outputs.contains(id)
        ? id : try builder.graph.append(.unary(.identity), [id], name: builder.nodeName)
      builder.graph.addOutput(own, name: Name(name))
    }
  }
}

// Nodes
extension Importer {
  func importNodes(_ nodes: [OnnxNodeProto], in scope: Scope) throws {
    guard scope.depth <= Importer.maximumDepth else {
      throw NNError(.limitExceeded, "functions and bodies are nested more than \(Importer.maximumDepth) deep")
    }
    for (index, node) in nodes.enumerated() {
      try requireInputs(of: node, in: scope, following: nodes[index...])
      let label = OnnxNode.label(of: node)
      for output in node.output where !output.isEmpty && scope.definesLocally(output) {
        throw NNError(.invalidGraph, Message(text: "\(label): result \"\(output)\" is defined twice"))
      }
      do {
        try collectingUnsupported(description(of: node, in: scope), results: node.output, scope) {
          try budget.takeNode()
          builder.nodeName = Name(node.name.isEmpty ? node.output.first ?? "" : node.name)
          return try importNode(node, in: scope)
        }
      } catch let fork as Fork {
        return try importRest(Array(nodes[(index + 1)...]), after: fork, in: scope)
      }
    }
  }

  func description(of node: OnnxNodeProto, in scope: Scope) -> String {
    let domain = OnnxNode.domain(of: node)
    let version = scope.opsets[domain].map { " \($0)" } ?? ""
    return "\(OnnxNode.label(of: node)), operator set \(domain.isEmpty ? "ai.onnx" : domain)\(version)"
  }

  private func requireInputs(
    of node: OnnxNodeProto, in scope: Scope, following: ArraySlice<OnnxNodeProto>
  ) throws {
    for input in node.input where !input.isEmpty && scope.find(input) == nil {
      let isLater = following.contains { $0.output.contains(input) }
      let reason =
        isLater
        ? "is computed by this node or a later one (the graph has a cycle or wrong order)"
        : "is neither an input, an initializer nor a result"
      throw NNError(
        .invalidGraph, Message(text: "\(OnnxNode.label(of: node)): input \"\(input)\" \(reason)"))
    }
  }

  private func importNode(_ proto: OnnxNodeProto, in scope: Scope) throws -> [Imported] {
    let inputs = proto.input.map { name -> Imported? in
      guard !name.isEmpty, let value = scope.find(name) else { return nil }
      if case .absent = value { return nil }
      return value
    }
    let domain = OnnxNode.domain(of: proto)
    let key = FunctionKey(domain: domain, name: proto.opType, overload: proto.overload)
    let version = scope.opsets[domain] ?? (domain.isEmpty ? 1 : 0)
    let node = OnnxNode(
      proto, version: version, inputs: inputs, scope: scope, externalData: externalData)
    if let function = functions[key] { return try call(function, node) }
    guard let lowering = OperatorTable.find(domain: domain, name: proto.opType) else {
      throw NNError(.unsupportedOperator, "there is no such operator here")
    }
    for input in inputs {
      // The node that gave it has been reported; nothing more can be said about this one.
      if case .unavailable? = input { return proto.output.map { _ in .unavailable } }
    }
    switch lowering {
    case .tensors(let lower):
      let narrowings = builder.narrowings
      let results = try lower(node, builder)
      if builder.narrowings > narrowings { warnOfNarrowing(node, results) }
      return results.map { .tensor($0) }
    case .structure(let lower): return try lower(node, self)
    }
  }

  /// Numbers of 64 bits that come in and go out, and were narrower in between, have lost digits.
  private func warnOfNarrowing(_ node: OnnxNode, _ results: [ValueID]) {
    let takesWide = node.inputs.contains { input in
      if case .tensor(let id)? = input { return builder.dtype(id) == .f64 }
      return false
    }
    if takesWide, results.contains(where: { builder.dtype($0) == .f64 }) {
      warnings.append("\(node.label): double is computed in float")
    }
  }

  private func call(_ function: OnnxFunctionProto, _ node: OnnxNode) throws -> [Imported] {
    var attributes: [String: OnnxAttributeProto] = [:]
    for attribute in function.attributeProto { attributes[attribute.name] = attribute }
    for name in function.attribute { attributes[name] = node.givenAttributes[name] }
    for attribute in function.attributeProto {
      if let given = node.givenAttributes[attribute.name] { attributes[attribute.name] = given }
    }
    let scope = Scope(
      function: Importer.opsets(function.opsetImport), attributes: attributes, calledFrom: node.scope)
    guard node.inputs.count <= function.input.count else {
      throw NNError(
        .invalidGraph, "has \(node.inputs.count) inputs, the function takes \(function.input.count)")
    }
    for (name, input) in zip(function.input, node.inputs) {
      scope.define(name, input ?? .absent)
    }
    for name in function.input.dropFirst(node.inputs.count) { scope.define(name, .absent) }
    try importNodes(function.node, in: scope)
    return try function.output.map { try result($0, of: scope) }
  }

  func result(_ name: String, of scope: Scope) throws -> Imported {
    guard let value = scope.find(name) else {
      throw NNError(.invalidGraph, Message(text: "its body does not compute \"\(name)\""))
    }
    return value
  }

  /// The results of a body's nodes, with `inputs` as its inputs.
  func inline(_ body: OnnxGraphProto, _ inputs: [Imported], in outer: Scope) throws -> [Imported] {
    let scope = Scope(inside: outer)
    var body = body
    guard inputs.count == body.input.count else {
      throw NNError(.invalidGraph, "its body takes \(body.input.count) inputs, not \(inputs.count)")
    }
    try importInitializers(&body, into: scope)
    for (input, value) in zip(body.input, inputs) { scope.define(input.name, value) }
    try importNodes(body.node, in: scope)
    return try body.output.map { try result($0.name, of: scope) }
  }

  /// The body of a node as a graph of its own: its inputs have the given types, and the values of the names that it takes
  /// from outside come in behind them. Constants from outside are constants inside.
  ///
  /// - Returns: nil if something in it is not supported, which has been noted.
  func body(
    _ proto: OnnxGraphProto, inputs: [TensorType], captures: [String], in outer: Scope
  ) throws -> Graph? {
    let outside = builder
    let problems = unsupported.count
    builder = GraphBuilder(name: Name(proto.name), budget: budget)
    defer { builder = outside }
    let scope = Scope(function: outer.opsets, attributes: outer.callAttributes ?? [:], calledFrom: outer)
    var proto = proto
    guard inputs.count == proto.input.count else {
      throw NNError(.invalidGraph, "its body takes \(proto.input.count) inputs, not \(inputs.count)")
    }
    for (input, type) in zip(proto.input, inputs) {
      scope.define(input.name, .tensor(builder.graph.addInput(Name(input.name), type.dtype, type.shape)))
    }
    for name in captures {
      guard case .tensor(let value)? = outer.find(name) else { continue }
      let type = outside.graph[value].type.withoutSymbols
      scope.define(name, .tensor(builder.graph.addInput(Name(name), type.dtype, type.shape)))
    }
    for name in proto.freeNames where !captures.contains(name) {
      guard let value = outer.find(name) else { continue }
      if case .tensor(let id) = value, let constant = outside.constant(id) {
        scope.define(name, .tensor(builder.graph.addConstant(Name(name), constant)))
      } else {
        scope.define(name, value)
      }
    }
    try importInitializers(&proto, into: scope)
    try importNodes(proto.node, in: scope)
    guard unsupported.count == problems else { return nil }
    try addOutputs(proto.output.map { $0.name }, from: scope)
    var graph = builder.graph
    graph.removeUnused()
    return graph
  }

  /// The names that bodies take from outside as values that are computed when the model runs.
  func captures(_ bodies: [OnnxGraphProto], in scope: Scope) throws -> [String] {
    var captures: [String] = []
    for name in bodies.flatMap({ $0.freeNames }) where !captures.contains(name) {
      switch scope.find(name) {
      case .tensor(let value)?: if builder.constant(value) == nil { captures.append(name) }
      case .sequence?, .optional?:
        throw NNError(
          .unsupportedOperator, Message(text: "its body takes the sequence \"\(name)\" from outside"))
      case .absent?, .strings?, .unavailable?, nil: break
      }
    }
    return captures
  }

  /// The tensor that a name stands for.
  func tensor(_ name: String, in scope: Scope) throws -> ValueID {
    guard case .tensor(let value)? = scope.find(name) else {
      throw NNError(.invalidGraph, Message(text: "\"\(name)\" is not a tensor"))
    }
    return value
  }

  /// Defines the results of `work`; where something is not supported, notes it and goes on, so that all of it is found.
  private func collectingUnsupported(
    _ label: String, results: [String], _ scope: Scope, _ work: () throws -> [Imported]
  ) throws {
    do {
      let values = try work()
      for (name, value) in zip(results, values) where !name.isEmpty { scope.define(name, value) }
      for name in results.dropFirst(values.count) where !name.isEmpty {
        throw NNError(.unsupportedOperator, Message(text: "result \"\(name)\" is not computed here"))
      }
    } catch let error as NNError {
      guard error.code == .unsupportedOperator || error.code == .dtypeMismatch else {
        throw error.within(label)
      }
      unsupported.append("\(label): \(error.message)")
      for name in results where !name.isEmpty { scope.define(name, .unavailable) }
    }
  }
}
