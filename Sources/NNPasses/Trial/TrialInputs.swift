import NNGraph

/// Inputs to try a graph out with: seeded random numbers of every type.
///
/// Floating-point numbers are normal ones. Integers of up to 8 bits take all their values; wider ones are indices of the tables that they
/// select from or classes that they are compared with, or else 0 and 1, which most models take for indices, masks and counts.
public struct TrialInputs: Sendable {
  /// Extents of free dimensions by name.
  public var extents: [String: Int]
  /// The extent of the other free dimensions.
  public var freeExtent: Int
  /// The extent of those that come first in an input's shape, with their namesakes anywhere; ``freeExtent`` if it is nil.
  public var batchExtent: Int?
  /// Integers of more than 8 bits stay below it, if it is given.
  public var integerLimit: Int?
  public var seed: UInt64

  /// Numbers come again after so many elements, a prime that no usual extent divides: a file can keep them in little room.
  private static let period = 1021
  /// Bytes that all inputs together may take.
  private static let sizeLimit = 1 << 28

  public init(
    extents: [String: Int] = [:], freeExtent: Int = 2, batchExtent: Int? = nil, integerLimit: Int? = nil,
    seed: UInt64 = 1
  ) {
    self.extents = extents
    self.freeExtent = freeExtent
    self.batchExtent = batchExtent
    self.integerLimit = integerLimit
    self.seed = seed
  }

  /// A tensor for each input of a graph.
  ///
  /// - Throws: ``ErrorCode/limitExceeded`` for inputs of more than 256 MB, ``ErrorCode/outOfMemory``.
  public func tensors(for graph: Graph) throws(NNError) -> [Tensor] {
    var random = UniformNumbers(seed: seed)
    let bounds = graph.indexBounds(freeExtent: freeExtent)
    let classes = graph.comparedClasses()
    let batches = graph.inputs.compactMap { graph[$0].type.shape.dimensions.first }
    var tensors: [Tensor] = []
    var size = 0
    for id in graph.inputs {
      let type = graph[id].type
      let extents = type.shape.dimensions.enumerated().map { axis, dimension in
        extent(
          of: dimension, isBatch: axis == 0 || dimension != .unknown && batches.contains(dimension), graph)
      }
      let bytes = try Tensor.byteCount(dtype: type.dtype, extents: extents, layout: .rowMajor)
      size += min(bytes, TrialInputs.sizeLimit + 1)
      guard size <= TrialInputs.sizeLimit else {
        throw NNError(.limitExceeded, "inputs of more than \(TrialInputs.sizeLimit) bytes")
      }
      tensors.append(
        type.dtype.isFloatingPoint
          ? try numbers(type.dtype, extents, &random)
          : try integers(type.dtype, extents, bound: bounds[id.index], classes: classes[id.index], &random))
    }
    return tensors
  }

  private func extent(of dimension: Dimension, isBatch: Bool, _ graph: Graph) -> Int {
    let free = isBatch ? batchExtent ?? freeExtent : freeExtent
    switch dimension {
    case .fixed(let extent): return extent
    case .named(let symbol): return extents[graph.symbols[symbol].string] ?? free
    case .unknown: return free
    }
  }

  private func numbers(_ dtype: DType, _ extents: [Int], _ random: inout UniformNumbers) throws(NNError)
    -> Tensor
  {
    let table = (0..<TrialInputs.period).map { _ -> Float in
      // A sum of four is normal enough.
      var number: Float = -2
      for _ in 0..<4 { number += random.next() }
      return number * 1.7320508
    }
    let count = try Tensor.byteCount(dtype: .f32, extents: extents, layout: .rowMajor) / 4
    let values = (0..<count).map { table[$0 % TrialInputs.period] }
    return try Tensor(values, extents: extents).cast(to: dtype)
  }

  private func integers(
    _ dtype: DType, _ extents: [Int], bound: Int?, classes: [Int64], _ random: inout UniformNumbers
  ) throws(NNError) -> Tensor {
    var range = 0..<2
    // Indices and integers of few bits are not chosen among classes.
    let classes = dtype.bitWidth <= 8 || bound != nil || integerLimit != nil ? [] : classes
    if dtype.isInteger, dtype.bitWidth <= 8 {
      range =
        dtype.isSigned ? -(1 << (dtype.bitWidth - 1))..<1 << (dtype.bitWidth - 1) : 0..<1 << dtype.bitWidth
      if let bound { range = 0..<max(min(bound, range.upperBound), 1) }
    } else if dtype.isInteger {
      range = 0..<max(min(bound ?? 2, integerLimit ?? .max), 1)
      if dtype.bitWidth <= 16 { range = 0..<min(range.upperBound, 1 << 15) }
    }
    if !classes.isEmpty { range = 0..<classes.count }
    let table = (0..<TrialInputs.period).map { _ in
      let number = Int64(range.lowerBound) + Int64(Double(random.next()) * Double(range.count))
      return classes.isEmpty ? number : classes[Int(number)]
    }
    let count = try Tensor.byteCount(dtype: .i64, extents: extents, layout: .rowMajor) / 8
    let values = (0..<count).map { table[$0 % TrialInputs.period] }
    return try Tensor(values, extents: extents).cast(to: dtype)
  }
}

extension Graph {
  /// For each value that selects from an axis of a tensor, the smallest extent of such an axis.
  fileprivate func indexBounds(freeExtent: Int) -> [Int?] {
    var bounds = [Int?](repeating: nil, count: values.count)
    func lower(_ id: ValueID, to bound: Int?) {
      guard let bound else { return }
      bounds[id.index] = min(bounds[id.index] ?? bound, bound)
    }
    for node in nodes.reversed() {
      let bound = bounds[node.outputs[0].index]
      switch node.op {
      case .gather(let axis), .scatter(_, let axis):
        let shape = self[node.inputs[0]].type.shape
        lower(node.inputs[1], to: shape[axis].extent ?? freeExtent)
      case .select:
        for input in node.inputs.dropFirst() { lower(input, to: bound) }
      case .concat:
        for input in node.inputs { lower(input, to: bound) }
      case .cast, .reshape, .transpose, .expand, .slice, .dynamic, .unary:
        if let input = node.inputs.first { lower(input, to: bound) }
      case .binary, .compare, .reduce, .argument, .matmul, .convolution, .pool, .normalize, .softmax,
        .recurrent,
        .recurrentGradient, .pad, .argsort, .random, .normalizeTraining, .convolutionWeightGradient, .unfold,
        .fold,
        .poolGradient:
        break
      }
    }
    return bounds
  }

  /// For each value that is compared for equality with constants, these, and where it is but one, another number.
  fileprivate func comparedClasses() -> [[Int64]] {
    var classes = [[Int64]](repeating: [], count: values.count)
    for node in nodes.reversed() {
      switch node.op {
      case .compare(.equal), .compare(.notEqual):
        for (input, other) in [(0, 1), (1, 0)] {
          guard let constants = try? self[node.inputs[other]].constant?.integers() else { continue }
          var all = Set(constants.prefix(1 << 16))
          if all.count == 1 { all.insert(all.contains(0) ? 1 : 0) }
          classes[node.inputs[input].index] = all.sorted()
        }
      case .cast, .reshape, .transpose, .expand, .slice, .dynamic:
        guard let input = node.inputs.first, classes[input.index].isEmpty else { continue }
        classes[input.index] = classes[node.outputs[0].index]
      case .unary, .binary, .compare, .select, .reduce, .argument, .matmul, .convolution, .pool, .normalize,
        .softmax, .recurrent, .recurrentGradient, .pad, .concat, .gather, .scatter, .argsort, .random,
        .normalizeTraining, .convolutionWeightGradient, .unfold, .fold, .poolGradient:
        continue
      }
    }
    return classes
  }
}
