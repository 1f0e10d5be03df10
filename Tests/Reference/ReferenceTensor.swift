import NNGraph

/// A tensor of the reference evaluator: numbers as `Double`, row-major.
///
/// f32 values are not rounded to 24 bits between operators, so that the evaluator tells what a graph means rather than what one
/// order of roundings makes of it, and so that central differences through it are accurate.
public struct ReferenceTensor: Sendable, Equatable {
  public let dtype: DType
  public let extents: [Int]
  /// Every element as the nearest `Double`; true is 1.
  public var values: [Double]
  /// Every element exactly, for integers and bool, of u64 the bits; empty for the floating-point types.
  public let integers: [Int64]

  /// A tensor of a floating-point type; f32 unless told.
  public init(_ values: [Double], extents: [Int], dtype: DType = .f32) {
    precondition(dtype.isFloatingPoint && values.count == extents.reduce(1, *))
    self.dtype = dtype
    self.extents = extents
    self.values = values
    integers = []
  }

  /// A tensor of an integer type or bool; i64 unless told.
  public init(integers: [Int64], extents: [Int], dtype: DType = .i64) {
    precondition(!dtype.isFloatingPoint && integers.count == extents.reduce(1, *))
    self.dtype = dtype
    self.extents = extents
    self.integers = integers
    values = integers.map { dtype == .u64 ? Double(UInt64(bitPattern: $0)) : Double($0) }
  }

  public var count: Int { values.count }
  public var rank: Int { extents.count }

  /// For each row-major step along an axis, how many elements it skips: (…, d₁·d₂, d₂, 1).
  var strides: [Int] {
    var result = [Int](repeating: 1, count: rank)
    for axis in stride(from: rank - 2, through: 0, by: -1) {
      result[axis] = result[axis + 1] * extents[axis + 1]
    }
    return result
  }

  /// Where the element at `index` stands in `values`.
  func position(_ index: [Int]) -> Int {
    var result = 0
    for axis in 0..<rank { result = result * extents[axis] + index[axis] }
    return result
  }

  /// The tensor whose element at each index of `extents` is this one's at the position `source` tells, or `fill`
  /// where it tells none. All movement of data is this.
  func rearranged(
    to extents: [Int], fill: (fraction: Double, integer: Int64) = (0, 0), source: ([Int]) -> Int?
  ) -> ReferenceTensor {
    let sources = Indices(extents).map { source($0) }
    if dtype.isFloatingPoint {
      return ReferenceTensor(
        sources.map { $0.map { values[$0] } ?? fill.fraction }, extents: extents, dtype: dtype)
    }
    return ReferenceTensor(
      integers: sources.map { $0.map { integers[$0] } ?? fill.integer }, extents: extents, dtype: dtype)
  }
}

/// All indices into a tensor of the given extents, in row-major order.
struct Indices: Sequence, IteratorProtocol {
  private let extents: [Int]
  private var upcoming: [Int]?

  init(_ extents: [Int]) {
    self.extents = extents
    upcoming = extents.contains(0) ? nil : [Int](repeating: 0, count: extents.count)
  }

  mutating func next() -> [Int]? {
    guard let result = upcoming else { return nil }
    var following = result
    for axis in stride(from: extents.count - 1, through: 0, by: -1) {
      following[axis] += 1
      if following[axis] < extents[axis] {
        upcoming = following
        return result
      }
      following[axis] = 0
    }
    upcoming = nil
    return result
  }
}
