import NNGraph

// Operators that slide a window over the last two axes of (N, C, H, W).

extension Window {
  /// The row (axis 0) or column (axis 1) of the input that tap `tap` of output position `output` reads; it may lie in the
  /// padding, outside the input.
  fileprivate func source(axis: Int, output: Int, tap: Int) -> Int {
    output * strides[axis] + tap * dilations[axis] - paddingBefore[axis]
  }

  /// All taps (row, column) of the window.
  fileprivate var taps: Indices { Indices(extent) }
}

extension ReferenceTensor {
  /// The position of (n, c, row, column), or nil in the padding.
  private func pixel(_ n: Int, _ c: Int, _ row: Int, _ column: Int) -> Int? {
    guard row >= 0, row < extents[2], column >= 0, column < extents[3] else { return nil }
    return ((n * extents[1] + c) * extents[2] + row) * extents[3] + column
  }

  /// The positions in x that the window at (row, column) covers, in row-major order, without padding.
  private func covered(_ window: Window, _ n: Int, _ c: Int, _ row: Int, _ column: Int) -> [Int] {
    window.taps.compactMap { tap in
      pixel(
        n, c, window.source(axis: 0, output: row, tap: tap[0]),
        window.source(axis: 1, output: column, tap: tap[1]))
    }
  }

  /// x (N, C, H, W), weight (M, C/groups, kH, kW) → (N, M, oH, oW)
  func convolution(
    _ convolution: Convolution, weight: ReferenceTensor, bias: ReferenceTensor?, _ extents: [Int]
  ) -> ReferenceTensor {
    let window = convolution.window
    let (filters, channels) = (weight.extents[0], weight.extents[1])
    let results = Indices(extents).map { index -> Double in
      let (n, m) = (index[0], index[1])
      let group = m / (filters / convolution.groups)
      var sum = 0.0
      for c in 0..<channels {
        for tap in window.taps {
          let row = window.source(axis: 0, output: index[2], tap: tap[0])
          let column = window.source(axis: 1, output: index[3], tap: tap[1])
          // A padded tap takes part as a zero: it gives NaN where the weight is infinite.
          let x = pixel(n, group * channels + c, row, column).map { values[$0] } ?? 0
          sum += x * weight.values[weight.position([m, c] + tap)]
        }
      }
      if let bias { sum += bias.values[m] }
      return convolution.activation.reference(sum)
    }
    return ReferenceTensor(results, extents: extents)
  }

  func pool(_ pool: Pool, _ extents: [Int]) -> ReferenceTensor {
    let results = Indices(extents).map { index -> Double in
      let elements = covered(pool.window, index[0], index[1], index[2], index[3]).map { values[$0] }
      switch pool.function {
      case .maximum: return ReduceFunction.maximum.reference(elements)
      case .average: return elements.reduce(0, +) / pool.divisor(covered: elements.count)
      }
    }
    return ReferenceTensor(results, extents: extents)
  }

  /// dx (N, C, H, W) for dy (N, C, oH, oW)
  func poolGradient(_ pool: Pool, gradient: ReferenceTensor) -> ReferenceTensor {
    var result = ReferenceTensor([Double](repeating: 0, count: count), extents: extents)
    for (output, index) in Indices(gradient.extents).enumerated() {
      let positions = covered(pool.window, index[0], index[1], index[2], index[3])
      let dy = gradient.values[output]
      switch pool.function {
      case .maximum:
        let largest = ReduceFunction.maximum.reference(positions.map { values[$0] })
        let origin = positions.first { largest.isNaN ? values[$0].isNaN : values[$0] == largest }
        if let origin { result.values[origin] += dy }
      case .average:
        for position in positions { result.values[position] += dy / pool.divisor(covered: positions.count) }
      }
    }
    return result
  }

  /// x (N, C, H, W), dy (N, M, oH, oW) → (M, C/groups, kH, kW)
  func convolutionWeightGradient(
    _ window: Window, groups: Int, gradient: ReferenceTensor, _ extents: [Int]
  ) -> ReferenceTensor {
    let results = Indices(extents).map { index -> Double in
      let (m, group) = (index[0], index[0] / max(extents[0] / groups, 1))
      var sum = 0.0
      for n in 0..<gradient.extents[0] {
        for y in 0..<gradient.extents[2] {
          let row = window.source(axis: 0, output: y, tap: index[2])
          for x in 0..<gradient.extents[3] {
            let column = window.source(axis: 1, output: x, tap: index[3])
            let input = pixel(n, group * extents[1] + index[1], row, column).map { values[$0] } ?? 0
            sum += input * gradient.values[gradient.position([n, m, y, x])]
          }
        }
      }
      return sum
    }
    return ReferenceTensor(results, extents: extents)
  }

  /// x (N, C, H, W) → (N, C·kH·kW, oH·oW)
  func unfold(_ window: Window, _ extents: [Int]) -> ReferenceTensor {
    let width = window.outputExtent(axis: 1, of: self.extents[3])
    return rearranged(to: extents) { index in
      let (c, tap) = window.split(row: index[1])
      return pixel(
        index[0], c, window.source(axis: 0, output: index[2] / width, tap: tap[0]),
        window.source(axis: 1, output: index[2] % width, tap: tap[1]))
    }
  }

  /// x (N, C·kH·kW, oH·oW) → (N, C, H, W)
  func fold(_ window: Window, _ extents: [Int]) -> ReferenceTensor {
    var result = ReferenceTensor([Double](repeating: 0, count: extents.reduce(1, *)), extents: extents)
    let width = window.outputExtent(axis: 1, of: extents[3])
    for (patch, index) in Indices(self.extents).enumerated() {
      let (c, tap) = window.split(row: index[1])
      let target = result.pixel(
        index[0], c, window.source(axis: 0, output: index[2] / width, tap: tap[0]),
        window.source(axis: 1, output: index[2] % width, tap: tap[1]))
      if let target { result.values[target] += values[patch] }
    }
    return result
  }
}

extension Window {
  /// Channel and tap of a row of the unfolded matrix.
  fileprivate func split(row: Int) -> (channel: Int, tap: [Int]) {
    let taps = extent[0] * extent[1]
    return (row / taps, [row % taps / extent[1], row % extent[1]])
  }
}

extension Pool {
  /// What the average over a window divides by; a window of padding alone gives 0.
  fileprivate func divisor(covered: Int) -> Double {
    Double(countsPadding ? window.extent[0] * window.extent[1] : max(covered, 1))
  }
}
