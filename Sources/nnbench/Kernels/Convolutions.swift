import NNKernels

/// The shape of a convolution. Padding keeps the size at stride 1.
struct ConvolutionShape {
  var channels: Int
  var height: Int
  var width: Int
  var filters: Int
  var kernel: (Int, Int)
  var stride = 1
  var dilation = 1
  var groups = 1
  var batch = 1

  /// A square image under a square window.
  init(
    _ channels: Int, _ size: Int, _ filters: Int, _ kernel: Int, stride: Int = 1, dilation: Int = 1,
    groups: Int = 1, batch: Int = 1
  ) {
    self.channels = channels
    height = size
    width = size
    self.filters = filters
    self.kernel = (kernel, kernel)
    self.stride = stride
    self.dilation = dilation
    self.groups = groups
    self.batch = batch
  }

  /// A signal of `length`, along the width.
  init(_ channels: Int, length: Int, _ filters: Int, _ kernel: Int, stride: Int = 1) {
    self.init(channels, length, filters, kernel, stride: stride)
    height = 1
    self.kernel = (1, kernel)
  }

  var window: Window {
    let (down, across) = ((kernel.0 - 1) / 2 * dilation, (kernel.1 - 1) / 2 * dilation)
    return Window(
      kernel: kernel, stride: (kernel.0 == 1 && height == 1 ? 1 : stride, stride),
      dilation: (dilation, dilation), padding: (down, across, down, across))
  }

  /// Elements of one image, of its result, and of all weights.
  var imageSize: Int { channels * height * width }
  var resultSize: Int { filters * window.outputHeight(height) * window.outputWidth(width) }
  var weightsSize: Int { filters * reductionLength }
  var reductionLength: Int { channels / groups * kernel.0 * kernel.1 }

  /// Operations are those of the plain sum of products, whatever the algorithm.
  var work: Work {
    Work(
      flops: 2 * count(batch, resultSize, reductionLength),
      bytes: 4 * count(batch) * (count(imageSize) + count(resultSize)) + 4 * count(weightsSize))
  }

  var algorithm: ConvolutionAlgorithm {
    ConvolutionAlgorithm(
      window, channels: channels, filters: filters, groups: groups, outputHeight: window.outputHeight(height),
      outputWidth: window.outputWidth(width))
  }

  var text: String {
    let window = kernel.0 == kernel.1 ? "\(kernel.0)x\(kernel.1)" : shapeText([kernel.0, kernel.1])
    return shapeText([channels, height, width]) + " to \(filters), \(window)/\(stride)"
      + (dilation > 1 ? ", dilation \(dilation)" : "") + (groups > 1 ? ", groups \(groups)" : "")
      + (batch > 1 ? ", batch \(batch)" : "")
  }
}

extension ConvolutionAlgorithm {
  /// `depthwise`, `panels`, or `winograd` with the outputs of a tile.
  var name: String {
    switch self {
    case .depthwise: "depthwise"
    case .panels: "panels"
    case .winograd(.wide): "winograd 4x4 of 4x4"
    case .winograd(let tile): "winograd \(tile.outputs)x\(tile.outputs)"
    case .channelWinograd(let tile): "winograd \(tile.tile.outputs)x\(tile.tile.outputs), channels in lanes"
    }
  }
}

extension Benchmark {
  private static let pointwise: [ConvolutionShape] = [
    .init(64, 56, 256, 1), .init(256, 56, 64, 1), .init(512, 28, 128, 1), .init(1024, 14, 256, 1),
    .init(2048, 7, 512, 1), .init(512, 7, 2048, 1), .init(256, 28, 512, 1, stride: 2),
    .init(32, 112, 16, 1), .init(16, 112, 96, 1), .init(24, 56, 144, 1), .init(144, 28, 32, 1),
    .init(96, 14, 576, 1), .init(160, 7, 960, 1), .init(320, 7, 1280, 1), .init(1280, 1, 1000, 1),
    .init(240, 28, 240, 1, groups: 3), .init(64, 56, 256, 1, batch: 8), .init(512, 7, 2048, 1, batch: 16),
  ]

  private static let square: [ConvolutionShape] = [
    .init(64, 56, 64, 3), .init(128, 28, 128, 3), .init(256, 14, 256, 3), .init(512, 7, 512, 3),
    .init(16, 28, 32, 3), .init(32, 14, 64, 3), .init(8, 28, 8, 3), .init(64, 224, 64, 3),
    .init(64, 112, 64, 3, stride: 2), .init(64, 56, 128, 3, stride: 2), .init(128, 28, 256, 3, stride: 2),
    .init(256, 14, 512, 3, stride: 2), .init(128, 56, 128, 3, stride: 2), .init(256, 28, 256, 3, stride: 2),
    .init(512, 14, 512, 3, stride: 2), .init(16, 32, 16, 3, stride: 2), .init(32, 24, 64, 3, stride: 2),
    .init(256, 28, 256, 3, stride: 2, batch: 4),
    .init(64, 56, 64, 3, dilation: 2), .init(256, 28, 256, 3, dilation: 4),
    .init(128, 56, 128, 3, groups: 32), .init(256, 14, 256, 3, groups: 4),
    .init(64, 56, 64, 3, batch: 8), .init(256, 14, 256, 3, batch: 8), .init(32, 14, 64, 3, batch: 64),
    .init(32, 28, 64, 5), .init(32, 28, 32, 5, stride: 2), .init(6, 14, 16, 5), .init(64, 28, 64, 7),
  ]

  private static let fewChannels: [ConvolutionShape] = [
    .init(1, 8, 16, 3), .init(1, 28, 32, 3), .init(1, 28, 6, 5), .init(1, 28, 32, 3, batch: 64),
    .init(3, 32, 32, 3), .init(3, 32, 32, 3, batch: 64), .init(3, 224, 32, 3, stride: 2),
    .init(3, 224, 64, 3), .init(3, 224, 64, 7, stride: 2), .init(3, 224, 64, 7, stride: 2, batch: 4),
  ]

  private static let depthwise: [ConvolutionShape] = [
    .init(32, 112, 32, 3, groups: 32), .init(96, 112, 96, 3, stride: 2, groups: 96),
    .init(96, 56, 96, 3, groups: 96), .init(96, 56, 96, 3, stride: 2, groups: 96),
    .init(192, 28, 192, 3, groups: 192), .init(384, 14, 384, 3, groups: 384),
    .init(576, 14, 576, 3, stride: 2, groups: 576), .init(960, 7, 960, 3, groups: 960),
    .init(240, 28, 240, 5, groups: 240), .init(144, 56, 144, 5, stride: 2, groups: 144),
    .init(672, 14, 672, 5, groups: 672), .init(96, 56, 96, 7, groups: 96),
    .init(96, 56, 96, 3, dilation: 2, groups: 96), .init(96, 56, 96, 3, groups: 96, batch: 8),
  ]

  private static let signals: [ConvolutionShape] = [
    .init(1, length: 16000, 64, 80, stride: 4), .init(80, length: 100, 256, 3), .init(64, length: 128, 64, 3),
    .init(384, length: 128, 384, 3),
  ]

  static var convolutions: [Benchmark] {
    let all = pointwise + square + fewChannels + depthwise + signals
    return all.map(convolution) + [
      winogradWeights(.four, 64, 64), winogradWeights(.four, 512, 512), winogradWeights(.two, 512, 512),
      winogradWeights(.four, 128, 128, stride: 2), winogradWeights(.two, 256, 256, stride: 2),
      winogradWeights(.five, 256, 256, stride: 1),
    ]
  }

  private static func convolution(_ shape: ConvolutionShape) -> Benchmark {
    Benchmark(.convolution, "conv", shape.text, algorithm: shape.algorithm.name, shape.work) {
      table, memory in
      let weights = memory.floats(shape.weightsSize)
      var arguments = ConvolutionArguments(
        x: memory.floats(shape.batch * shape.imageSize), weights: weights, bias: nil,
        y: memory.floats(shape.batch * shape.resultSize), window: shape.window, batch: shape.batch,
        channels: shape.channels, height: shape.height, width: shape.width, outputChannels: shape.filters,
        groups: shape.groups)
      // Once per plan if the weights are constant, so not counted.
      if arguments.transformedWeightsSize > 0 {
        let transformed = memory.floats(arguments.transformedWeightsSize)
        arguments.transformWeights(into: transformed, 0..<arguments.weightUnits, table.winogradWeights)
        arguments.transformedWeights = UnsafePointer(transformed)
      }
      let scratch = memory.bytes(arguments.scratchSize)
      let (ready, units) = (arguments, arguments.workUnits)
      return { table.convolution(ready, scratch, 0..<units) }
    }
  }

  private static func winogradWeights(
    _ tile: WinogradTile, _ channels: Int, _ filters: Int, stride: Int? = nil
  ) -> Benchmark {
    let unset = UnsafeMutablePointer<Float>(bitPattern: 64)!
    let shape = WinogradWeightsArguments(
      weights: unset, transformed: unset, tile: tile,
      channelTile: stride.map { ChannelTile(tile, stride: $0) }, filters: filters, channels: channels)
    let outputs = "\(tile.outputs)x\(tile.outputs)"
    return Benchmark(
      .convolution, "winograd weights",
      "\(channels) to \(filters), tiles of \(outputs)" + (stride.map { ", stride \($0)" } ?? ""),
      Work(bytes: 4 * count(channels * filters * 9 + shape.size), elements: count(channels, filters))
    ) { table, memory in
      var arguments = shape
      arguments.weights = UnsafePointer(memory.floats(channels * filters * 9))
      arguments.transformed = memory.floats(arguments.size)
      let (ready, units) = (arguments, arguments.workUnits)
      return { table.winogradWeights(ready, 0..<units) }
    }
  }
}
