import CNNRT
import NNGraph
import NNRuntime

/// The type of a tensor's elements. Numbers never change.
@c public enum nnrt_dtype: Int32, CaseIterable {
  /// IEEE 754 binary32, `float`.
  case f32 = 1
  /// IEEE 754 binary64, `double`.
  case f64 = 2
  /// IEEE 754 binary16.
  case f16 = 3
  /// bfloat16: the upper half of a binary32.
  case bf16 = 4
  /// 8 bits: sign, 4 of exponent with bias 7, 3 of mantissa; no infinities.
  case f8e4m3fn = 8
  /// 8 bits: sign, 4 of exponent with bias 8, 3 of mantissa; no infinities and no negative zero.
  case f8e4m3fnuz = 9
  /// 8 bits: the upper half of a binary16.
  case f8e5m2 = 10
  /// 8 bits: sign, 5 of exponent with bias 16, 2 of mantissa; no infinities and no negative zero.
  case f8e5m2fnuz = 11
  /// 8 bits of exponent with bias 127: powers of two and NaN.
  case f8e8m0 = 12
  /// 4 bits, in the low half of a byte: sign, 2 of exponent with bias 1, 1 of mantissa.
  case f4e2m1 = 13
  /// Signed 8-bit integer.
  case i8 = 16
  /// Signed 16-bit integer.
  case i16 = 17
  /// Signed 32-bit integer.
  case i32 = 18
  /// Signed 64-bit integer.
  case i64 = 19
  /// Signed 4-bit integer, in the low half of a byte whose other bits are ignored when read and 0 when written.
  case i4 = 20
  /// Signed 2-bit integer, in the low bits of a byte likewise.
  case i2 = 21
  /// Unsigned 8-bit integer.
  case u8 = 24
  /// Unsigned 16-bit integer.
  case u16 = 25
  /// Unsigned 32-bit integer.
  case u32 = 26
  /// Unsigned 64-bit integer.
  case u64 = 27
  /// Unsigned 4-bit integer, in the low half of a byte likewise.
  case u4 = 28
  /// Unsigned 2-bit integer, in the low bits of a byte likewise.
  case u2 = 29
  /// One byte, 0 (false) or 1 (true).
  case bool = 32
}

extension DType {
  /// - Throws: ``ErrorCode/invalidArgument`` for a number that is no element type.
  init(code: nnrt_dtype_code) throws(NNError) {
    guard let raw = UInt8(exactly: code), let dtype = DType(rawValue: raw) else {
      throw NNError(.invalidArgument, "\(code) is no nnrt_dtype")
    }
    self = dtype
  }

  var code: nnrt_dtype_code { nnrt_dtype_code(rawValue) }
}

/// The name of an element type, such as "f32".
///
/// - Parameters:
///   - dtype: Any number.
/// - Returns: A text that lives as long as the program; "unknown" for a number that is no element type. Never NULL.
/// - Threads: Any.
@c(nnrt_dtype_name) public func nnrt_dtype_name(_ dtype: nnrt_dtype_code) -> UnsafePointer<CChar> {
  guard let raw = UInt8(exactly: dtype), let known = DType(rawValue: raw) else { return cString("unknown") }
  return cString(known.name)
}

/// How many bytes one element takes.
///
/// - Parameters:
///   - dtype: Any number.
/// - Returns: 1, 2, 4 or 8; 0 for a number that is no element type.
/// - Threads: Any.
@c(nnrt_dtype_size) public func nnrt_dtype_size(_ dtype: nnrt_dtype_code) -> size_t {
  guard let raw = UInt8(exactly: dtype), let known = DType(rawValue: raw) else { return 0 }
  return known.size
}

/// Which instructions a session may use. All of them give the same bits.
@c public enum nnrt_instruction_set: Int32, CaseIterable {
  /// What the environment variable NNRT_ISA says (`baseline`, `v3` or `v4`), else the best this machine can run.
  case automatic = 0
  /// What every processor of the architecture can run.
  case baseline = 1
  /// x86-64-v3: AVX2 and FMA.
  case v3 = 2
  /// x86-64-v4: AVX-512.
  case v4 = 3
}

extension InstructionSetLevel {
  /// - Throws: ``ErrorCode/invalidArgument`` for a number that is no instruction set.
  init(code: nnrt_instruction_set_code) throws(NNError) {
    guard let raw = UInt8(exactly: code), let level = InstructionSetLevel(rawValue: raw) else {
      throw NNError(.invalidArgument, "\(code) is no nnrt_instruction_set")
    }
    self = level
  }
}

/// The library's version as text, such as "0.1.0".
///
/// - Returns: A text that lives as long as the program. Never NULL.
/// - Threads: Any.
@c(nnrt_version) public func nnrt_version() -> UnsafePointer<CChar> {
  nnp_version_text()
}

/// The library's version as a number that grows with it: major times 10000, plus minor times 100, plus patch.
///
/// - Returns: What the library is, where NNRT_VERSION_MAJOR and its fellows are what the program was compiled with.
/// - Threads: Any.
@c(nnrt_version_number) public func nnrt_version_number() -> UInt32 {
  UInt32(NNRT_VERSION_MAJOR) * 10000 + UInt32(NNRT_VERSION_MINOR) * 100 + UInt32(NNRT_VERSION_PATCH)
}
