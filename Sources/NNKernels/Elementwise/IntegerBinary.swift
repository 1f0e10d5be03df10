import NNGraph

// Integer arithmetic, comparisons and selection are exact on every machine: they are compiled once, for the baseline.

protocol ScalarFunction {
  associatedtype Operand
  associatedtype Result
  static func apply(_ a: Operand, _ b: Operand) -> Result
}

/// See ``BinaryArguments``. There are dozens of instances, and none is where time goes.
@_optimize(size)
func binaryScalar<F: ScalarFunction>(_ arguments: BinaryArguments, _ range: Range<Int>, _: F.Type) {
  let a = arguments.a.assumingMemoryBound(to: F.Operand.self)
  let b = arguments.b.assumingMemoryBound(to: F.Operand.self)
  let out = arguments.out.assumingMemoryBound(to: F.Result.self)
  let aStep = arguments.aStrides[arguments.rank &- 1]
  let bStep = arguments.bStrides[arguments.rank &- 1]
  var walk = StridedWalk(
    arguments.rank, arguments.dims, arguments.aStrides, arguments.bStrides, arguments.bStrides, range)
  while walk.next() {
    let x = a + walk.offset0
    let y = b + walk.offset1
    let target = out + walk.position
    var i = 0
    while i < walk.count {
      target[i] = F.apply(x[i &* aStep], y[i &* bStep])
      i &+= 1
    }
  }
}

enum WrappingAdd<T: FixedWidthInteger>: ScalarFunction {
  static func apply(_ a: T, _ b: T) -> T { a &+ b }
}

enum WrappingSubtract<T: FixedWidthInteger>: ScalarFunction {
  static func apply(_ a: T, _ b: T) -> T { a &- b }
}

enum WrappingMultiply<T: FixedWidthInteger>: ScalarFunction {
  static func apply(_ a: T, _ b: T) -> T { a &* b }
}

/// Toward zero; 0 for a divisor of 0, and the smallest integer over −1 wraps to itself.
enum TotalDivide<T: FixedWidthInteger>: ScalarFunction {
  static func apply(_ a: T, _ b: T) -> T { b == 0 ? 0 : a.dividedReportingOverflow(by: b).partialValue }
}

enum Smaller<T: FixedWidthInteger>: ScalarFunction {
  static func apply(_ a: T, _ b: T) -> T { a < b ? a : b }
}

enum Larger<T: FixedWidthInteger>: ScalarFunction {
  static func apply(_ a: T, _ b: T) -> T { a < b ? b : a }
}

/// nil where the function has no meaning for the type.
@export(interface)
public func integerBinaryKernel(_ function: BinaryFunction, _ type: DType) -> RangeKernel<BinaryArguments>? {
  switch type {
  case .i32: integerBinaryKernel(function, Int32.self)
  case .i64: integerBinaryKernel(function, Int64.self)
  case .f32, .f64, .f16, .bf16, .i8, .i16, .u8, .bool: nil
  }
}

@inline(__always)
private func integerBinaryKernel<T: FixedWidthInteger & SendableMetatype>(
  _ function: BinaryFunction, _: T.Type
)
  -> RangeKernel<BinaryArguments>?
{
  switch function {
  case .add: { binaryScalar($0, $1, WrappingAdd<T>.self) }
  case .subtract: { binaryScalar($0, $1, WrappingSubtract<T>.self) }
  case .multiply: { binaryScalar($0, $1, WrappingMultiply<T>.self) }
  case .divide: { binaryScalar($0, $1, TotalDivide<T>.self) }
  case .minimum: { binaryScalar($0, $1, Smaller<T>.self) }
  case .maximum: { binaryScalar($0, $1, Larger<T>.self) }
  case .power: nil
  }
}
