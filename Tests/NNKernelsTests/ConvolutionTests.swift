import NNGraph
import NNKernels
import Testing

private struct Case: CustomStringConvertible {
  var batch = 1
  var channels = 3
  var height = 7
  var width = 9
  var outputs = 4
  var groups = 1
  var window = Window(kernel: (3, 3))
  var hasBias = true
  var activation = Activation.identity
  /// Units are made small enough for so many.
  var threads = 1
  var description: String {
    "(\(batch), \(channels), \(height), \(width)) → \(outputs), groups \(groups), \(window), \(activation.function), \(threads) threads"
  }
}

/// The contract, written plainly: k over (channel in group, kernel row, kernel column), taps in the padding as zeros.
private func reference(_ x: [Float], _ weights: [Float], _ bias: [Float], _ c: Case) -> [Float] {
  let oh = c.window.outputHeight(c.height)
  let ow = c.window.outputWidth(c.width)
  let inputs = c.channels / c.groups
  var out: [Float] = []
  for n in 0..<c.batch {
    for m in 0..<c.outputs {
      let group = m / (c.outputs / c.groups)
      for y in 0..<oh {
        for z in 0..<ow {
          var sum: Float = 0
          for i in 0..<inputs {
            for ky in 0..<c.window.kernelHeight {
              for kx in 0..<c.window.kernelWidth {
                let row = y * c.window.strideHeight + ky * c.window.dilationHeight - c.window.padTop
                let column = z * c.window.strideWidth + kx * c.window.dilationWidth - c.window.padLeft
                let isInside = row >= 0 && row < c.height && column >= 0 && column < c.width
                let plane = n * c.channels + group * inputs + i
                let value = isInside ? x[(plane * c.height + row) * c.width + column] : 0
                sum.addProduct(
                  weights[((m * inputs + i) * c.window.kernelHeight + ky) * c.window.kernelWidth + kx], value)
              }
            }
          }
          if c.hasBias { sum += bias[m] }
          out.append(sum)
        }
      }
    }
  }
  let kernel = tables[0].unary(c.activation.function)
  out.withUnsafeMutableBufferPointer { buffer in
    guard let base = buffer.baseAddress else { return }
    kernel(UnsafePointer(base), base, buffer.count, c.activation.alpha, c.activation.beta)
  }
  return out
}

private func check(_ c: Case, _ generator: inout Generator, wild: Bool = false) {
  let count = c.batch * c.channels * c.height * c.width
  let x = wild ? generator.wildFloats(count) : generator.floats(count)
  let weights = generator.floats(
    c.outputs * c.channels / c.groups * c.window.kernelHeight * c.window.kernelWidth)
  let bias = generator.floats(c.outputs)
  let expected = reference(x, weights, bias, c)
  let blank = [Float](repeating: -7, count: expected.count)
  // Exactly sized copies: reading past an operand would be seen by a sanitizer.
  x.withUnsafeBufferPointer { x in
    weights.withUnsafeBufferPointer { weights in
      bias.withUnsafeBufferPointer { bias in
        func arguments(_ out: UnsafeMutablePointer<Float>) -> ConvolutionArguments {
          var arguments = ConvolutionArguments(
            x: x.baseAddress!, weights: weights.baseAddress!, bias: c.hasBias ? bias.baseAddress! : nil,
            y: out,
            epilogue: Epilogue(c.activation), window: c.window, batch: c.batch, channels: c.channels,
            height: c.height, width: c.width, outputChannels: c.outputs, groups: c.groups)
          _ = arguments.share(among: c.threads)
          return arguments
        }
        let units = arguments(UnsafeMutablePointer(mutating: x.baseAddress!)).workUnits
        let out = identicalOutput(units: units, initial: blank) { table, out, range in
          let arguments = arguments(out)
          withScratch(arguments.scratchSize) { table.convolution(arguments, $0, range) }
        }
        #expect(isSame(out, expected), "\(c)")
        let any = arguments(UnsafeMutablePointer(mutating: x.baseAddress!))
        guard any.transformedWeightsSize > 0 else { return }
        let fromPanels = withScratch(any.transformedWeightsSize * 4) { memory in
          let panels = memory.assumingMemoryBound(to: Float.self)
          any.transformWeights(into: panels, 0..<any.weightUnits, tables[0].winogradWeights)
          return identicalOutput(units: units, initial: blank) { table, out, range in
            var arguments = arguments(out)
            arguments.transformedWeights = UnsafePointer(panels)
            withScratch(arguments.scratchSize) { table.convolution(arguments, $0, range) }
          }
        }
        #expect(isSame(fromPanels, expected), "\(c), weights in panels")
      }
    }
  }
}

@Test func convolutionHasTheBitsOfTheContractForGeneratedShapes() {
  var generator = Generator(1)
  for _ in 0..<120 {
    var c = Case()
    c.groups = [1, 1, 1, 2, 3][generator.int(0...4)]
    c.channels = c.groups * generator.int(1...4)
    c.outputs = c.groups * generator.int(1...7)
    c.batch = generator.int(1...3)
    c.height = generator.int(1...12)
    c.width = generator.int(1...21)
    c.window = Window(
      kernel: (generator.int(1...min(3, c.height)), generator.int(1...min(5, c.width))),
      stride: (generator.int(1...3), generator.int(1...3)),
      dilation: (generator.int(1...2), generator.int(1...2)),
      padding: (generator.int(0...3), generator.int(0...3), generator.int(0...3), generator.int(0...3)))
    c.hasBias = generator.int(0...1) == 1
    if c.window.outputHeight(c.height) == 0 || c.window.outputWidth(c.width) == 0 { continue }
    check(c, &generator)
  }
}

@Test func depthwiseConvolutionHasTheBitsOfTheContract() {
  var generator = Generator(2)
  for stride in 1...3 {
    for dilation in 1...2 {
      for width in [1, 7, 15, 16, 17, 35, 52] {
        check(
          Case(
            batch: 2, channels: 3, height: 9, width: width, outputs: 3 * dilation, groups: 3,
            window: Window(
              kernel: (3, 3), stride: (stride, stride), dilation: (dilation, 1), padding: (2, 1, 2, 1)),
            activation: Activation(.relu)), &generator)
        // A stride down the rows of its own, past the window's height too.
        check(
          Case(
            channels: 2, height: 12, width: width, outputs: 2, groups: 2,
            window: Window(kernel: (2, 2), stride: (stride, 3 - dilation), padding: (1, 1, 0, 0))), &generator
        )
      }
    }
  }
}

@Test func paddingIsMultipliedAsZero() {
  // An infinite weight times a padded tap is NaN, in both routes.
  var generator = Generator(3)
  check(Case(window: Window(kernel: (3, 3), padding: (1, 1, 1, 1))), &generator, wild: true)
  check(
    Case(outputs: 3, groups: 3, window: Window(kernel: (3, 3), padding: (1, 1, 1, 1))), &generator, wild: true
  )
}

@Test func longReductionsAndManyPixelsKeepTheBits() {
  var generator = Generator(4)
  check(Case(channels: 40, height: 6, width: 6, outputs: 17, window: Window(kernel: (2, 3))), &generator)
  check(Case(channels: 2, height: 40, width: 41, outputs: 9, activation: Activation(.gelu)), &generator)
  check(
    Case(batch: 2, channels: 24, height: 9, width: 9, outputs: 13, window: Window(kernel: (1, 1))), &generator
  )
}

@Test func windowsOfOnePixelKeepTheBits() {
  // Images of whole panels, with pixels left over, and smaller than a panel; of rows that share lines of the cache; of several blocks of
  // filters, and of both.
  var generator = Generator(7)
  for (batch, channels, height, width, outputs, groups) in [
    (1, 70, 7, 7, 70, 1), (2, 3, 7, 7, 130, 1), (1, 6, 14, 14, 24, 2), (1, 65, 16, 16, 9, 1),
    (2, 66, 16, 16, 66, 1), (1, 9, 4, 3, 80, 1), (1, 5, 5, 6, 17, 1), (3, 4, 12, 9, 140, 2),
    (1, 300, 6, 9, 19, 1),
  ] {
    for activation in [Activation(.clip, alpha: 0, beta: 1), Activation(.tanh)] {
      check(
        Case(
          batch: batch, channels: channels, height: height, width: width, outputs: outputs, groups: groups,
          window: Window(kernel: (1, 1)), activation: activation), &generator)
    }
  }
}

@Test func weightsFillTheLanesWherePixelsAreFew() {
  var generator = Generator(8)
  for (channels, size, outputs, kernel, stride) in [
    (64, 7, 32, 1, 1), (130, 7, 70, 1, 1), (64, 14, 48, 1, 2), (9, 13, 40, 3, 2), (8, 9, 33, 3, 1),
    (70, 1, 100, 1, 1), (300, 5, 64, 3, 2), (2100, 3, 35, 1, 1), (64, 7, 64, 1, 1), (2100, 7, 64, 1, 1),
    (65, 5, 32, 1, 1), (230, 13, 80, 3, 2),
  ] {
    let padding = kernel / 2
    for activation in [Activation(.clip, alpha: 0, beta: 1), Activation(.tanh)] {
      let c = Case(
        channels: channels, height: size, width: size, outputs: outputs,
        window: Window(
          kernel: (kernel, kernel), stride: (stride, stride), padding: (padding, padding, padding, padding)),
        hasBias: outputs % 2 == 0, activation: activation)
      check(c, &generator)
    }
  }
}

@Test(arguments: 2...5)
func unitsForSeveralThreadsKeepTheBits(_ threads: Int) {
  var generator = Generator(UInt64(threads))
  let onePixel = Window(kernel: (1, 1))
  for c in [
    // Few pixels are cut in two; those of larger images are shared out, where they lie or gathered.
    Case(channels: 80, height: 7, width: 7, outputs: 160, window: onePixel),
    Case(channels: 80, height: 6, width: 6, outputs: 48, window: onePixel),
    Case(channels: 24, height: 14, width: 14, outputs: 40, window: onePixel),
    Case(channels: 12, height: 25, width: 23, outputs: 70, window: onePixel),
    Case(channels: 300, height: 28, width: 28, outputs: 20, window: onePixel),
    Case(channels: 10, height: 33, width: 31, outputs: 40, window: Window(kernel: (1, 1), stride: (2, 2))),
    Case(
      batch: 2, channels: 6, height: 40, width: 29, outputs: 6, groups: 2,
      window: Window(kernel: (2, 1), stride: (3, 1))),
  ] {
    var shared = c
    shared.threads = threads
    check(shared, &generator)
  }
}

@Test func convolutionsOfFewChannelsKeepTheBits() {
  // Rows of the image that are copied with their padding, as wide as a number of vectors and as may be, for one output row or for several;
  // filters beside whole tiles, several blocks of them, and activations that follow the products.
  var generator = Generator(9)
  for width in [8, 15, 16, 17, 23, 32, 33, 47, 64, 65, 97] {
    for stride in 1...2 {
      for (kernel, dilation) in [(7, 1), (3, 1), (5, 2), (2, 3)] {
        let reach = dilation * (kernel - 1)
        check(
          Case(
            channels: 3, height: kernel + 9, width: (width - 1) * stride + 1, outputs: generator.int(1...70),
            window: Window(
              kernel: (kernel, kernel), stride: (generator.int(1...3), stride),
              dilation: (dilation, dilation),
              padding: (reach / 2, reach / 2, reach - reach / 2, reach - reach / 2)),
            hasBias: width % 2 == 1,
            activation: [Activation(.identity), Activation(.clip, alpha: 0, beta: 6), Activation(.tanh)][
              generator.int(0...2)]), &generator)
      }
    }
  }
  for _ in 0..<60 {
    var c = Case()
    c.groups = generator.int(1...2)
    c.channels = c.groups * generator.int(1...5)
    c.outputs = c.groups * generator.int(1...9)
    c.batch = generator.int(1...2)
    c.height = generator.int(1...20)
    c.width = generator.int(20...80)
    // Padding as wide as the window, and wider.
    c.window = Window(
      kernel: (generator.int(1...min(5, c.height)), generator.int(1...7)),
      stride: (generator.int(1...3), generator.int(1...2)), dilation: (1, generator.int(1...3)),
      padding: (generator.int(0...6), generator.int(0...9), generator.int(0...6), generator.int(0...9)))
    if c.window.outputHeight(c.height) == 0 || c.window.outputWidth(c.width) == 0 { continue }
    check(c, &generator, wild: generator.int(0...3) == 0)
  }
}

@Test func unfoldTimesWeightsIsTheConvolution() {
  var generator = Generator(5)
  let window = Window(kernel: (3, 2), stride: (2, 1), dilation: (1, 2), padding: (1, 2, 0, 1))
  let (planes, height, width) = (4, 7, 8)
  let x = generator.floats(planes * height * width)
  let pixels = window.outputHeight(height) * window.outputWidth(width)
  let out = identicalOutput(units: planes, initial: [Float](repeating: 9, count: planes * 6 * pixels)) {
    table, out, range in
    x.withUnsafeBufferPointer {
      table.unfold(
        UnfoldArguments(
          input: $0.baseAddress!, out: out, window: window, planes: planes, height: height, width: width),
        range)
    }
  }
  var expected: [Float] = []
  for plane in 0..<planes {
    for tap in 0..<6 {
      for y in 0..<window.outputHeight(height) {
        for z in 0..<window.outputWidth(width) {
          let row = y * 2 + tap / 2 - 1
          let column = z + tap % 2 * 2 - 2
          let isInside = row >= 0 && row < height && column >= 0 && column < width
          expected.append(isInside ? x[(plane * height + row) * width + column] : 0)
        }
      }
    }
  }
  #expect(out == expected)
}

@Test func foldIsTheAdjointOfUnfold() {
  var generator = Generator(6)
  for round in 0..<80 {
    var (height, width) = (generator.int(3...9), generator.int(3...9))
    var window = Window(
      kernel: (generator.int(1...3), generator.int(1...3)),
      stride: (generator.int(1...3), generator.int(1...3)),
      dilation: (1, generator.int(1...2)), padding: (generator.int(0...2), generator.int(0...2), 1, 0))
    if round >= 30 {
      // Images that the windows double.
      (height, width) = (2 * generator.int(1...6), [8, 16, 32, 64][generator.int(0...3)])
      let kernel = (generator.int(1...5), generator.int(1...5))
      let before = (generator.int(0...3), generator.int(0...3))
      window = Window(
        kernel: kernel, stride: (2, 2),
        padding: (before.0, before.1, max(0, kernel.0 - 2 - before.0), max(0, kernel.1 - 2 - before.1)))
    }
    let pixels = window.outputHeight(height) * window.outputWidth(width)
    let taps = window.kernelHeight * window.kernelWidth
    if pixels == 0 { continue }
    // Small integers: sums are exact, so ⟨unfold x, c⟩ = ⟨x, fold c⟩ holds without an error.
    let x = (0..<2 * height * width).map { _ in Float(generator.int(-9...9)) }
    let c = (0..<2 * taps * pixels).map { _ in Float(generator.int(-9...9)) }
    let unfolded = identicalOutput(units: 2, initial: [Float](repeating: 1, count: c.count)) {
      table, out, range in
      x.withUnsafeBufferPointer {
        table.unfold(
          UnfoldArguments(
            input: $0.baseAddress!, out: out, window: window, planes: 2, height: height, width: width), range)
      }
    }
    let folded = identicalOutput(units: 2, initial: [Float](repeating: 1, count: x.count)) {
      table, out, range in
      c.withUnsafeBufferPointer {
        table.fold(
          UnfoldArguments(
            input: $0.baseAddress!, out: out, window: window, planes: 2, height: height, width: width), range)
      }
    }
    let left = zip(unfolded, c).map { $0 * $1 }.reduce(0, +)
    let right = zip(x, folded).map { $0 * $1 }.reduce(0, +)
    #expect(left == right)
  }
}
