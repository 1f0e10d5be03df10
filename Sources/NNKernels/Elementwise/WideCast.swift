import NNGraph

// The conversions that go by way of 64-bit numbers: small and not in a hurry.

/// Elements on their way: each holds the bits of an Int64, of a UInt64 that came from one, or of a Double.
private typealias Wide = InlineArray<128, UInt64>

/// See ``CastKernel``.
func castThroughWide(
  _ x: UnsafeRawPointer, _ y: UnsafeMutableRawPointer, _ count: Int, _ from: DType, _ to: DType,
  _ mode: CastMode
) {
  var buffer = Wide(repeating: 0)
  withUnsafeMutableBytes(of: &buffer) { bytes in
    let wide = bytes.baseAddress.unsafelyUnwrapped.assumingMemoryBound(to: UInt64.self)
    var i = 0
    while i < count {
      let n = min(128, count &- i)
      let (source, target) = (x + i &* from.size, y + i &* to.size)
      if from.isFloatingPoint {
        loadFractions(source, from, wide, n)
        if !to.isFloatingPoint { fractionsToIntegers(wide, n, to) }
      } else {
        loadIntegers(source, from, wide, n)
        if to.isFloatingPoint {
          integersToFractions(wide, n, isUnsigned: from == .u64, isLast: to == .f64)
        } else if mode == .clamping {
          clamp(wide, n, isUnsigned: from == .u64, to)
        }
      }
      if to.isFloatingPoint {
        storeFractions(wide, n, target, to, mode)
      } else {
        storeIntegers(wide, n, target, to)
      }
      i &+= n
    }
  }
}

// Loading and storing

@_optimize(size)
private func loadIntegers(
  _ x: UnsafeRawPointer, _ type: DType, _ wide: UnsafeMutablePointer<UInt64>, _ n: Int
) {
  @inline(__always)
  func load<T: FixedWidthInteger & BitwiseCopyable>(_: T.Type) {
    let source = x.assumingMemoryBound(to: T.self)
    var i = 0
    while i < n {
      wide[i] = UInt64(truncatingIfNeeded: source[i])
      i &+= 1
    }
  }
  switch type {
  case .i8: load(Int8.self)
  case .i16: load(Int16.self)
  case .i32: load(Int32.self)
  case .u16: load(UInt16.self)
  case .u32: load(UInt32.self)
  case .i64, .u64: load(UInt64.self)
  case .u8, .i4, .i2, .u4, .u2, .bool:
    load(UInt8.self)
    let unused = UInt64(64 &- type.bitWidth)
    var i = 0
    while i < n {
      let shifted = wide[i] << unused
      wide[i] =
        type.isSigned ? UInt64(bitPattern: Int64(bitPattern: shifted) >> Int64(unused)) : shifted >> unused
      i &+= 1
    }
    if type == .bool { storeTruth(wide, n, wide) }
  case .f32, .f64, .f16, .bf16, .f8e4m3fn, .f8e4m3fnuz, .f8e5m2, .f8e5m2fnuz, .f8e8m0, .f4e2m1: break
  }
}

/// 1 for everything but 0.
private func storeTruth<T: FixedWidthInteger>(
  _ wide: UnsafeMutablePointer<UInt64>, _ n: Int, _ target: UnsafeMutablePointer<T>
) {
  var i = 0
  while i < n {
    target[i] = wide[i] != 0 ? 1 : 0
    i &+= 1
  }
}

@_optimize(size)
private func storeIntegers(
  _ wide: UnsafeMutablePointer<UInt64>, _ n: Int, _ y: UnsafeMutableRawPointer, _ type: DType
) {
  @inline(__always)
  func store<T: FixedWidthInteger & BitwiseCopyable>(_: T.Type, _ mask: UInt64 = .max) {
    let target = y.assumingMemoryBound(to: T.self)
    var i = 0
    while i < n {
      target[i] = T(truncatingIfNeeded: wide[i] & mask)
      i &+= 1
    }
  }
  switch type {
  case .bool: storeTruth(wide, n, y.assumingMemoryBound(to: UInt8.self))
  case .i8, .u8, .i4, .i2, .u4, .u2: store(UInt8.self, 1 << UInt64(type.bitWidth) &- 1)
  case .i16, .u16: store(UInt16.self)
  case .i32, .u32: store(UInt32.self)
  case .i64, .u64: store(UInt64.self)
  case .f32, .f64, .f16, .bf16, .f8e4m3fn, .f8e4m3fnuz, .f8e5m2, .f8e5m2fnuz, .f8e8m0, .f4e2m1: break
  }
}

private func loadFractions(
  _ x: UnsafeRawPointer, _ type: DType, _ wide: UnsafeMutablePointer<UInt64>, _ n: Int
) {
  let format = FloatFormat(type)
  var i = 0
  while i < n {
    let value: Double
    if let format {
      let code =
        type.size == 2
        ? x.assumingMemoryBound(to: UInt16.self)[i] : UInt16(x.assumingMemoryBound(to: UInt8.self)[i])
      value = format.number(code)
    } else if type == .f8e8m0 {
      value = PowerOfTwo.number(x.assumingMemoryBound(to: UInt8.self)[i])
    } else if type == .f32 {
      value = Double(x.assumingMemoryBound(to: Float.self)[i])
    } else {
      value = x.assumingMemoryBound(to: Double.self)[i]
    }
    wide[i] = value.bitPattern
    i &+= 1
  }
}

private func storeFractions(
  _ wide: UnsafeMutablePointer<UInt64>, _ n: Int, _ y: UnsafeMutableRawPointer, _ type: DType,
  _ mode: CastMode
) {
  let format = FloatFormat(type)
  // What is too large for sixteen bits is infinite, and float4 has nothing but its largest number for it.
  let saturates = type.size == 1 && (mode.saturates || type == .f4e2m1)
  var i = 0
  while i < n {
    let value = Double(bitPattern: wide[i])
    if let format {
      let code = format.code(value, saturates: saturates)
      if type.size == 2 {
        y.assumingMemoryBound(to: UInt16.self)[i] = code
      } else {
        y.assumingMemoryBound(to: UInt8.self)[i] = UInt8(truncatingIfNeeded: code)
      }
    } else if type == .f8e8m0 {
      y.assumingMemoryBound(to: UInt8.self)[i] = PowerOfTwo.code(
        value, rounding: mode.powerRounding, saturates: saturates)
    } else if type == .f32 {
      y.assumingMemoryBound(to: Float.self)[i] = Float(value)
    } else {
      y.assumingMemoryBound(to: Double.self)[i] = value
    }
    i &+= 1
  }
}

// From one kind of number to the other

private func integersToFractions(
  _ wide: UnsafeMutablePointer<UInt64>, _ n: Int, isUnsigned: Bool, isLast: Bool
) {
  var i = 0
  while i < n {
    let isNegative = !isUnsigned && Int64(bitPattern: wide[i]) < 0
    var magnitude = isNegative ? 0 &- wide[i] : wide[i]
    if !isLast && magnitude >> 53 != 0 {
      // Odd in its last place wherever inexact: the rounding to fewer bits that comes then sees every lost bit.
      magnitude = magnitude & ~0x7ff | (magnitude & 0x7ff != 0 ? 0x800 : 0)
    }
    let value = Double(magnitude)
    wide[i] = (isNegative ? -value : value).bitPattern
    i &+= 1
  }
}

/// NaN gives 0, or true.
private func fractionsToIntegers(_ wide: UnsafeMutablePointer<UInt64>, _ n: Int, _ type: DType) {
  // 4- and 2-bit integers go through 64 bits.
  let bits = type.bitWidth < 8 ? 64 : type.bitWidth
  let ends = Ends(bits: bits, isSigned: type.isSigned || type.bitWidth < 8)
  var i = 0
  while i < n {
    let value = Double(bitPattern: wide[i])
    if type == .bool {
      wide[i] = value != 0 ? 1 : 0
    } else if value.isNaN {
      wide[i] = 0
    } else if value >= Double(ends.last) {
      wide[i] = ends.last
    } else if value <= Double(ends.first) {
      wide[i] = UInt64(bitPattern: ends.first)
    } else {
      wide[i] = value < 0 ? UInt64(bitPattern: Int64(value)) : UInt64(value)
    }
    i &+= 1
  }
}

/// The least and the greatest number of an integer type.
private struct Ends {
  var first: Int64
  var last: UInt64

  init(bits: Int, isSigned: Bool) {
    last = UInt64.max >> UInt64(isSigned ? 65 &- bits : 64 &- bits)
    first = isSigned ? -1 &- Int64(last) : 0
  }
}

private func clamp(_ wide: UnsafeMutablePointer<UInt64>, _ n: Int, isUnsigned: Bool, _ type: DType) {
  if type == .bool { return }
  let ends = Ends(bits: type.bitWidth, isSigned: type.isSigned)
  var i = 0
  while i < n {
    let isNegative = !isUnsigned && Int64(bitPattern: wide[i]) < 0
    if isNegative {
      wide[i] = UInt64(bitPattern: max(Int64(bitPattern: wide[i]), ends.first))
    } else {
      wide[i] = min(wide[i], ends.last)
    }
    i &+= 1
  }
}
