import Foundation
import NNGraph

// Functions of single elements, with broadcasting, and casts.

extension ReferenceTensor {
  func unary(_ activation: Activation) -> ReferenceTensor {
    if activation.function == .identity { return self }
    return ReferenceTensor(values.map { activation.reference($0) }, extents: extents, dtype: dtype)
  }

  /// For every index of `extents`, the position of the element that broadcasting pairs with it.
  private func broadcastPositions(_ extents: [Int]) -> [Int] {
    let lead = extents.count - rank
    return Indices(extents).map { index in
      position((0..<rank).map { self.extents[$0] == 1 ? 0 : index[$0 + lead] })
    }
  }

  func binary(_ function: BinaryFunction, _ other: ReferenceTensor, _ extents: [Int]) -> ReferenceTensor {
    let pairs = zip(broadcastPositions(extents), other.broadcastPositions(extents))
    if dtype.isFloatingPoint {
      return ReferenceTensor(
        pairs.map { function.reference(values[$0], other.values[$1]) }, extents: extents, dtype: dtype)
    }
    let results = pairs.map { function.reference(integers[$0], other.integers[$1]) }
    return ReferenceTensor(
      integers: results.map { ReferenceTensor.wrapped($0, to: dtype) }, extents: extents, dtype: dtype)
  }

  func compare(_ function: CompareFunction, _ other: ReferenceTensor, _ extents: [Int]) -> ReferenceTensor {
    let pairs = zip(broadcastPositions(extents), other.broadcastPositions(extents))
    let results: [Bool] = pairs.map {
      dtype.isFloatingPoint
        ? function.reference(values[$0], other.values[$1])
        : function.reference(integers[$0], other.integers[$1])
    }
    return ReferenceTensor(integers: results.map { $0 ? 1 : 0 }, extents: extents, dtype: .bool)
  }

  /// This one is the condition.
  func select(_ a: ReferenceTensor, _ b: ReferenceTensor, _ extents: [Int]) -> ReferenceTensor {
    let conditions = broadcastPositions(extents).map { integers[$0] != 0 }
    let (fromA, fromB) = (a.broadcastPositions(extents), b.broadcastPositions(extents))
    let everyIndex = conditions.indices
    if a.dtype.isFloatingPoint {
      return ReferenceTensor(
        everyIndex.map { conditions[$0] ? a.values[fromA[$0]] : b.values[fromB[$0]] }, extents: extents,
        dtype: a.dtype)
    }
    return ReferenceTensor(
      integers: everyIndex.map { conditions[$0] ? a.integers[fromA[$0]] : b.integers[fromB[$0]] },
      extents: extents,
      dtype: a.dtype)
  }

  func cast(_ target: DType) -> ReferenceTensor {
    if target == dtype { return self }
    if target.isFloatingPoint {
      // Integers beyond 2⁵³ are rounded once, not to a Double first.
      let results =
        target == .f32 && !dtype.isFloatingPoint
        ? integers.map { Double(Float($0)) } : values.map { ReferenceTensor.rounded($0, to: target) }
      return ReferenceTensor(results, extents: extents, dtype: target)
    }
    let results =
      dtype.isFloatingPoint
      ? values.map { ReferenceTensor.saturated($0, to: target) }
      : integers.map { ReferenceTensor.saturated($0, to: target) }
    return ReferenceTensor(integers: results, extents: extents, dtype: target)
  }

  /// The low bits of an integer, as a narrower integer type keeps them.
  static func wrapped(_ value: Int64, to dtype: DType) -> Int64 {
    switch dtype {
    case .i8: Int64(Int8(truncatingIfNeeded: value))
    case .i16: Int64(Int16(truncatingIfNeeded: value))
    case .i32: Int64(Int32(truncatingIfNeeded: value))
    case .i64: value
    case .u8: Int64(UInt8(truncatingIfNeeded: value))
    case .bool: value != 0 ? 1 : 0
    case .f16, .bf16, .f32, .f64: preconditionFailure("not an integer type")
    }
  }

  /// An integer, or the nearest end of the type's range; for bool, whether it is not 0.
  static func saturated(_ value: Int64, to dtype: DType) -> Int64 {
    switch dtype {
    case .i8: Int64(Int8(clamping: value))
    case .i16: Int64(Int16(clamping: value))
    case .i32: Int64(Int32(clamping: value))
    case .i64: value
    case .u8: Int64(UInt8(clamping: value))
    case .bool: value != 0 ? 1 : 0
    case .f16, .bf16, .f32, .f64: preconditionFailure("not an integer type")
    }
  }

  /// A number with its fraction dropped, or the nearest end of the type's range; NaN gives 0.
  static func saturated(_ value: Double, to dtype: DType) -> Int64 {
    func clamped<T: FixedWidthInteger>(_ type: T.Type) -> Int64 {
      if value.isNaN { return 0 }
      // 2^63 is a Double while Int64.max is not, so the comparison is with the first number out of range.
      if value >= 0x1p63 { return Int64(clamping: T.max) }
      if value < -0x1p63 { return Int64(clamping: T.min) }
      return Int64(T(clamping: Int64(value.rounded(.towardZero))))
    }
    switch dtype {
    case .i8: return clamped(Int8.self)
    case .i16: return clamped(Int16.self)
    case .i32: return clamped(Int32.self)
    case .i64: return clamped(Int64.self)
    case .u8: return clamped(UInt8.self)
    case .bool: return value != 0 ? 1 : 0
    case .f16, .bf16, .f32, .f64: preconditionFailure("not an integer type")
    }
  }

  /// The nearest number of a floating-point type, ties to even.
  static func rounded(_ value: Double, to dtype: DType) -> Double {
    switch dtype {
    case .f64: return value
    case .f32: return Double(Float(value))
    case .f16: return Double(Float16(value))
    case .bf16:
      // The two neighbours toward zero and away from it; which is nearer is exact in Double.
      let single = Float(value.magnitude).bitPattern
      if single >= Float.infinity.bitPattern { return Double(Float(value)) }
      let towardZero = single & 0xFFFF_0000
      let below = Double(Float(bitPattern: towardZero))
      let above = towardZero == 0x7F7F_0000 ? 0x1p128 : Double(Float(bitPattern: towardZero + 0x1_0000))
      let (down, up) = (value.magnitude - below, above - value.magnitude)
      let isEven = (towardZero >> 16) & 1 == 0
      let nearest = down < up || (down == up && isEven) ? below : above
      return nearest == 0x1p128 ? (value < 0 ? -.infinity : .infinity) : value < 0 ? -nearest : nearest
    case .i8, .i16, .i32, .i64, .u8, .bool: preconditionFailure("not a floating-point type")
    }
  }
}

extension Activation {
  /// The function in float64.
  public func reference(_ x: Double) -> Double {
    let (a, b) = (Double(alpha), Double(beta))
    switch function {
    case .identity: return x
    case .negate: return -x
    case .absolute: return abs(x)
    case .square: return x * x
    case .squareRoot: return x.squareRoot()
    case .reciprocalSquareRoot: return 1 / x.squareRoot()
    case .reciprocal: return 1 / x
    case .exponential: return exp(x)
    case .logarithm: return log(x)
    case .sign: return x > 0 ? 1 : x < 0 ? -1 : x
    case .floor: return x.rounded(.down)
    case .ceiling: return x.rounded(.up)
    case .round: return x.rounded(.toNearestOrEven)
    case .errorFunction: return erf(x)
    case .sine: return sin(x)
    case .cosine: return cos(x)
    case .logarithm1p: return log1p(x)
    case .exponentialMinus1: return expm1(x)
    case .sigmoid: return 1 / (1 + exp(-x))
    case .tanh: return Foundation.tanh(x)
    case .relu: return x.isNaN ? x : max(x, 0)
    case .leakyRelu: return x < 0 ? a * x : x
    case .elu: return x < 0 ? a * expm1(x) : x
    // At −∞ these three take their limit, where the formula would be −∞·0.
    // x·Φ(x) = x·erfc(−x/√2)/2, which does not cancel for negative x.
    case .gelu: return x == -.infinity ? -0.0 : 0.5 * x * erfc(-x * 0.5.squareRoot())
    // (1 + tanh z)/2 = 1/(1 + e⁻²ᶻ), which does not cancel either.
    case .geluTanh:
      let z = (2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)
      return x == -.infinity ? -0.0 : x / (1 + exp(-2 * z))
    case .silu: return x == -.infinity ? -0.0 : x / (1 + exp(-x))
    case .softplus: return x.isNaN ? x : max(x, 0) + log1p(exp(-abs(x)))
    case .clip: return x.isNaN ? x : min(max(x, a), b)
    }
  }
}

extension BinaryFunction {
  func reference(_ a: Double, _ b: Double) -> Double {
    switch self {
    case .add: return a + b
    case .subtract: return a - b
    case .multiply: return a * b
    case .divide: return a / b
    case .minimum: return a.isNaN || b.isNaN ? .nan : min(a, b)
    case .maximum: return a.isNaN || b.isNaN ? .nan : max(a, b)
    case .power: return pow(a, b)
    }
  }

  func reference(_ a: Int64, _ b: Int64) -> Int64 {
    switch self {
    case .add: return a &+ b
    case .subtract: return a &- b
    case .multiply: return a &* b
    case .divide: return b == 0 ? 0 : b == -1 ? 0 &- a : a / b
    case .minimum: return min(a, b)
    case .maximum: return max(a, b)
    case .power: preconditionFailure("power is for floating-point numbers")
    }
  }
}

extension CompareFunction {
  func reference<T: Comparable>(_ a: T, _ b: T) -> Bool {
    switch self {
    case .equal: a == b
    case .notEqual: a != b
    case .less: a < b
    case .lessOrEqual: a <= b
    case .greater: a > b
    case .greaterOrEqual: a >= b
    }
  }
}
