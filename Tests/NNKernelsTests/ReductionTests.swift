import Foundation
import NNGraph
import NNKernels
import Reference
import Testing

/// The contract, written plainly: lane j takes elements j, j + 16, …; then lane i takes in i + 8, i + 4, i + 2, i + 1.
private func folded(
  _ values: [Float], _ start: Float, _ take: (Float, Float) -> Float, _ join: (Float, Float) -> Float
) -> Float {
  var lanes = [Float](repeating: start, count: 16)
  for (i, value) in values.enumerated() { lanes[i % 16] = take(lanes[i % 16], value) }
  for distance in [8, 4, 2, 1] {
    for i in 0..<distance { lanes[i] = join(lanes[i], lanes[i + distance]) }
  }
  return lanes[0]
}

private func larger(_ a: Float, _ b: Float) -> Float { a.isNaN || a > b ? a : b }
private func smaller(_ a: Float, _ b: Float) -> Float { a.isNaN || a < b ? a : b }

private func reference(_ function: ReduceFunction, _ values: [Float]) -> Float {
  switch function {
  case .sum: folded(values, 0, +, +)
  case .mean: folded(values, 0, +, +) / Float(values.count)
  case .maximum: folded(values, -.infinity, larger, larger)
  case .minimum: folded(values, .infinity, smaller, smaller)
  case .product: folded(values, 1, *, *)
  case .sumOfSquares: folded(values, 0, { $0.addingProduct($1, $1) }, +)
  }
}

/// The elements that each output folds, in row-major order of the reduced axes.
private func groups(_ x: [Float], _ shape: [Int], _ isReduced: [Bool]) -> [[Float]] {
  let kept = zip(shape, isReduced).filter { !$0.1 }.map(\.0).reduce(1, *)
  var result = [[Float]](repeating: [], count: kept)
  for position in 0..<x.count {
    var rest = position
    var output = 0
    var stride = 1
    for axis in (0..<shape.count).reversed() {
      if !isReduced[axis] {
        output += rest % shape[axis] * stride
        stride *= shape[axis]
      }
      rest /= shape[axis]
    }
    result[output].append(x[position])
  }
  return result
}

private let shapes: [(shape: [Int], isReduced: [Bool])] = [
  ([5], [true]), ([5], [false]), ([0], [true]), ([3, 0], [false, true]), ([0, 3], [false, true]),
  ([1], [true]), ([100], [true]), ([4, 15], [false, true]), ([4, 16], [false, true]),
  ([4, 33], [false, true]),
  ([40, 3], [true, false]), ([17, 37], [true, false]), ([2, 35, 16], [false, true, false]),
  ([3, 20, 1], [false, true, false]), ([6, 4, 5, 7], [true, false, true, true]),
  ([3, 2, 33, 5], [true, false, true, false]), ([4, 3, 5, 2], [false, true, false, true]),
  ([2, 3, 4], [true, true, true]),
]

@Test(arguments: ReduceFunction.allCases) private func reductionFollowsTheSixteenLanes(
  _ function: ReduceFunction
) {
  var generator = Generator(1)
  for (shape, isReduced) in shapes {
    for isWild in [false, true] {
      let count = shape.reduce(1, *)
      let x = isWild ? generator.wildFloats(count) : generator.floats(count)
      let layout = ReduceLayout(shape: shape, isReduced: isReduced)!
      let blank = [Float](repeating: 9, count: layout.count)
      let out = identicalOutput(units: layout.count, initial: blank) { table, y, range in
        (x + [0]).withUnsafeBufferPointer {
          table.reduce(function)(ReduceArguments(x: $0.baseAddress!, y: y, layout: layout), range)
        }
      }
      let expected = groups(x, shape, isReduced).map { reference(function, $0) }
      #expect(isSame(out, expected), "\(function) of \(shape) over \(isReduced)")
    }
  }
}

@Test func argumentsOfExtremesAreTheFirstAndNaNWins() {
  var generator = Generator(2)
  for (outer, axis, inner) in [(1, 1, 1), (3, 7, 1), (2, 20, 5), (1, 40, 17), (4, 3, 0)] {
    let x = (0..<outer * axis * inner).map { _ in
      generator.int(0...20) == 0 ? Float.nan : Float(generator.int(-3...3))
    }
    for isMaximum in [true, false] {
      let out = withGuarded([Int64](repeating: -1, count: outer * inner)) { y in
        for range in randomSplit(outer * inner, &generator) {
          (x + [0]).withUnsafeBytes {
            let arguments = ArgumentReduceArguments(
              x: $0.baseAddress!, y: y, outer: outer, axis: axis, inner: inner)
            let argument = ArgumentReduce(findsMaximum: isMaximum, axis: 0, keepsDimensions: false)
            tables[0].argument(argument, .f32)!(arguments, range)
          }
        }
      }
      for unit in 0..<out.count {
        let values = (0..<axis).map { x[(unit / inner * axis + $0) * inner + unit % inner] }
        let best = isMaximum ? values.reduce(-.infinity, larger) : values.reduce(.infinity, smaller)
        let expected = values.firstIndex { best.isNaN ? $0.isNaN : $0 == best }!
        #expect(out[unit] == Int64(expected), "\(values)")
      }
    }
  }
}

private func softmax(_ function: SoftmaxFunction, _ x: [Float], _ outer: Int, _ axis: Int, _ inner: Int)
  -> [Float]
{
  identicalOutput(units: outer * inner, initial: x) { table, y, range in
    // In place on what is already there; apart where every other call comes from.
    table.softmax(function)(
      SoftmaxArguments(x: UnsafePointer(y), y: y, outer: outer, axis: axis, inner: inner), range)
  }
}

@Test func softmaxIsCloseToTheExactOneAndSumsToOne() {
  var generator = Generator(3)
  for (outer, axis, inner) in [
    (3, 1, 1), (2, 10, 1), (4, 16, 1), (2, 1000, 1), (2, 5, 3), (1, 40, 20), (0, 4, 1), (2, 3, 0),
  ] {
    let x = generator.floats(outer * axis * inner, -10...10)
    let y = softmax(.softmax, x, outer, axis, inner)
    let logarithms = softmax(.logSoftmax, x, outer, axis, inner)
    for unit in 0..<outer * inner {
      let index = (0..<axis).map { (unit / inner * axis + $0) * inner + unit % inner }
      let maximum = index.map { Double(x[$0]) }.max()!
      let sum = index.map { exp(Double(x[$0]) - maximum) }.reduce(0, +)
      for i in index {
        let exact = exp(Double(x[i]) - maximum) / sum
        // The difference x − m is rounded to half an ulp of up to 20: that is 16 ulp of its exponential.
        #expect(ulpDistance(y[i], exact) <= 20)
        // Half an ulp of x − m, of the logarithm and of the result, none above 32.
        #expect(abs(Double(logarithms[i]) - log(exact)) <= 3 * 0x1p-20)
      }
    }
  }
}

@Test func softmaxIsTheSameAlongAnyAxis() {
  var generator = Generator(4)
  let (axis, inner) = (37, 19)
  let x = generator.floats(axis * inner, -5...5)
  let columns = softmax(.softmax, x, 1, axis, inner)
  let transposed = (0..<inner).flatMap { column in (0..<axis).map { x[$0 * inner + column] } }
  let rows = softmax(.softmax, transposed, inner, axis, 1)
  for i in 0..<axis { for j in 0..<inner { #expect(columns[i * inner + j] == rows[j * axis + i]) } }
}

/// Short rows are taken together, a single one is not, and the same rows within a longer range give the same.
@Test func softmaxOfShortRowsIsThatOfEachRow() {
  var generator = Generator(7)
  for axis in [1, 2, 3, 10, 16, 17, 32, 33] {
    let x = generator.wildFloats(21 * axis)
    for function in [SoftmaxFunction.softmax, .logSoftmax] {
      let together = softmax(function, x, 21, axis, 1)
      let apart = (0..<21).flatMap { softmax(function, Array(x[$0 * axis..<($0 + 1) * axis]), 1, axis, 1) }
      #expect(isSame(together, apart), "\(function) of rows of \(axis)")
    }
  }
}

@Test func softmaxHandlesInfinitiesAsTheMathematicsDoes() {
  let y = softmax(.softmax, [-.infinity, 0, 0, .infinity, 1, 2, .nan, 1, 2], 3, 3, 1)
  #expect(y[0] == 0 && y[1] == 0.5 && y[2] == 0.5)
  #expect(y[3].isNaN && y[4] == 0 || y[3].isNaN && y[4].isNaN)
  #expect(y[6...8].allSatisfy { $0.isNaN })
}

@Test func batchNormalizationMatchesTheDefinition() {
  var generator = Generator(5)
  for (outer, channels, inner) in [(2, 3, 1), (5, 37, 1), (3, 16, 1), (1, 4, 16), (3, 2, 35), (2, 2, 0)] {
    let x = generator.floats(outer * channels * inner)
    let scale = generator.floats(channels)
    let bias = generator.floats(channels)
    let mean = generator.floats(channels)
    let variance = generator.floats(channels, 0...3)
    let out = identicalOutput(units: outer * channels, initial: x) { table, y, range in
      scale.withUnsafeBufferPointer { scale in
        bias.withUnsafeBufferPointer { bias in
          mean.withUnsafeBufferPointer { mean in
            variance.withUnsafeBufferPointer { variance in
              table.batchNormalize(
                BatchNormalizeArguments(
                  x: UnsafePointer(y), y: y, scale: scale.baseAddress!, bias: bias.baseAddress!,
                  mean: mean.baseAddress!, variance: variance.baseAddress!, epsilon: 1e-5, outer: outer,
                  channels: channels, inner: inner), range)
            }
          }
        }
      }
    }
    for i in 0..<x.count {
      let channel = i / inner % channels
      let factor = scale[channel] / (variance[channel] + 1e-5).squareRoot()
      #expect(out[i] == bias[channel].addingProduct(x[i] - mean[channel], factor))
    }
  }
}

@Test func layerNormalizationMatchesTheDefinition() {
  var generator = Generator(6)
  for (rows, inner) in [(1, 1), (3, 7), (2, 16), (4, 50), (0, 4)] {
    for isPlain in [false, true] {
      let x = generator.floats(rows * inner)
      let scale = generator.floats(inner)
      let bias = generator.floats(inner)
      let out = identicalOutput(units: rows, initial: x) { table, y, range in
        scale.withUnsafeBufferPointer { scale in
          bias.withUnsafeBufferPointer { bias in
            table.layerNormalize(
              LayerNormalizeArguments(
                x: UnsafePointer(y), y: y, scale: isPlain ? nil : scale.baseAddress!,
                bias: isPlain ? nil : bias.baseAddress!, epsilon: 1e-5, rows: rows, inner: inner), range)
          }
        }
      }
      for row in 0..<rows {
        let values = Array(x[row * inner..<(row + 1) * inner])
        let mean = folded(values, 0, +, +) / Float(inner)
        let variance = folded(values.map { $0 - mean }, 0, { $0.addingProduct($1, $1) }, +) / Float(inner)
        let inverse = 1 / (variance + 1e-5).squareRoot()
        for i in 0..<inner {
          let value = (values[i] - mean) * inverse
          let expected = isPlain ? Float(0).addingProduct(value, 1) : bias[i].addingProduct(value, scale[i])
          #expect(out[row * inner + i] == expected)
        }
      }
    }
  }
}
