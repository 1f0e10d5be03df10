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
    // Now and then the windows that have code of their own, and rows of more than one vector.
    let width = generator.int(0...2) == 0 ? generator.int(1...70) : generator.int(1...20)
    if generator.int(0...3) == 0 {
      return Case(
        planes: generator.int(1...3), height: generator.int(1...9), width: width,
        window: Window(kernel: (2, 2), stride: (2, 2)), includesPadding: generator.int(0...1) == 1)
    }
    if generator.int(0...3) == 0 {
      return Case(
        planes: generator.int(1...3), height: generator.int(1...9), width: width,
        window: Window(
          kernel: (3, 3), stride: (2, 2),
          padding: (generator.int(0...3), generator.int(0...3), generator.int(0...3), generator.int(0...3))),
        includesPadding: false)
    }
    return Case(
      planes: generator.int(1...3), height: generator.int(1...9), width: width,
      window: Window(
        kernel: (generator.int(1...5), generator.int(1...5)),
        stride: (generator.int(1...3), generator.int(1...3)),
        padding: (generator.int(0...2), generator.int(0...2), generator.int(0...2), generator.int(0...2))),
      includesPadding: generator.int(0...1) == 1)
  }
}

private func isBetter(_ a: Float, _ b: Float) -> Bool { !b.isNaN && (a.isNaN || a > b) }

@Test func poolingMatchesTheDefinition() {
  var generator = Generator(1)
  for _ in 0..<400 {
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

/// What a gradient is by definition.
private func expectedGradient(_ c: Case, _ x: [Float], _ dy: [Float], isMaximum: Bool) -> [Float] {
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
  return expected
}

private func checkGradient(_ c: Case, _ x: [Float], _ dy: [Float]) {
  for isMaximum in [true, false] {
    let out = identicalOutput(units: c.planes, initial: [Float](repeating: 5, count: x.count)) {
      table, dx, range in
      x.withUnsafeBufferPointer { x in
        (dy + [0]).withUnsafeBufferPointer { dy in
          let arguments = PoolGradientArguments(
            x: isMaximum ? x.baseAddress! : nil, dy: dy.baseAddress!, dx: dx, window: c.window,
            planes: c.planes, height: c.height, width: c.width, countIncludesPadding: c.includesPadding)
          (isMaximum ? table.maximumPoolGradient : table.averagePoolGradient)(arguments, range)
        }
      }
    }
    #expect(isSame(out, expectedGradient(c, x, dy, isMaximum: isMaximum)), "\(c), maximum: \(isMaximum)")
  }
}

@Test func poolGradientsAreTheAdjointsOfPooling() {
  var generator = Generator(2)
  for _ in 0..<400 {
    let c = Case.random(&generator)
    // Few values, so that windows have several maxima, of which the first counts.
    let few: [Float] = [0, -0.0, 1, 2, 3, -.infinity]
    let x = (0..<c.planes * c.height * c.width).map { _ in
      generator.int(0...30) == 0 ? Float.nan : few[generator.int(0...few.count - 1)]
    }
    // Sums of these are rounded, so their order shows; −0 must not be what is left of a sum.
    let dy = (0..<c.planes * c.outputs).map { _ in generator.int(0...5) == 0 ? -0.0 : generator.float() }
    checkGradient(c, x, dy)
  }
}

@Test func windowsOfMinusInfinityGiveTheirGradientToTheFirstTap() {
  for window in [
    Window(kernel: (2, 2), stride: (2, 2)), Window(kernel: (3, 3), stride: (2, 2), padding: (1, 1, 1, 1)),
  ] {
    let c = Case(planes: 2, height: 5, width: 37, window: window, includesPadding: false)
    let x = [Float](repeating: -.infinity, count: 2 * 5 * 37)
    checkGradient(c, x, (0..<2 * c.outputs).map { Float($0 + 1) })
  }
}

/// Planes are cleared some at a time, and lanes past a plane's end touch the next one: many small planes, and all their edges.
@Test func gradientsOfManySmallPlanesStayApart() {
  var generator = Generator(3)
  for (planes, height, width, window) in [
    (300, 7, 7, Window(kernel: (3, 3), stride: (2, 2), padding: (1, 1, 1, 1))),
    (300, 7, 7, Window(kernel: (2, 2), stride: (2, 2))), (300, 5, 3, Window(kernel: (3, 2))),
    (3, 40, 120, Window(kernel: (3, 3), stride: (2, 2), padding: (1, 1, 1, 1))),
    (2000, 1, 1, Window(kernel: (1, 1))), (500, 3, 1, Window(kernel: (2, 2), stride: (2, 2))),
  ] {
    let c = Case(planes: planes, height: height, width: width, window: window, includesPadding: false)
    checkGradient(c, generator.floats(planes * height * width), generator.floats(planes * c.outputs))
  }
}
