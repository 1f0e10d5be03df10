import NNGraph

extension MemoryLayoutPlanner {
  /// Gives each result of a chain its place: a block if somebody else reads it, else a slot of scratch. Returns the bytes of scratch
  /// that a thread needs.
  mutating func placeChain(_ members: [Int], at position: Int) -> Int {
    let lastReads = lastReads(in: members)
    var freeSlots: [Int] = []
    var slotCount = 0
    var dying = [[Int]](repeating: [], count: members.count)
    for (order, index) in members.enumerated() {
      let node = graph.nodes[index]
      let result = node.outputs[0].index
      if let viewed = viewedInChain(index) {
        // A view is where its operand is; who reads it was counted as reading that.
        slotOf[result] = slotOf[viewed]
        blockOf[result] = blockOf[viewed]
        if blockOf[viewed] >= 0 { extend(blockOf[viewed], to: max(lastUse[result], position)) }
      } else if let last = lastReads[order] {
        let slot = freeSlots.popLast() ?? slotCount
        slotCount = max(slotCount, slot + 1)
        slotOf[result] = slot
        dying[last].append(slot)
      } else {
        placeShared(result, order, members, at: position)
      }
      // A slot is free for results after the last reader: a kernel may not write what it reads through another operand.
      freeSlots += dying[order]
    }
    return slotCount * ElementwiseChain.blockSize
  }

  /// For each member the last member that reads its result or a view of it; nil if anybody else does, or nobody.
  private func lastReads(in members: [Int]) -> [Int?] {
    var last = [Int?](repeating: nil, count: members.count)
    var isShared = [Bool](repeating: false, count: members.count)
    /// The member whose result each value of the chain is, by way of views.
    var origin: [(value: Int, member: Int)] = []
    func member(making value: Int) -> Int? { origin.first { $0.value == value }?.member }
    for (order, index) in members.enumerated() {
      let result = graph.nodes[index].outputs[0].index
      let isView = viewedInChain(index) != nil
      for input in graph.nodes[index].inputs {
        if let source = member(making: input.index), !isView { last[source] = order }
      }
      let source = isView ? member(making: graph.nodes[index].inputs[0].index) ?? order : order
      origin.append((result, source))
      if lastUse[result] > schedule.position[index] || stateInput[result] != nil { isShared[source] = true }
    }
    for order in members.indices where isShared[order] { last[order] = nil }
    return last
  }

  /// The operand that a member hands on as it is.
  func viewedInChain(_ index: Int) -> Int? {
    Schedule.isView(resolved.ops[index]) ? graph.nodes[index].inputs[0].index : nil
  }

  /// A block for a result that is read outside of the chain: that of the state it becomes, or of an operand that dies, if all members that
  /// read it do so element by element and no later than the result is written; else a new one.
  private mutating func placeShared(_ result: Int, _ order: Int, _ members: [Int], at position: Int) {
    let use = max(lastUse[result], position)
    var candidates: [Int] = []
    if let state = stateInput[result] {
      if blocks[blockOf[state.index]].lastRead < position {
        candidates = []
        blockOf[result] = blockOf[state.index]
        extend(blockOf[result], to: use)
        return
      }
      if blocks[blockOf[state.index]].lastRead == position { candidates = [state.index] }
    } else {
      for index in members[...order] {
        for input in graph.nodes[index].inputs where blockOf[input.index] >= 0 {
          let block = blocks[blockOf[input.index]]
          guard case .arena = block.home, block.last == position, block.first < position else { continue }
          candidates.append(input.index)
        }
      }
    }
    // A result that nobody reads must not spoil another one that takes the same block.
    for candidate in candidates
    where use > position && sizes[candidate] == sizes[result]
      && isOverwritable(blockOf[candidate], order, members)
    {
      blockOf[result] = blockOf[candidate]
      extend(blockOf[result], to: use)
      return
    }
    blockOf[result] = addBlock(Block(size: sizes[result], first: position, last: use, home: .arena))
  }

  /// Whether the members read a block element by element, and none after member `order`.
  private func isOverwritable(_ block: Int, _ order: Int, _ members: [Int]) -> Bool {
    for (reader, index) in members.enumerated() {
      let node = graph.nodes[index]
      for (operand, input) in node.inputs.enumerated() where blockOf[input.index] == block {
        guard reader <= order, resolved.types[input.index].dtype.size == 4,
          let role = ElementwiseRole(node, resolved, resolved.ops[index]), role.operands[operand] == .whole
        else { return false }
      }
    }
    return true
  }
}
