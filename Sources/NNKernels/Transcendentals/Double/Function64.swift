import NNGraph

extension UnaryFunction {
  /// The function of a double; `a` and `b` are `alpha` and `beta` of `Activation`.
  func value(_ x: Double, _ a: Double, _ b: Double) -> Double {
    switch self {
    case .identity: x
    case .negate: -x
    case .absolute: x.magnitude
    case .square: x * x
    case .squareRoot: x.squareRoot()
    case .reciprocalSquareRoot: 1 / x.squareRoot()
    case .reciprocal: 1 / x
    case .exponential: exponential64(x)
    case .logarithm: logarithm64(x)
    case .sign: x > 0 ? 1 : x < 0 ? -1 : x
    case .floor: roundedDown64(x)
    case .ceiling: -roundedDown64(-x)
    case .round: roundedToEven64(x)
    case .errorFunction: errorFunction64(x)
    case .sine: sineAndCosine64(x).sine
    case .cosine: sineAndCosine64(x).cosine
    case .tangent: tangent64(x)
    case .arcsine: arcsine64(x)
    case .arccosine: arccosine64(x)
    case .arctangent: arctangent64(x)
    case .sinh: hyperbolicSine64(x)
    case .cosh: hyperbolicCosine64(x)
    case .asinh: inverseHyperbolicSine64(x)
    case .acosh: inverseHyperbolicCosine64(x)
    case .atanh: inverseHyperbolicTangent64(x)
    case .logarithm1p: logarithm1pOf64(x)
    case .exponentialMinus1: exponentialMinus1Of64(x)
    case .sigmoid: sigmoid64(x)
    case .tanh: hyperbolicTangent64(x)
    case .relu: x < 0 ? 0 : x
    case .leakyRelu: x < 0 ? a * x : x
    case .elu: x < 0 ? a * exponentialMinus1Of64(x) : x
    case .gelu: gelu64(x)
    case .geluTanh: geluTanh64(x)
    case .silu: x == -.infinity ? -0.0 : x * sigmoid64(x)
    case .softplus: softplus64(x)
    case .clip: x < a ? (b < a ? b : a) : b < x ? b : x
    }
  }
}

/// The nearest integer, ties to even; the sign of zero is kept.
private func roundedToEven64(_ x: Double) -> Double {
  let a = x.magnitude
  if !(a < 0x1p52) { return x }
  let rounded = (a + 0x1p52) - 0x1p52
  return x.sign == .minus ? -rounded : rounded
}

/// The largest integer ≤ x; −0 stays itself.
private func roundedDown64(_ x: Double) -> Double {
  let rounded = roundedToEven64(x)
  return x < rounded ? rounded - 1 : rounded
}

/// y[i] = f(x[i]) of doubles.
func unaryScalar(
  _ x: UnsafePointer<Double>, _ y: UnsafeMutablePointer<Double>, _ count: Int, _ alpha: Double,
  _ beta: Double,
  _ function: UnaryFunction
) {
  var i = 0
  while i < count {
    y[i] = function.value(x[i], alpha, beta)
    i &+= 1
  }
}

/// See ``UnaryKernel``: functions that are seldom used, by way of double, so within 0.51 ulp. One loop for all of them and for every
/// instruction set.
@inline(never) @export(interface)
public func unaryThroughDouble(
  _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, _ count: Int, _ function: UnaryFunction
) {
  var i = 0
  while i < count {
    y[i] = Float(function.value(Double(x[i]), 0, 0))
    i &+= 1
  }
}
