import Foundation
import NNGraph
import NNKernels
import Testing

/// A function of doubles, its value by the C library, which is good to an ulp, and the error that its doc comment promises.
private struct DoublePromise: CustomStringConvertible, Sendable {
  var function: UnaryFunction
  var ulps: Double
  var exact: @Sendable (Double) -> Double
  var description: String { "\(function)" }
}

// One ulp more than promised, for the C library's own.
private let promises: [DoublePromise] = [
  DoublePromise(function: .exponential, ulps: 2) { exp($0) },
  DoublePromise(function: .logarithm, ulps: 2) { log($0) },
  DoublePromise(function: .logarithm1p, ulps: 3) { log1p($0) },
  DoublePromise(function: .exponentialMinus1, ulps: 3) { expm1($0) },
  DoublePromise(function: .sine, ulps: 3) { sin($0) }, DoublePromise(function: .cosine, ulps: 3) { cos($0) },
  DoublePromise(function: .tangent, ulps: 4) { tan($0) },
  DoublePromise(function: .arctangent, ulps: 3) { atan($0) },
  DoublePromise(function: .arcsine, ulps: 5) { asin($0) },
  DoublePromise(function: .arccosine, ulps: 5) { acos($0) },
  DoublePromise(function: .sinh, ulps: 4) { sinh($0) }, DoublePromise(function: .cosh, ulps: 4) { cosh($0) },
  DoublePromise(function: .tanh, ulps: 4) { tanh($0) },
  DoublePromise(function: .asinh, ulps: 4) { asinh($0) },
  DoublePromise(function: .acosh, ulps: 4) { acosh($0) },
  DoublePromise(function: .atanh, ulps: 4) { atanh($0) },
  DoublePromise(function: .errorFunction, ulps: 9) { erf($0) },
  DoublePromise(function: .sigmoid, ulps: 4) { $0 < 0 ? exp($0) / (1 + exp($0)) : 1 / (1 + exp(-$0)) },
  DoublePromise(function: .softplus, ulps: 4) { max($0, 0) + log1p(exp(-abs($0))) },
  DoublePromise(function: .squareRoot, ulps: 0) { $0.squareRoot() },
  DoublePromise(function: .floor, ulps: 0) { floor($0) },
  DoublePromise(function: .ceiling, ulps: 0) { ceil($0) },
  DoublePromise(function: .round, ulps: 0) { rint($0) },
]

/// Doubles of every exponent and both signs, the specials, and many more where the functions have their shape.
private let sweep: [Double] = {
  var values: [Double] = [
    0, -0.0, .infinity, -.infinity, .nan, 1, -1, .leastNonzeroMagnitude, -.leastNonzeroMagnitude, 0x1p-1022,
    2, -2,
    .greatestFiniteMagnitude, 709.78, 709.79, -745.13, -745.14, 0x1.921fb54442d18p+0, 0x1.921fb54442d18p+20,
  ]
  var generator = Generator(17)
  for _ in 0..<60_000 { values.append(Double(bitPattern: generator.next())) }
  for limit in [750.0, 40, 4, 1, 0.1, 1e7] {
    for _ in 0..<20_000 { values.append(Double.random(in: -limit...limit, using: &generator)) }
  }
  return values
}()

private func values(_ function: UnaryFunction, _ x: [Double]) -> [Double] {
  withGuarded([Double](repeating: 0, count: x.count)) { y in
    x.withUnsafeBufferPointer { tables[0].unary64(function)($0.baseAddress!, y, x.count, 0, 0) }
  }
}

@Test(arguments: promises) private func functionOfDoublesKeepsItsErrorBound(_ promise: DoublePromise) {
  var (worst, place) = (0.0, 0.0)
  for (x, y) in zip(sweep, values(promise.function, sweep)) {
    let exact = promise.exact(x)
    if y == exact || (y.isNaN && exact.isNaN) { continue }
    let error = y.isFinite && exact.isFinite ? abs(y - exact) / exact.ulp : .infinity
    if error > worst { (worst, place) = (error, x) }
  }
  #expect(worst <= promise.ulps, "\(worst) ulp at \(place)")
}

/// The double nearest to a multiple of π/2 (Muller, Elementary Functions, on reduction), where the C library itself is off by
/// some ulps; the cosine to more digits than a double has.
@Test func nearestMultipleOfHalfPiIsReducedExactly() {
  let exact = -4.687165924254627611122582801963884e-19
  let cosine = values(.cosine, [6_381_956_970_095_103 * 0x1p797])[0]
  #expect(abs(cosine - exact) <= 2 * exact.ulp)
}

@Test func zerosOfDoublesKeepTheirSign() {
  for function: UnaryFunction in [
    .sine, .tangent, .arcsine, .arctangent, .sinh, .tanh, .asinh, .atanh, .errorFunction, .exponentialMinus1,
    .logarithm1p, .floor, .ceiling, .round, .squareRoot,
  ] {
    let result = values(function, [0, -0.0])
    #expect(result[0].sign == .plus && result[1].sign == .minus && result[1] == 0, "\(function)")
  }
}

@Test func powersOfDoublesKeepTheirErrorBoundAndSpecialCases() {
  var generator = Generator(18)
  var pairs: [(Double, Double)] = []
  let special: [Double] = [
    0, -0.0, 1, -1, 2, -2, 0.5, -0.5, 3, -3, .infinity, -.infinity, .nan, 1e300, 0x1p53, 0x1p53 - 1, 1e-310,
  ]
  for a in special { for b in special { pairs.append((a, b)) } }
  for _ in 0..<50_000 {
    pairs.append(
      (Double.random(in: 0...20, using: &generator), Double.random(in: -20...20, using: &generator)))
    pairs.append((Double(bitPattern: generator.next() >> 1), Double.random(in: -1...1, using: &generator)))
  }
  let (a, b) = (pairs.map { $0.0 }, pairs.map { $0.1 })
  let layout = BroadcastLayout(output: [a.count], [a.count], [a.count])!
  let out = withGuarded([Double](repeating: 0, count: a.count)) { out in
    a.withUnsafeBytes { x in
      b.withUnsafeBytes { y in
        tables[0].binary(.power, .f64)!(
          BinaryArguments(a: x.baseAddress!, b: y.baseAddress!, out: out, layout: layout), 0..<a.count)
      }
    }
  }
  for i in 0..<a.count {
    let exact = pow(a[i], b[i])
    let isSame = out[i] == exact ? out[i].sign == exact.sign : out[i].isNaN && exact.isNaN
    #expect(
      isSame || abs(out[i] - exact) <= 16 * exact.ulp, "\(a[i]) to \(b[i]): \(out[i]) instead of \(exact)")
  }
}
