import Foundation
import NNGraph

// Operators that fold axes or look along one: reductions, softmax, normalisation, matrix products.

extension ReferenceTensor {
  /// The positions of the elements that share an index once `axes` are left out, one list per kept index in row-major
  /// order, each list itself in row-major order.
  private func groups(folding axes: [Int]) -> [[Int]] {
    let kept = (0..<rank).filter { !axes.contains($0) }
    let folded = axes.map { extents[$0] }
    return Indices(kept.map { extents[$0] }).map { keptIndex in
      Indices(folded).map { foldedIndex in
        var index = [Int](repeating: 0, count: rank)
        for (axis, i) in zip(kept, keptIndex) { index[axis] = i }
        for (axis, i) in zip(axes, foldedIndex) { index[axis] = i }
        return position(index)
      }
    }
  }

  func reduce(_ reduce: Reduce, _ extents: [Int]) -> ReferenceTensor {
    let groups = groups(folding: reduce.axes)
    if !dtype.isFloatingPoint {
      let results = groups.map { group -> Int64 in
        let elements = group.map { integers[$0] }
        if dtype == .u64 {
          return Int64(bitPattern: reduce.function.reference(elements.map { UInt64(bitPattern: $0) }))
        }
        if elements.isEmpty, let end = ReferenceTensor.end(of: dtype, reduce.function) { return end }
        return ReferenceTensor.wrapped(reduce.function.reference(elements), to: dtype)
      }
      return ReferenceTensor(integers: results, extents: extents, dtype: dtype)
    }
    return ReferenceTensor(
      groups.map { reduce.function.reference($0.map { values[$0] }) }, extents: extents, dtype: dtype)
  }

  /// What an extreme over nothing is: the other end of the type's range.
  private static func end(of dtype: DType, _ function: ReduceFunction) -> Int64? {
    switch function {
    case .maximum: dtype.isSigned ? saturated(.min, to: dtype) : 0
    case .minimum: saturated(.max, to: dtype)
    case .sum, .mean, .product, .sumOfSquares: nil
    }
  }

  func argument(_ argument: ArgumentReduce, _ extents: [Int]) -> ReferenceTensor {
    let results = groups(folding: [argument.axis]).map { group -> Int64 in
      var best = 0
      for i in group.indices {
        let (challenger, champion) = (values[group[i]], values[group[best]])
        let isEqual =
          dtype.isFloatingPoint
          ? challenger == champion || (challenger.isNaN && champion.isNaN)
          : integers[group[i]] == integers[group[best]]
        if isEqual {
          if argument.selectsLast { best = i }
        } else if !champion.isNaN {
          let isLarger = isLarger(group[i], than: group[best])
          if challenger.isNaN || isLarger == argument.findsMaximum { best = i }
        }
      }
      return Int64(best)
    }
    return ReferenceTensor(integers: results, extents: extents)
  }

  /// Of elements that differ.
  private func isLarger(_ a: Int, than b: Int) -> Bool {
    if dtype == .u64 { return UInt64(bitPattern: integers[a]) > UInt64(bitPattern: integers[b]) }
    return dtype.isFloatingPoint ? values[a] > values[b] : integers[a] > integers[b]
  }

  func softmax(_ softmax: Softmax) -> ReferenceTensor {
    var result = self
    for group in groups(folding: [softmax.axis]) {
      let largest = ReduceFunction.maximum.reference(group.map { values[$0] })
      let sum = group.reduce(0.0) { $0 + exp(values[$1] - largest) }
      for position in group {
        let shifted = values[position] - largest
        switch softmax.function {
        case .softmax: result.values[position] = exp(shifted) / sum
        case .logSoftmax: result.values[position] = shifted - log(sum)
        }
      }
    }
    return result
  }

  /// `parameters` are scale and bias, and for batch normalisation mean and variance.
  func normalize(_ normalize: Normalize, _ parameters: [ReferenceTensor]) -> ReferenceTensor {
    var result = self
    let epsilon = Double(normalize.epsilon)
    let (scale, bias) = (parameters[0].values, parameters[1].values)
    switch normalize.kind {
    case .batch:
      let (mean, variance) = (parameters[2].values, parameters[3].values)
      for (position, index) in Indices(extents).enumerated() {
        let c = index[1]
        let standard = (values[position] - mean[c]) / (variance[c] + epsilon).squareRoot()
        result.values[position] = standard * scale[c] + bias[c]
      }
    case .layer:
      for group in groups(folding: [rank - 1]) {
        let count = Double(group.count)
        let mean = group.reduce(0.0) { $0 + values[$1] } / count
        let variance = group.reduce(0.0) { $0 + (values[$1] - mean) * (values[$1] - mean) } / count
        for (d, position) in group.enumerated() {
          let standard = (values[position] - mean) / (variance + epsilon).squareRoot()
          result.values[position] = standard * scale[d] + bias[d]
        }
      }
    }
    return result
  }

  /// Moments and products of channels, and dx of a normalisation of rows.
  func normalizeTraining(
    _ training: NormalizeTraining, _ others: [ReferenceTensor], _ extents: [Int]
  ) -> ReferenceTensor {
    switch training.kind {
    case .channelMoments:
      return channelRows(extents) { _, members in
        let mean = members.reduce(0.0) { $0 + values[$1] } / Double(members.count)
        return (
          mean, members.reduce(0.0) { $0 + (values[$1] - mean) * (values[$1] - mean) } / Double(members.count)
        )
      }
    case .channelProducts:
      let (dy, mean) = (others[0].values, others[1].values)
      return channelRows(extents) { channel, members in
        (
          members.reduce(0.0) { $0 + dy[$1] },
          members.reduce(0.0) { $0 + dy[$1] * (values[$1] - mean[channel]) }
        )
      }
    case .batchGradient:
      let (dy, scale, moments, products) = (
        others[0].values, others[1].values, others[2].values, others[3].values
      )
      var result = self
      let channels = self.extents[1]
      let count = Double(values.count / max(channels, 1))
      for (position, index) in Indices(self.extents).enumerated() {
        let c = index[1]
        let inverse = 1 / (moments[channels + c] + Double(training.epsilon)).squareRoot()
        let normal = (values[position] - moments[c]) * inverse
        let back = products[c] / count + normal * inverse * products[channels + c] / count
        result.values[position] = scale[c] * inverse * (dy[position] - back)
      }
      return result
    case .layerGradient:
      let (scale, dy) = (others[0].values, others[1].values)
      var result = self
      for group in groups(folding: [rank - 1]) {
        let count = Double(group.count)
        let mean = group.reduce(0.0) { $0 + values[$1] } / count
        let variance = group.reduce(0.0) { $0 + (values[$1] - mean) * (values[$1] - mean) } / count
        let inverse = 1 / (variance + Double(training.epsilon)).squareRoot()
        let normal = group.map { (values[$0] - mean) * inverse }
        let gradient = group.enumerated().map { scale[$0] * dy[$1] }
        let shift = gradient.reduce(0, +) / count
        let slope = zip(gradient, normal).reduce(0.0) { $0 + $1.0 * $1.1 } / count
        for (d, position) in group.enumerated() {
          result.values[position] = inverse * (gradient[d] - shift - normal[d] * slope)
        }
      }
      return result
    }
  }

  /// Two numbers for each channel, axis 1, as rows (2, C); the body gets a channel and the positions of its elements.
  private func channelRows(_ extents: [Int], _ body: (Int, [Int]) -> (Double, Double)) -> ReferenceTensor {
    var members = [[Int]](repeating: [], count: self.extents[1])
    for (position, index) in Indices(self.extents).enumerated() { members[index[1]].append(position) }
    let pairs = members.enumerated().map { body($0, $1) }
    return ReferenceTensor(pairs.map { $0.0 } + pairs.map { $0.1 }, extents: extents)
  }

  /// a (…, M, K) · b (…, K, N) + bias (N) → (…, M, N)
  func matmul(_ matmul: Matmul, _ b: ReferenceTensor, bias: ReferenceTensor?, _ extents: [Int])
    -> ReferenceTensor
  {
    let inner = self.extents[matmul.transposesA ? rank - 2 : rank - 1]
    /// The position in `operand` of its (row, column) entry in the batch of the result's `index`.
    func entry(_ operand: ReferenceTensor, _ index: [Int], _ row: Int, _ column: Int, _ transposed: Bool)
      -> Int
    {
      let lead = extents.count - operand.rank
      let batch = (0..<operand.rank - 2).map { operand.extents[$0] == 1 ? 0 : index[$0 + lead] }
      return operand.position(batch + (transposed ? [column, row] : [row, column]))
    }
    if !dtype.isFloatingPoint {
      let results = Indices(extents).map { index -> Int64 in
        let (m, n) = (index[index.count - 2], index[index.count - 1])
        var sum = bias?.integers[n] ?? 0
        for k in 0..<inner {
          sum &+=
            integers[entry(self, index, m, k, matmul.transposesA)]
            &* b.integers[entry(b, index, k, n, matmul.transposesB)]
        }
        return ReferenceTensor.wrapped(sum, to: dtype)
      }
      return ReferenceTensor(integers: results, extents: extents, dtype: dtype)
    }
    let results = Indices(extents).map { index -> Double in
      let (m, n) = (index[index.count - 2], index[index.count - 1])
      var sum = 0.0
      for k in 0..<inner {
        sum +=
          values[entry(self, index, m, k, matmul.transposesA)]
          * b.values[entry(b, index, k, n, matmul.transposesB)]
      }
      if let bias { sum += bias.values[n] }
      return matmul.activation.reference(sum)
    }
    return ReferenceTensor(results, extents: extents, dtype: dtype)
  }
}

extension ReduceFunction {
  /// The fold of all elements, wrapping around; a mean goes toward zero, and is 0 over nothing.
  func reference<T: FixedWidthInteger>(_ elements: [T]) -> T {
    switch self {
    case .sum: elements.reduce(0, &+)
    case .mean: elements.isEmpty ? 0 : elements.reduce(0, &+) / T(elements.count)
    case .maximum: elements.max() ?? .min
    case .minimum: elements.min() ?? .max
    case .product: elements.reduce(1, &*)
    case .sumOfSquares: elements.reduce(0) { $0 &+ $1 &* $1 }
    }
  }

  /// The fold of all elements.
  func reference(_ elements: [Double]) -> Double {
    switch self {
    case .sum: return elements.reduce(0, +)
    case .mean: return elements.reduce(0, +) / Double(elements.count)
    case .maximum: return elements.reduce(-.infinity) { $0.isNaN || $1.isNaN ? .nan : max($0, $1) }
    case .minimum: return elements.reduce(.infinity) { $0.isNaN || $1.isNaN ? .nan : min($0, $1) }
    case .product: return elements.reduce(1, *)
    case .sumOfSquares: return elements.reduce(0) { $0 + $1 * $1 }
    }
  }
}
