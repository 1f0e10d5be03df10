import Foundation
import NNGraph
import NNKernels
import Testing

private struct Case: CustomStringConvertible {
  var batch = 1
  var channels = 32
  var height = 14
  var width = 14
  var filters = 20
  var padding = (top: 1, left: 1, bottom: 1, right: 1)
  var stride = 1
  var kernel = (height: 3, width: 3)
  var hasBias = false
  var activation = Activation.identity

  /// Into how many threads' units the work is cut.
  var threads = 1

  var taps: Int { kernel.height * kernel.width }
  var window: Window {
    Window(kernel: (kernel.height, kernel.width), stride: (stride, stride), padding: padding)
  }
  var outputHeight: Int { window.outputHeight(height) }
  var outputWidth: Int { window.outputWidth(width) }
  var algorithm: ConvolutionAlgorithm {
    ConvolutionAlgorithm(
      window, channels: channels, filters: filters, groups: 1, outputHeight: outputHeight,
      outputWidth: outputWidth)
  }
  var description: String {
    "(\(batch), \(channels), \(height), \(width)) → \(filters), kernel \(kernel), stride \(stride), padding \(padding), \(activation.function)"
  }

  /// Numbers of a standard normal distribution for x, weights and bias.
  func operands(_ generator: inout Generator) -> (x: [Float], weights: [Float], bias: [Float]) {
    (
      normals(batch * channels * height * width, &generator), normals(filters * channels * taps, &generator),
      normals(filters, &generator)
    )
  }

  /// Calls `body` for each tap and each row of outputs that it is part of: with its position in weights, the first output's in y, that of
  /// what it takes there in x, and how many outputs follow, for which x goes on in steps of `stride`.
  func forEachTap(_ body: (_ weight: Int, _ y: Int, _ x: Int, _ count: Int) -> Void) {
    for plane in 0..<batch * filters * channels {
      let (n, m, c) = (plane / channels / filters, plane / channels % filters, plane % channels)
      for tap in 0..<taps {
        let (down, across) = (tap / kernel.width - padding.top, tap % kernel.width - padding.left)
        let first = max(0, (stride - 1 - across) / stride)
        let count = min(outputWidth, (width - 1 - across + stride) / stride) - first
        guard count > 0 else { continue }
        for row in 0..<outputHeight where (0..<height).contains(row * stride + down) {
          body(
            (m * channels + c) * taps + tap, ((n * filters + m) * outputHeight + row) * outputWidth + first,
            ((n * channels + c) * height + row * stride + down) * width + first * stride + across, count)
        }
      }
    }
  }

  /// y in double precision, without bias and activation.
  func exactOutputs(_ x: [Float], _ weights: [Float]) -> [Double] {
    var y = [Double](repeating: 0, count: batch * filters * outputHeight * outputWidth)
    x.withUnsafeBufferPointer { x in
      y.withUnsafeMutableBufferPointer { y in
        forEachTap { weight, first, source, count in
          let value = Double(weights[weight])
          for i in 0..<count { y[first + i] += value * Double(x[source + i * stride]) }
        }
      }
    }
    return y
  }

  /// What the kernels of every instruction set give, for any split of the work.
  func outputs(_ x: [Float], _ weights: [Float], _ bias: [Float]) -> [Float] {
    let blank = [Float](repeating: -7, count: batch * filters * outputHeight * outputWidth)
    return x.withUnsafeBufferPointer { x in
      weights.withUnsafeBufferPointer { weights in
        bias.withUnsafeBufferPointer { bias in
          func arguments(_ out: UnsafeMutablePointer<Float>) -> ConvolutionArguments {
            var arguments = ConvolutionArguments(
              x: x.baseAddress!, weights: weights.baseAddress!, bias: hasBias ? bias.baseAddress! : nil,
              y: out,
              epilogue: Epilogue(activation), window: window, batch: batch, channels: channels,
              height: height,
              width: width, outputChannels: filters)
            _ = arguments.share(among: threads)
            return arguments
          }
          let any = arguments(UnsafeMutablePointer(mutating: x.baseAddress!))
          if any.algorithm.winograd == nil { return blank }
          return identicalOutput(units: any.workUnits, initial: blank) { table, out, range in
            withScratch(any.transformedWeightsSize * 4) { transformed in
              let floats = transformed.assumingMemoryBound(to: Float.self)
              any.transformWeights(into: floats, 0..<any.weightUnits, table.winogradWeights)
              var arguments = arguments(out)
              arguments.transformedWeights = UnsafePointer(floats)
              withScratch(arguments.scratchSize) { table.convolution(arguments, $0, range) }
            }
          }
        }
      }
    }
  }
}

/// Box and Muller 1958.
private func normals(_ count: Int, _ generator: inout Generator) -> [Float] {
  (0..<count).map { _ in
    let (u, v) = (generator.float(0x1p-20...1), generator.float(0...1))
    return Float((-2 * log(Double(u))).squareRoot() * cos(2 * .pi * Double(v)))
  }
}

/// The largest distance, as a share of the exact values' root mean square.
private func error(_ values: [Float], _ exact: [Double]) -> Double {
  let scale = (exact.reduce(0) { $0 + $1 * $1 } / Double(max(1, exact.count))).squareRoot()
  return zip(values, exact).reduce(0) { max($0, abs(Double($1.0) - $1.1)) } / scale
}

/// What the case's algorithm gives, against double precision.
private func expectError(of c: Case, _ algorithm: ConvolutionAlgorithm, below bound: Double) {
  var generator = Generator(1)
  #expect(c.algorithm == algorithm)
  let (x, weights, _) = c.operands(&generator)
  let measured = error(c.outputs(x, weights, []), c.exactOutputs(x, weights))
  #expect(measured < bound)
}

@Test func theAlgorithmOfAConvolutionFollowsFromItsShape() {
  func algorithm(_ channels: Int, _ filters: Int, _ size: Int, groups: Int = 1, _ window: Window? = nil)
    -> ConvolutionAlgorithm
  {
    ConvolutionAlgorithm(
      window ?? Window(kernel: (3, 3)), channels: channels, filters: filters, groups: groups,
      outputHeight: size,
      outputWidth: size)
  }
  func channels(_ tile: WinogradTile) -> ConvolutionAlgorithm {
    .channelWinograd(ChannelTile(tile, stride: 1))
  }
  #expect(algorithm(64, 64, 56) == channels(.four))
  #expect(algorithm(64, 128, 7) == channels(.four))
  #expect(algorithm(512, 512, 7) == channels(.two))
  #expect(algorithm(512, 512, 14) == channels(.five))
  #expect(algorithm(32, 64, 10) == channels(.five))
  #expect(algorithm(24, 64, 14) == .winograd(.four))
  #expect(algorithm(32, 40, 14) == .winograd(.four))
  #expect(algorithm(24, 64, 6) == .winograd(.two))
  #expect(algorithm(32, 64, 16) == channels(.four))
  #expect(algorithm(32, 64, 20) == channels(.four))
  #expect(algorithm(512, 512, 10) == channels(.two))
  #expect(algorithm(64, 64, 2) == channels(.two))
  #expect(algorithm(64, 64, 6) == channels(.two))
  #expect(algorithm(64, 64, 1) == .panels)
  #expect(algorithm(64, 64, 0) == .panels)
  #expect(algorithm(3, 64, 56) == .panels)
  #expect(algorithm(64, 8, 56) == .panels)
  #expect(algorithm(64, 64, 56, groups: 2) == .panels)
  #expect(algorithm(32, 64, 14).ofWeightGradient == .winograd(.four))
  #expect(algorithm(64, 64, 6).ofWeightGradient == .winograd(.two))
  #expect(algorithm(64, 64, 56, groups: 64).ofWeightGradient == .panels)
  #expect(algorithm(64, 64, 56, groups: 64) == .depthwise)
  #expect(algorithm(64, 64, 56, Window(kernel: (3, 3), dilation: (1, 2))) == .panels)
  #expect(algorithm(64, 64, 56, Window(kernel: (3, 1))) == .panels)
}

@Test func windowsThatMoveTwoPixelsHaveTilesWhereManyUseTheirWeights() {
  func algorithm(_ channels: Int, _ filters: Int, _ size: Int, _ window: Window? = nil)
    -> ConvolutionAlgorithm
  {
    ConvolutionAlgorithm(
      window ?? Window(kernel: (3, 3), stride: (2, 2)), channels: channels, filters: filters, groups: 1,
      outputHeight: size, outputWidth: size)
  }
  #expect(algorithm(128, 128, 28) == .channelWinograd(ChannelTile(.four, stride: 2)))
  #expect(algorithm(64, 128, 28) == .channelWinograd(ChannelTile(.four, stride: 2)))
  #expect(algorithm(256, 256, 14) == .channelWinograd(ChannelTile(.two, stride: 2)))
  #expect(algorithm(128, 256, 14) == .channelWinograd(ChannelTile(.two, stride: 2)))
  #expect(algorithm(64, 64, 8) == .channelWinograd(ChannelTile(.four, stride: 2)))
  #expect(algorithm(64, 64, 6) == .channelWinograd(ChannelTile(.two, stride: 2)))
  #expect(algorithm(64, 64, 4) == .panels)
  #expect(algorithm(256, 512, 28) == .channelWinograd(ChannelTile(.two, stride: 2)))
  #expect(algorithm(512, 1024, 28) == .panels)
  #expect(algorithm(512, 512, 7) == .panels)
  #expect(algorithm(64, 64, 7) == .panels)
  #expect(algorithm(64, 64, 0) == .panels)
  #expect(algorithm(24, 64, 28) == .panels)
  #expect(algorithm(64, 24, 28) == .panels)
  #expect(algorithm(3, 64, 112) == .panels)
  #expect(algorithm(64, 64, 28, Window(kernel: (3, 3), stride: (2, 1))) == .panels)
  #expect(algorithm(64, 64, 28, Window(kernel: (3, 3), stride: (3, 3))) == .panels)
  #expect(algorithm(64, 64, 28, Window(kernel: (5, 5), stride: (2, 2))) == .panels)
  #expect(algorithm(3, 64, 112, Window(kernel: (7, 7), stride: (2, 2))) == .winograd(.wide))
  #expect(algorithm(3, 64, 21, Window(kernel: (6, 8), stride: (2, 2))) == .winograd(.wide))
  #expect(algorithm(3, 64, 20, Window(kernel: (7, 7), stride: (2, 2))) == .panels)
  #expect(algorithm(2, 64, 112, Window(kernel: (7, 7), stride: (2, 2))) == .panels)
  #expect(algorithm(17, 64, 112, Window(kernel: (7, 7), stride: (2, 2))) == .panels)
  #expect(algorithm(3, 8, 112, Window(kernel: (7, 7), stride: (2, 2))) == .panels)
  #expect(algorithm(3, 64, 112, Window(kernel: (7, 5), stride: (2, 2))) == .panels)
  #expect(algorithm(3, 64, 112, Window(kernel: (7, 7), stride: (1, 2))) == .panels)
}

@Test(arguments: [
  (6, 32, WinogradTile.two, 1.5e-6), (6, 256, .two, 3e-6), (16, 32, .four, 6e-6), (16, 256, .four, 1.5e-5),
])
func winogradErrorsStayBelowTheStatedOnes(_ size: Int, _ channels: Int, _ tile: WinogradTile, _ bound: Double)
{
  let c = Case(batch: 2, channels: channels, height: size, width: size, filters: 40)
  expectError(of: c, .winograd(tile), below: bound)
}

@Test func smallImagesOfManyChannelsServeAllFilters() {
  let c = Case(batch: 1, channels: 256, height: 7, width: 7, filters: 144)
  expectError(of: c, c.algorithm, below: 1.5e-5)
}

@Test(arguments: [(32, 2e-5), (256, 3e-5)])
func errorsOfTilesOfFiveStayBelowTheStatedOnes(_ channels: Int, _ bound: Double) {
  let c = Case(batch: 2, channels: channels, height: 14, width: 14, filters: 48)
  expectError(of: c, .channelWinograd(ChannelTile(.five, stride: 1)), below: bound)
}

@Test func weightsInPanelsAreTransformedWhereFewTilesReadMany() {
  func isRead(_ c: Case) -> Bool {
    withUnsafeTemporaryAllocation(of: Float.self, capacity: 1) { memory in
      let any = memory.baseAddress!
      return ConvolutionArguments(
        x: any, weights: any, bias: nil, y: any, window: c.window, batch: c.batch, channels: c.channels,
        height: c.height, width: c.width, outputChannels: c.filters
      ).readsFilterPanels
    }
  }
  #expect(isRead(Case(channels: 256, filters: 256)))
  #expect(isRead(Case(channels: 112, filters: 96)))
  #expect(isRead(Case(channels: 256, height: 30, width: 30, filters: 256)))
  #expect(isRead(Case(batch: 4, channels: 112, height: 9, width: 9, filters: 112)))
  #expect(isRead(Case(channels: 512, height: 7, width: 7, filters: 512)))
  #expect(!isRead(Case(channels: 160, height: 7, width: 7, filters: 192)))
  // Weights that stay in the cache, more tiles, more images, and tiles whose weights are not much larger than filters.
  #expect(!isRead(Case(channels: 96, filters: 96)))
  #expect(!isRead(Case(channels: 256, height: 34, width: 34, filters: 256)))
  #expect(!isRead(Case(batch: 2, channels: 256, filters: 256)))
  #expect(!isRead(Case(channels: 128, height: 28, width: 28, filters: 128)))
}

@Test(arguments: [
  (1, 14, 14, 112, 96), (3, 9, 10, 80, 144), (1, 27, 28, 48, 224), (1, 14, 12, 160, 80), (1, 7, 7, 144, 240),
  (2, 5, 4, 272, 128),
])
func weightsTransformedInPassingGiveTheBitsOfStoredOnes(
  _ batch: Int, _ height: Int, _ width: Int, _ channels: Int, _ filters: Int
) {
  var generator = Generator(11)
  var c = Case(batch: batch, channels: channels, height: height, width: width, filters: filters)
  let (x, weights, bias) = c.operands(&generator)
  let outputs = c.outputs(x, weights, bias)
  #expect(error(outputs, c.exactOutputs(x, weights)) < 3e-5)
  for threads in 2...3 {
    c.threads = threads
    #expect(isSame(c.outputs(x, weights, bias), outputs), "\(threads) threads")
  }
  // A batch of so many images that the weights are transformed beforehand.
  c.threads = 1
  c.batch = 17
  let several = c.outputs((0..<17).flatMap { _ in x.prefix(x.count / batch) }, weights, bias)
  let size = outputs.count / batch
  for image in 0..<17 {
    #expect(isSame(Array(several[image * size..<(image + 1) * size]), Array(outputs.prefix(size))))
  }
}

@Test(arguments: [
  (12, 32, WinogradTile.two, 1.5e-6), (28, 256, .two, 6e-6), (16, 32, .four, 6e-6), (56, 256, .four, 2.5e-5),
])
func stridedErrorsStayBelowTheStatedOnes(_ size: Int, _ channels: Int, _ tile: WinogradTile, _ bound: Double)
{
  let c = Case(batch: 1, channels: channels, height: size, width: size, filters: 48, stride: 2)
  expectError(of: c, .channelWinograd(ChannelTile(tile, stride: 2)), below: bound)
}

@Test(arguments: [3, 16])
func wideErrorsStayBelowTheStatedOnes(_ channels: Int) {
  let c = Case(
    channels: channels, height: 96, width: 96, filters: 64, padding: (3, 3, 3, 3), stride: 2, kernel: (7, 7))
  expectError(of: c, .winograd(.wide), below: 1.5e-5)
}

@Test func wideTilesServeEveryHeightWidthAndPadding() {
  var generator = Generator(7)
  var served = 0
  for round in 0..<40 {
    var c = Case()
    c.stride = 2
    c.kernel = (generator.int(6...8), generator.int(6...8))
    c.batch = generator.int(1...2)
    c.channels = generator.int(3...6)
    c.filters = generator.int(16...40)
    c.height = generator.int(1...70)
    c.width = round % 5 == 0 ? generator.int(100...160) : generator.int(30...90)
    c.padding = (generator.int(0...5), generator.int(0...5), generator.int(0...5), generator.int(0...5))
    guard c.outputHeight > 0, c.outputWidth > 0, case .winograd(.wide) = c.algorithm else { continue }
    served += 1
    let (x, weights, bias) = c.operands(&generator)
    let outputs = c.outputs(x, weights, bias)
    #expect(error(outputs, c.exactOutputs(x, weights)) < 5e-5, "\(c)")
    c.threads = 2
    #expect(isSame(c.outputs(x, weights, bias), outputs), "\(c)")
  }
  #expect(served > 10)
}

@Test func channelWinogradServesEveryHeightWidthAndPadding() {
  var generator = Generator(6)
  var tiles = (two: 0, four: 0, five: 0)
  for round in 0..<180 {
    var c = Case()
    c.stride = round % 3 == 0 ? 1 : 2
    c.batch = generator.int(1...3)
    c.channels = 16 * generator.int(1...3)
    c.filters = 16 * generator.int(1...7)
    c.height = generator.int(1...25)
    c.width = round % 5 == 0 ? generator.int(100...160) : generator.int(1...37)
    c.padding = (generator.int(0...3), generator.int(0...3), generator.int(0...3), generator.int(0...3))
    // Images of nine tiles of five, which are chosen seldom.
    if round % 6 == 0 { (c.height, c.width) = (generator.int(12...14), generator.int(12...14)) }
    guard c.outputHeight > 0, c.outputWidth > 0, case .channelWinograd(let tile) = c.algorithm else {
      continue
    }
    switch tile.tile {
    case .two: tiles.two += 1
    case .four: tiles.four += 1
    case .five, .wide: tiles.five += 1
    }
    let (x, weights, bias) = c.operands(&generator)
    let outputs = c.outputs(x, weights, bias)
    #expect(error(outputs, c.exactOutputs(x, weights)) < (tile.tile == .five ? 3e-5 : 1.5e-5), "\(c)")
    c.threads = 2
    #expect(isSame(c.outputs(x, weights, bias), outputs), "\(c)")
  }
  #expect(tiles.two > 5 && tiles.four > 5 && tiles.five > 5)
}

@Test func winogradServesEveryHeightWidthAndPadding() {
  var generator = Generator(2)
  for round in 0..<60 {
    var c = Case()
    c.batch = generator.int(1...5)
    c.channels = generator.int(16...35)
    c.filters = generator.int(16...37)
    c.height = generator.int(1...11)
    c.width = round % 5 == 0 ? generator.int(60...80) : generator.int(1...19)
    c.padding = (generator.int(0...3), generator.int(0...3), generator.int(0...3), generator.int(0...3))
    guard c.outputHeight > 0, c.outputWidth > 0, case .winograd = c.algorithm else { continue }
    let (x, weights, _) = c.operands(&generator)
    let measured = error(c.outputs(x, weights, []), c.exactOutputs(x, weights))
    #expect(measured < 1e-5, "\(c)")
  }
}

@Test func winogradAddsTheBiasAndAppliesTheActivation() {
  var generator = Generator(3)
  for (size, stride, filters, kernel) in [
    (6, 1, 20, 3), (9, 1, 20, 3), (14, 1, 32, 3), (12, 2, 80, 3), (16, 2, 32, 3), (51, 2, 20, 7),
  ] {
    var c = Case(
      batch: 2, channels: kernel == 7 ? 3 : 32, height: size, width: size, filters: filters, stride: stride,
      kernel: (kernel, kernel))
    let (x, weights, bias) = c.operands(&generator)
    let plain = c.outputs(x, weights, bias)
    c.hasBias = true
    c.activation = Activation(.relu)
    let pixels = c.outputHeight * c.outputWidth
    let shifted = plain.indices.map { plain[$0] + bias[$0 / pixels % c.filters] }
    #expect(isSame(c.outputs(x, weights, bias), shifted.map { max(0, $0) }))
    c.activation = Activation(.clip, alpha: -1, beta: 2)
    #expect(isSame(c.outputs(x, weights, bias), shifted.map { min(2, max(-1, $0)) }))
    c.activation = Activation(.negate)
    #expect(isSame(c.outputs(x, weights, bias), shifted.map { -$0 }))
  }
}

@Test func winogradGivesARowTheSameBitsInEveryBatch() {
  var generator = Generator(4)
  for (channels, size, stride, filters, kernel) in [
    (32, 6, 1, 20, 3), (32, 7, 1, 20, 3), (32, 13, 1, 20, 3), (80, 6, 1, 20, 3), (80, 7, 1, 20, 3),
    (80, 13, 1, 20, 3), (80, 14, 1, 80, 3), (80, 28, 1, 64, 3), (64, 20, 1, 40, 3), (32, 12, 2, 32, 3),
    (32, 15, 2, 48, 3),
    (4, 49, 2, 20, 6),
  ] {
    let c = Case(
      batch: 7, channels: channels, height: size, width: size, filters: filters, stride: stride,
      kernel: (kernel, kernel))
    let (x, weights, _) = c.operands(&generator)
    let together = c.outputs(x, weights, [])
    let (inputs, outputs) = (x.count / 7, together.count / 7)
    var single = c
    single.batch = 1
    for n in 0..<7 {
      let alone = single.outputs(Array(x[n * inputs..<(n + 1) * inputs]), weights, [])
      #expect(isSame(alone, Array(together[n * outputs..<(n + 1) * outputs])))
    }
  }
}

@Test func winogradWeightGradientIsTheSumOverAllImages() {
  var generator = Generator(5)
  for (batch, channels, filters, height, width) in [
    (3, 32, 20, 14, 14), (3, 32, 32, 14, 14), (9, 70, 90, 7, 7), (2, 17, 16, 6, 5), (1, 16, 65, 3, 40),
    (2, 16, 16, 2, 2),
  ] {
    let c = Case(batch: batch, channels: channels, height: height, width: width, filters: filters)
    guard case .winograd = c.algorithm.ofWeightGradient else {
      Issue.record("\(c) is not Winograd's")
      continue
    }
    let (x, _, _) = c.operands(&generator)
    let dy = normals(batch * filters * c.outputHeight * c.outputWidth, &generator)
    var exact = [Double](repeating: 0, count: filters * channels * 9)
    c.forEachTap { weight, first, source, count in
      for i in 0..<count { exact[weight] += Double(dy[first + i]) * Double(x[source + i * c.stride]) }
    }
    let result = x.withUnsafeBufferPointer { x in
      dy.withUnsafeBufferPointer { dy in
        func arguments(_ out: UnsafeMutablePointer<Float>) -> ConvolutionWeightGradientArguments {
          ConvolutionWeightGradientArguments(
            x: x.baseAddress!, dy: dy.baseAddress!, result: out, window: c.window, batch: batch,
            channels: channels, height: height, width: width, outputChannels: filters, groups: 1)
        }
        let units = arguments(UnsafeMutablePointer(mutating: x.baseAddress!)).workUnits
        return identicalOutput(units: units, initial: [Float](repeating: -7, count: exact.count)) {
          table, out, range in
          let arguments = arguments(out)
          withScratch(arguments.scratchSize) { table.convolutionWeightGradient(arguments, $0, range) }
        }
      }
    }
    #expect(error(result, exact) < 1e-5, "\(c)")
  }
}
