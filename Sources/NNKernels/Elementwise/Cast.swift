import NNGraph

// Every conversion is exact or correctly rounded, so one scalar template compiled once serves all machines.
//
// Floats widen to Double, integers to Int64, both exactly; from there each type is reached with one rounding. Fractions
// go toward zero and out-of-range values to the nearest end when the target is an integer; NaN gives 0.

/// A type that elements are converted from and to; `Storage` is how one lies in memory.
protocol CastElement {
  associatedtype Storage: BitwiseCopyable
  associatedtype Wide: WideNumber
  static func widen(_ value: Storage) -> Wide
  static func narrow(_ value: Double) -> Storage
  static func narrow(_ value: Int64) -> Storage
}

/// Double or Int64.
protocol WideNumber {
  func narrow<T: CastElement>(_: T.Type) -> T.Storage
}

extension Double: WideNumber {
  @inline(__always) func narrow<T: CastElement>(_: T.Type) -> T.Storage { T.narrow(self) }
}

extension Int64: WideNumber {
  @inline(__always) func narrow<T: CastElement>(_: T.Type) -> T.Storage { T.narrow(self) }
}

enum Float64Element: CastElement {
  @inline(__always) static func widen(_ value: Double) -> Double { value }
  @inline(__always) static func narrow(_ value: Double) -> Double { value }
  @inline(__always) static func narrow(_ value: Int64) -> Double { Double(value) }
}

enum Float32Element: CastElement {
  @inline(__always) static func widen(_ value: Float) -> Double { Double(value) }
  @inline(__always) static func narrow(_ value: Double) -> Float { Float(value) }
  @inline(__always) static func narrow(_ value: Int64) -> Float { Float(value) }
}

enum Float16Element: CastElement {
  @inline(__always) static func widen(_ value: UInt16) -> Double { Double(floatFromHalf(value)) }
  @inline(__always) static func narrow(_ value: Double) -> UInt16 { halfFromFloat(roundedToOdd(value)) }
  @inline(__always) static func narrow(_ value: Int64) -> UInt16 { narrow(doubleRoundedToOdd(value)) }
}

enum BFloat16Element: CastElement {
  @inline(__always) static func widen(_ value: UInt16) -> Double {
    Double(Float(bitPattern: UInt32(value) << 16))
  }
  @inline(__always) static func narrow(_ value: Double) -> UInt16 { brainFromFloat(roundedToOdd(value)) }
  @inline(__always) static func narrow(_ value: Int64) -> UInt16 { narrow(doubleRoundedToOdd(value)) }
}

enum IntegerElement<T: FixedWidthInteger & BitwiseCopyable>: CastElement {
  @inline(__always) static func widen(_ value: T) -> Int64 { Int64(truncatingIfNeeded: value) }
  @inline(__always) static func narrow(_ value: Int64) -> T { T(clamping: value) }
  @inline(__always) static func narrow(_ value: Double) -> T {
    if value.isNaN { return 0 }
    // ±2⁶³ bound every type here; 2⁶³ itself is a double, the largest Int64 is not.
    if value >= 0x1p63 { return T.max }
    if value < -0x1p63 { return T.min }
    return T(clamping: Int64(value))
  }
}

enum BoolElement: CastElement {
  @inline(__always) static func widen(_ value: UInt8) -> Int64 { value != 0 ? 1 : 0 }
  /// NaN is not 0.
  @inline(__always) static func narrow(_ value: Double) -> UInt8 { value != 0 ? 1 : 0 }
  @inline(__always) static func narrow(_ value: Int64) -> UInt8 { value != 0 ? 1 : 0 }
}

/// The nearest float, but odd in its last bit wherever inexact: a later rounding to fewer bits then sees every lost bit.
@inline(__always)
private func roundedToOdd(_ value: Double) -> Float {
  let near = Float(value)
  let back = Double(near)
  if back == value || value.isNaN || near.bitPattern & 1 == 1 { return near }
  // Even and inexact: step toward the value. Magnitudes order like bit patterns, infinity above the largest float.
  let isBeyond = back.magnitude > value.magnitude
  return Float(bitPattern: isBeyond ? near.bitPattern &- 1 : near.bitPattern &+ 1)
}

/// As `roundedToOdd`, of an integer of more than 53 bits.
@inline(__always)
private func doubleRoundedToOdd(_ value: Int64) -> Double {
  if value.magnitude < 1 << 53 { return Double(value) }
  let kept = value >> 11
  let lost: Int64 = value & 0x7ff != 0 ? 1 : 0
  return Double(kept | lost) * 2048
}

/// Exact.
@inline(__always)
private func floatFromHalf(_ half: UInt16) -> Float {
  let sign = UInt32(half & 0x8000) << 16
  let magnitude = UInt32(half & 0x7fff)
  if magnitude >= 0x7c00 { return Float(bitPattern: sign | 0x7f80_0000 | magnitude << 13) }
  // The bits in the place of a float's, 112 too low in the exponent; the product mends it, subnormals included.
  let scaled = Float(bitPattern: magnitude << 13) * 0x1p112
  return Float(bitPattern: sign | scaled.bitPattern)
}

/// To nearest, ties to even; beyond 65519 infinity.
@inline(__always)
private func halfFromFloat(_ value: Float) -> UInt16 {
  let sign = UInt16(truncatingIfNeeded: value.bitPattern >> 16 & 0x8000)
  let bits = value.bitPattern & 0x7fff_ffff
  if bits > 0x7f80_0000 { return sign | 0x7e00 }
  if bits >= 0x477f_f000 { return sign | 0x7c00 }
  if bits < 0x3880_0000 {
    // Subnormal: adding a half lines the last place up with the float's.
    let shifted = Float(bitPattern: bits) + 0.5
    return sign | UInt16(truncatingIfNeeded: shifted.bitPattern &- 0x3f00_0000)
  }
  let rounded = bits &+ 0xfff &+ (bits >> 13 & 1)
  return sign | UInt16(truncatingIfNeeded: (rounded &- 0x3800_0000) >> 13)
}

/// To nearest, ties to even.
@inline(__always)
private func brainFromFloat(_ value: Float) -> UInt16 {
  let bits = value.bitPattern
  if value.isNaN { return UInt16(truncatingIfNeeded: bits >> 16) | 0x40 }
  return UInt16(truncatingIfNeeded: (bits &+ 0x7fff &+ (bits >> 16 & 1)) >> 16)
}

/// See ``CastKernel``.
private func cast<From: CastElement, To: CastElement>(
  _ x: UnsafeRawPointer, _ y: UnsafeMutableRawPointer, _ count: Int, _: From.Type, _: To.Type
) {
  let source = x.assumingMemoryBound(to: From.Storage.self)
  let target = y.assumingMemoryBound(to: To.Storage.self)
  var i = 0
  while i < count {
    target[i] = From.widen(source[i]).narrow(To.self)
    i &+= 1
  }
}

@inline(__always)
private func castKernel<From: CastElement & SendableMetatype>(_: From.Type, _ to: DType) -> CastKernel {
  switch to {
  case .f32: { cast($0, $1, $2, From.self, Float32Element.self) }
  case .f64: { cast($0, $1, $2, From.self, Float64Element.self) }
  case .f16: { cast($0, $1, $2, From.self, Float16Element.self) }
  case .bf16: { cast($0, $1, $2, From.self, BFloat16Element.self) }
  case .i8: { cast($0, $1, $2, From.self, IntegerElement<Int8>.self) }
  case .i16: { cast($0, $1, $2, From.self, IntegerElement<Int16>.self) }
  case .i32: { cast($0, $1, $2, From.self, IntegerElement<Int32>.self) }
  case .i64: { cast($0, $1, $2, From.self, IntegerElement<Int64>.self) }
  case .u8: { cast($0, $1, $2, From.self, IntegerElement<UInt8>.self) }
  case .bool: { cast($0, $1, $2, From.self, BoolElement.self) }
  }
}

func castKernel(_ from: DType, _ to: DType) -> CastKernel {
  switch from {
  case .f32: castKernel(Float32Element.self, to)
  case .f64: castKernel(Float64Element.self, to)
  case .f16: castKernel(Float16Element.self, to)
  case .bf16: castKernel(BFloat16Element.self, to)
  case .i8: castKernel(IntegerElement<Int8>.self, to)
  case .i16: castKernel(IntegerElement<Int16>.self, to)
  case .i32: castKernel(IntegerElement<Int32>.self, to)
  case .i64: castKernel(IntegerElement<Int64>.self, to)
  case .u8: castKernel(IntegerElement<UInt8>.self, to)
  case .bool: castKernel(BoolElement.self, to)
  }
}
