import NNGraph

// Operators that move elements, and selection by index.

extension ReferenceTensor {
  func reshape(_ extents: [Int]) -> ReferenceTensor {
    dtype.isFloatingPoint
      ? ReferenceTensor(values, extents: extents, dtype: dtype)
      : ReferenceTensor(integers: integers, extents: extents, dtype: dtype)
  }

  func transpose(_ permutation: [Int], _ extents: [Int]) -> ReferenceTensor {
    rearranged(to: extents) { index in
      var source = index
      for (axis, origin) in permutation.enumerated() { source[origin] = index[axis] }
      return position(source)
    }
  }

  func expand(_ extents: [Int]) -> ReferenceTensor {
    let lead = extents.count - rank
    return rearranged(to: extents) { index in
      position((0..<rank).map { self.extents[$0] == 1 ? 0 : index[$0 + lead] })
    }
  }

  func slice(_ ranges: [SliceRange], _ extents: [Int]) -> ReferenceTensor {
    rearranged(to: extents) { index in
      position(
        index.indices.map { axis in
          ReferenceTensor.firstIndex(ranges[axis], self.extents[axis]) + index[axis] * ranges[axis].step
        })
    }
  }

  /// Where Python's `range(extent)[start:end:step]` begins.
  private static func firstIndex(_ range: SliceRange, _ extent: Int) -> Int {
    let fromFront = range.start < 0 ? range.start + extent : range.start
    return range.step > 0 ? min(max(fromFront, 0), extent) : min(max(fromFront, -1), extent - 1)
  }

  func pad(_ pad: Pad, _ extents: [Int]) -> ReferenceTensor {
    let fill =
      dtype.isFloatingPoint ? ReferenceTensor.rounded(Double(pad.value), to: dtype) : Double(pad.value)
    return rearranged(to: extents, fill: fill) { index in
      let source = index.indices.map { index[$0] - pad.before[$0] }
      let isInside = source.indices.allSatisfy { source[$0] >= 0 && source[$0] < self.extents[$0] }
      return isInside ? position(source) : nil
    }
  }

  static func concat(_ parts: [ReferenceTensor], axis: Int, _ extents: [Int]) -> ReferenceTensor {
    var values: [Double] = []
    var integers: [Int64] = []
    for index in Indices(extents) {
      var source = index
      var part = 0
      while source[axis] >= parts[part].extents[axis] {
        source[axis] -= parts[part].extents[axis]
        part += 1
      }
      let position = parts[part].position(source)
      values.append(parts[part].values[position])
      if !parts[part].dtype.isFloatingPoint { integers.append(parts[part].integers[position]) }
    }
    return parts[0].dtype.isFloatingPoint
      ? ReferenceTensor(values, extents: extents, dtype: parts[0].dtype)
      : ReferenceTensor(integers: integers, extents: extents, dtype: parts[0].dtype)
  }

  /// The index a gather or scatter means: negative ones count from the end.
  private static func selected(_ index: Int64, of extent: Int) throws(NNError) -> Int {
    guard index >= -Int64(extent), index < Int64(extent) else {
      throw NNError(.indexOutOfRange, "index \(index) of an axis of \(extent)")
    }
    return Int(index) + (index < 0 ? extent : 0)
  }

  func gather(axis: Int, indices: ReferenceTensor, _ extents: [Int]) throws(NNError) -> ReferenceTensor {
    var chosen: [Int] = []
    for index in indices.integers {
      chosen.append(try ReferenceTensor.selected(index, of: self.extents[axis]))
    }
    return rearranged(to: extents) { index in
      let inIndices = Array(index[axis..<axis + indices.rank])
      let source = index[..<axis] + [chosen[indices.position(inIndices)]] + index[(axis + indices.rank)...]
      return position(Array(source))
    }
  }

  func scatterAdd(axis: Int, indices: ReferenceTensor, updates: ReferenceTensor) throws(NNError)
    -> ReferenceTensor
  {
    var result = self
    for index in indices.integers { _ = try ReferenceTensor.selected(index, of: extents[axis]) }
    for (update, index) in Indices(updates.extents).enumerated() {
      let inIndices = Array(index[axis..<axis + indices.rank])
      let chosen = try ReferenceTensor.selected(
        indices.integers[indices.position(inIndices)], of: extents[axis])
      let target = index[..<axis] + [chosen] + index[(axis + indices.rank)...]
      result.values[position(Array(target))] += updates.values[update]
    }
    return result
  }
}
