import NNGraph

/// Gradients of slices that take states out of what a recurrence with slopes keeps. Instead of a tensor as wide as all that, which
/// would be mostly zeros, they become one of the states alone: see ``Recurrent/adjoints(_:_:_:)``.
struct StateGradients {
  private struct Piece {
    /// Whether of the step alone that is read last, (N, 1, …), or of all, (N, T, …).
    let isOfLast: Bool
    /// Blocks of H.
    let blocks: Range<Int>
    let gradient: SymbolicTensor
  }

  /// By the value that a recurrence makes.
  private var recurrences: [Int: Recurrent] = [:]
  private var pieces: [Int: [Piece]] = [:]

  init(_ graph: Graph) {
    for node in graph.nodes {
      guard case .recurrent(let recurrent) = node.op, recurrent.keepsSlopes else { continue }
      recurrences[node.outputs[0].index] = recurrent
    }
  }

  /// Takes the gradient of a slice of states, of all steps or of the one that is read last; false if the node is something else.
  mutating func keep(_ gradient: SymbolicTensor, of node: Node, in trace: Trace) throws(NNError) -> Bool {
    let source = node.inputs[0].index
    guard case .slice(let ranges) = node.op, let recurrent = recurrences[source] else { return false }
    let extents = try SymbolicTensor(trace: trace, id: node.inputs[0]).knownExtents()
    let (steps, units) = (extents[1] - 1, extents[2] / recurrent.blockCount)
    guard units > 0, ranges.allSatisfy({ $0.step == 1 }),
      ranges[0].resolved(extent: extents[0]).count == extents[0]
    else {
      return false
    }
    let columns = ranges[2].resolved(extent: extents[2])
    let blocks = columns.start / units..<(columns.start + columns.count) / units
    guard blocks.lowerBound * units == columns.start, !blocks.isEmpty, blocks.count * units == columns.count,
      blocks.upperBound <= recurrent.stateCount
    else { return false }
    let rows = ranges[1].resolved(extent: extents[1])
    let isAll = rows == (recurrent.row(ofPosition: 0), steps)
    let isOfLast = rows == (recurrent.row(ofPosition: recurrent.isReversed ? 0 : steps - 1), 1)
    guard isAll || isOfLast else { return false }
    pieces[source, default: []].append(Piece(isOfLast: !isAll, blocks: blocks, gradient: gradient))
    return true
  }

  /// Gives a recurrence the sum of what was kept of its states.
  ///
  /// - Throws: ``ErrorCode/unsupportedOperator`` if gradients arrive in another way too.
  mutating func join(
    into accumulated: inout [SymbolicTensor?], of value: ValueID, in trace: Trace
  ) throws(NNError) {
    guard let kept = pieces.removeValue(forKey: value.index), let recurrent = recurrences[value.index] else {
      return
    }
    guard accumulated[value.index] == nil else {
      throw NNError(
        .unsupportedOperator,
        "gradient of a recurrence that is read as a whole and through slices of its states")
    }
    let extents = try SymbolicTensor(trace: trace, id: value).knownExtents()
    let (steps, units) = (extents[1] - 1, extents[2] / recurrent.blockCount)
    let isOfLast = kept.allSatisfy { $0.isOfLast }
    let blocks = kept.allSatisfy { $0.blocks == 0..<1 } ? 1 : recurrent.stateCount
    var sum: SymbolicTensor?
    for piece in kept {
      var pad = Pad(before: [0, 0, 0], after: [0, 0, 0])
      if piece.isOfLast && !isOfLast {
        if recurrent.isReversed { pad.after[1] = steps - 1 } else { pad.before[1] = steps - 1 }
      }
      pad.before[2] = piece.blocks.lowerBound * units
      pad.after[2] = (blocks - piece.blocks.upperBound) * units
      let isWhole = (pad.before + pad.after).allSatisfy { $0 == 0 }
      let part = isWhole ? piece.gradient : try trace.apply(.pad(pad), [piece.gradient])
      sum = try sum.map { (other) throws(NNError) in try other + part } ?? part
    }
    accumulated[value.index] = sum
  }
}
