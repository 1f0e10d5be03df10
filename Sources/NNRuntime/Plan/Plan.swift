import CPlatform
import NNFormat
import NNGraph
import NNKernels

/// Replaces large f32 matrix products: C (m, n) = A·B over dense row-major matrices; A is stored (k, m) if
/// `transposesA`, B (n, k) if `transposesB`.
///
/// Training gives OpenBLAS here. The runtime itself never does: its own products have the same bits everywhere.
public typealias ProductFunction =
  @Sendable (
    _ a: UnsafePointer<Float>, _ transposesA: Bool, _ b: UnsafePointer<Float>, _ transposesB: Bool,
    _ c: UnsafeMutablePointer<Float>, _ m: Int, _ n: Int, _ k: Int
  ) -> Void

/// One graph at concrete extents, ready to run: every value has its place in memory and every node is a resolved kernel call.
///
/// A plan belongs to one thread at a time. It keeps the graph's constants alive; memory given as `bound` must be kept by
/// the caller.
public final class Plan {
  public struct Options: Sendable {
    /// Threads that may share one node's work, 1 or more.
    public var threads = 1
    public var instructionSet = InstructionSetLevel.automatic
    /// Replaces large products; nil for the kernels' own.
    public var product: ProductFunction?
    /// Bytes that intermediate values and scratch may take.
    public var memoryLimit: Int
    /// Iterations of one loop; a plan has none, but the bodies of a program may.
    public var iterationLimit: Int
    /// The way to the host's executor, kept by the session whose plan it is; nil for the process's workers.
    var team: Unmanaged<ExecutorTeam>?

    public init(
      threads: Int = 1, instructionSet: InstructionSetLevel = .automatic, product: ProductFunction? = nil,
      memoryLimit: Int = .max, iterationLimit: Int = .max
    ) {
      self.threads = threads
      self.instructionSet = instructionSet
      self.product = product
      self.memoryLimit = memoryLimit
      self.iterationLimit = iterationLimit
    }
  }

  /// The types of the graph's inputs and outputs, every extent known.
  public let inputTypes: [TensorType]
  public let outputTypes: [TensorType]
  /// Bytes of memory shared by all intermediate values.
  public let arenaSize: Int
  /// The largest sum of bytes of intermediate values alive at once: what no plan can go below.
  public let peakLiveSize: Int

  let nodes: [Node]
  /// Nodes that run together, in the steps of the last of them.
  let companions: [[Int]]
  let steps: [Step]
  let carries: [Carry]
  private let inputMemory: [UnsafeMutableRawBufferPointer]
  private let outputMemory: [UnsafeRawBufferPointer]
  private let sharing: WorkSharing
  let fault: Fault
  /// What the steps' pointers point into.
  private let keeper: PlanMemory

  /// Plans `graph`, which must have passed ``Graph/verify()``, for inputs of the given extents.
  ///
  /// - Parameters:
  ///   - inputExtents: the extents of each input, in the order of ``Graph/inputs``.
  ///   - bound: memory of the caller's for some inputs, each of exactly the input's bytes and aligned to 16; the other
  ///     inputs get memory of the plan's.
  /// - Throws: ``ErrorCode/shapeMismatch`` and the like from inference, ``ErrorCode/outOfMemory``, ``ErrorCode/limitExceeded``,
  ///   ``ErrorCode/invalidArgument`` for options this machine cannot honour.
  // All that can fail comes before the object exists: Embedded Swift does not free one whose initialiser throws.
  public convenience init(
    _ graph: Graph, inputExtents: [[Int]],
    bound: [(value: ValueID, memory: UnsafeMutableRawBufferPointer)] = [],
    options: Options = Options()
  ) throws(NNError) {
    try self.init(
      try PlannedGraph(graph, inputExtents: inputExtents, options: options), bound: bound, options: options)
  }

  /// Plans a graph or a part of one, all of whose extents are known.
  convenience init(
    _ planned: PlannedGraph, bound: [(value: ValueID, memory: UnsafeMutableRawBufferPointer)],
    options: Options
  ) throws(NNError) {
    try ThreadPool.check(threads: options.threads)
    let (graph, resolved) = (planned.graph, planned.resolved)
    if options.threads > 1, options.team == nil {
      ThreadPool.shared.prepare(workers: options.threads - 1)
    }
    let kernels = try options.instructionSet.kernels()
    let schedule = Schedule(graph, resolved, options, kernels)
    var planner = try MemoryLayoutPlanner(graph, resolved, schedule, bound: bound, options: options)
    let layout = try planner.plan()
    let fault = Fault()
    let steps = try StepBuilder(graph, resolved, schedule, layout, kernels, options, fault).build()
    self.init(graph, resolved, schedule, layout, steps, fault, options)
  }

  private init(
    _ graph: Graph, _ resolved: ResolvedGraph, _ schedule: Schedule, _ layout: PlannedMemory, _ steps: [Step],
    _ fault: Fault, _ options: Options
  ) {
    self.steps = steps
    self.fault = fault
    sharing = WorkSharing(options)
    keeper = layout.memory
    carries = layout.carries
    nodes = graph.nodes
    companions = schedule.companions
    arenaSize = layout.arenaSize
    peakLiveSize = layout.peakLiveSize
    inputTypes = graph.inputs.map { resolved.types[$0.index] }
    outputTypes = graph.outputs.map { resolved.types[$0.index] }
    inputMemory = graph.inputs.map { layout.bytes($0) }
    outputMemory = graph.outputs.map { UnsafeRawBufferPointer(layout.bytes($0)) }
  }

  /// Where the bytes of input `index` belong. They stay between runs until someone writes others.
  public func input(_ index: Int) -> UnsafeMutableRawBufferPointer { inputMemory[index] }

  /// The bytes of output `index` after a run; the next run overwrites them.
  public func output(_ index: Int) -> UnsafeRawBufferPointer { outputMemory[index] }

  /// Computes every output from the inputs, then carries the graph's states into their inputs.
  ///
  /// On one thread it neither allocates, nor locks, nor calls the system.
  ///
  /// - Throws: ``ErrorCode/indexOutOfRange`` if a tensor of indices holds one outside its axis, ``ErrorCode/executorFailed``.
  public func run() throws(NNError) {
    // Counted by hand: iterators of unoptimised builds allocate, and what a run allocates is tested in those too.
    var next = 0
    while next < steps.count {
      try perform(steps[next])
      next += 1
    }
    carryStates()
  }

  /// Runs a step by as many threads as are worth it.
  @inline(__always)
  func perform(_ step: Step) throws(NNError) {
    try sharing.perform(step)
    if fault.isRaised { throw fault.take(nodes[step.node], step.indices) }
  }

  /// Brings each state's new value to where the next run reads it.
  func carryStates() {
    var next = 0
    while next < carries.count {
      memcpy(carries[next].destination, carries[next].source, carries[next].size)
      next += 1
    }
  }
}

/// One call of a kernel with everything resolved.
struct Step {
  /// Index of the node it belongs to.
  let node: Int
  /// How many independent units the work has.
  let units: Int
  /// Estimated cost in element operations.
  let cost: Int
  /// Neighbouring units that share some work, so that one thread had better take them all.
  let grain: Int
  /// Whether the operations are the multiplications and additions of products.
  let isProduct: Bool
  /// What it selects by, if that can be out of range.
  let indices: IndexList?
  let body: SharedWork

  init(
    node: Int, units: Int, cost: Int, grain: Int = 1, isProduct: Bool = false, indices: IndexList? = nil,
    body: @escaping SharedWork
  ) {
    self.node = node
    self.units = units
    self.cost = cost
    self.grain = grain
    self.isProduct = isProduct
    self.indices = indices
    self.body = body
  }

  /// Whether handing a part of it to another thread takes less than that saves. Products do several operations in the time in which
  /// others read or write one element.
  var isWorthSharing: Bool { units > 1 && cost >= (isProduct ? 1 << 18 : 1 << 15) }

  /// The product of numbers that are not negative, or the largest number: what each element costs may be anything in a file.
  static func cost(_ factors: Int...) -> Int {
    var product = 1
    for factor in factors where factor != 1 {
      if factor == 0 { return 0 }
      let (next, overflow) = product.multipliedReportingOverflow(by: factor)
      product = overflow ? .max : next
    }
    return product
  }
}

/// A state's way from the end of a run to the start of the next.
struct Carry {
  let destination: UnsafeMutableRawPointer
  let source: UnsafeRawPointer
  let size: Int
}
