// Shape rules of the operators that fold or move axes.

extension Shape {
  func requireAxis(_ axis: Int) throws(NNError) {
    guard axis >= 0, axis < rank else {
      throw NNError(.invalidGraph, "axis \(axis) of a tensor of rank \(rank)")
    }
  }

  func reduced(axes: [Int], keepsDimensions: Bool) throws(NNError) -> Shape {
    var previous = -1
    for axis in axes {
      try requireAxis(axis)
      guard axis > previous else { throw NNError(.invalidGraph, "axes are not in ascending order") }
      previous = axis
    }
    var result: [Dimension] = []
    var next = 0
    for axis in 0..<rank {
      if next < axes.count, axes[next] == axis {
        next += 1
        if keepsDimensions { result.append(.fixed(1)) }
      } else {
        result.append(self[axis])
      }
    }
    return Shape(result)
  }

  func reshaped(to target: Shape) throws(NNError) -> Shape {
    try target.validate()
    var unknown = -1
    for axis in 0..<target.rank where target[axis] == .unknown {
      guard unknown < 0 else { throw NNError(.invalidGraph, "more than one extent left to infer") }
      unknown = axis
    }
    if unknown < 0 {
      if let a = elementCount, let b = target.elementCount, a != b {
        throw NNError(
          .shapeMismatch,
          "\(description) has \(a) elements and cannot become \(target.description) with \(b)")
      }
      return target
    }
    return try inferring(axis: unknown, of: target)
  }

  /// `target` with its one unknown extent derived from this shape's elements, where they are known up to
  /// free dimensions that stand on both sides.
  private func inferring(axis unknown: Int, of target: Shape) throws(NNError) -> Shape {
    var result = target
    var symbols: [Int] = []
    var count = 1
    for dimension in dimensions {
      switch dimension {
      case .fixed(let extent):
        let (product, overflow) = count.multipliedReportingOverflow(by: extent)
        guard !overflow else { throw NNError(.limitExceeded, "\(description) has too many elements") }
        count = product
      case .named(let symbol): symbols.append(symbol)
      case .unknown: return target
      }
    }
    var divisor = 1
    for (axis, dimension) in target.dimensions.enumerated() where axis != unknown {
      switch dimension {
      case .fixed(let extent):
        let (product, overflow) = divisor.multipliedReportingOverflow(by: extent)
        guard !overflow else { throw NNError(.limitExceeded, "\(target.description) has too many elements") }
        divisor = product
      case .named(let symbol):
        guard let match = symbols.firstIndex(of: symbol) else { return target }
        symbols.remove(at: match)
      case .unknown: return target
      }
    }
    if symbols.isEmpty {
      guard divisor > 0, count % divisor == 0 else {
        throw NNError(.shapeMismatch, "\(description) cannot become \(target.description)")
      }
      result[unknown] = .fixed(count / divisor)
    } else if symbols.count == 1, count == divisor {
      result[unknown] = .named(symbols[0])
    }
    return result
  }

  func transposed(_ permutation: [Int]) throws(NNError) -> Shape {
    guard permutation.count == rank else {
      throw NNError(.invalidGraph, "a permutation of \(permutation.count) axes for a tensor of rank \(rank)")
    }
    var seen = 0
    var result: [Dimension] = []
    for axis in permutation {
      try requireAxis(axis)
      guard seen & (1 << axis) == 0 else {
        throw NNError(.invalidGraph, "axis \(axis) stands twice in a permutation")
      }
      seen |= 1 << axis
      result.append(self[axis])
    }
    return Shape(result)
  }

  func expanded(to target: Shape) throws(NNError) -> Shape {
    try target.validate()
    let result = try Shape.broadcast(self, target)
    guard result.rank == target.rank, result.mayEqual(target) else {
      throw NNError(.shapeMismatch, "\(description) cannot be repeated to \(target.description)")
    }
    for axis in 0..<rank {
      let wanted = target[axis + target.rank - rank]
      if wanted == .fixed(1), self[axis] != .fixed(1), self[axis].extent != nil {
        throw NNError(.shapeMismatch, "\(description) cannot be repeated to \(target.description)")
      }
    }
    return target
  }

  func sliced(_ ranges: [SliceRange]) throws(NNError) -> Shape {
    guard ranges.count == rank else {
      throw NNError(.invalidGraph, "\(ranges.count) ranges for a tensor of rank \(rank)")
    }
    var result = self
    for axis in 0..<rank {
      guard ranges[axis].step != 0 else { throw NNError(.invalidGraph, "a slice with step 0") }
      if ranges[axis] == .all { continue }
      if let extent = self[axis].extent {
        result[axis] = .fixed(ranges[axis].resolved(extent: extent).count)
      } else {
        result[axis] = .unknown
      }
    }
    return result
  }

  func padded(_ pad: Pad) throws(NNError) -> Shape {
    guard pad.before.count == rank, pad.after.count == rank else {
      throw NNError(.invalidGraph, "padding for \(pad.before.count) axes of a tensor of rank \(rank)")
    }
    var result = self
    for axis in 0..<rank {
      let (before, after) = (pad.before[axis], pad.after[axis])
      guard before >= 0, after >= 0, before <= Shape.maximumElementCount, after <= Shape.maximumElementCount
      else {
        throw NNError(.invalidGraph, "padding by \(before) and \(after)")
      }
      if before == 0 && after == 0 { continue }
      if let extent = self[axis].extent {
        result[axis] = .fixed(extent + before + after)
      } else {
        result[axis] = .unknown
      }
    }
    return result
  }

  func gathered(axis: Int, indices: TensorType) throws(NNError) -> Shape {
    try requireAxis(axis)
    guard indices.dtype == .i32 || indices.dtype == .i64 else {
      throw NNError(.dtypeMismatch, "indices must be i32 or i64, not \(indices.dtype.name)")
    }
    var result = dimensions
    result.replaceSubrange(axis...axis, with: indices.shape.dimensions)
    return Shape(result)
  }
}
