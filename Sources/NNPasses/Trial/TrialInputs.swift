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
  /// Integers of more than 8 bits stay below it, if it is given.
  public var integerLimit: Int?
  public var seed: UInt64

  /// Numbers come again after so many elements, a prime that no usual extent divides: a file can keep them in little room.
  private static let period = 1021
  /// Bytes that all inputs together may take.
  private static let sizeLimit = 1 << 28

  public init(
    extents: [String: Int] = [:], freeExtent: Int = 2, integerLimit: Int? = nil, seed: UInt64 = 1
  ) {
    self.extents = extents
    self.freeExtent = freeExtent
    self.integerLimit = integerLimit
    self.seed = seed
  }

  /// A tensor for each input of a graph.
  ///
  /// - Throws: ``ErrorCode/limitExceeded`` for inputs of more than 256 MB, ``ErrorCode/outOfMemory``.
  public func tensors(for graph: Graph) throws(NNError) -> [Tensor] {
    var random = UniformNumbers(seed: seed)
    let bounds = graph.indexBounds(freeExtent: freeExtent)
    var tensors: [Tensor] = []
    var size = 0
    for id in graph.inputs {
      let type = graph[id].type
      let extents = type.shape.dimensions.map { extent(of: $0, graph) }
      let bytes = try Tensor.byteCount(dtype: type.dtype, extents: extents, layout: .rowMajor)
      size += min(bytes, TrialInputs.sizeLimit + 1)
      guard size <= TrialInputs.sizeLimit else {
        throw NNError(.limitExceeded, "inputs of more than \(TrialInputs.sizeLimit) bytes")
      }
      tensors.append(
        type.dtype.isFloatingPoint
          ? try numbers(type.dtype, extents, &random)
          : try integers(type.dtype, extents, bound: bounds[id.index], &random))
    }
    return tensors
  }

  private func extent(of dimension: Dimension, _ graph: Graph) -> Int {
    switch dimension {
    case .fixed(let extent): extent
    case .named(let symbol): extents[graph.symbols[symbol].string] ?? freeExtent
    case .unknown: freeExtent
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
    _ dtype: DType, _ extents: [Int], bound: Int?, _ random: inout UniformNumbers
  ) throws(NNError) -> Tensor {
    var range = 0..<2
    if dtype.isInteger, dtype.bitWidth <= 8 {
      range =
        dtype.isSigned ? -(1 << (dtype.bitWidth - 1))..<1 << (dtype.bitWidth - 1) : 0..<1 << dtype.bitWidth
      if let bound { range = 0..<max(min(bound, range.upperBound), 1) }
    } else if dtype.isInteger {
      range = 0..<max(min(bound ?? 2, integerLimit ?? .max), 1)
      if dtype.bitWidth <= 16 { range = 0..<min(range.upperBound, 1 << 15) }
    }
    let table = (0..<TrialInputs.period).map { _ in
      Int64(range.lowerBound) + Int64(Double(random.next()) * Double(range.count))
    }
    let count = try Tensor.byteCount(dtype: .i64, extents: extents, layout: .rowMajor) / 8
    let values = (0..<count).map { table[$0 % TrialInputs.period] }
    return try Tensor(values, extents: extents).cast(to: dtype)
  }
}

extension Graph {
  /// For each value that selects from an axis of a tensor, the smallest extent of such an axis; for one that is compared with classes,
  /// their number.
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
      case .compare(.equal):
        // One of the classes that it is compared with.
        for (input, other) in [(0, 1), (1, 0)] {
          let classes = try? self[node.inputs[other]].constant?.integers().max()
          if let last = classes, (1..<Int64(Int32.max)).contains(last) {
            lower(node.inputs[input], to: Int(last) + 1)
          }
        }
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
}
