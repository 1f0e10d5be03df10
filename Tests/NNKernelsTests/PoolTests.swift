import NNGraph
import NNKernels
import Testing

private struct Case: CustomStringConvertible {
  var planes: Int
  var height: Int
  var width: Int
  var window: Window
  var includesPadding: Bool
  var outputs: Int { window.outputHeight(height) * window.outputWidth(width) }
  var description: String { "\(planes)×\(height)×\(width), \(window), padding counts: \(includesPadding)" }

  /// The positions in a plane of the taps of window `pixel`, those in the padding left out.
  func taps(_ pixel: Int) -> [Int] {
    var taps: [Int] = []
    for ky in 0..<window.kernelHeight {
      for kx in 0..<window.kernelWidth {
        let row = pixel / window.outputWidth(width) * window.strideHeight + ky - window.padTop
        let column = pixel % window.outputWidth(width) * window.strideWidth + kx - window.padLeft
        if row >= 0 && row < height && column >= 0 && column < width { taps.append(row * width + column) }
      }
    }
    return taps
  }

  static func random(_ generator: inout Generator) -> Case {
    Case(
      planes: generator.int(1...3), height: generator.int(1...9), width: generator.int(1...20),
      window: Window(
        kernel: (generator.int(1...4), generator.int(1...4)),
        stride: (generator.int(1...3), generator.int(1...3)),
        padding: (generator.int(0...2), generator.int(0...2), generator.int(0...2), generator.int(0...2))),
      includesPadding: generator.int(0...1) == 1)
  }
}

private func isBetter(_ a: Float, _ b: Float) -> Bool { !b.isNaN && (a.isNaN || a > b) }

@Test func poolingMatchesTheDefinition() {
  var generator = Generator(1)
  for _ in 0..<150 {
    let c = Case.random(&generator)
    let x = generator.wildFloats(c.planes * c.height * c.width)
    for isMaximum in [true, false] {
      let blank = [Float](repeating: 9, count: c.planes * c.outputs)
      let out = identicalOutput(units: c.planes, initial: blank) { table, y, range in
        x.withUnsafeBufferPointer {
          let arguments = PoolArguments(
            x: $0.baseAddress!, y: y, window: c.window, planes: c.planes, height: c.height, width: c.width,
            countIncludesPadding: c.includesPadding)
          (isMaximum ? table.maximumPool : table.averagePool)(arguments, range)
        }
      }
      for i in 0..<out.count {
        let values = c.taps(i % c.outputs).map { x[i / c.outputs * c.height * c.width + $0] }
        let count = c.includesPadding ? c.window.kernelHeight * c.window.kernelWidth : max(1, values.count)
        let expected =
          isMaximum
          ? values.reduce(-.infinity) { isBetter($1, $0) ? $1 : $0 } : values.reduce(0, +) / Float(count)
        #expect(isSame(out[i], expected), "\(c)")
      }
    }
  }
}

@Test func poolGradientsAreTheAdjointsOfPooling() {
  var generator = Generator(2)
  for _ in 0..<150 {
    let c = Case.random(&generator)
    // Few values, so that windows have several maxima, of which the first counts.
    let x = (0..<c.planes * c.height * c.width).map { _ in
      generator.int(0...30) == 0 ? Float.nan : Float(generator.int(0...3))
    }
    let dy = (0..<c.planes * c.outputs).map { _ in Float(generator.int(-8...8)) }
    for isMaximum in [true, false] {
      var expected = [Float](repeating: 0, count: x.count)
      for i in 0..<dy.count {
        let taps = c.taps(i % c.outputs).map { i / c.outputs * c.height * c.width + $0 }
        if isMaximum {
          guard var best = taps.first else { continue }
          for tap in taps where isBetter(x[tap], x[best]) { best = tap }
          expected[best] += dy[i]
        } else {
          let count = c.includesPadding ? c.window.kernelHeight * c.window.kernelWidth : max(1, taps.count)
          for tap in taps { expected[tap] += dy[i] / Float(count) }
        }
      }
      let out = identicalOutput(units: c.planes, initial: [Float](repeating: 5, count: x.count)) {
        table, dx, range in
        x.withUnsafeBufferPointer { x in
          (dy + [0]).withUnsafeBufferPointer { dy in
            let arguments = PoolGradientArguments(
              x: isMaximum ? x.baseAddress! : nil, dy: dy.baseAddress!, dx: dx, window: c.window,
              planes: c.planes,
              height: c.height, width: c.width, countIncludesPadding: c.includesPadding)
            (isMaximum ? table.maximumPoolGradient : table.averagePoolGradient)(arguments, range)
          }
        }
      }
      #expect(isSame(out, expected), "\(c)")
    }
  }
}
