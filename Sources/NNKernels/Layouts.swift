// Few dimensions for strided kernels: extents of 1 are dropped and neighbours merged wherever every operand allows it.

/// One set of dimensions that up to three operands are walked over, each with its own strides.
///
/// The rank is at least 1; the operand at stride 0 repeats.
public struct BroadcastLayout: Sendable {
  public var rank: Int
  public var dims: Dimensions
  public var strides0: Dimensions
  public var strides1: Dimensions
  public var strides2: Dimensions

  /// The number of positions, which is the number of work units of the kernels that take this layout.
  public var count: Int { product(dims, rank) }

  /// Strides in elements for every dimension, outermost first; a list left empty means all 0.
  ///
  /// nil if more than ``maximumRank`` dimensions remain after merging, or the lists' lengths differ.
  public init?(dims: [Int], strides0: [Int], strides1: [Int], strides2: [Int] = []) {
    rank = 0
    self.dims = Dimensions(repeating: 1)
    self.strides0 = Dimensions(repeating: 0)
    self.strides1 = Dimensions(repeating: 0)
    self.strides2 = Dimensions(repeating: 0)
    for strides in [strides0, strides1, strides2] where !strides.isEmpty && strides.count != dims.count {
      return nil
    }
    if dims.contains(0) {
      rank = 1
      self.dims[0] = 0
      return
    }
    for i in 0..<dims.count where dims[i] != 1 {
      let s0 = strides0.isEmpty ? 0 : strides0[i]
      let s1 = strides1.isEmpty ? 0 : strides1[i]
      let s2 = strides2.isEmpty ? 0 : strides2[i]
      let last = rank &- 1
      if rank > 0, self.strides0[last] == s0 &* dims[i], self.strides1[last] == s1 &* dims[i],
        self.strides2[last] == s2 &* dims[i]
      {
        self.dims[last] = self.dims[last] &* dims[i]
      } else {
        if rank == maximumRank { return nil }
        self.dims[rank] = dims[i]
        rank &+= 1
      }
      self.strides0[rank &- 1] = s0
      self.strides1[rank &- 1] = s1
      self.strides2[rank &- 1] = s2
    }
    if rank == 0 { rank = 1 }
  }

  /// Contiguous row-major operands broadcast (trailing dimensions aligned) to the shape of the output.
  ///
  /// nil if a shape does not broadcast to `output`, or more than ``maximumRank`` dimensions remain after merging.
  public init?(output: [Int], _ shape0: [Int], _ shape1: [Int], _ shape2: [Int] = []) {
    guard let strides0 = Self.broadcastStrides(of: shape0, to: output),
      let strides1 = Self.broadcastStrides(of: shape1, to: output),
      let strides2 = Self.broadcastStrides(of: shape2, to: output)
    else { return nil }
    self.init(dims: output, strides0: strides0, strides1: strides1, strides2: strides2)
  }

  /// Strides of a contiguous row-major tensor: (…, d1·d2, d2, 1).
  public static func contiguousStrides(_ shape: [Int]) -> [Int] {
    var strides = [Int](repeating: 1, count: shape.count)
    var next = 1
    for i in stride(from: shape.count &- 1, through: 0, by: -1) {
      strides[i] = next
      next = next &* shape[i]
    }
    return strides
  }

  /// Strides that read a contiguous `shape` as `output`, 0 where it repeats; nil if it does not broadcast.
  public static func broadcastStrides(of shape: [Int], to output: [Int]) -> [Int]? {
    if shape.count > output.count { return nil }
    let own = contiguousStrides(shape)
    let lead = output.count &- shape.count
    var strides = [Int](repeating: 0, count: output.count)
    for i in 0..<shape.count {
      if shape[i] == output[lead &+ i] {
        strides[lead &+ i] = shape[i] == 1 ? 0 : own[i]
      } else if shape[i] != 1 {
        return nil
      }
    }
    return strides
  }
}

/// The dimensions of a reduction: those kept and those folded, each with its strides in x.
public struct ReduceLayout: Sendable {
  public var keptRank: Int
  public var keptDims: Dimensions
  public var keptStrides: Dimensions
  public var reducedRank: Int
  public var reducedDims: Dimensions
  public var reducedStrides: Dimensions

  /// The number of outputs, which is the number of work units.
  public var count: Int { product(keptDims, keptRank) }
  /// How many elements each output folds.
  @inlinable @inline(__always) public var reducedCount: Int { product(reducedDims, reducedRank) }

  /// `isReduced[i]` says whether axis i of the contiguous `shape` is folded.
  ///
  /// nil if more than ``maximumRank`` dimensions of either kind remain after merging, or the lengths differ.
  public init?(shape: [Int], isReduced: [Bool]) {
    if shape.count != isReduced.count { return nil }
    let strides = BroadcastLayout.contiguousStrides(shape)
    var dims: [[Int]] = [[], []]
    var steps: [[Int]] = [[], []]
    for i in 0..<shape.count {
      dims[isReduced[i] ? 1 : 0].append(shape[i])
      steps[isReduced[i] ? 1 : 0].append(strides[i])
    }
    guard let kept = BroadcastLayout(dims: dims[0], strides0: steps[0], strides1: []),
      let reduced = BroadcastLayout(dims: dims[1], strides0: steps[1], strides1: [])
    else { return nil }
    keptRank = kept.rank
    keptDims = kept.dims
    keptStrides = kept.strides0
    reducedRank = reduced.rank
    reducedDims = reduced.dims
    reducedStrides = reduced.strides0
  }
}

/// The product of the first `rank` extents.
@inlinable @inline(__always)
func product(_ dims: Dimensions, _ rank: Int) -> Int {
  var count = 1
  var i = 0
  while i < rank {
    count = count &* dims[i]
    i &+= 1
  }
  return count
}
