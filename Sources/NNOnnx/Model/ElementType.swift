import NNGraph

/// The numbers of TensorProto.DataType, and the types of this project that they stand for.
enum ElementType {
  static let string = 8

  static func number(_ dtype: DType) -> Int {
    switch dtype {
    case .f32: 1
    case .u8: 2
    case .i8: 3
    case .u16: 4
    case .i16: 5
    case .i32: 6
    case .i64: 7
    case .bool: 9
    case .f16: 10
    case .f64: 11
    case .u32: 12
    case .u64: 13
    case .bf16: 16
    case .f8e4m3fn: 17
    case .f8e4m3fnuz: 18
    case .f8e5m2: 19
    case .f8e5m2fnuz: 20
    case .u4: 21
    case .i4: 22
    case .f4e2m1: 23
    case .f8e8m0: 24
    case .u2: 25
    case .i2: 26
    }
  }

  private static let dtypes = [Int: DType](uniqueKeysWithValues: DType.allCases.map { (number($0), $0) })

  /// - Returns: nil for what no tensor of ours can hold.
  static func dtype(_ number: Int) -> DType? { dtypes[number] }

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
