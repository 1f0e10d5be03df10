import NNGraph

/// The numbers of TensorProto.DataType, and the types of this project that they stand for.
enum ElementType {
  static let string = 8

  /// - Returns: nil for what no tensor of ours can hold.
  static func dtype(_ number: Int) -> DType? {
    switch number {
    case 1: .f32
    case 2: .u8
    case 3: .i8
    case 4: .u16
    case 5: .i16
    case 6: .i32
    case 7: .i64
    case 9: .bool
    case 10: .f16
    case 11: .f64
    case 12: .u32
    case 13: .u64
    case 16: .bf16
    case 17: .f8e4m3fn
    case 18: .f8e4m3fnuz
    case 19: .f8e5m2
    case 20: .f8e5m2fnuz
    case 21: .u4
    case 22: .i4
    case 23: .f4e2m1
    case 24: .f8e8m0
    case 25: .u2
    case 26: .i2
    default: nil
    }
  }

  /// The standard's name of a type, for messages.
  static func name(_ number: Int) -> String {
    let names = [
      "UNDEFINED", "FLOAT", "UINT8", "INT8", "UINT16", "INT16", "INT32", "INT64", "STRING", "BOOL", "FLOAT16",
      "DOUBLE", "UINT32", "UINT64", "COMPLEX64", "COMPLEX128", "BFLOAT16", "FLOAT8E4M3FN", "FLOAT8E4M3FNUZ",
      "FLOAT8E5M2", "FLOAT8E5M2FNUZ", "UINT4", "INT4", "FLOAT4E2M1", "FLOAT8E8M0", "UINT2", "INT2",
      "FLOAT6E2M3", "FLOAT6E3M2",
    ]
    return names.indices.contains(number) ? names[number] : "type \(number)"
  }

  /// - Throws: ``ErrorCode/unsupportedOperator`` naming the type.
  static func require(_ number: Int) throws -> DType {
    guard let dtype = dtype(number) else {
      throw NNError(.unsupportedOperator, Message(text: "elements of type \(name(number)) are not supported"))
    }
    return dtype
  }
}
