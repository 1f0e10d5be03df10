import NNGraph

/// c = a·b + bias, one matrix, of integers or doubles. Integers wrap around; of doubles each product is rounded before it is added, k
/// ascending from the bias on. Work units: the rows of c.
public struct ScalarMatmulArguments {
  /// (M, K), with strides in elements.
  public var a: UnsafeRawPointer
  /// (K, N), with strides in elements.
  public var b: UnsafeRawPointer
  /// (N) or nil.
  public var bias: UnsafeRawPointer?
  /// (M, N), row-major.
  public var c: UnsafeMutableRawPointer
  public var n: Int
  public var k: Int
  public var aStrides: (row: Int, column: Int)
  public var bStrides: (row: Int, column: Int)

  @inlinable public init(
    a: UnsafeRawPointer, b: UnsafeRawPointer, bias: UnsafeRawPointer?, c: UnsafeMutableRawPointer, n: Int,
    k: Int,
    aStrides: (row: Int, column: Int), bStrides: (row: Int, column: Int)
  ) {
    self.a = a
    self.b = b
    self.bias = bias
    self.c = c
    self.n = n
    self.k = k
    self.aStrides = aStrides
    self.bStrides = bStrides
  }
}

private func matmulScalar<T: ScalarNumber>(_ arguments: ScalarMatmulArguments, _ rows: Range<Int>, _: T.Type)
{
  let a = arguments.a.assumingMemoryBound(to: T.self)
  let b = arguments.b.assumingMemoryBound(to: T.self)
  let bias = arguments.bias?.assumingMemoryBound(to: T.self)
  let (n, step) = (arguments.n, arguments.bStrides.column)
  var row = rows.lowerBound
  while row < rows.upperBound {
    let c = arguments.c.assumingMemoryBound(to: T.self) + row &* n
    var j = 0
    while j < n {
      c[j] = bias?[j] ?? T(count: 0)
      j &+= 1
    }
    var i = 0
    while i < arguments.k {
      let factor = a[row &* arguments.aStrides.row &+ i &* arguments.aStrides.column]
      let source = b + i &* arguments.bStrides.row
      j = 0
      while j < n {
        c[j] = T.sum(c[j], T.product(factor, source[j &* step]))
        j &+= 1
      }
      i &+= 1
    }
    row &+= 1
  }
}

/// nil for types other than f64, i32 and i64.
func scalarMatmulKernel(_ type: DType) -> RangeKernel<ScalarMatmulArguments>? {
  switch type {
  case .f64: { matmulScalar($0, $1, Double.self) }
  case .i32: { matmulScalar($0, $1, Int32.self) }
  case .i64: { matmulScalar($0, $1, Int64.self) }
  case .f32, .f16, .bf16, .f8e4m3fn, .f8e4m3fnuz, .f8e5m2, .f8e5m2fnuz, .f8e8m0, .f4e2m1, .i8, .i16, .i4, .i2,
    .u8,
    .u16, .u32, .u64, .u4, .u2, .bool:
    nil
  }
}
