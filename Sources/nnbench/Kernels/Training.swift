import NNGraph
import NNKernels

// What training needs beside the kernels of inference.

extension Benchmark {
  static var training: [Benchmark] {
    let weights: [ConvolutionShape] = [
      .init(1, 28, 32, 3, batch: 64), .init(32, 14, 64, 3, batch: 64), .init(64, 7, 128, 3, batch: 64),
      .init(64, 56, 64, 3, batch: 2), .init(64, 28, 128, 3, stride: 2, batch: 4),
      .init(64, 28, 128, 1, batch: 4), .init(96, 28, 96, 3, groups: 96, batch: 4),
    ]
    let pools = [PoolShape(32 * 64, 28, 2, stride: 2), PoolShape(64, 112, 3, stride: 2, padding: 1)]
    let kinds: [Recurrent.Kind] = [.lstm, .gru, .simple]
    return weights.map(weightGradient)
      + pools.flatMap { [poolGradient($0, isMaximum: true), poolGradient($0, isMaximum: false)] }
      + [
        channelSums(outer: 64, channels: 32, inner: 784, areProducts: false),
        channelSums(outer: 64, channels: 32, inner: 784, areProducts: true),
        channelSums(outer: 64, channels: 128, inner: 49, areProducts: false),
        channelSums(outer: 64, channels: 128, inner: 49, areProducts: true),
        batchGradient(outer: 64, channels: 32, inner: 784),
        batchGradient(outer: 64, channels: 128, inner: 49),
        layerGradient(rows: 2048, inner: 64), layerGradient(rows: 128, inner: 384),
      ] + kinds.map(gatesGradient)
  }

  private static func weightGradient(_ shape: ConvolutionShape) -> Benchmark {
    Benchmark(
      .training, "conv weight gradient", shape.text, algorithm: shape.algorithm.ofWeightGradient.name,
      shape.work
    ) { table, memory in
      let arguments = ConvolutionWeightGradientArguments(
        x: memory.floats(shape.batch * shape.imageSize), dy: memory.floats(shape.batch * shape.resultSize),
        result: memory.floats(shape.weightsSize), window: shape.window, batch: shape.batch,
        channels: shape.channels, height: shape.height, width: shape.width, outputChannels: shape.filters,
        groups: shape.groups)
      let (scratch, units) = (memory.bytes(arguments.scratchSize), arguments.workUnits)
      return { table.convolutionWeightGradient(arguments, scratch, 0..<units) }
    }
  }

  /// The image is read by maximum pooling alone, its gradient written by both.
  private static func poolGradient(_ shape: PoolShape, isMaximum: Bool) -> Benchmark {
    let work = Work(bytes: 4 * (count(shape.imageSize, isMaximum ? 2 : 1) + count(shape.resultSize)))
    return Benchmark(.training, (isMaximum ? "max" : "average") + " pool gradient", shape.text, work) {
      table, memory in
      let arguments = PoolGradientArguments(
        x: isMaximum ? UnsafePointer(memory.floats(shape.imageSize)) : nil,
        dy: memory.floats(shape.resultSize), dx: memory.floats(shape.imageSize), window: shape.window,
        planes: shape.planes, height: shape.size, width: shape.size)
      let kernel = isMaximum ? table.maximumPoolGradient : table.averagePoolGradient
      return { kernel(arguments, 0..<shape.planes) }
    }
  }

  private static func channelSums(outer: Int, channels: Int, inner: Int, areProducts: Bool) -> Benchmark {
    let size = outer * channels * inner
    let work = Work(
      flops: 4 * count(size), bytes: count(size, areProducts ? 8 : 4) + count(channels, areProducts ? 16 : 8))
    let kernel = areProducts ? "channel products" : "channel moments"
    return Benchmark(.training, kernel, "\(outer) x \(channels) x \(inner)", work) { table, memory in
      let arguments = ChannelSumsArguments(
        x: memory.floats(size), dy: memory.floats(areProducts ? size : 0),
        moments: memory.floats(2 * channels), result: memory.floats(2 * channels), outer: outer,
        channels: channels, inner: inner)
      let run = areProducts ? table.channelProducts : table.channelMoments
      return { run(arguments, 0..<channels) }
    }
  }

  private static func batchGradient(outer: Int, channels: Int, inner: Int) -> Benchmark {
    let size = outer * channels * inner
    let work = Work(bytes: 12 * count(size) + 20 * count(channels), elements: count(size))
    return Benchmark(.training, "batch gradient", "\(outer) x \(channels) x \(inner)", work) {
      table, memory in
      let moments = memory.floats(2 * channels)
      for i in 0..<2 * channels { moments[i] = 1 }
      let arguments = BatchNormalizeGradientArguments(
        x: memory.floats(size), dy: memory.floats(size), scale: memory.floats(channels), moments: moments,
        products: memory.floats(2 * channels), dx: memory.floats(size), epsilon: 1e-5, outer: outer,
        channels: channels, inner: inner)
      return { table.batchNormalizeGradient(arguments, 0..<outer * channels) }
    }
  }

  private static func layerGradient(rows: Int, inner: Int) -> Benchmark {
    let size = rows * inner
    let work = Work(bytes: 12 * count(size) + 4 * count(inner), elements: count(size))
    return Benchmark(.training, "layer gradient", "\(rows) x \(inner)", work) { table, memory in
      let arguments = LayerNormalizeGradientArguments(
        x: memory.floats(size), scale: memory.floats(inner), dy: memory.floats(size), dx: memory.floats(size),
        epsilon: 1e-5, inner: inner)
      return { table.layerNormalizeGradient(arguments, 0..<rows) }
    }
  }

  /// A step of 64 units for 32 samples.
  private static func gatesGradient(_ kind: Recurrent.Kind) -> Benchmark {
    let (recurrent, rows, units) = (Recurrent(kind), 32, 64)
    let (gates, gradients) = (recurrent.gateCount, recurrent.gradientBlockCount)
    // Slopes and dy are read, states read and written, both gradients written.
    let blocks = recurrent.slopeCount + 1 + 2 * recurrent.stateCount + gates + gradients
    let work = Work(bytes: 4 * count(rows, units, blocks), elements: count(rows, units))
    return Benchmark(.training, "\(kind) gates gradient", "\(units), batch \(rows)", work) { table, memory in
      let arguments = RecurrentGradientStepArguments(
        slopes: memory.floats(rows * units * 8), slopesStride: units * 8, dy: memory.floats(rows * units),
        dyStride: units, hasCell: false, hidden: memory.floats(rows * units),
        cell: memory.floats(rows * units), gates: memory.floats(rows * units * gates),
        out: memory.floats(rows * units * gradients), outStride: units * gradients, mask: nil, maskStride: 0,
        units: units)
      let step = table.recurrentGradientStep(kind) ?? { $0.simpleStep($1) }
      return { step(arguments, 0..<rows) }
    }
  }
}
