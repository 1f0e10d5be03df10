/// The type of one element of a tensor.
///
/// Raw values are the wire codes of the `.nnrt` format and of `nnrt_dtype` in the C API: they never change.
public enum DType: UInt8, CaseIterable, Sendable {
  /// IEEE 754 binary32.
  case f32 = 1
  /// IEEE 754 binary64.
  case f64 = 2
  /// IEEE 754 binary16.
  case f16 = 3
  /// The upper half of an IEEE 754 binary32 (bfloat16).
  case bf16 = 4
  /// Signed 8-bit integer.
  case i8 = 16
  /// Signed 16-bit integer.
  case i16 = 17
  /// Signed 32-bit integer.
  case i32 = 18
  /// Signed 64-bit integer.
  case i64 = 19
  /// Unsigned 8-bit integer.
  case u8 = 24
  /// One byte, 0 (false) or 1 (true).
  case bool = 32

  /// Bytes one element takes.
  @inlinable public var size: Int {
    switch self {
    case .f64, .i64: 8
    case .f32, .i32: 4
    case .f16, .bf16, .i16: 2
    case .i8, .u8, .bool: 1
    }
  }

  /// True for the types that hold fractions.
  @inlinable public var isFloatingPoint: Bool {
    switch self {
    case .f32, .f64, .f16, .bf16: true
    case .i8, .i16, .i32, .i64, .u8, .bool: false
    }
  }

  /// True for the integer types; `bool` is none of them.
  @inlinable public var isInteger: Bool {
    switch self {
    case .i8, .i16, .i32, .i64, .u8: true
    case .f32, .f64, .f16, .bf16, .bool: false
    }
  }

  /// The name used in messages and by `nnpack inspect`.
  public var name: StaticString {
    switch self {
    case .f32: "f32"
    case .f64: "f64"
    case .f16: "f16"
    case .bf16: "bf16"
    case .i8: "i8"
    case .i16: "i16"
    case .i32: "i32"
    case .i64: "i64"
    case .u8: "u8"
    case .bool: "bool"
    }
  }
}
