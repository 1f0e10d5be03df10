import CPlatform
import NNFormat
import NNGraph

/// Type, extents and bytes of a session's tensor; valid until the session's next call.
public struct TensorView {
  public let dtype: DType
  public let extents: UnsafeBufferPointer<Int>
  /// Row-major elements.
  public let bytes: UnsafeRawBufferPointer
}

/// One thread's use of a ``Model``: inputs, memory and plans.
///
/// Set the inputs, run, read the outputs. A session is used by one thread at a time; any number of sessions may share
/// a model. The first run for new input shapes plans the graph; runs with shapes seen lately allocate nothing, unless
/// extents inside the model depend on values.
public final class Session {
  public struct Options: Sendable {
    /// Threads that may share the work, 1 to 256.
    public var threads: Int
    public var instructionSet: InstructionSetLevel
    /// Bytes that the intermediate values of one input shape may take.
    public var memoryLimit: Int
    /// Iterations of one loop inside the model.
    public var iterationLimit: Int
    /// What shares the work if there may be several threads; nil for the process's workers.
    public var executor: HostExecutor?

    public init(
      threads: Int = 1, instructionSet: InstructionSetLevel = .automatic, memoryLimit: Int = .max,
      iterationLimit: Int = .max, executor: HostExecutor? = nil
    ) {
      self.executor = executor
      self.iterationLimit = iterationLimit
      self.threads = threads
      self.instructionSet = instructionSet
      self.memoryLimit = memoryLimit
    }
  }

  public let model: Model
  private var planOptions: Plan.Options
  /// The session's and not a plan's, so that a call that comes too late finds it whatever has been planned since.
  private var team: ExecutorTeam?
  private var inputs: [SessionInput] = []
  private var programs = ProgramCache()
  /// The program for the extents that the inputs have now, all of which are set; nil until the next run looks for it.
  private var fitting: CachedProgram?
  /// The program whose run gave the outputs.
  private var current: CachedProgram?

  /// - Throws: ``ErrorCode/invalidArgument`` for options this machine cannot honour.
  public init(_ model: Model, options: Options = Options()) throws(NNError) {
    self.model = model
    planOptions = Plan.Options(
      threads: options.threads, instructionSet: try options.instructionSet.resolved(),
      memoryLimit: options.memoryLimit, iterationLimit: options.iterationLimit)
    if let executor = options.executor {
      let team = ExecutorTeam(executor)
      planOptions.team = Unmanaged.passUnretained(team)
      self.team = team
    }
    guard planOptions.instructionSet.isAvailable else {
      throw NNError(
        .invalidArgument, "this processor cannot run instruction set \(planOptions.instructionSet.name)")
    }
    try ThreadPool.check(threads: options.threads)
    var isState = [Bool](repeating: false, count: model.graph.values.count)
    for state in model.graph.states { isState[state.input.index] = true }
    for id in model.graph.inputs {
      inputs.append(try SessionInput(model.graph[id], isState: isState[id.index]))
    }
  }

  /// Copies an input's elements, row-major, into the session. They stay set for later runs, but for a carried state, which each successful
  /// run changes.
  ///
  /// - Throws: ``ErrorCode/invalidArgument`` for an index that is no input's or bytes that are not what type and extents
  ///   ask for, ``ErrorCode/dtypeMismatch``, ``ErrorCode/shapeMismatch`` naming the input, ``ErrorCode/outOfMemory``.
  ///   The input keeps its previous content then.
  public func setInput(
    _ index: Int, dtype: DType, extents: UnsafeBufferPointer<Int>, bytes: UnsafeRawBufferPointer
  ) throws(NNError) {
    guard index >= 0, index < inputs.count else {
      throw NNError(.invalidArgument, "there is no input \(index); the model has \(inputs.count)")
    }
    let change = try inputs[index].set(
      dtype: dtype, extents: extents, bytes: bytes, symbols: model.graph.symbols)
    // An output may be an input's elements in another shape.
    current = nil
    switch change {
    case .nothing: break
    case .extents: fitting = nil
    case .memory:
      // Programs point into the memory that was just replaced.
      programs.removeAll()
      fitting = nil
    }
  }

  /// Puts the carried states back to what they were in a new session: zeros, or not set where their extents are free.
  public func reset() {
    for index in inputs.indices where inputs[index].isState {
      if !inputs[index].reset() { fitting = nil }
    }
    current = nil
  }

  /// Computes the outputs.
  ///
  /// - Throws: ``ErrorCode/invalidState`` naming an input that was never set, ``ErrorCode/shapeMismatch`` if inputs do
  ///   not fit each other, ``ErrorCode/indexOutOfRange``, ``ErrorCode/outOfMemory``, ``ErrorCode/limitExceeded``,
  ///   ``ErrorCode/executorFailed``. The session stays usable.
  public func run() throws(NNError) {
    current = nil
    let program: CachedProgram
    if let fitting {
      program = fitting
    } else {
      program = try programForInputs()
      fitting = program
    }
    try program.run()
    current = program
  }

  private func programForInputs() throws(NNError) -> CachedProgram {
    for input in inputs where !input.isSet {
      throw NNError(.invalidState, "input \(input.name.quoted) has not been set")
    }
    if let known = programs.find(inputs) { return known }
    let program = CachedProgram(
      try Program(
        model.graph, inputExtents: inputs.map { $0.extents }, bound: inputs.map { $0.bytes },
        options: planOptions), inputs)
    programs.insert(program)
    return program
  }

  /// What the last run computed.
  ///
  /// - Throws: ``ErrorCode/invalidArgument`` for an index that is no output's, ``ErrorCode/invalidState`` unless a run has succeeded since
  ///   the last input was set.
  public func output(_ index: Int) throws(NNError) -> TensorView {
    guard index >= 0, index < model.graph.outputs.count else {
      throw NNError(
        .invalidArgument, "there is no output \(index); the model has \(model.graph.outputs.count)")
    }
    guard let current else {
      throw NNError(
        .invalidState, "outputs are there after a successful run, until the next input is set")
    }
    return current.output(index)
  }

  /// Copies a tensor's elements into the session.
  ///
  /// - Throws: as ``setInput(_:dtype:extents:bytes:)``, and ``ErrorCode/invalidArgument`` unless the tensor is row-major.
  public func setInput(_ index: Int, _ tensor: Tensor) throws(NNError) {
    guard tensor.layout == .rowMajor else {
      throw NNError(.invalidArgument, "a tensor for input \(index) must be row-major")
    }
    // The closure cannot throw typed errors through the standard library, so the outcome is carried out of it.
    let outcome = tensor.extents.withUnsafeBufferPointer { extents -> NNError? in
      do throws(NNError) {
        try setInput(index, dtype: tensor.dtype, extents: extents, bytes: tensor.bytes)
        return nil
      } catch {
        return error
      }
    }
    if let outcome { throw outcome }
  }

  /// A copy of what the last run computed.
  ///
  /// - Throws: as ``output(_:)``.
  public func copyOutput(_ index: Int) throws(NNError) -> Tensor {
    let view = try output(index)
    return try Tensor(
      copying: view.bytes, as: TensorType(view.dtype, Shape(Array(view.extents))))
  }

  /// Sets the inputs, runs, and copies all outputs.
  ///
  /// - Parameter tensors: one for each input, or for each that is no state: states then go on from the run before.
  /// - Throws: what ``setInput(_:dtype:extents:bytes:)`` and ``run()`` throw.
  public func callAsFunction(_ tensors: [Tensor]) throws(NNError) -> [Tensor] {
    var given = Array(inputs.indices)
    if tensors.count < given.count { given.removeAll { inputs[$0].isState } }
    guard tensors.count == given.count else {
      throw NNError(.invalidArgument, "\(tensors.count) inputs given; the model takes \(given.count)")
    }
    for (index, tensor) in zip(given, tensors) { try setInput(index, tensor) }
    try run()
    var results: [Tensor] = []
    for index in model.graph.outputs.indices {
      results.append(try copyOutput(index))
    }
    return results
  }

  /// Runs a model of one f32 input and one f32 output.
  ///
  /// - Parameters:
  ///   - values: the input's elements, row-major.
  ///   - extents: the input's extents.
  /// - Returns: the output's elements, row-major.
  /// - Throws: what ``callAsFunction(_:)-([Tensor])`` throws, and ``ErrorCode/dtypeMismatch`` for an output of another type.
  public func callAsFunction(_ values: [Float], extents: [Int]) throws(NNError) -> [Float] {
    let results = try self([try Tensor(values, extents: extents)])
    guard results.count == 1, let floats = results[0].floats else {
      throw NNError(.dtypeMismatch, "the model does not have one f32 output")
    }
    return floats
  }
}
