import NNGraph

// Reductions of integers and doubles: in the same order as those of f32, one element at a time. Compiled once.

/// y = fold of x along some axes, both of the kernel's type; see ``ReduceArguments``.
public struct ScalarReduceArguments {
  public var x: UnsafeRawPointer
  public var y: UnsafeMutableRawPointer
  public var layout: ReduceLayout

  @inlinable public init(x: UnsafeRawPointer, y: UnsafeMutableRawPointer, layout: ReduceLayout) {
    self.x = x
    self.y = y
    self.layout = layout
  }
}

/// A number that sums and products are made of; integers wrap.
protocol ScalarNumber: BitwiseCopyable, Comparable {
  init(count: Int)
  static func sum(_ a: Self, _ b: Self) -> Self
  static func product(_ a: Self, _ b: Self) -> Self
  /// Toward zero for integers; 0 for a divisor of 0.
  static func quotient(_ a: Self, _ b: Self) -> Self
  /// The ends of the range.
  static var least: Self { get }
  static var greatest: Self { get }
}

extension ScalarNumber where Self: FixedWidthInteger {
  init(count: Int) { self.init(truncatingIfNeeded: count) }
  static func sum(_ a: Self, _ b: Self) -> Self { a &+ b }
  static func product(_ a: Self, _ b: Self) -> Self { a &* b }
  static func quotient(_ a: Self, _ b: Self) -> Self { TotalDivide<Self>.apply(a, b) }
  static var least: Self { min }
  static var greatest: Self { max }
}

extension Int32: ScalarNumber {}
extension Int64: ScalarNumber {}
extension UInt64: ScalarNumber {}

extension Double: ScalarNumber {
  init(count: Int) { self.init(count) }
  static func sum(_ a: Double, _ b: Double) -> Double { a + b }
  static func product(_ a: Double, _ b: Double) -> Double { a * b }
  static func quotient(_ a: Double, _ b: Double) -> Double { a / b }
  static var least: Double { -.infinity }
  static var greatest: Double { .infinity }
}

extension ReduceFunction {
  /// What a lane starts with; taking it in changes nothing.
  @inline(__always)
  fileprivate func start<T: ScalarNumber>(_: T.Type) -> T {
    switch self {
    case .sum, .mean, .sumOfSquares: T(count: 0)
    case .product: T(count: 1)
    case .maximum: T.least
    case .minimum: T.greatest
    }
  }

  /// NaN stays NaN.
  @inline(__always)
  fileprivate func joined<T: ScalarNumber>(_ a: T, _ b: T) -> T {
    switch self {
    case .sum, .mean, .sumOfSquares: T.sum(a, b)
    case .product: T.product(a, b)
    case .maximum: b < a || a != a ? a : b
    case .minimum: a < b || a != a ? a : b
    }
  }
}

/// The function is looked up for each element: one loop for all of a type's functions.
@_optimize(size)
func reduceScalar<T: ScalarNumber>(
  _ arguments: ScalarReduceArguments, _ range: Range<Int>, _ function: ReduceFunction, _: T.Type
) {
  let layout = arguments.layout
  let x = arguments.x.assumingMemoryBound(to: T.self)
  let y = arguments.y.assumingMemoryBound(to: T.self)
  let step = layout.reducedStrides[layout.reducedRank &- 1]
  let keptStep = layout.keptStrides[layout.keptRank &- 1]
  var kept = StridedWalk(
    layout.keptRank, layout.keptDims, layout.keptStrides, layout.keptStrides, layout.keptStrides, range)
  while kept.next() {
    var unit = 0
    while unit < kept.count {
      var lanes = InlineArray<16, T>(repeating: function.start(T.self))
      var walk = reducedWalk(layout)
      while walk.next() {
        let source = x + (kept.offset0 &+ unit &* keptStep &+ walk.offset0)
        var i = 0
        while i < walk.count {
          let value = source[i &* step]
          let lane = (walk.position &+ i) & 15
          lanes[lane] = function.joined(
            lanes[lane], function == .sumOfSquares ? T.product(value, value) : value)
          i &+= 1
        }
      }
      var distance = 8
      while distance > 0 {
        var i = 0
        while i < distance {
          lanes[i] = function.joined(lanes[i], lanes[i &+ distance])
          i &+= 1
        }
        distance /= 2
      }
      let isMean = function == .mean
      y[kept.position &+ unit] = isMean ? T.quotient(lanes[0], T(count: layout.reducedCount)) : lanes[0]
      unit &+= 1
    }
  }
}

/// nil for types other than f64, i64 and u64.
func scalarReduceKernel(_ function: ReduceFunction, _ type: DType) -> RangeKernel<ScalarReduceArguments>? {
  switch type {
  case .f64: { reduceScalar($0, $1, function, Double.self) }
  case .i64: { reduceScalar($0, $1, function, Int64.self) }
  case .u64: { reduceScalar($0, $1, function, UInt64.self) }
  case .f32, .f16, .bf16, .f8e4m3fn, .f8e4m3fnuz, .f8e5m2, .f8e5m2fnuz, .f8e8m0, .f4e2m1, .i8, .i16, .i32,
    .i4, .i2,
    .u8, .u16, .u32, .u4, .u2, .bool:
    nil
  }
}
