import NNGraph

extension MemoryLayoutPlanner {
  /// Blocks begin at multiples of this: a cache line, and the widest vector.
  private static let alignment = 64
  /// Up to this many blocks are packed tightly, in quadratic time; beyond, in linear time.
  private static let tightPackingLimit = 4096
  private static let maximumArenaSize = 1 << 50

  private func roundedSize(_ block: Block) -> Int {
    (block.size + MemoryLayoutPlanner.alignment - 1) / MemoryLayoutPlanner.alignment
      * MemoryLayoutPlanner.alignment
  }

  private var arenaBlocks: [Int] {
    blocks.indices.filter { index in
      if case .arena = blocks[index].home { return true }
      return false
    }
  }

  /// Gives every arena block an offset and returns the arena's size in bytes.
  ///
  /// - Throws: ``ErrorCode/outOfMemory`` for absurd sizes.
  mutating func assignOffsets() throws(NNError) -> Int {
    let members = arenaBlocks
    var total = 0
    for index in members {
      // Each size is below 2^56, so the sum is checked before it can overflow.
      total += roundedSize(blocks[index])
      guard total <= MemoryLayoutPlanner.maximumArenaSize else {
        throw NNError(
          .outOfMemory, "the values of this model need more than 2^50 bytes at these input shapes")
      }
    }
    guard members.count <= MemoryLayoutPlanner.tightPackingLimit,
      let size = packTightly(members, rest: 0, within: .max)
    else { return packFast(members) }
    if options.threads > 1, packTightly(members, rest: MemoryLayoutPlanner.rest, within: size) == nil {
      _ = packTightly(members, rest: 0, within: size)
    }
    return size
  }

  /// How many items of the schedule the place of a block stays free, if there is room for that, where several threads work: all of them
  /// have just read the block, and a thread that writes to a place waits for each line that another core still has in its cache.
  private static let rest = 8
  /// Larger blocks are not in those caches any more when they have been read.
  private static let largestResting = 1 << 20

  /// Largest first, each at the lowest offset that is free during its whole life, and some items before and after it; then the arena has
  /// at most `limit` bytes. Returns its size, or nil if there is no room.
  private mutating func packTightly(_ members: [Int], rest: Int, within limit: Int) -> Int? {
    let order = sortedIndices(members.count) {
      let (a, b) = (blocks[members[$0]].size, blocks[members[$1]].size)
      return a != b ? a > b : $0 < $1
    }
    // Placed blocks by ascending offset.
    var placed: [Int] = []
    var end = 0
    for position in order {
      let index = members[position]
      let size = roundedSize(blocks[index])
      var rest = size <= Self.largestResting ? rest : 0
      var offset = lowestFree(index, among: placed, rest: rest)
      while offset > limit - size, rest > 0 {
        rest /= 2
        offset = lowestFree(index, among: placed, rest: rest)
      }
      guard offset <= limit - size else { return nil }
      blocks[index].offset = offset
      end = max(end, offset + size)
      placed.insert(index, at: placed.firstIndex { blocks[$0].offset > offset } ?? placed.count)
    }
    return end
  }

  /// The lowest offset at which nothing is placed during the life of a block.
  private func lowestFree(_ index: Int, among placed: [Int], rest: Int) -> Int {
    let block = blocks[index]
    let (size, end) = (roundedSize(block), schedule.items.count)
    var offset = 0
    for other in placed {
      let neighbour = blocks[other]
      let overlaps =
        neighbour.first - rest <= min(block.last, end) && block.first - rest <= min(neighbour.last, end)
      guard overlaps else { continue }
      if neighbour.offset - offset >= size { break }
      offset = max(offset, neighbour.offset + roundedSize(neighbour))
    }
    return offset
  }

  /// In order of time, each in a free place of its size class (powers of two), or at the end.
  private mutating func packFast(_ members: [Int]) -> Int {
    var free = [[Int]](repeating: [], count: 64)
    var dying = [[Int]](repeating: [], count: schedule.items.count + 2)
    func sizeClass(_ size: Int) -> Int { size <= 64 ? 6 : 64 - (size - 1).leadingZeroBitCount }
    var end = 0
    var time = 0
    let order = sortedIndices(members.count) {
      let (a, b) = (blocks[members[$0]].first, blocks[members[$1]].first)
      return a != b ? a < b : $0 < $1
    }
    for position in order {
      let index = members[position]
      while time < blocks[index].first {
        for dead in dying[time] { free[sizeClass(roundedSize(blocks[dead]))].append(blocks[dead].offset) }
        time += 1
      }
      let kind = sizeClass(roundedSize(blocks[index]))
      if let offset = free[kind].popLast() {
        blocks[index].offset = offset
      } else {
        blocks[index].offset = end
        end += 1 << kind
      }
      dying[min(blocks[index].last, schedule.items.count)].append(index)
    }
    return end
  }

  /// The largest sum of sizes of arena blocks alive during one node.
  private func peakLiveSize() -> Int {
    var change = [Int](repeating: 0, count: schedule.items.count + 2)
    for index in arenaBlocks {
      change[blocks[index].first] += roundedSize(blocks[index])
      change[min(blocks[index].last, schedule.items.count) + 1] -= roundedSize(blocks[index])
    }
    var live = 0
    var peak = 0
    for delta in change {
      live += delta
      peak = max(peak, live)
    }
    return peak
  }

  /// Takes the memory and resolves every value to its address.
  func take(arenaSize: Int, scratchSize: Int) throws(NNError) -> PlannedMemory {
    let (allScratch, overflow) = scratchSize.multipliedReportingOverflow(by: options.threads)
    guard !overflow, allScratch <= MemoryLayoutPlanner.maximumArenaSize else {
      throw NNError(.outOfMemory, "\(options.threads) times \(scratchSize) bytes of scratch")
    }
    let staged = stagedStates()
    let needed = arenaSize + staged.size + allScratch
    guard needed <= options.memoryLimit else {
      throw NNError(
        .limitExceeded,
        "a run at these input shapes needs \(needed) bytes, the limit is \(options.memoryLimit)")
    }
    let scratchStride = ThreadScratch.stride(scratchSize)
    let memory = PlanMemory(
      arena: try AlignedMemory(
        size: arenaSize + staged.size, purpose: "intermediate values", isSoonWritten: true),
      scratch: try AlignedMemory(
        size: scratchStride * (options.threads - 1) + scratchSize, purpose: "scratch"),
      constants: constants)
    func address(_ block: Int) -> UnsafeMutableRawPointer {
      switch blocks[block].home {
      case .arena: memory.arena.base + blocks[block].offset
      case .external(let address): address
      }
    }
    var pointers: [UnsafeMutableRawPointer] = []
    pointers.reserveCapacity(blockOf.count)
    for block in blockOf { pointers.append(block < 0 ? memory.arena.base : address(block)) }
    var workspaces: [UnsafeMutableRawPointer?] = []
    for block in workspaceBlocks { workspaces.append(block < 0 ? nil : address(block)) }
    return PlannedMemory(
      memory: memory, pointers: pointers, sizes: sizes, slots: slotOf, workspaces: workspaces,
      scratch: ThreadScratch(base: memory.scratch.base, stride: scratchStride),
      carries: carries(pointers, staging: memory.arena.base + arenaSize, staged.isStaged),
      arenaSize: arenaSize,
      peakLiveSize: peakLiveSize())
  }

  /// States whose next value is the present value of another state: all of these are read before any is written.
  private func stagedStates() -> (isStaged: [Bool], size: Int) {
    var isStateInput = [Bool](repeating: false, count: graph.values.count)
    for state in graph.states { isStateInput[state.input.index] = true }
    let isStaged = graph.states.map { isStateInput[$0.output.index] && $0.input != $0.output }
    var size = 0
    for (state, staged) in zip(graph.states, isStaged) where staged { size += sizes[state.output.index] }
    return (isStaged, size)
  }

  private func carries(
    _ pointers: [UnsafeMutableRawPointer], staging: UnsafeMutableRawPointer, _ isStaged: [Bool]
  ) -> [Carry] {
    var early: [Carry] = []
    var late: [Carry] = []
    var next = staging
    for (state, staged) in zip(graph.states, isStaged) {
      let (destination, source) = (pointers[state.input.index], pointers[state.output.index])
      let size = sizes[state.input.index]
      if destination == source || size == 0 { continue }
      if staged {
        early.append(Carry(destination: next, source: source, size: size))
        late.append(Carry(destination: destination, source: next, size: size))
        next += size
      } else {
        late.append(Carry(destination: destination, source: source, size: size))
      }
    }
    return early + late
  }
}
