import NNGraph

/// Numbers of any type as f32.
enum Numbers {
  /// The numbers in row-major bytes, little-endian; wide ones are rounded.
  static func floats(_ dtype: DType, _ bytes: UnsafeRawBufferPointer) -> [Float] {
    func all<Stored: BitwiseCopyable>(_ type: Stored.Type, _ float: (Stored) -> Float) -> [Float] {
      let size = MemoryLayout<Stored>.size
      return (0..<bytes.count / size).map { float(bytes.loadUnaligned(fromByteOffset: $0 * size, as: type)) }
    }
    switch dtype {
    case .f32: return all(Float.self) { $0 }
    case .f64: return all(Double.self) { Float($0) }
    case .f16: return all(UInt16.self, float16)
    case .bf16: return all(UInt16.self) { Float(bitPattern: UInt32($0) << 16) }
    case .i8: return all(Int8.self) { Float($0) }
    case .i16: return all(Int16.self) { Float($0) }
    case .i32: return all(Int32.self) { Float($0) }
    case .i64: return all(Int64.self) { Float($0) }
    case .u8: return all(UInt8.self) { Float($0) }
    case .bool: return all(UInt8.self) { $0 == 0 ? 0 : 1 }
    }
  }

  /// The integers in row-major bytes; nil if they are fractions.
  static func integers(_ tensor: Tensor) -> [Int]? {
    let bytes = tensor.bytes
    func all<Stored: FixedWidthInteger & BitwiseCopyable>(_ type: Stored.Type) -> [Int] {
      let size = MemoryLayout<Stored>.size
      return (0..<bytes.count / size).map {
        Int(truncatingIfNeeded: bytes.loadUnaligned(fromByteOffset: $0 * size, as: type))
      }
    }
    switch tensor.dtype {
    case .f32, .f64, .f16, .bf16: return nil
    case .i8: return all(Int8.self)
    case .i16: return all(Int16.self)
    case .i32: return all(Int32.self)
    case .i64: return all(Int64.self)
    case .u8, .bool: return all(UInt8.self)
    }
  }

  /// An IEEE 754 binary16 from its bits.
  private static func float16(_ bits: UInt16) -> Float {
    let sign = UInt32(bits & 0x8000) << 16
    let (exponent, fraction) = (UInt32(bits >> 10) & 0x1F, UInt32(bits & 0x3FF))
    switch exponent {
    case 0:
      // Zero or subnormal: fraction · 2⁻²⁴.
      let magnitude = Float(fraction) * 0x1p-24
      return sign == 0 ? magnitude : -magnitude
    case 31: return Float(bitPattern: sign | 0x7F80_0000 | fraction << 13)
    default: return Float(bitPattern: sign | (exponent + 112) << 23 | fraction << 13)
    }
  }
}
