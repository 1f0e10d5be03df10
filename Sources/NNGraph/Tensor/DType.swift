/// The type of one element of a tensor.
///
/// Raw values are the wire codes of the `.nnrt` format and of `nnrt_dtype` in the C API: they never change.
///
/// Types of 4 and 2 bits take a byte for each element, in its low bits: everywhere, in memory, in files and in the API. What reads
/// them ignores the upper bits, and what writes them leaves those 0, as NumPy's `ml_dtypes` has it.
public enum DType: UInt8, CaseIterable, Sendable {
  /// IEEE 754 binary32.
  case f32 = 1
  /// IEEE 754 binary64.
  case f64 = 2
  /// IEEE 754 binary16.
  case f16 = 3
  /// The upper half of an IEEE 754 binary32 (bfloat16).
  case bf16 = 4
  /// 8 bits: sign, 4 of exponent (bias 7), 3 of mantissa; no infinities, NaN is S.1111.111. Micikevicius et al. 2022.
  case f8e4m3fn = 8
  /// 8 bits: sign, 4 of exponent (bias 8), 3 of mantissa; no infinities, no −0, NaN is 80₁₆. Noune et al. 2022.
  case f8e4m3fnuz = 9
  /// 8 bits: the upper half of a binary16.
  case f8e5m2 = 10
  /// 8 bits: sign, 5 of exponent (bias 16), 2 of mantissa; no infinities, no −0, NaN is 80₁₆.
  case f8e5m2fnuz = 11
  /// 8 bits of exponent (bias 127): powers of two and NaN, FF₁₆. OCP Microscaling Formats 1.0.
  case f8e8m0 = 12
  /// 4 bits: sign, 2 of exponent (bias 1), 1 of mantissa: 0, 0.5, 1, 1.5, 2, 3, 4, 6 and their negatives. OCP Microscaling Formats 1.0.
  case f4e2m1 = 13
  /// Signed 8-bit integer.
  case i8 = 16
  /// Signed 16-bit integer.
  case i16 = 17
  /// Signed 32-bit integer.
  case i32 = 18
  /// Signed 64-bit integer.
  case i64 = 19
  /// Signed 4-bit integer.
  case i4 = 20
  /// Signed 2-bit integer.
  case i2 = 21
  /// Unsigned 8-bit integer.
  case u8 = 24
  /// Unsigned 16-bit integer.
  case u16 = 25
  /// Unsigned 32-bit integer.
  case u32 = 26
  /// Unsigned 64-bit integer.
  case u64 = 27
  /// Unsigned 4-bit integer.
  case u4 = 28
  /// Unsigned 2-bit integer.
  case u2 = 29
  /// One byte, 0 (false) or 1 (true).
  case bool = 32

  /// Bytes one element takes.
  @inlinable public var size: Int {
    switch self {
    case .f64, .i64, .u64: 8
    case .f32, .i32, .u32: 4
    case .f16, .bf16, .i16, .u16: 2
    case .f8e4m3fn, .f8e4m3fnuz, .f8e5m2, .f8e5m2fnuz, .f8e8m0, .f4e2m1, .i8, .u8, .i4, .u4, .i2, .u2,
      .bool:
      1
    }
  }

  /// Bits of one element that mean something: 2 or 4 for the narrow types, else 8 for every byte.
  @inlinable public var bitWidth: Int {
    switch self {
    case .f4e2m1, .i4, .u4: 4
    case .i2, .u2: 2
    case .f64, .f32, .f16, .bf16, .f8e4m3fn, .f8e4m3fnuz, .f8e5m2, .f8e5m2fnuz, .f8e8m0, .i8, .i16, .i32,
      .i64, .u8, .u16, .u32, .u64, .bool:
      8 * size
    }
  }

  /// True for the types that hold fractions.
  @inlinable public var isFloatingPoint: Bool {
    switch self {
    case .f32, .f64, .f16, .bf16, .f8e4m3fn, .f8e4m3fnuz, .f8e5m2, .f8e5m2fnuz, .f8e8m0, .f4e2m1: true
    case .i8, .i16, .i32, .i64, .i4, .i2, .u8, .u16, .u32, .u64, .u4, .u2, .bool: false
    }
  }

  /// True for the integer types; `bool` is none of them.
  @inlinable public var isInteger: Bool { isSigned || isUnsigned }

  /// True for the integers that may be negative.
  @inlinable public var isSigned: Bool {
    switch self {
    case .i8, .i16, .i32, .i64, .i4, .i2: true
    case .u8, .u16, .u32, .u64, .u4, .u2, .bool, .f32, .f64, .f16, .bf16, .f8e4m3fn, .f8e4m3fnuz, .f8e5m2,
      .f8e5m2fnuz, .f8e8m0, .f4e2m1:
      false
    }
  }

  /// True for the integers that are never negative; `bool` is none of them.
  @inlinable public var isUnsigned: Bool {
    switch self {
    case .u8, .u16, .u32, .u64, .u4, .u2: true
    case .i8, .i16, .i32, .i64, .i4, .i2, .bool, .f32, .f64, .f16, .bf16, .f8e4m3fn, .f8e4m3fnuz, .f8e5m2,
      .f8e5m2fnuz, .f8e8m0, .f4e2m1:
      false
    }
  }

  /// The name used in messages and by `nnpack inspect`.
  public var name: StaticString {
    switch self {
    case .f32: "f32"
    case .f64: "f64"
    case .f16: "f16"
    case .bf16: "bf16"
    case .f8e4m3fn: "f8e4m3fn"
    case .f8e4m3fnuz: "f8e4m3fnuz"
    case .f8e5m2: "f8e5m2"
    case .f8e5m2fnuz: "f8e5m2fnuz"
    case .f8e8m0: "f8e8m0"
    case .f4e2m1: "f4e2m1"
    case .i8: "i8"
    case .i16: "i16"
    case .i32: "i32"
    case .i64: "i64"
    case .i4: "i4"
    case .i2: "i2"
    case .u8: "u8"
    case .u16: "u16"
    case .u32: "u32"
    case .u64: "u64"
    case .u4: "u4"
    case .u2: "u2"
    case .bool: "bool"
    }
  }
}
