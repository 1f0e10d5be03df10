// Which element types an operator has kernels for, and in which other type it is computed where it has none.

extension Op {
  /// The type in which the operator is computed for operands of `dtype`: itself where there is a kernel, else one that holds all its
  /// numbers and all results that are cast back; nil where the operator has no meaning for the type, or no kernel that could stand in.
  ///
  /// This is the one table of it: shape inference refuses what it does not list as its own type, and
  /// `Graph.appendComputing(_:_:name:)` casts as it says. `dtype` is that of the operands at ``computedOperands(of:)``.
  public func computeType(for dtype: DType) -> DType? {
    switch self {
    case .unary(let activation): activation.function == .identity ? dtype : dtype.fractionType
    case .binary(let function): function.computeType(for: dtype)
    case .compare(let function): function.computeType(for: dtype)
    case .reduce(let reduce): reduce.function.computeType(for: dtype)
    case .argument:
      dtype.isFloatingPoint ? dtype.fractionType : dtype == .u64 ? .u64 : .i64
    case .matmul: dtype.productType
    case .pool(let pool): pool.function == .maximum && dtype.fitsFloat ? .f32 : dtype.floatType
    case .convolution, .normalize, .normalizeTraining, .softmax, .recurrent, .recurrentGradient, .random,
      .convolutionWeightGradient, .unfold, .fold, .poolGradient:
      dtype.floatType
    case .scatter(let function, _): function.computeType(for: dtype)
    case .select, .reshape, .transpose, .expand, .slice, .pad, .concat, .gather, .argsort, .cast, .dynamic:
      dtype
    }
  }

  /// Whether the result has the type of the computed operands, and not one of its own such as i64 for indices.
  public var keepsOperandType: Bool {
    switch self {
    case .compare, .argument, .argsort, .random, .cast, .dynamic: false
    case .unary, .binary, .select, .reduce, .matmul, .convolution, .pool, .normalize, .normalizeTraining,
      .softmax, .recurrent, .recurrentGradient, .reshape, .transpose, .expand, .slice, .pad, .concat, .gather,
      .scatter, .convolutionWeightGradient, .unfold, .fold, .poolGradient:
      true
    }
  }

  /// The positions of the operands, of `count`, that share the type an operator is computed in: not conditions, masks, indices and keys.
  public func computedOperands(of count: Int) -> [Int] {
    switch self {
    case .select: Array(min(1, count)..<count)
    case .gather, .random: Array(0..<min(1, count))
    case .scatter: count < 3 ? [] : [0, 2]
    case .recurrent(let recurrent): Array(0..<min(count, recurrent.stateInput + recurrent.stateCount))
    case .recurrentGradient: Array(0..<min(count, 3))
    case .unary, .binary, .compare, .reduce, .argument, .matmul, .convolution, .pool, .normalize,
      .normalizeTraining,
      .softmax, .reshape, .transpose, .expand, .slice, .pad, .concat, .argsort, .cast, .dynamic,
      .convolutionWeightGradient, .unfold, .fold, .poolGradient:
      Array(0..<count)
    }
  }
}

extension BinaryFunction {
  fileprivate func computeType(for dtype: DType) -> DType? {
    switch self {
    case .bitwiseAnd, .bitwiseOr, .bitwiseXor:
      if dtype == .i8 || dtype == .u8 || dtype == .bool { return dtype }
      return dtype.integerType
    case .shiftLeft, .shiftRight: return dtype.integerType
    case .add, .subtract, .multiply, .divide, .minimum, .maximum, .power, .remainder, .modulo:
      return dtype.fractionType ?? dtype.integerType
    }
  }
}

extension CompareFunction {
  fileprivate func computeType(for dtype: DType) -> DType? {
    switch dtype {
    case .i8, .u8, .bool: self == .equal || self == .notEqual ? dtype : .i32
    case .f32, .f64, .f16, .bf16, .f8e4m3fn, .f8e4m3fnuz, .f8e5m2, .f8e5m2fnuz, .f8e8m0, .f4e2m1, .i16, .i32,
      .i64,
      .i4, .i2, .u16, .u32, .u64, .u4, .u2:
      dtype.fractionType ?? dtype.integerType
    }
  }
}

extension ScatterFunction {
  fileprivate func computeType(for dtype: DType) -> DType? {
    switch self {
    case .replace: dtype
    case .add, .multiply: dtype == .u64 ? .i64 : dtype.fractionType ?? dtype.integerType
    case .minimum, .maximum: dtype == .u64 ? nil : dtype.fractionType ?? dtype.integerType
    }
  }
}

extension ReduceFunction {
  fileprivate func computeType(for dtype: DType) -> DType? {
    if let fraction = dtype.fractionType { return fraction }
    switch self {
    // What the smallest of no numbers without a sign is, casts back to the largest of them.
    case .maximum, .minimum: return dtype.isSigned ? .i64 : .u64
    // Sums and products that wrap have the same bits with a sign and without.
    case .sum, .product, .sumOfSquares: return dtype == .bool ? nil : .i64
    case .mean: return dtype == .bool ? nil : dtype == .u64 ? .u64 : .i64
    }
  }
}

extension DType {
  /// f32 for itself and what is narrower.
  fileprivate var floatType: DType? {
    switch self {
    case .f32, .f16, .bf16, .f8e4m3fn, .f8e4m3fnuz, .f8e5m2, .f8e5m2fnuz, .f8e8m0, .f4e2m1: .f32
    case .f64, .i8, .i16, .i32, .i64, .i4, .i2, .u8, .u16, .u32, .u64, .u4, .u2, .bool: nil
    }
  }

  /// f64 for itself, f32 for all narrower floating-point types.
  fileprivate var fractionType: DType? { self == .f64 ? .f64 : floatType }

  /// The integer type with kernels that holds all numbers of this one.
  fileprivate var integerType: DType? {
    switch self {
    case .i32, .i64, .u64: self
    case .i8, .i16, .i4, .i2, .u8, .u16, .u4, .u2: .i32
    case .u32: .i64
    case .bool, .f32, .f64, .f16, .bf16, .f8e4m3fn, .f8e4m3fnuz, .f8e5m2, .f8e5m2fnuz, .f8e8m0, .f4e2m1: nil
    }
  }

  /// As `integerType`, for sums of products, whose bits are the same with a sign and without.
  fileprivate var productType: DType? {
    switch self {
    case .u32: .i32
    case .u64: .i64
    case .i8, .i16, .i32, .i64, .i4, .i2, .u8, .u16, .u4, .u2: integerType
    case .bool, .f32, .f64, .f16, .bf16, .f8e4m3fn, .f8e4m3fnuz, .f8e5m2, .f8e5m2fnuz, .f8e8m0, .f4e2m1:
      fractionType
    }
  }

  /// Whether f32 holds every number of an integer type.
  fileprivate var fitsFloat: Bool { isInteger && bitWidth <= 16 }
}
