import NNGraph

// Functions of two integers or doubles, and of two floats where they are seldom used. All are exact or correctly rounded but `power` of
// doubles, and none is where time goes: they are compiled once, for the baseline, and small.

protocol ScalarFunction {
  associatedtype Operand
  associatedtype Result
  static func apply(_ a: Operand, _ b: Operand) -> Result
}

/// out[i] = f(a[i·aStep], b[i·bStep]) for elements of a function's types.
typealias ScalarRun =
  @Sendable (
    _ a: UnsafeRawPointer, _ aStep: Int, _ b: UnsafeRawPointer, _ bStep: Int, _ out: UnsafeMutableRawPointer,
    _ count: Int
  ) -> Void

@_optimize(size)
func binaryRun<F: ScalarFunction>(
  _ a: UnsafeRawPointer, _ aStep: Int, _ b: UnsafeRawPointer, _ bStep: Int, _ out: UnsafeMutableRawPointer,
  _ count: Int, _: F.Type
) {
  let x = a.assumingMemoryBound(to: F.Operand.self)
  let y = b.assumingMemoryBound(to: F.Operand.self)
  let target = out.assumingMemoryBound(to: F.Result.self)
  var i = 0
  while i < count {
    target[i] = F.apply(x[i &* aStep], y[i &* bStep])
    i &+= 1
  }
}

/// The kernel of a function for a type, nil where it has none: see `Op.computeType(for:)`.
@export(interface)
public func scalarBinaryKernel(_ function: BinaryFunction, _ type: DType) -> RangeKernel<BinaryArguments>? {
  guard let run = binaryRun(function, type) else { return nil }
  let size = type.size
  return { forEachRun($0, $1, (size, size), run) }
}

private func binaryRun(_ function: BinaryFunction, _ type: DType) -> ScalarRun? {
  switch type {
  case .f32:
    switch function {
    case .remainder: { binaryRun($0, $1, $2, $3, $4, $5, Remainder<Float>.self) }
    case .modulo: { binaryRun($0, $1, $2, $3, $4, $5, Modulo<Float>.self) }
    case .add, .subtract, .multiply, .divide, .minimum, .maximum, .power, .bitwiseAnd, .bitwiseOr,
      .bitwiseXor,
      .shiftLeft, .shiftRight:
      nil
    }
  case .f64: doubleRun(function)
  case .i32: ringRun(function, Int32.self) ?? integerRun(function, Int32.self)
  case .i64: ringRun(function, Int64.self) ?? integerRun(function, Int64.self)
  // Where the bits are the same, so is the code.
  case .u64: ringRun(function, Int64.self) ?? integerRun(function, UInt64.self)
  case .i8, .u8, .bool: bitRun(function, UInt8.self)
  case .f16, .bf16, .f8e4m3fn, .f8e4m3fnuz, .f8e5m2, .f8e5m2fnuz, .f8e8m0, .f4e2m1, .i16, .i4, .i2, .u16,
    .u32,
    .u4, .u2:
    nil
  }
}

/// What does not depend on the sign of an integer type.
@inline(__always)
private func ringRun<T: FixedWidthInteger & SendableMetatype>(_ function: BinaryFunction, _: T.Type)
  -> ScalarRun?
{
  switch function {
  case .add: { binaryRun($0, $1, $2, $3, $4, $5, WrappingAdd<T>.self) }
  case .subtract: { binaryRun($0, $1, $2, $3, $4, $5, WrappingSubtract<T>.self) }
  case .multiply: { binaryRun($0, $1, $2, $3, $4, $5, WrappingMultiply<T>.self) }
  case .shiftLeft: { binaryRun($0, $1, $2, $3, $4, $5, ShiftLeft<T>.self) }
  case .bitwiseAnd, .bitwiseOr, .bitwiseXor: bitRun(function, T.self)
  case .divide, .minimum, .maximum, .power, .shiftRight, .remainder, .modulo: nil
  }
}

@inline(__always)
private func bitRun<T: FixedWidthInteger & SendableMetatype>(_ function: BinaryFunction, _: T.Type)
  -> ScalarRun?
{
  switch function {
  case .bitwiseAnd: { binaryRun($0, $1, $2, $3, $4, $5, BitwiseAnd<T>.self) }
  case .bitwiseOr: { binaryRun($0, $1, $2, $3, $4, $5, BitwiseOr<T>.self) }
  case .bitwiseXor: { binaryRun($0, $1, $2, $3, $4, $5, BitwiseXor<T>.self) }
  case .add, .subtract, .multiply, .divide, .minimum, .maximum, .power, .shiftLeft, .shiftRight, .remainder,
    .modulo:
    nil
  }
}

/// What does depend on it.
@inline(__always)
private func integerRun<T: FixedWidthInteger & SendableMetatype>(_ function: BinaryFunction, _: T.Type)
  -> ScalarRun?
{
  switch function {
  case .divide: { binaryRun($0, $1, $2, $3, $4, $5, TotalDivide<T>.self) }
  case .minimum: { binaryRun($0, $1, $2, $3, $4, $5, Smaller<T>.self) }
  case .maximum: { binaryRun($0, $1, $2, $3, $4, $5, Larger<T>.self) }
  case .power: { binaryRun($0, $1, $2, $3, $4, $5, IntegerPower<T>.self) }
  case .shiftRight: { binaryRun($0, $1, $2, $3, $4, $5, ShiftRight<T>.self) }
  case .remainder: { binaryRun($0, $1, $2, $3, $4, $5, TotalRemainder<T>.self) }
  case .modulo: { binaryRun($0, $1, $2, $3, $4, $5, TotalModulo<T>.self) }
  case .add, .subtract, .multiply, .bitwiseAnd, .bitwiseOr, .bitwiseXor, .shiftLeft: nil
  }
}

private func doubleRun(_ function: BinaryFunction) -> ScalarRun? {
  switch function {
  case .add: { binaryRun($0, $1, $2, $3, $4, $5, AddDoubles.self) }
  case .subtract: { binaryRun($0, $1, $2, $3, $4, $5, SubtractDoubles.self) }
  case .multiply: { binaryRun($0, $1, $2, $3, $4, $5, MultiplyDoubles.self) }
  case .divide: { binaryRun($0, $1, $2, $3, $4, $5, DivideDoubles.self) }
  case .minimum: { binaryRun($0, $1, $2, $3, $4, $5, SmallerDouble.self) }
  case .maximum: { binaryRun($0, $1, $2, $3, $4, $5, LargerDouble.self) }
  case .power: { binaryRun($0, $1, $2, $3, $4, $5, PowerOfDoubles.self) }
  case .remainder: { binaryRun($0, $1, $2, $3, $4, $5, Remainder<Double>.self) }
  case .modulo: { binaryRun($0, $1, $2, $3, $4, $5, Modulo<Double>.self) }
  case .bitwiseAnd, .bitwiseOr, .bitwiseXor, .shiftLeft, .shiftRight: nil
  }
}

// Integers

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

/// With the sign of the dividend; 0 for a divisor of 0.
enum TotalRemainder<T: FixedWidthInteger>: ScalarFunction {
  static func apply(_ a: T, _ b: T) -> T {
    b == 0 ? 0 : a.remainderReportingOverflow(dividingBy: b).partialValue
  }
}

/// With the sign of the divisor; 0 for a divisor of 0.
enum TotalModulo<T: FixedWidthInteger>: ScalarFunction {
  static func apply(_ a: T, _ b: T) -> T {
    let remainder = TotalRemainder<T>.apply(a, b)
    return remainder != 0 && (remainder < 0) != (b < 0) ? remainder &+ b : remainder
  }
}

enum Smaller<T: FixedWidthInteger>: ScalarFunction {
  static func apply(_ a: T, _ b: T) -> T { a < b ? a : b }
}

enum Larger<T: FixedWidthInteger>: ScalarFunction {
  static func apply(_ a: T, _ b: T) -> T { a < b ? b : a }
}

/// By squaring. With b < 0: ±1 for a = ±1, else 0.
enum IntegerPower<T: FixedWidthInteger>: ScalarFunction {
  static func apply(_ a: T, _ b: T) -> T {
    if b < 0 && a != 1 && a != 0 &- 1 { return 0 }
    var (power, factor) = (1 as T, a)
    // For b < 0 only its last bit matters.
    var rest = b < 0 ? b & 1 : b
    while rest != 0 {
      if rest & 1 != 0 { power = power &* factor }
      factor = factor &* factor
      rest >>= 1
    }
    return power
  }
}

/// Swift's shifts take any distance; a negative one would go the other way.
enum ShiftLeft<T: FixedWidthInteger>: ScalarFunction {
  static func apply(_ a: T, _ b: T) -> T { b < 0 ? 0 : a << b }
}

enum ShiftRight<T: FixedWidthInteger>: ScalarFunction {
  static func apply(_ a: T, _ b: T) -> T { b < 0 ? a >> T.bitWidth : a >> b }
}

enum BitwiseAnd<T: FixedWidthInteger>: ScalarFunction {
  static func apply(_ a: T, _ b: T) -> T { a & b }
}

enum BitwiseOr<T: FixedWidthInteger>: ScalarFunction {
  static func apply(_ a: T, _ b: T) -> T { a | b }
}

enum BitwiseXor<T: FixedWidthInteger>: ScalarFunction {
  static func apply(_ a: T, _ b: T) -> T { a ^ b }
}

// Fractions

enum AddDoubles: ScalarFunction {
  static func apply(_ a: Double, _ b: Double) -> Double { a + b }
}

enum SubtractDoubles: ScalarFunction {
  static func apply(_ a: Double, _ b: Double) -> Double { a - b }
}

enum MultiplyDoubles: ScalarFunction {
  static func apply(_ a: Double, _ b: Double) -> Double { a * b }
}

enum DivideDoubles: ScalarFunction {
  static func apply(_ a: Double, _ b: Double) -> Double { a / b }
}

/// NaN if either is.
enum SmallerDouble: ScalarFunction {
  static func apply(_ a: Double, _ b: Double) -> Double { a < b || a.isNaN ? a : b }
}

/// NaN if either is.
enum LargerDouble: ScalarFunction {
  static func apply(_ a: Double, _ b: Double) -> Double { b < a || a.isNaN ? a : b }
}

enum PowerOfDoubles: ScalarFunction {
  static func apply(_ a: Double, _ b: Double) -> Double { power64(a, b) }
}

/// Exact; NaN for a divisor of 0 or an infinite dividend.
enum Remainder<T: BinaryFloatingPoint>: ScalarFunction {
  static func apply(_ a: T, _ b: T) -> T { a.truncatingRemainder(dividingBy: b) }
}

/// One rounding where the remainder has the dividend's sign instead.
enum Modulo<T: BinaryFloatingPoint>: ScalarFunction {
  static func apply(_ a: T, _ b: T) -> T {
    let remainder = Remainder<T>.apply(a, b)
    return remainder != 0 && (remainder < 0) != (b < 0) ? remainder + b : remainder
  }
}
