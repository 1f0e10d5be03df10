import Foundation
import NNGraph
import NNKernels
import Reference
import Testing

/// A function, its value in double, and the error that its doc comment promises.
struct Promise: CustomStringConvertible, Sendable {
  var function: UnaryFunction
  var ulps: Double
  var alpha: Float = 0
  var beta: Float = 0
  var exact: @Sendable (Double) -> Double
  var description: String { "\(function)" }
}

private func gelu(_ x: Double) -> Double { x == -.infinity ? 0 : x * erfc(-x / 2.0.squareRoot()) / 2 }

private func geluTanh(_ x: Double) -> Double {
  x == -.infinity ? 0 : x / (1 + exp(-2 * (2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
}

private func silu(_ x: Double) -> Double { x == -.infinity ? 0 : x / (1 + exp(-x)) }

private let promises: [Promise] = [
  Promise(function: .identity, ulps: 0) { $0 },
  Promise(function: .negate, ulps: 0) { -$0 },
  Promise(function: .absolute, ulps: 0) { abs($0) },
  Promise(function: .square, ulps: 0.5) { $0 * $0 },
  Promise(function: .squareRoot, ulps: 0.5) { $0.squareRoot() },
  Promise(function: .reciprocalSquareRoot, ulps: 1.5) { 1 / $0.squareRoot() },
  Promise(function: .reciprocal, ulps: 0.5) { 1 / $0 },
  Promise(function: .exponential, ulps: 1) { exp($0) },
  Promise(function: .logarithm, ulps: 2) { log($0) },
  Promise(function: .sign, ulps: 0) { $0 > 0 ? 1 : $0 < 0 ? -1 : $0 },
  Promise(function: .floor, ulps: 0) { $0.rounded(.down) },
  Promise(function: .ceiling, ulps: 0) { $0.rounded(.up) },
  Promise(function: .round, ulps: 0) { $0.rounded(.toNearestOrEven) },
  Promise(function: .errorFunction, ulps: 2) { erf($0) },
  Promise(function: .sine, ulps: 1) { sin($0) },
  Promise(function: .cosine, ulps: 1) { cos($0) },
  Promise(function: .logarithm1p, ulps: 2) { log1p($0) },
  Promise(function: .exponentialMinus1, ulps: 2) { expm1($0) },
  Promise(function: .tangent, ulps: 0.51) { tan($0) },
  Promise(function: .arcsine, ulps: 0.51) { asin($0) },
  Promise(function: .arccosine, ulps: 0.51) { acos($0) },
  Promise(function: .arctangent, ulps: 0.51) { atan($0) },
  Promise(function: .sinh, ulps: 0.51) { sinh($0) },
  Promise(function: .cosh, ulps: 0.51) { cosh($0) },
  Promise(function: .asinh, ulps: 0.51) { asinh($0) },
  Promise(function: .acosh, ulps: 0.51) { acosh($0) },
  Promise(function: .atanh, ulps: 0.51) { atanh($0) },
  Promise(function: .sigmoid, ulps: 2.25) { 1 / (1 + exp(-$0)) },
  Promise(function: .tanh, ulps: 2) { tanh($0) },
  Promise(function: .relu, ulps: 0) { $0 < 0 ? 0 : $0 },
  Promise(function: .leakyRelu, ulps: 0.5, alpha: 0.01) { $0 < 0 ? Double(Float(0.01)) * $0 : $0 },
  Promise(function: .elu, ulps: 3, alpha: 1.25) { $0 < 0 ? 1.25 * expm1($0) : $0 },
  Promise(function: .gelu, ulps: 4, exact: gelu),
  Promise(function: .geluTanh, ulps: 4, exact: geluTanh),
  Promise(function: .silu, ulps: 3, exact: silu),
  Promise(function: .softplus, ulps: 2) { max($0, 0) + log1p(exp(-abs($0))) },
  Promise(function: .clip, ulps: 0, alpha: -1.5, beta: 6) { $0.isNaN ? $0 : min(max($0, -1.5), 6) },
]

/// Floats of every exponent and both signs, the specials, and many more where the functions have their shape.
private let sweep: [Float] = {
  var values: [Float] = [0, -0.0, .infinity, -.infinity, .nan, 1, -1, .leastNonzeroMagnitude, -0x1p-126]
  var bits: UInt32 = 0
  while bits <= 0xffff_ffff - 16411 {
    values.append(Float(bitPattern: bits))
    bits += 16411
  }
  var generator = Generator(7)
  for range: ClosedRange<Float> in [-110...110, -20...20, -2...2, -0.1...0.1, 0.5...1.5] {
    values += generator.floats(60_000, range)
  }
  return values
}()

@Test func everyUnaryFunctionHasAPromise() {
  #expect(Set(promises.map(\.function)) == Set(UnaryFunction.allCases))
}

@Test(arguments: promises) private func unaryFunctionKeepsItsErrorBound(_ promise: Promise) {
  let result = identicalUnary(promise, sweep)
  var worst = 0.0
  var place: Float = 0
  for i in 0..<sweep.count {
    let error = ulpDistance(result[i], promise.exact(Double(sweep[i])))
    if error > worst {
      worst = error
      place = sweep[i]
    }
  }
  #expect(worst <= promise.ulps, "\(promise.function): \(worst) ulp at \(place)")
  if ProcessInfo.processInfo.environment["NNRT_PRINT_ULPS"] != nil {
    print("ulp \(promise.function) \(worst) at \(place)")
  }
}

@Test(arguments: promises) private func unaryFunctionIsTheSameInTailsAndInPlace(_ promise: Promise) {
  var generator = Generator(3)
  for count in Array(0...35) + [63, 64, 65, 100] {
    let x = generator.wildFloats(count)
    let expected = identicalUnary(promise, x)
    for table in tables {
      let kernel = table.unary(promise.function)
      let inPlace = withGuarded(x) { kernel(UnsafePointer($0), $0, count, promise.alpha, promise.beta) }
      #expect(isSame(inPlace, expected))
      // One element at a time is the same as all at once: no lane depends on its neighbours.
      let single = withGuarded(x) { y in
        for i in 0..<count { kernel(UnsafePointer(y + i), y + i, 1, promise.alpha, promise.beta) }
      }
      #expect(isSame(single, expected))
    }
  }
}

@Test func zerosKeepTheirSign() {
  for function: UnaryFunction in [
    .sine, .tanh, .errorFunction, .exponentialMinus1, .logarithm1p, .floor, .ceiling, .round, .gelu, .silu,
    .squareRoot, .tangent, .arcsine, .arctangent, .sinh, .asinh, .atanh,
  ] {
    let result = identicalUnary(Promise(function: function, ulps: 0) { $0 }, [0, -0.0])
    #expect(result[0].sign == .plus && result[1].sign == .minus, "\(function)")
  }
}

private func identicalUnary(_ promise: Promise, _ x: [Float]) -> [Float] {
  let blank = [Float](repeating: 0, count: x.count)
  return identicalOutput(units: x.count, initial: blank) { table, y, range in
    x.withUnsafeBufferPointer { input in
      guard let base = input.baseAddress else { return }
      table.unary(promise.function)(
        base + range.lowerBound, y + range.lowerBound, range.count, promise.alpha, promise.beta)
    }
  }
}

@Test func powerKeepsItsErrorBoundAndSpecialCases() {
  var generator = Generator(11)
  var pairs: [(Float, Float)] = []
  let special: [Float] = [
    0, -0.0, 1, -1, 2, -2, 3, -3, 0.5, -0.5, .infinity, -.infinity, .nan, 0x1p-133, -0x1p-133, 1e38, -1e38,
    16_777_218, -7,
    8_388_609, 1.5,
  ]
  for a in special { for b in special { pairs.append((a, b)) } }
  for _ in 0..<40_000 {
    pairs.append((generator.float(0...10), generator.float(-20...20)))
    pairs.append((generator.float(0.9...1.1), generator.float(-500...500)))
    pairs.append((generator.float(-9...9), Float(generator.int(-12...12))))
    pairs.append(
      (Float(bitPattern: UInt32(truncatingIfNeeded: generator.next())), generator.float(-4...4)))
  }
  let a = pairs.map(\.0)
  let b = pairs.map(\.1)
  let result = identicalOutput(units: a.count, initial: a) { table, out, range in
    let layout = BroadcastLayout(output: [a.count], [a.count], [a.count])!
    a.withUnsafeBytes { x in
      b.withUnsafeBytes { y in
        table.binary(.power, .f32)!(
          BinaryArguments(a: x.baseAddress!, b: y.baseAddress!, out: out, layout: layout), range)
      }
    }
  }
  var worst = 0.0
  for i in 0..<a.count {
    let exact = pow(Double(a[i]), Double(b[i]))
    let error = ulpDistance(result[i], exact)
    if error > 1 { Issue.record("\(a[i]) to the power \(b[i]) is \(exact), not \(result[i])") }
    if exact == 0 { #expect(result[i].sign == exact.sign, "\(a[i]) to the power \(b[i])") }
    worst = max(worst, error)
  }
  #expect(worst <= 1)
}

@Test func trigonometryHoldsForHugeArguments() {
  var generator = Generator(5)
  // Up to the largest float, and the floats of a binade that come nearest to a multiple of π/2.
  let x =
    (0..<20_000).map { _ in Float(bitPattern: UInt32(generator.int(0x4d00_0000...0x7f7f_ffff))) }
    + [0x1.f37f64p+99, -0x1.f37f64p+99, 16367173 * 0x1p72, .greatestFiniteMagnitude]
  for (function, exact) in [(UnaryFunction.sine, sin as (Double) -> Double), (.cosine, cos)] {
    let result = identicalUnary(Promise(function: function, ulps: 1) { $0 }, x)
    for i in 0..<x.count {
      #expect(ulpDistance(result[i], exact(Double(x[i]))) <= 1, "\(function) of \(x[i])")
    }
  }
}

/// The exact fused multiply-add shows itself through the functions built on it: every table has to agree with the
/// baseline's emulation, which is checked against the C library here.
@Test func fusedMultiplyAddIsExact() {
  var generator = Generator(17)
  for _ in 0..<20_000 {
    var a = Vector()
    var b = Vector()
    var c = Vector()
    for lane in 0..<16 {
      a[lane] = Float(bitPattern: UInt32(truncatingIfNeeded: generator.next()))
      b[lane] = Float(bitPattern: UInt32(truncatingIfNeeded: generator.next()))
      c[lane] = Float(bitPattern: UInt32(truncatingIfNeeded: generator.next()))
      switch generator.int(0...4) {
      case 0: c[lane] = -a[lane] * b[lane]
      case 1: b[lane] = Float(generator.int(-3...3))
      case 2:
        // Near the subnormals, where the second rounding is the dangerous one.
        a[lane] = Float(
          sign: .plus, exponent: generator.int(-80 ... -60), significand: 1 + generator.float(0...1))
        b[lane] = Float(
          sign: .minus, exponent: generator.int(-80 ... -60), significand: 1 + generator.float(0...1))
        c[lane] = Float(bitPattern: UInt32(generator.int(0...0xff_ffff)))
      default: break
      }
    }
    let emulated = fusedMultiplyAddOfBaseline(a, b, c)
    for lane in 0..<16 {
      let expected = fmaf(a[lane], b[lane], c[lane])
      if !isSame(emulated[lane], expected) {
        Issue.record("\(a[lane]) · \(b[lane]) + \(c[lane]) is \(expected), not \(emulated[lane])")
      }
    }
  }
}
