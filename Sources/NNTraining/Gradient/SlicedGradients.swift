import NNGraph

/// Gradients of slices, kept until those of all slices of a tensor have come. Slices side by side, such as the steps of a sequence
/// or the gates of a cell, then become one concatenation instead of a padded tensor each.
struct SlicedGradients {
  private struct Piece {
    let axis: Int
    let range: Range<Int>
    let gradient: SymbolicTensor
  }

  private var pieces: [[Piece]]

  /// - Parameter count: how many values the graph has.
  init(count: Int) {
    pieces = Array(repeating: [], count: count)
  }

  /// Takes the gradient of a slice that leaves all axes but one as they are; false if the node is something else.
  mutating func keep(_ gradient: SymbolicTensor, of node: Node, in trace: Trace) throws(NNError) -> Bool {
    guard case .slice(let ranges) = node.op else { return false }
    let extents = try SymbolicTensor(trace: trace, id: node.inputs[0]).knownExtents()
    var found: (axis: Int, range: Range<Int>)?
    for (axis, range) in ranges.enumerated() {
      let (start, count) = range.resolved(extent: extents[axis])
      if range.step == 1 && count == extents[axis] { continue }
      guard range.step == 1, count > 0, found == nil else { return false }
      found = (axis, start..<start + count)
    }
    guard let found else { return false }
    pieces[node.inputs[0].index].append(Piece(axis: found.axis, range: found.range, gradient: gradient))
    return true
  }

  /// Adds what was kept of a value's slices to its gradient.
  mutating func join(
    into accumulated: inout [SymbolicTensor?], of value: ValueID, in trace: Trace
  ) throws(NNError) {
    // Values that were appended since are no one's slices.
    guard value.index < pieces.count, !pieces[value.index].isEmpty else { return }
    let kept = pieces[value.index].sorted { ($0.axis, $0.range.lowerBound) < ($1.axis, $1.range.lowerBound) }
    pieces[value.index] = []
    let whole = SymbolicTensor(trace: trace, id: value)
    var rest = kept[...]
    while !rest.isEmpty {
      let joined = try SlicedGradients.joined(&rest, whole)
      if let other = accumulated[value.index] {
        accumulated[value.index] = try other + joined
      } else {
        accumulated[value.index] = joined
      }
    }
  }

  /// The concatenation of as many pieces as lie side by side from the first on, with zeros between and around; takes them away.
  private static func joined(_ pieces: inout ArraySlice<Piece>, _ whole: SymbolicTensor) throws(NNError)
    -> SymbolicTensor
  {
    let axis = pieces[pieces.startIndex].axis
    var parts: [SymbolicTensor] = []
    var end = 0
    func zeros(_ count: Int) throws(NNError) -> SymbolicTensor {
      var shape = whole.shape
      shape[axis] = .fixed(count)
      return try whole.trace.filled(0, shape)
    }
    var overlapping: [Piece] = []
    for piece in pieces {
      guard piece.axis == axis, piece.range.lowerBound >= end else {
        overlapping.append(piece)
        continue
      }
      if piece.range.lowerBound > end { parts.append(try zeros(piece.range.lowerBound - end)) }
      parts.append(piece.gradient)
      end = piece.range.upperBound
    }
    pieces = overlapping[...]
    let extent = try whole.knownExtents()[axis]
    if end < extent { parts.append(try zeros(extent - end)) }
    return parts.count == 1 ? parts[0] : try parts[0].concatenated(with: Array(parts.dropFirst()), axis: axis)
  }
}
