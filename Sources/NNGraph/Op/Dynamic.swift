/// What a plan for fixed extents cannot hold as it stands: parameters that are values, results whose extents are values, and
/// graphs inside the graph.
///
/// Parameters that follow from the inputs' extents are known before anything runs, and the node becomes the plain operator
/// named below. The others are computed first, and the rest of the graph is planned when they are there.
public enum Dynamic: Equatable, Sendable {
  // Parameters that are values
  /// x → i64 (rank): the extents of x
  case shape
  /// x, shape (i64 (R)) → x as ``Op/reshape(_:)``. One extent may be −1, and follows from the others; 0 stands for x's own extent,
  /// unless `allowsZero`
  case reshape(allowsZero: Bool)
  /// x, shape (i64 (R)) → x as ``Op/expand(_:)``, to what x and the shape broadcast to
  case expand
  /// x, starts, ends, steps (i64 (k) each) → x as ``Op/slice(_:)``, along the k axes
  case slice(axes: [Int])
  /// x, amounts (i64 (2k): before each of the k axes, then after each) → x as ``Op/pad(_:)``; where all amounts are 0 or less, that
  /// many elements are cut off
  case pad(axes: [Int], value: Float)
  /// start, limit, step (scalars, all i32, i64 or f32) → (n): start, start + step, … before the limit
  case range

  // Results whose extents are values
  /// x → i64 (rank, n): the indices of the elements that are not zero, in row-major order
  case nonZero
  /// x → the distinct elements (n) of x, or its distinct slices along `axis`, in ascending order or that of their first appearance;
  /// then i64 (n): where each appears first; i64 (m): which of them each element or slice is; i64 (n): how often each appears
  case unique(axis: Int?, sorts: Bool)
  /// boxes (B, S, 4), scores (B, C, S), most boxes of a class (i64), intersection over union above which a box is dropped (f32), score
  /// that a box must exceed (f32) → i64 (n, 3): batch, class and box of those selected
  case nonMaxSuppression(isCentered: Bool)

  // Graphs inside the graph
  /// condition (bool, one element), captures… → the results of one of two of ``Graph/bodies``, whose inputs are the captures
  case branch(then: Int, otherwise: Int)
  /// most iterations (i64, one element), condition (bool, one element), c carried values…, captures… → the carried values at the end,
  /// then each further result of every iteration, joined along a new first axis.
  ///
  /// The body takes iteration (i64), condition, carried values, captures, and gives condition, carried values, further results.
  case loop(body: Int, carried: Int)
}

extension Dynamic {
  var name: StaticString {
    switch self {
    case .shape: "shape"
    case .reshape: "dynamic reshape"
    case .expand: "dynamic expand"
    case .slice: "dynamic slice"
    case .pad: "dynamic pad"
    case .range: "range"
    case .nonZero: "nonZero"
    case .unique: "unique"
    case .nonMaxSuppression: "nonMaxSuppression"
    case .branch: "branch"
    case .loop: "loop"
    }
  }

  var inputCounts: ClosedRange<Int> {
    switch self {
    case .shape, .nonZero, .unique: 1...1
    case .reshape, .expand, .pad: 2...2
    case .slice: 4...4
    case .range: 3...3
    case .nonMaxSuppression: 5...5
    case .branch: 1...Int.max
    case .loop: 2...Int.max
    }
  }

  /// Positions of the inputs whose contents decide the result's extents, if those may be known before the node runs.
  public var parameters: Range<Int> {
    switch self {
    case .reshape, .expand, .pad: 1..<2
    case .slice: 1..<4
    case .range: 0..<3
    case .shape, .nonZero, .unique, .nonMaxSuppression, .branch, .loop: 0..<0
    }
  }

  /// Whether the node runs by itself between two plans, because its results have extents that nobody knows before.
  public var runsAlone: Bool {
    switch self {
    case .nonZero, .unique, .nonMaxSuppression, .branch, .loop: true
    case .shape, .reshape, .expand, .slice, .pad, .range: false
    }
  }

  /// The plain operator for known parameters, in the order of ``parameters``; nil for a range, which is a value itself.
  ///
  /// - Throws: ``ErrorCode/shapeMismatch`` or ``ErrorCode/invalidGraph`` for values that cannot be.
  func binding(_ x: TensorType, _ values: [[Int64]]) throws(NNError) -> Op? {
    switch self {
    case .reshape(let allowsZero): return .reshape(try x.shape.target(values[0], allowsZero: allowsZero))
    case .expand:
      var extents: [Int] = []
      for value in values[0] { extents.append(try Dynamic.extent(value)) }
      return .expand(try Shape.broadcast(x.shape, Shape(extents)))
    case .slice(let axes):
      var ranges = [SliceRange](repeating: .all, count: x.shape.rank)
      guard values[0].count == axes.count, values[1].count == axes.count, values[2].count == axes.count else {
        throw NNError(.shapeMismatch, "starts, ends and steps are not \(axes.count) numbers each")
      }
      for (position, axis) in axes.enumerated() {
        try x.shape.requireAxis(axis)
        ranges[axis] = SliceRange(
          start: Int(values[0][position]), end: Int(values[1][position]), step: Int(values[2][position]))
      }
      return .slice(ranges)
    case .pad(let axes, let value): return try x.shape.padding(axes, values[0], value)
    case .shape, .range, .nonZero, .unique, .nonMaxSuppression, .branch, .loop: return nil
    }
  }

  private static func extent(_ value: Int64) throws(NNError) -> Int {
    guard value >= 0, value <= Int64(Shape.maximumElementCount) else {
      throw NNError(.shapeMismatch, "an extent of \(value)")
    }
    return Int(value)
  }
}

extension Shape {
  /// What a reshape's shape tensor asks for.
  fileprivate func target(_ values: [Int64], allowsZero: Bool) throws(NNError) -> Shape {
    var result = Shape([Int]())
    for (axis, value) in values.enumerated() {
      if value == 0, !allowsZero {
        guard axis < rank else {
          throw NNError(.shapeMismatch, "keeps the extent of axis \(axis) of \(description)")
        }
        result.dimensions.append(self[axis])
      } else if value == -1 {
        result.dimensions.append(.unknown)
      } else {
        guard value >= 0, value <= Int64(Shape.maximumElementCount) else {
          throw NNError(.shapeMismatch, "\(description) cannot have an extent of \(value)")
        }
        result.dimensions.append(.fixed(Int(value)))
      }
    }
    return result
  }

  fileprivate func padding(_ axes: [Int], _ amounts: [Int64], _ value: Float) throws(NNError) -> Op {
    guard amounts.count == 2 * axes.count else {
      throw NNError(.shapeMismatch, "\(amounts.count) amounts of padding for \(axes.count) axes")
    }
    let limit = Int64(Shape.maximumElementCount)
    var before = [Int](repeating: 0, count: rank)
    var after = before
    var cuts = false
    var adds = false
    for (position, axis) in axes.enumerated() {
      try requireAxis(axis)
      let (first, last) = (amounts[position], amounts[position + axes.count])
      guard first >= -limit, first <= limit, last >= -limit, last <= limit else {
        throw NNError(.shapeMismatch, "padding by \(first) and \(last)")
      }
      (before[axis], after[axis]) = (Int(first), Int(last))
      cuts = cuts || first < 0 || last < 0
      adds = adds || first > 0 || last > 0
    }
    if !cuts { return .pad(Pad(before: before, after: after, value: value)) }
    guard !adds else {
      throw NNError(
        .unsupportedOperator, "padding that adds elements in one place and cuts them off in another")
    }
    var ranges: [SliceRange] = []
    for axis in 0..<rank {
      // A start of 0 keeps everything; an end counts from the axis's end unless nothing is cut there.
      ranges.append(SliceRange(start: -before[axis], end: after[axis] == 0 ? Int.max : after[axis]))
    }
    return .slice(ranges)
  }
}
