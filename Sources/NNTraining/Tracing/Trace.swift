import NNGraph

/// A graph in the making, together with what layers need while they add to it: the mode, the model's parameters,
/// names, and the source of random numbers.
public final class Trace {
  /// What the graph is traced for.
  public enum Mode: Sendable {
    /// A training step: dropout drops, batch normalisation uses the batch's statistics, parameters are inputs.
    case training
    /// Evaluation and export: parameters are constants.
    case inference
  }

  public let mode: Mode
  public private(set) var graph: Graph
  /// The parameters layers asked for so far, each with the value that stands for it.
  public private(set) var parameters: [(parameter: Parameter, tensor: SymbolicTensor)] = []
  /// New values of parameters that are not trained, such as running statistics.
  public private(set) var updates: [(parameter: Parameter, value: SymbolicTensor)] = []
  /// The (2) i64 input holding seed and step, once a layer has drawn random numbers.
  public private(set) var randomKey: SymbolicTensor?

  /// Losses that layers added to the one the model is trained with, each of shape ().
  public private(set) var addedLosses: [SymbolicTensor] = []
  /// What each named layer computed, in the order in which they were done: those inside a layer stand before it. A layer
  /// that is called again, such as one of a shared ``Network``, stands here again.
  public private(set) var layerResults: [(name: Name, value: ValueID)] = []
  /// Whether layers with a memory keep it from run to run: the model is traced to be run step by step.
  public let isStateful: Bool

  let store: ParameterStore
  private let frozen: [String]
  private var layerNames: [Name] = []
  private var scopes: [Scope] = [Scope(prefix: "")]
  private var streams: UInt32 = 0
  private var scalars: [UInt32: SymbolicTensor] = [:]
  private var states: [String: SymbolicTensor] = [:]
  private var gradientStops: Set<Int> = []

  /// Where names of layers are counted.
  private struct Scope {
    let prefix: String
    var counts: [String: Int] = [:]
  }

  /// - Parameters:
  ///   - isStateful: see ``state(_:_:)``; for inference only.
  ///   - frozen: prefixes of parameters that are not trained, see ``ParameterGroup``; their layers act as in evaluation.
  public init(
    mode: Mode, parameters store: ParameterStore, name: Name = "model", isStateful: Bool = false,
    frozen: [String] = []
  ) {
    self.mode = mode
    self.store = store
    self.isStateful = isStateful
    self.frozen = frozen
    graph = Graph(name: name)
  }

  /// A trace that goes on from an existing graph, as a graph-to-graph transformation does.
  init(continuing graph: Graph) {
    mode = .training
    isStateful = false
    frozen = []
    store = ParameterStore(seed: 0)
    self.graph = graph
  }

  /// The innermost layer being called; nodes carry it for messages.
  public var layerName: Name { layerNames.last ?? "" }

  /// Whether the layer being called is being trained: not in evaluation, and not where its parameters are frozen.
  /// Dropout and batch normalisation ask this.
  public var isTraining: Bool { mode == .training && !isFrozen(layerName) }

  func isFrozen(_ name: Name) -> Bool { frozen.contains { ParameterGroup.prefix($0, covers: name.string) } }

  /// Adds a scalar to the loss the model is trained with, such as a penalty on a layer's activity. Evaluation has none.
  ///
  /// - Throws: ``ErrorCode/shapeMismatch`` unless the shape is ().
  public func addLoss(_ loss: SymbolicTensor) throws(NNError) {
    guard loss.shape == [] else {
      throw NNError(.shapeMismatch, "an added loss has shape \(loss.shapeDescription) instead of ()")
    }
    if mode == .training { addedLosses.append(loss) }
  }

  /// Says that gradients do not pass a tensor.
  func stopGradient(at tensor: SymbolicTensor) { gradientStops.insert(tensor.id.index) }

  func stopsGradient(_ id: ValueID) -> Bool { gradientStops.contains(id.index) }

  /// Appends a node; what it throws names the layer and the operator.
  public func apply(_ op: Op, _ inputs: [SymbolicTensor]) throws(NNError) -> SymbolicTensor {
    var ids: [ValueID] = []
    for input in inputs {
      guard input.trace === self else {
        throw NNError(.invalidArgument, "an operand of \(op.name) belongs to another trace")
      }
      ids.append(input.id)
    }
    do throws(NNError) {
      return SymbolicTensor(trace: self, id: try graph.append(op, ids, name: layerName))
    } catch {
      let shapes = inputs.map(\.shapeDescription).joined(separator: " and ")
      throw NNError(error.code, error.message + "; the operands are " + shapes)
    }
  }

  public func input(_ name: Name, _ dtype: DType, _ shape: Shape) -> SymbolicTensor {
    SymbolicTensor(trace: self, id: graph.addInput(name, dtype, shape))
  }

  /// The free dimension of a name, for an input's shape.
  public func dimension(_ name: Name) -> Dimension { graph.dimension(name) }

  /// Makes a tensor an output of the graph.
  public func output(_ tensor: SymbolicTensor, name: Name) throws(NNError) {
    _ = try outputValue(tensor, name: name)
  }

  /// Makes a tensor an output and gives the value that stands for it there: inputs, constants and values that are
  /// outputs already keep their name, so that the new output gets a node of its own.
  func outputValue(_ tensor: SymbolicTensor, name: Name) throws(NNError) -> SymbolicTensor {
    let isResult = graph.nodes.contains { $0.outputs.contains(tensor.id) }
    let id =
      isResult && !graph.outputs.contains(tensor.id)
      ? tensor.id : try graph.append(.unary(.identity), [tensor.id], name: name)
    graph.addOutput(id, name: name)
    return SymbolicTensor(trace: self, id: id)
  }

  func carry(from input: SymbolicTensor, to output: SymbolicTensor) {
    graph.states.append(CarriedState(input: input.id, output: output.id))
  }

  /// A constant of shape ().
  public func scalar(_ value: Float) throws(NNError) -> SymbolicTensor {
    if let known = scalars[value.bitPattern] { return known }
    let tensor = SymbolicTensor(
      trace: self, id: graph.addConstant(Name("\(value)"), try Tensor([value], extents: [])))
    scalars[value.bitPattern] = tensor
    return tensor
  }

  public func constant(_ name: Name, _ tensor: Tensor) -> SymbolicTensor {
    SymbolicTensor(trace: self, id: graph.addConstant(name, tensor))
  }

  /// A tensor of the given shape with one number everywhere.
  public func filled(_ value: Float, _ shape: Shape) throws(NNError) -> SymbolicTensor {
    try scalar(value).expanded(shape)
  }
}

// What layers ask for
extension Trace {
  /// A parameter of the layer being called, made on the first trace of the model.
  ///
  /// - Parameters:
  ///   - role: `weight`, `bias`, …: what follows the layer's name.
  ///   - fans: how many numbers feed, and are fed by, one output; initialisers scale by them.
  ///   - isTrainable: false for running statistics, see ``update(_:to:)``.
  public func parameter(
    _ role: String, _ extents: [Int], initializer: Initializer, fans: Fans = Fans(input: 1, output: 1),
    isTrainable: Bool = true
  ) throws(NNError) -> SymbolicTensor {
    let name = Name(layerName.isEmpty ? role : layerName.string + "." + role)
    let parameter = try store.parameter(
      name, extents: extents, initializer: initializer, fans: fans, isTrainable: isTrainable)
    if let known = parameters.first(where: { $0.parameter === parameter }) { return known.tensor }
    let tensor: SymbolicTensor
    switch mode {
    case .training: tensor = input(name, .f32, Shape(extents))
    case .inference: tensor = constant(name, try parameter.tensor())
    }
    parameters.append((parameter, tensor))
    return tensor
  }

  /// Says that a parameter that is not trained becomes `value` after the step.
  ///
  /// - Throws: ``ErrorCode/invalidArgument`` if `tensor` is no parameter, ``ErrorCode/shapeMismatch`` if the shape changes.
  public func update(_ tensor: SymbolicTensor, to value: SymbolicTensor) throws(NNError) {
    guard let entry = parameters.first(where: { $0.tensor.id == tensor.id }), !entry.parameter.isTrainable
    else {
      throw NNError(.invalidArgument, "only a parameter with isTrainable: false is updated by its layer")
    }
    guard value.type == tensor.type else {
      throw NNError(
        .shapeMismatch,
        "\(entry.parameter.name.quoted) of shape \(tensor.shapeDescription) cannot become \(value.shapeDescription)"
      )
    }
    updates.append((entry.parameter, value))
  }

  /// Random numbers of the given shape, other ones in every step and for every call.
  public func random(_ function: RandomFunction, _ shape: Shape) throws(NNError) -> SymbolicTensor {
    try random(function, like: filled(0, shape))
  }

  /// Random numbers of the shape of `like`, other ones in every step and for every call.
  public func random(_ function: RandomFunction, like: SymbolicTensor) throws(NNError) -> SymbolicTensor {
    let key = randomKey ?? input("random_key", .i64, [2])
    randomKey = key
    streams += 1
    return try apply(.random(function, stream: streams), [like, key])
  }

  /// Runs `body` as the layer of the given kind, the next of its kind in this scope.
  func within(
    layer kind: String, input: SymbolicTensor, _ body: () throws(NNError) -> SymbolicTensor
  ) throws(NNError) -> SymbolicTensor {
    let top = scopes.count - 1
    let number = scopes[top].counts[kind, default: 0] + 1
    scopes[top].counts[kind] = number
    let name = Name(scopes[top].prefix + kind + "_\(number)")
    layerNames.append(name)
    defer { layerNames.removeLast() }
    do throws(NNError) {
      let result = try body()
      layerResults.append((name, result.id))
      return result
    } catch {
      throw error.within("layer " + name.quoted + " (input " + input.shapeDescription + ")")
    }
  }

  /// Runs `body` with names that begin with `name` and a dot, and with layers counted from 1, so that the same layers
  /// called again in a scope of the same name have the same parameters.
  public func within<Result>(
    scope name: String, _ body: () throws(NNError) -> Result
  ) throws(NNError) -> Result {
    guard !name.isEmpty else { throw NNError(.invalidArgument, "a network without a name") }
    let prefix = scopes[scopes.count - 1].prefix + name
    scopes.append(Scope(prefix: prefix + "."))
    layerNames.append(Name(prefix))
    defer {
      scopes.removeLast()
      layerNames.removeLast()
    }
    return try body()
  }
}

// Memory of a model that is run step by step
extension Trace {
  /// A tensor that the layer being called keeps from run to run, as it was before this run: zeros in the first.
  ///
  /// Only traces with ``isStateful`` have such memory; a session keeps it, see ``CarriedState``. Every state must get its
  /// next value with ``setState(_:to:)``.
  ///
  /// - Parameters:
  ///   - role: what follows the layer's name: `hidden`, `cache`, ….
  ///   - extents: all of them known, the batch included.
  /// - Throws: ``ErrorCode/invalidState`` where the model is not traced to be stateful.
  public func state(_ role: String, _ extents: [Int], _ dtype: DType = .f32) throws(NNError) -> SymbolicTensor
  {
    let name = Name(layerName.isEmpty ? role : layerName.string + "." + role)
    guard isStateful else {
      throw NNError(.invalidState, "state \(name.quoted) in a model that is not traced to keep states")
    }
    if let known = states[name.string] { return known }
    let tensor = input(name, dtype, Shape(extents))
    states[name.string] = tensor
    return tensor
  }

  /// Says what the state of the layer being called becomes after this run.
  ///
  /// - Throws: ``ErrorCode/invalidArgument`` for a state that was not asked for, ``ErrorCode/shapeMismatch`` for another type.
  public func setState(_ role: String, to value: SymbolicTensor) throws(NNError) {
    let name = Name(layerName.isEmpty ? role : layerName.string + "." + role)
    guard let tensor = states[name.string] else {
      throw NNError(.invalidArgument, "there is no state \(name.quoted)")
    }
    guard tensor.type == value.type else {
      throw NNError(
        .shapeMismatch,
        "state \(name.quoted) of shape \(tensor.shapeDescription) cannot become \(value.shapeDescription)")
    }
    carry(from: tensor, to: try outputValue(value, name: Name(name.string + ".next")))
  }
}
