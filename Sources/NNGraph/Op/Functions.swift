// The scalar functions that the operator families are parameterised with.
// Raw values are wire codes of the `.nnrt` format: they never change.

/// A function of one number, applied to every element.
///
/// `a` and `b` below are the parameters `alpha` and `beta` of ``Activation``.
public enum UnaryFunction: UInt8, CaseIterable, Sendable {
  /// x
  case identity = 0
  /// −x
  case negate = 1
  /// |x|
  case absolute = 2
  /// x²
  case square = 3
  /// √x; NaN for x < 0
  case squareRoot = 4
  /// 1/√x, as one division after one square root
  case reciprocalSquareRoot = 5
  /// 1/x
  case reciprocal = 6
  /// eˣ
  case exponential = 7
  /// ln x; −∞ at 0, NaN for x < 0
  case logarithm = 8
  /// −1, 0 or 1; NaN stays NaN
  case sign = 9
  /// The largest integer ≤ x
  case floor = 10
  /// The smallest integer ≥ x
  case ceiling = 11
  /// The nearest integer, ties to even
  case round = 12
  /// The error function, 2/√π ∫₀ˣ e^(−t²) dt
  case errorFunction = 13
  /// sin x, x in radians
  case sine = 14
  /// cos x, x in radians
  case cosine = 15
  /// ln(1 + x)
  case logarithm1p = 16
  /// eˣ − 1
  case exponentialMinus1 = 17
  /// tan x, x in radians
  case tangent = 18
  /// The angle in [−π/2, π/2] whose sine is x; NaN beyond ±1
  case arcsine = 19
  /// The angle in [0, π] whose cosine is x; NaN beyond ±1
  case arccosine = 20
  /// The angle in [−π/2, π/2] whose tangent is x
  case arctangent = 21
  /// (eˣ − e⁻ˣ)/2
  case sinh = 22
  /// (eˣ + e⁻ˣ)/2
  case cosh = 23
  /// ln(x + √(x² + 1)), the inverse of sinh
  case asinh = 24
  /// ln(x + √(x² − 1)), the inverse of cosh; NaN below 1
  case acosh = 25
  /// ½·ln((1 + x)/(1 − x)), the inverse of tanh; ±∞ at ±1, NaN beyond
  case atanh = 26

  /// 1 / (1 + e⁻ˣ)
  case sigmoid = 32
  /// tanh x
  case tanh = 33
  /// max(x, 0); NaN stays NaN
  case relu = 34
  /// x for x ≥ 0, else a·x (a is 0.01 unless told)
  case leakyRelu = 35
  /// x for x ≥ 0, else a·(eˣ − 1) (a is 1 unless told); Clevert et al. 2015
  case elu = 36
  /// x·Φ(x) with Φ the normal distribution, through erf; Hendrycks and Gimpel 2016
  case gelu = 37
  /// 0.5·x·(1 + tanh(√(2/π)·(x + 0.044715·x³))); the approximation of the same paper
  case geluTanh = 38
  /// x·sigmoid(x), also called swish
  case silu = 39
  /// ln(1 + eˣ)
  case softplus = 40
  /// min(max(x, a), b)
  case clip = 41
}

/// A ``UnaryFunction`` with the numbers it is parameterised with.
public struct Activation: Equatable, Sendable {
  public var function: UnaryFunction
  /// First parameter: the slope of `leakyRelu`, the scale of `elu`, the lower bound of `clip`; else unused and 0.
  public var alpha: Float
  /// Second parameter: the upper bound of `clip`; else unused and 0.
  public var beta: Float

  @inlinable public init(_ function: UnaryFunction, alpha: Float = 0, beta: Float = 0) {
    self.function = function
    self.alpha = alpha
    self.beta = beta
  }

  @inlinable public static var identity: Activation { Activation(.identity) }
}

/// A function of two numbers, applied to every pair of elements after broadcasting.
///
/// Integers wrap around at the ends of their range. ``bitwiseAnd``, ``bitwiseOr`` and ``bitwiseXor`` of ``DType/bool`` are the logical
/// functions; these three and the shifts are not for fractions.
public enum BinaryFunction: UInt8, CaseIterable, Sendable {
  case add = 0
  case subtract = 1
  case multiply = 2
  /// a / b; an integer divided by zero gives 0
  case divide = 3
  /// NaN if either is NaN
  case minimum = 4
  /// NaN if either is NaN
  case maximum = 5
  /// aᵇ, with the special cases of IEEE 754 `pow`; of integers with b < 0 what 1/aᵇ is toward zero, and 0 for a = 0
  case power = 6
  case bitwiseAnd = 7
  case bitwiseOr = 8
  case bitwiseXor = 9
  /// a·2ᵇ; 0 where b is negative or the number of bits and more
  case shiftLeft = 10
  /// a/2ᵇ rounded down; where b is negative or the number of bits and more, 0, or −1 for a < 0
  case shiftRight = 11
  /// a − n·b for a/b rounded toward zero to an integer n: with the sign of a, as C's `fmod`; 0 for an integer divisor of 0
  case remainder = 12
  /// a − n·b for a/b rounded down to an integer n: with the sign of b, as Python's `%`; 0 for an integer divisor of 0
  case modulo = 13
}

/// A comparison of two numbers; the result is a ``DType/bool``.
public enum CompareFunction: UInt8, CaseIterable, Sendable {
  case equal = 0
  case notEqual = 1
  case less = 2
  case lessOrEqual = 3
  case greater = 4
  case greaterOrEqual = 5
}

/// A function that folds the elements along some axes into one.
public enum ReduceFunction: UInt8, CaseIterable, Sendable {
  case sum = 0
  case mean = 1
  /// NaN if any element is NaN; −∞ over nothing
  case maximum = 2
  /// NaN if any element is NaN; +∞ over nothing
  case minimum = 3
  case product = 4
  /// Σ x²
  case sumOfSquares = 5
}

/// What becomes of an element that an update meets, in the order of the updates.
public enum ScatterFunction: UInt8, CaseIterable, Sendable {
  /// The update
  case replace = 0
  case add = 1
  case multiply = 2
  /// NaN if either is NaN
  case minimum = 3
  /// NaN if either is NaN
  case maximum = 4
}

/// What a pooling window computes.
public enum PoolFunction: UInt8, CaseIterable, Sendable {
  case maximum = 0
  /// The mean over the window; padding counts as zeros if the operator says so
  case average = 1
}

/// What softmax computes along its axis.
public enum SoftmaxFunction: UInt8, CaseIterable, Sendable {
  /// e^(x−m) / Σ e^(x−m), m the maximum
  case softmax = 0
  /// (x−m) − ln Σ e^(x−m), m the maximum
  case logSoftmax = 1
}

/// What a source of random numbers draws.
public enum RandomFunction: UInt8, CaseIterable, Sendable {
  /// Uniform in [0, 1), a multiple of 2⁻²⁴
  case uniform = 0
  /// Normal with mean 0 and variance 1 (Box–Muller)
  case normal = 1
}
