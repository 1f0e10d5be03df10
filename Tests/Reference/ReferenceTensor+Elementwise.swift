import Foundation
import NNGraph

// Functions of single elements, with broadcasting.

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
    let results = pairs.map { function.reference(integers[$0], other.integers[$1], dtype) }
    return ReferenceTensor(
      integers: results.map { ReferenceTensor.wrapped($0, to: dtype) }, extents: extents, dtype: dtype)
  }

  func compare(_ function: CompareFunction, _ other: ReferenceTensor, _ extents: [Int]) -> ReferenceTensor {
    let pairs = zip(broadcastPositions(extents), other.broadcastPositions(extents))
    let results: [Bool] = pairs.map {
      dtype.isFloatingPoint
        ? function.reference(values[$0], other.values[$1])
        : dtype == .u64
          ? function.reference(UInt64(bitPattern: integers[$0]), UInt64(bitPattern: other.integers[$1]))
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
    case .tangent: return tan(x)
    case .arcsine: return asin(x)
    case .arccosine: return acos(x)
    case .arctangent: return atan(x)
    case .sinh: return Foundation.sinh(x)
    case .cosh: return Foundation.cosh(x)
    case .asinh: return Foundation.asinh(x)
    case .acosh: return Foundation.acosh(x)
    case .atanh: return Foundation.atanh(x)
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
    case .remainder: return fmod(a, b)
    case .modulo:
      let remainder = fmod(a, b)
      return remainder != 0 && (remainder < 0) != (b < 0) ? remainder + b : remainder
    case .bitwiseAnd, .bitwiseOr, .bitwiseXor, .shiftLeft, .shiftRight:
      preconditionFailure("\(self) is for integers")
    }
  }

  func reference(_ a: Int64, _ b: Int64, _ dtype: DType) -> Int64 {
    if dtype == .u64 {
      return Int64(bitPattern: wide(UInt64(bitPattern: a), UInt64(bitPattern: b), bits: 64))
    }
    return wide(a, b, bits: dtype.bitWidth)
  }

  /// The function of numbers of at most as many bits as `T` has, before it is wrapped to the type's `bits`.
  private func wide<T: FixedWidthInteger>(_ a: T, _ b: T, bits: Int) -> T {
    let isDistance = b >= 0 && b < bits
    switch self {
    case .add: return a &+ b
    case .subtract: return a &- b
    case .multiply: return a &* b
    case .divide: return b == 0 ? 0 : T.isSigned && b == 0 &- 1 ? 0 &- a : a / b
    case .minimum: return min(a, b)
    case .maximum: return max(a, b)
    case .power:
      if b < 0 { return a == 1 ? 1 : a == 0 &- 1 ? (b % 2 == 0 ? 1 : a) : 0 }
      var result: T = 1
      var count = b
      while count > 0 {
        result = result &* a
        count -= 1
      }
      return result
    case .bitwiseAnd: return a & b
    case .bitwiseOr: return a | b
    case .bitwiseXor: return a ^ b
    case .shiftLeft: return isDistance ? a << b : 0
    case .shiftRight: return isDistance ? a >> b : a < 0 ? 0 &- 1 : 0
    case .remainder: return b == 0 || (T.isSigned && b == 0 &- 1) ? 0 : a % b
    case .modulo:
      if b == 0 || (T.isSigned && b == 0 &- 1) { return 0 }
      let remainder = a % b
      return remainder != 0 && (remainder < 0) != (b < 0) ? remainder + b : remainder
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
