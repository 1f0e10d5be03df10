import NNGraph
import NNRuntime

/// A training step of your own: what it reads, what it makes small, and which parameters follow which loss.
///
/// ``Trainer`` is for one model with one loss. Generative adversarial networks, reinforcement learning and distillation
/// have several of both; a custom step says them in one function, which is traced and planned once:
///
/// ```swift
/// let parameters = ParameterStore(seed: 1)
/// let step = try CustomStep(parameters: parameters, inputs: [.init("real", [64, 784])]) { (step) throws(NNError) in
///   let fake = try generator(step.trace.random(.normal, [64, 32]))
///   let real = try discriminator(step["real"])
///   let fooled = try discriminator(fake.stoppingGradient())
///   let critic = try real.unary(.softplus).mean() …
///   try step.minimize(critic, of: "discriminator", with: Adam(learningRate: 2e-4))
///   try step.output(critic, "critic loss")
/// }
/// try step.set("real", batch)
/// try step.run()
/// print(try step["critic loss"])
/// ```
///
/// All gradients of a step are taken at the parameters from before it. Steps that share a ``ParameterStore`` share
/// parameters and what their optimisers keep about them.
public final class CustomStep {
  /// Something the step reads.
  public struct Input: Sendable {
    public let name: Name
    public let extents: [Int]
    /// `.f32` or `.i64`.
    public let dtype: DType

    public init(_ name: Name, _ extents: [Int], _ dtype: DType = .f32) {
      self.name = name
      self.extents = extents
      self.dtype = dtype
    }
  }

  /// Runs done: what optimisers that correct their moments count.
  public private(set) var step = 0
  /// Each optimiser's present step length, in the order in which losses were minimised.
  public var learningRates: [Double]
  private let seed: UInt64
  private let plan: StepPlan
  private let inputs: [Input]
  private let outputs: [(name: Name, index: Int)]

  /// Traces and plans the step.
  ///
  /// - Parameters:
  ///   - parameters: where networks have their parameters from; its seed is what random numbers are drawn from.
  ///   - inputs: what the step reads, all extents known.
  ///   - body: traces the step.
  /// - Throws: what `body` throws; ``ErrorCode/invalidArgument`` for two inputs of one name.
  public init(
    parameters: ParameterStore, inputs: [Input], frozen: [String] = [],
    options: Trainer.Options = Trainer.Options(), _ body: (Tracing) throws(NNError) -> Void
  ) throws(NNError) {
    let trace = Trace(mode: .training, parameters: parameters, name: "custom_step", frozen: frozen)
    var tensors: [SymbolicTensor] = []
    for (index, input) in inputs.enumerated() {
      guard !inputs[..<index].contains(where: { $0.name == input.name }) else {
        throw NNError(.invalidArgument, "two inputs are called \(input.name.quoted)")
      }
      try Shape(input.extents).validate()
      tensors.append(trace.input(input.name, input.dtype, Shape(input.extents)))
    }
    let tracing = Tracing(trace, inputs, tensors)
    try body(tracing)
    try tracing.updates.addLayerUpdates()
    outputs = tracing.outputs
    self.inputs = inputs
    seed = parameters.seed
    plan = try StepPlan(try StepGraph(tracing.updates, inputs: tensors), options: options.planOptions)
    learningRates = plan.graph.optimizers.map { Double($0.optimizer.learningRate) }
    OpenBLAS.setThreads(options.libraryThreads)
  }

  /// Computes the outputs and updates the parameters. It allocates nothing.
  ///
  /// - Throws: ``ErrorCode/indexOutOfRange`` if an input holds an index outside its axis.
  public func run() throws(NNError) {
    var index = 0
    while index < learningRates.count {
      try Hyperparameter.requireNotNegative(learningRates[index], "a learning rate")
      plan.setScalars(optimizer: index, step: step + 1, learningRate: learningRates[index])
      index += 1
    }
    plan.setRandomKey(seed: seed, step: step + 1)
    try plan.run()
    step += 1
  }

  /// Where an input's elements belong, row-major. They stay from run to run.
  ///
  /// - Throws: ``ErrorCode/invalidArgument`` if there is no input of that name.
  public func input(_ name: Name) throws(NNError) -> UnsafeMutableRawBufferPointer {
    guard let index = inputs.firstIndex(where: { $0.name == name }) else {
      throw NNError(.invalidArgument, "the step has no input \(name.quoted)")
    }
    return plan.input(index)
  }

  /// Sets an f32 input.
  ///
  /// - Throws: ``ErrorCode/invalidArgument``, ``ErrorCode/dtypeMismatch``, ``ErrorCode/shapeMismatch`` naming the input.
  public func set(_ name: Name, _ values: [Float]) throws(NNError) {
    try copy(values, name, .f32)
  }

  /// Sets an i64 input.
  ///
  /// - Throws: as ``set(_:_:)-([Float])``.
  public func set(_ name: Name, indices: [Int]) throws(NNError) {
    try copy(indices.map { Int64($0) }, name, .i64)
  }

  private func copy<Element>(_ values: [Element], _ name: Name, _ dtype: DType) throws(NNError) {
    let memory = try input(name)
    guard let input = inputs.first(where: { $0.name == name }), input.dtype == dtype else {
      throw NNError(.dtypeMismatch, "input \(name.quoted) is not \(dtype.name)")
    }
    guard values.count * MemoryLayout<Element>.stride == memory.count else {
      throw NNError(
        .shapeMismatch,
        "input \(name.quoted) of shape \(Shape(input.extents).description) is given \(values.count) numbers")
    }
    values.withUnsafeBytes { memory.copyMemory(from: $0) }
  }

  /// An output's elements as of the last run.
  ///
  /// - Throws: ``ErrorCode/invalidArgument`` if there is no output of that name.
  public func values(_ name: Name) throws(NNError) -> [Float] {
    guard let output = outputs.first(where: { $0.name == name }) else {
      throw NNError(.invalidArgument, "the step has no output \(name.quoted)")
    }
    return Array(plan.output(output.index).bindMemory(to: Float.self))
  }

  /// An output of one number as of the last run.
  public subscript(name: Name) -> Float {
    get throws(NNError) { try values(name).first ?? .nan }
  }

  /// The tensor that went bad first in the last run, as it would be computed from the present parameters; nil if all are finite.
  public func firstNonFinite() throws(NNError) -> String? { try plan.firstNonFinite() }
}

extension CustomStep {
  /// A custom step in the making.
  public final class Tracing {
    public let trace: Trace
    let updates: ParameterUpdates
    private(set) var outputs: [(name: Name, index: Int)] = []
    private let inputs: [Input]
    private let tensors: [SymbolicTensor]

    init(_ trace: Trace, _ inputs: [Input], _ tensors: [SymbolicTensor]) {
      self.trace = trace
      self.inputs = inputs
      self.tensors = tensors
      updates = ParameterUpdates(trace)
    }

    /// The input of the given name.
    public subscript(name: Name) -> SymbolicTensor {
      get throws(NNError) {
        guard let index = inputs.firstIndex(where: { $0.name == name }) else {
          throw NNError(.invalidArgument, "the step has no input \(name.quoted)")
        }
        return tensors[index]
      }
    }

    /// Makes `loss`, of shape (), smaller by changing the trainable parameters of some networks.
    ///
    /// - Parameters:
    ///   - prefixes: networks or layers, as in ``ParameterGroup``; all parameters the step has used so far if there are none.
    ///   - optimizer: how they follow the gradient.
    /// - Throws: ``ErrorCode/invalidArgument`` if there are no such parameters, or the loss depends on none of them.
    public func minimize(
      _ loss: SymbolicTensor, of prefixes: String..., with optimizer: any Optimizer,
      clipping: GradientClipping = .none
    ) throws(NNError) {
      let chosen = trace.parameters.filter { entry in
        !trace.isFrozen(entry.parameter.name)
          && (prefixes.isEmpty
            || prefixes.contains { ParameterGroup.prefix($0, covers: entry.parameter.name.string) })
      }
      guard chosen.contains(where: { $0.parameter.isTrainable }) else {
        throw NNError(
          .invalidArgument, "no trainable parameter's name begins with \(prefixes.joined(separator: " or "))")
      }
      let tensors = chosen.filter { $0.parameter.isTrainable }.map { $0.tensor }
      guard trace.depends(loss, on: tensors) else {
        throw NNError(
          .invalidArgument,
          "no gradient passes from the loss to a parameter"
            + (prefixes.isEmpty ? "" : " of \(prefixes.joined(separator: " or "))"))
      }
      try optimizer.validate()
      try updates.minimize(loss, chosen, optimizer: optimizer, clipping: clipping)
    }

    /// Moves the parameters of one network towards those of another of the same layers: target ← target + rate·(source − target).
    ///
    /// Both must have been called in this step. A rate of 1 copies.
    ///
    /// - Throws: ``ErrorCode/invalidArgument`` if one has a parameter that the other lacks.
    public func move(_ target: String, towards source: String, rate: Float) throws(NNError) {
      let names = trace.parameters.filter { ParameterGroup.prefix(target, covers: $0.parameter.name.string) }
      guard !names.isEmpty else {
        throw NNError(.invalidArgument, "no parameter's name begins with \(target)")
      }
      for entry in names {
        let twin = Name(source + entry.parameter.name.string.dropFirst(target.count))
        guard let other = trace.parameters.first(where: { $0.parameter.name == twin }) else {
          throw NNError(
            .invalidArgument, "there is no parameter \(twin.quoted) for \(entry.parameter.name.quoted)")
        }
        let difference = try other.tensor - entry.tensor
        try updates.assign(entry.tensor, try entry.tensor + difference * rate)
      }
    }

    /// Makes a tensor readable after each run, as f32: of indices, such as those of an argmax, up to 2²⁴ exactly.
    public func output(_ tensor: SymbolicTensor, _ name: Name) throws(NNError) {
      try trace.output(tensor.dtype == .f32 ? tensor : tensor.cast(to: .f32), name: name)
      outputs.append((name, trace.graph.outputs.count - 1))
    }
  }
}
