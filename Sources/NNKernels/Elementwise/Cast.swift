import NNGraph

// Every conversion is exact or correctly rounded, so what is compiled once serves all machines. What `CastMode` promises is kept here.
//
// The pairs that models are full of have loops of their own. All others go by way of 64-bit numbers, a piece at a time: integers to
// integers through Int64, everything else through Double, from which each type is reached with one rounding.

/// nil unless it can be done: bits are only read as a type of as many.
@export(interface)
public func castKernel(_ from: DType, _ to: DType, _ mode: CastMode) -> CastKernel? {
  if mode == .bits {
    guard from.bitWidth == to.bitWidth, from.size == to.size else { return nil }
    let size = from.size
    if to == .bool { return { castBytesToBool($0, $1, $2) } }
    return { $1.copyMemory(from: $0, byteCount: $2 &* size) }
  }
  return directKernel(from, to) ?? { castThroughWide($0, $1, $2, from, to, mode) }
}

private func castBytesToBool(_ x: UnsafeRawPointer, _ y: UnsafeMutableRawPointer, _ count: Int) {
  convert(x, y, count) { (byte: UInt8) -> UInt8 in byte != 0 ? 1 : 0 }
}

/// Conversions whose meaning no mode changes.
private func directKernel(_ from: DType, _ to: DType) -> CastKernel? {
  switch (from, to) {
  case (.f32, .f16): { convert($0, $1, $2) { (x: Float) in halfFromFloat(x) } }
  case (.f16, .f32): { convert($0, $1, $2) { (x: UInt16) in floatFromHalf(x) } }
  case (.f32, .bf16): { convert($0, $1, $2) { (x: Float) in brainFromFloat(x) } }
  case (.bf16, .f32): { convert($0, $1, $2) { (x: UInt16) in Float(bitPattern: UInt32(x) << 16) } }
  case (.f32, .f64): { convert($0, $1, $2) { (x: Float) in Double(x) } }
  case (.f64, .f32): { convert($0, $1, $2) { (x: Double) in Float(x) } }
  case (.bool, .f32), (.u8, .f32): { convert($0, $1, $2) { (x: UInt8) in Float(x) } }
  case (.i8, .f32): { convert($0, $1, $2) { (x: Int8) in Float(x) } }
  case (.i32, .f32): { convert($0, $1, $2) { (x: Int32) in Float(x) } }
  case (.i64, .f32): { convert($0, $1, $2) { (x: Int64) in Float(x) } }
  case (.bool, .i32), (.u8, .i32): { convert($0, $1, $2) { (x: UInt8) in Int32(x) } }
  case (.i8, .i32): { convert($0, $1, $2) { (x: Int8) in Int32(x) } }
  case (.i32, .i64): { convert($0, $1, $2) { (x: Int32) in Int64(x) } }
  default: nil
  }
}

@inline(__always)
private func convert<From: BitwiseCopyable, To: BitwiseCopyable>(
  _ x: UnsafeRawPointer, _ y: UnsafeMutableRawPointer, _ count: Int, _ function: (From) -> To
) {
  let source = x.assumingMemoryBound(to: From.self)
  let target = y.assumingMemoryBound(to: To.self)
  var i = 0
  while i < count {
    target[i] = function(source[i])
    i &+= 1
  }
}

// Half and brain floats

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
