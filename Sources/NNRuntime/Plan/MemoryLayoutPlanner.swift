import CPlatform
import NNGraph
import NNKernels

/// Memory that the steps of a plan point into.
final class PlanMemory: @unchecked Sendable {
  let arena: AlignedMemory
  let scratch: AlignedMemory
  let constants: [TensorStorage]

  init(arena: AlignedMemory, scratch: AlignedMemory, constants: [TensorStorage]) {
    self.arena = arena
    self.scratch = scratch
    self.constants = constants
  }
}

/// Where every value of a planned graph lives.
struct PlannedMemory {
  let memory: PlanMemory
  let pointers: [UnsafeMutableRawPointer]
  let sizes: [Int]
  /// Where values of chains lie in a thread's scratch, counted in blocks of ``ElementwiseChain/blockSize`` bytes; −1 for others.
  let slots: [Int]
  /// Memory of a node's own during its step, such as panels packed on the fly; nil for most.
  let workspaces: [UnsafeMutableRawPointer?]
  let scratch: ThreadScratch
  let carries: [Carry]
  let arenaSize: Int
  let peakLiveSize: Int

  func bytes(_ id: ValueID) -> UnsafeMutableRawBufferPointer {
    UnsafeMutableRawBufferPointer(start: pointers[id.index], count: sizes[id.index])
  }
}

/// Decides which values share memory.
///
/// Values are grouped into *blocks*: a view (reshape, identity, …) is in the block of what it views, and an elementwise
/// result takes over the block of an operand that nobody needs any more. A state's new value takes the place of the old
/// one where the old one is read no later. Blocks whose lives do not overlap share the arena. Time is counted in items of the
/// ``Schedule``: what nodes of a chain make for each other alone has no block.
struct MemoryLayoutPlanner {
  enum Home {
    case arena
    case external(UnsafeMutableRawPointer)
  }

  /// Memory with one content at a time. It is taken from item `first` to item `last`; some member is read as late as `lastRead`.
  struct Block {
    var size: Int
    var first: Int
    var last: Int
    var lastRead: Int
    var home: Home
    var offset = 0

    init(size: Int, first: Int, last: Int, lastRead: Int? = nil, home: Home) {
      self.size = size
      self.first = first
      self.last = last
      self.lastRead = lastRead ?? last
      self.home = home
    }
  }

  let graph: Graph
  let resolved: ResolvedGraph
  let options: Plan.Options
  let schedule: Schedule
  var sizes: [Int] = []
  /// Last item that reads each value; the number of items for outputs and inputs, which outlive the run.
  var lastUse: [Int] = []
  var blocks: [Block] = []
  var blockOf: [Int]
  var workspaceBlocks: [Int]
  /// For a value that becomes the next value of a state: that state's input.
  var stateInput: [ValueID?]
  var constants: [TensorStorage] = []
  /// For a value that members of a chain alone read: where it lies in the scratch of the thread that runs a block; −1 for others.
  var slotOf: [Int]

  init(
    _ graph: Graph, _ resolved: ResolvedGraph, _ schedule: Schedule,
    bound: [(value: ValueID, memory: UnsafeMutableRawBufferPointer)],
    options: Plan.Options
  ) throws(NNError) {
    self.graph = graph
    self.schedule = schedule
    self.resolved = resolved
    self.options = options
    blockOf = [Int](repeating: -1, count: graph.values.count)
    slotOf = [Int](repeating: -1, count: graph.values.count)
    stateInput = [ValueID?](repeating: nil, count: graph.values.count)
    workspaceBlocks = [Int](repeating: -1, count: graph.nodes.count)
    for type in resolved.types {
      // Every shape passed Shape.validate, so this product is below 2^51.
      sizes.append((type.shape.elementCount ?? 0) * type.dtype.size)
    }
    findLastUses()
    try placeInputsAndConstants(bound)
  }

  private mutating func findLastUses() {
    lastUse = [Int](repeating: -1, count: graph.values.count)
    for (index, node) in graph.nodes.enumerated() {
      let position = schedule.position[index]
      for input in node.inputs { lastUse[input.index] = max(lastUse[input.index], position) }
    }
    for output in graph.outputs { lastUse[output.index] = schedule.items.count }
  }

  private mutating func placeInputsAndConstants(
    _ bound: [(value: ValueID, memory: UnsafeMutableRawBufferPointer)]
  ) throws(NNError) {
    for (index, value) in graph.values.enumerated() {
      guard let constant = value.constant else { continue }
      constants.append(constant.storage)
      // Constants are never written: no step has one as its result.
      let address = UnsafeMutableRawPointer(mutating: constant.bytes.baseAddress)
      blockOf[index] = addBlock(
        Block(
          size: sizes[index], first: 0, last: Int.max, home: .external(address ?? MemoryLayoutPlanner.nowhere)
        ))
    }
    var isInput = [Bool](repeating: false, count: graph.values.count)
    for input in graph.inputs { isInput[input.index] = true }
    for (value, memory) in bound {
      guard isInput.indices.contains(value.index), isInput[value.index], memory.count == sizes[value.index]
      else {
        throw NNError(
          .invalidArgument,
          "\(memory.count) bytes bound to value \(value.index), which is no input or has other bytes")
      }
      let address = memory.baseAddress ?? MemoryLayoutPlanner.nowhere
      blockOf[value.index] = addBlock(
        Block(
          size: sizes[value.index], first: 0, last: Int.max, lastRead: lastUse[value.index],
          home: .external(address)))
    }
    for input in graph.inputs where blockOf[input.index] < 0 {
      // Inputs keep their bytes between runs, so nothing else may use their place at any time.
      blockOf[input.index] = addBlock(
        Block(
          size: sizes[input.index], first: 0, last: schedule.items.count, lastRead: lastUse[input.index],
          home: .arena))
    }
    for state in graph.states { stateInput[state.output.index] = state.input }
  }

  /// A valid address for tensors without elements.
  private static var nowhere: UnsafeMutableRawPointer { UnsafeMutableRawPointer(bitPattern: 64)! }

  mutating func addBlock(_ block: Block) -> Int {
    blocks.append(block)
    return blocks.count - 1
  }

  /// Places every value and takes the memory.
  mutating func plan() throws(NNError) -> PlannedMemory {
    var scratchSize = 0
    for (position, item) in schedule.items.enumerated() {
      switch item {
      case .node(let index): scratchSize = max(scratchSize, try placeNode(index, at: position))
      case .projected(let projected):
        scratchSize = max(scratchSize, try placeNode(projected.projection, at: position))
        // Where h alone is wanted, it is written where it belongs.
        if projected.hidden != nil { slotOf[graph.nodes[projected.recurrence].outputs[0].index] = 0 }
        placeResult(of: projected.last, at: position)
        scratchSize = max(scratchSize, try placeWorkspace(of: projected.recurrence, at: position))
      case .transposed(let pair):
        scratchSize = max(scratchSize, placeTransposed(pair, at: position))
      case .fused(let fused):
        scratchSize = max(scratchSize, try placeFused(fused, at: position))
      case .attention(let attention):
        // What only members read lies in the scratch of the thread that runs some rows.
        for member in attention.members.dropLast() { slotOf[graph.nodes[member].outputs[0].index] = 0 }
        placeResult(of: attention.last, at: position)
        for member in [attention.scores, attention.values] {
          scratchSize = max(scratchSize, try placeWorkspace(of: member, at: position))
        }
        scratchSize = max(scratchSize, AttentionRows(attention, graph, resolved, options).scratchSize)
      case .chain(let chain):
        scratchSize = max(scratchSize, placeChain(chain.members, at: position))
      }
    }
    let arenaSize = try assignOffsets()
    return try take(arenaSize: arenaSize, scratchSize: (scratchSize + 63) / 64 * 64)
  }

  /// Places a node's result and workspace; gives the bytes of scratch that it needs.
  private mutating func placeNode(_ index: Int, at position: Int) throws(NNError) -> Int {
    placeResult(of: index, at: position)
    return try placeWorkspace(of: index, at: position)
  }

  /// The columns are never written.
  private mutating func placeTransposed(_ pair: TransposedConvolution, at position: Int) -> Int {
    slotOf[graph.nodes[pair.product].outputs[0].index] = 0
    placeResult(of: pair.fold, at: position)
    let lasts = graph[graph.nodes[pair.product].inputs[0]].constant != nil
    workspaceBlocks[pair.product] = addBlock(
      Block(
        size: pair.arguments.transformedWeightsSize * 4, first: lasts ? 0 : position,
        last: lasts ? schedule.items.count : position, home: .arena))
    return pair.arguments.scratchSize
  }

  /// Gives a node the workspace it needs, and returns the bytes of scratch that a thread needs.
  mutating func placeWorkspace(of index: Int, at position: Int) throws(NNError) -> Int {
    let needs = try workspace(of: index)
    if needs.workspace > 0 {
      let lasts = hasLastingWorkspace(index)
      workspaceBlocks[index] = addBlock(
        Block(
          size: needs.workspace, first: lasts ? 0 : position, last: lasts ? schedule.items.count : position,
          home: .arena))
    }
    return needs.scratch
  }

  private mutating func placeResult(of index: Int, at position: Int) {
    let node = graph.nodes[index]
    let result = node.outputs[0].index
    let use = max(lastUse[result], position)
    let shared: Int?
    if let state = stateInput[result] {
      shared = stateBlock(of: index, at: position, state)
    } else {
      shared = viewedInput(of: index) ?? reusableInput(of: index, at: position)
    }
    if let shared {
      blockOf[result] = blockOf[shared]
      extend(blockOf[shared], to: use)
      return
    }
    blockOf[result] = addBlock(Block(size: sizes[result], first: position, last: use, home: .arena))
  }

  mutating func extend(_ block: Int, to use: Int) {
    blocks[block].last = max(blocks[block].last, use)
    blocks[block].lastRead = max(blocks[block].lastRead, use)
  }

  /// The input whose bytes the node's result has in the same order.
  private func viewedInput(of index: Int) -> Int? {
    let node = graph.nodes[index]
    let input = node.inputs[0].index
    switch resolved.ops[index] {
    case .reshape, .unary(.identity): return input
    case .cast(let dtype, let mode):
      let before = resolved.types[input].dtype
      return before == dtype || (mode == .bits && dtype != .bool) ? input : nil
    case .expand, .slice, .pad:
      return sizes[input] == sizes[node.outputs[0].index] && isWhole(index) ? input : nil
    case .transpose(let permutation):
      // Moving axes of extent 1 moves no element.
      let extents = resolved.types[input].shape.extents ?? []
      var last = -1
      for axis in permutation where extents[axis] != 1 {
        if axis < last { return nil }
        last = axis
      }
      return input
    case .unary, .binary, .compare, .select, .reduce, .argument, .matmul, .convolution, .pool, .normalize,
      .softmax, .recurrent, .recurrentGradient,
      .concat, .gather, .scatter, .argsort, .dynamic, .random, .normalizeTraining, .convolutionWeightGradient,
      .unfold, .fold,
      .poolGradient:
      return nil
    }
  }

  /// Whether a movement of as many bytes as its input has moves nothing: a slice may still reverse an axis.
  private func isWhole(_ index: Int) -> Bool {
    guard case .slice(let ranges) = resolved.ops[index] else { return true }
    return !ranges.contains { $0.step < 0 }
  }

  /// An operand in the arena that dies at this node and that its kernel may overwrite as it reads it.
  private func reusableInput(of index: Int, at time: Int) -> Int? {
    let node = graph.nodes[index]
    let result = node.outputs[0].index
    for position in inPlaceOperands(of: index) {
      let input = node.inputs[position].index
      let block = blocks[blockOf[input]]
      guard case .arena = block.home, block.last == time, sizes[input] == sizes[result] else { continue }
      return input
    }
    return nil
  }

  /// The input of the state that this node computes the next value of, if its memory may already take that value.
  private func stateBlock(of index: Int, at time: Int, _ state: ValueID) -> Int? {
    let node = graph.nodes[index]
    let lastRead = blocks[blockOf[state.index]].lastRead
    if lastRead < time { return state.index }
    let overwritable = inPlaceOperands(of: index).contains { node.inputs[$0] == state }
    return lastRead == time && overwritable ? state.index : nil
  }

  /// Positions of inputs that have the result's type and that the kernel reads element by element as it writes, while no
  /// other input reads the same memory in another order.
  private func inPlaceOperands(of index: Int) -> [Int] {
    let node = graph.nodes[index]
    let result = resolved.types[node.outputs[0].index]
    let candidates: [Int]
    let elementwise: Bool
    switch resolved.ops[index] {
    case .unary, .softmax, .normalize, .scatter:
      candidates = [0]
      elementwise = false
    case .normalizeTraining(let training):
      switch training.kind {
      case .channelMoments, .channelProducts: return []
      case .layerGradient: candidates = [0, 2]
      case .batchGradient: candidates = [0, 1]
      }
      elementwise = false
    case .binary:
      candidates = [0, 1].filter { resolved.types[node.inputs[$0].index] == result }
      elementwise = true
    case .select, .compare, .reduce, .argument, .matmul, .convolution, .pool, .reshape, .transpose, .expand,
      .slice, .recurrent, .recurrentGradient,
      .pad, .concat, .gather, .argsort, .cast, .dynamic, .random, .convolutionWeightGradient,
      .unfold, .fold,
      .poolGradient:
      return []
    }
    return candidates.filter { position in
      let block = blockOf[node.inputs[position].index]
      return !node.inputs.indices.contains { other in
        let input = node.inputs[other].index
        return other != position && blockOf[input] == block
          && !(elementwise && resolved.types[input] == result)
      }
    }
  }
}
