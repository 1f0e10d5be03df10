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

  func pad(_ pad: Pad, value: ReferenceTensor?, _ extents: [Int]) -> ReferenceTensor {
    let border =
      value ?? ReferenceTensor([Double(pad.value)], extents: []).cast(dtype, .standard)
    let fill = (border.values[0], border.integers.first ?? 0)
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

  func scatter(_ function: ScatterFunction, axis: Int, indices: ReferenceTensor, updates: ReferenceTensor)
    throws(NNError) -> ReferenceTensor
  {
    for index in indices.integers { _ = try ReferenceTensor.selected(index, of: extents[axis]) }
    var numbers = values
    var exact = integers
    for (update, index) in Indices(updates.extents).enumerated() {
      let inIndices = Array(index[axis..<axis + indices.rank])
      let chosen = try ReferenceTensor.selected(
        indices.integers[indices.position(inIndices)], of: extents[axis])
      let target = position(Array(index[..<axis] + [chosen] + index[(axis + indices.rank)...]))
      let (a, b) = (numbers[target], updates.values[update])
      numbers[target] =
        switch function {
        case .replace: b
        case .add: a + b
        case .multiply: a * b
        case .minimum: a.isNaN || b.isNaN ? .nan : min(a, b)
        case .maximum: a.isNaN || b.isNaN ? .nan : max(a, b)
        }
      if dtype.isFloatingPoint { continue }
      let (i, j) = (exact[target], updates.integers[update])
      exact[target] =
        switch function {
        case .replace: j
        case .add: i &+ j
        case .multiply: i &* j
        case .minimum: min(i, j)
        case .maximum: max(i, j)
        }
    }
    return dtype.isFloatingPoint
      ? ReferenceTensor(numbers, extents: extents, dtype: dtype)
      : ReferenceTensor(integers: exact, extents: extents, dtype: dtype)
  }

  /// Insertion by hand: each element goes behind all that it does not precede.
  func argsort(axis: Int, isDescending: Bool) -> ReferenceTensor {
    func isLess(_ a: Int, _ b: Int) -> Bool {
      if !dtype.isFloatingPoint { return integers[a] < integers[b] }
      if values[a].isNaN || values[b].isNaN { return !values[a].isNaN && values[b].isNaN }
      return values[a] < values[b]
    }
    var result = [Int64](repeating: 0, count: count)
    for index in Indices(extents) where index[axis] == 0 {
      var order: [Int] = []
      for j in 0..<extents[axis] {
        var mine = index
        mine[axis] = j
        let place = order.firstIndex { other in
          var theirs = index
          theirs[axis] = other
          return isDescending
            ? isLess(position(theirs), position(mine)) : isLess(position(mine), position(theirs))
        }
        order.insert(j, at: place ?? order.count)
      }
      for (number, j) in order.enumerated() {
        var target = index
        target[axis] = number
        result[position(target)] = Int64(j)
      }
    }
    return ReferenceTensor(integers: result, extents: extents)
  }
}
