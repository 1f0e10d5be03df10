import NNGraph

// Operators that ONNX Runtime, or the standard, has for fewer element types than we do: elements go through another type and back.

/// Operators that move elements, as far as they differ in the types that they take.
enum MovementKind {
  /// Identity, Reshape, Transpose, Slice, Concat, Gather, ScatterND without a function
  case rearranging
  case expanding
  case padding
  case selecting
  case sorting
  case distinguishing
}

extension MovementKind {
  /// The type in which elements are moved: their own, or one that holds all their numbers.
  ///
  /// Numbers with and without a sign that do not fit keep their bits in i64.
  func carrier(of dtype: DType) -> DType {
    switch dtype {
    case .f32, .f64, .f16, .i32, .i64: dtype
    case .i8: dtype
    case .u8: self == .distinguishing ? .i64 : dtype
    case .i16, .u16:
      switch self {
      case .rearranging, .expanding: dtype
      case .padding, .selecting, .sorting: .i32
      case .distinguishing: .i64
      }
    case .u32:
      switch self {
      case .rearranging, .expanding, .padding, .selecting: dtype
      case .sorting, .distinguishing: .i64
      }
    case .u64:
      switch self {
      case .rearranging, .expanding, .padding: dtype
      case .selecting, .sorting, .distinguishing: .i64
      }
    case .bool:
      switch self {
      case .rearranging, .expanding, .padding: dtype
      case .selecting, .sorting: .u8
      case .distinguishing: .i64
      }
    case .bf16: self == .rearranging ? dtype : .f32
    case .f8e4m3fn, .f8e4m3fnuz, .f8e5m2, .f8e5m2fnuz, .f8e8m0, .f4e2m1: .f32
    case .i4, .i2: .i8
    case .u4, .u2: self == .distinguishing ? .i64 : .u8
    }
  }
}

extension OnnxGraphWriter {
  /// The result of moving elements of the operands, all of one type, which `move` is given in a type that can be moved.
  func moving(_ kind: MovementKind, _ operands: [Operand], _ move: ([String]) throws -> String) throws
    -> String
  {
    let dtype = operands[0].dtype
    let carrier = kind.carrier(of: dtype)
    let result = try move(try operands.map { try cast($0, carrier) })
    return carrier == dtype ? result : cast(result, dtype)
  }

  /// u64 as i64 in the same order, or back: what the upper bit means is turned around.
  func turningOrder(_ x: String) throws -> String {
    node("BitwiseXor", x, try scalar(int: Int.min, .i64))
  }

  /// An operand in a type that is compared or sorted as it is: of u64, numbers of i64 in the same order.
  func ordered(_ x: Operand, _ kind: MovementKind = .sorting) throws -> String {
    let carried = try cast(x, kind.carrier(of: x.dtype))
    return x.dtype == .u64 ? try turningOrder(carried) : carried
  }

  /// What ``ordered(_:_:)`` gave in its own type again.
  func restored(_ x: String, _ dtype: DType, _ kind: MovementKind = .sorting) throws -> String {
    if dtype == .u64 { return cast(try turningOrder(x), .u64) }
    return kind.carrier(of: dtype) == dtype ? x : cast(x, dtype)
  }
}
