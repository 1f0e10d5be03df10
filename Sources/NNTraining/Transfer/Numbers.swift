import NNGraph

/// Numbers of any type as f32.
enum Numbers {
  /// The numbers in row-major bytes, little-endian; wide ones are rounded.
  static func floats(_ dtype: DType, _ bytes: UnsafeRawBufferPointer) -> [Float] {
    func all<Stored: BitwiseCopyable>(_ type: Stored.Type, _ float: (Stored) -> Float) -> [Float] {
      let size = MemoryLayout<Stored>.size
      return (0..<bytes.count / size).map { float(bytes.loadUnaligned(fromByteOffset: $0 * size, as: type)) }
    }
    func narrow<Stored: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(_ type: Stored.Type) -> [Float]
    {
      let format = FloatFormat(dtype)
      return all(type) { Float(format?.number(UInt16($0)) ?? PowerOfTwo.number(UInt8($0))) }
    }
    switch dtype {
    case .f32: return all(Float.self) { $0 }
    case .f64: return all(Double.self) { Float($0) }
    case .f16, .bf16: return narrow(UInt16.self)
    case .f8e4m3fn, .f8e4m3fnuz, .f8e5m2, .f8e5m2fnuz, .f8e8m0, .f4e2m1: return narrow(UInt8.self)
    case .i8: return all(Int8.self) { Float($0) }
    case .i16: return all(Int16.self) { Float($0) }
    case .i32: return all(Int32.self) { Float($0) }
    case .i64: return all(Int64.self) { Float($0) }
    case .u8: return all(UInt8.self) { Float($0) }
    case .u16: return all(UInt16.self) { Float($0) }
    case .u32: return all(UInt32.self) { Float($0) }
    case .u64: return all(UInt64.self) { Float($0) }
    case .i4, .i2: return all(Int8.self) { Float(($0 << (8 - dtype.bitWidth)) >> (8 - dtype.bitWidth)) }
    case .u4, .u2: return all(UInt8.self) { Float(($0 << (8 - dtype.bitWidth)) >> (8 - dtype.bitWidth)) }
    case .bool: return all(UInt8.self) { $0 == 0 ? 0 : 1 }
    }
  }

  /// The integers in row-major bytes; nil if they are fractions, or may be beyond 64 bits with a sign.
  static func integers(_ tensor: Tensor) -> [Int]? {
    let bytes = tensor.bytes
    func all<Stored: FixedWidthInteger & BitwiseCopyable>(_ type: Stored.Type) -> [Int] {
      let size = MemoryLayout<Stored>.size
      return (0..<bytes.count / size).map {
        Int(truncatingIfNeeded: bytes.loadUnaligned(fromByteOffset: $0 * size, as: type))
      }
    }
    switch tensor.dtype {
    case .f32, .f64, .f16, .bf16, .f8e4m3fn, .f8e4m3fnuz, .f8e5m2, .f8e5m2fnuz, .f8e8m0, .f4e2m1, .u64:
      return nil
    case .i8: return all(Int8.self)
    case .i16: return all(Int16.self)
    case .i32: return all(Int32.self)
    case .i64: return all(Int64.self)
    case .u16: return all(UInt16.self)
    case .u32: return all(UInt32.self)
    case .u8, .bool: return all(UInt8.self)
    case .i4, .i2, .u4, .u2: return floats(tensor.dtype, bytes).map { Int($0) }
    }
  }
}
