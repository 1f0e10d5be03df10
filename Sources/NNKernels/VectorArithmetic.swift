import CPlatform

// The standard library has these operators for all vectors at once, lane by lane, and leaves it to the optimizer to put the lanes together
// again, in which it does not always succeed. These are one instruction for each register.

extension Vector {
  @inlinable @inline(__always) public static func + (a: Vector, b: Vector) -> Vector { nnp_add(a, b) }
  @inlinable @inline(__always) public static func - (a: Vector, b: Vector) -> Vector { nnp_subtract(a, b) }
  @inlinable @inline(__always) public static func * (a: Vector, b: Vector) -> Vector { nnp_multiply(a, b) }
  @inlinable @inline(__always) public static func / (a: Vector, b: Vector) -> Vector { nnp_divide(a, b) }
  /// 0 - a: for a zero of either sign +0.
  @inlinable @inline(__always) public static prefix func - (a: Vector) -> Vector { nnp_splat(0) - a }
}

extension SIMD8<Float> {
  @inlinable @inline(__always) public static func + (a: Self, b: Self) -> Self { nnp_add_half(a, b) }
}

extension DoubleVector {
  @inlinable @inline(__always)
  public static func + (a: DoubleVector, b: DoubleVector) -> DoubleVector { nnp_add_f64(a, b) }
  @inlinable @inline(__always)
  public static func - (a: DoubleVector, b: DoubleVector) -> DoubleVector { nnp_subtract_f64(a, b) }
  @inlinable @inline(__always)
  public static func * (a: DoubleVector, b: DoubleVector) -> DoubleVector { nnp_multiply_f64(a, b) }
  @inlinable @inline(__always)
  public static func / (a: DoubleVector, b: DoubleVector) -> DoubleVector { nnp_divide_f64(a, b) }
}
