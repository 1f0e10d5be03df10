import CPlatform
import NNGraph

/// See ``ConvolutionAlgorithm/depthwise``: the padded input rows of an output row lie in scratch, and every tap is a shifted read; or strips
/// of the image are read where it lies, above zeros in scratch.
@inlinable @inline(__always)
func depthwiseConvolution<I: InstructionSet>(
  _ arguments: ConvolutionArguments, _ scratch: UnsafeMutablePointer<Float>, _ units: Range<Int>, _: I.Type
) {
  let channels = arguments.outputChannels
  let perGroup = channels / arguments.groups
  let (planeSize, resultSize) = (arguments.height &* arguments.width, arguments.pixelsPerImage)
  if arguments.readsStrips(I.self) { nnp_clear(scratch, arguments.width) }
  var unit = units.lowerBound
  while unit < units.upperBound {
    let (item, channel) = (unit / channels, unit % channels)
    let plane = item &* arguments.channels &+ channel / perGroup
    let count = perGroup == 1 ? min(units.upperBound &- unit, channels &- channel) : 1
    arguments.depthwiseChannels(
      channel..<channel &+ count, arguments.x + plane &* planeSize, planeSize, scratch,
      arguments.y + unit &* resultSize, resultSize, I.self)
    unit &+= count
  }
}

extension ConvolutionArguments {
  /// Whether strips of the image are read where it lies. Where products take long, what that saves does not show; the other way gives the same
  /// bits.
  @inlinable @inline(__always)
  func readsStrips<I: InstructionSet>(_: I.Type) -> Bool { I.fusesConvolutions && window.isStrip }

  /// The planes of outputs of some channels, `resultSize` apart, from their planes of the image, `planeSize` apart. Where strips are read,
  /// scratch has a row of zeros.
  @inlinable @inline(never)
  func depthwiseChannels<I: InstructionSet>(
    _ channels: Range<Int>, _ planes: UnsafePointer<Float>, _ planeSize: Int,
    _ scratch: UnsafeMutablePointer<Float>, _ results: UnsafeMutablePointer<Float>, _ resultSize: Int,
    _: I.Type
  ) {
    // As many together as stay in the first-level cache from one strip to the next.
    let isStrip = readsStrips(I.self)
    let most = isStrip ? max(1, 4096 / max(1, planeSize)) : 1
    var (plane, target) = (planes, results)
    var channel = channels.lowerBound
    while channel < channels.upperBound {
      let some = channel..<min(channels.upperBound, channel &+ most)
      if !isStrip {
        depthwiseRows(plane, scratch, channel, target, I.self)
      } else if window.strideWidth == 1 {
        depthwisePlanes(some, plane, planeSize, scratch, target, resultSize, OnePixel.self, I.self)
      } else {
        depthwisePlanes(some, plane, planeSize, scratch, target, resultSize, TwoPixels.self, I.self)
      }
      if epilogue.isSeparate {
        for number in 0..<some.count {
          epilogue.apply(to: target + number &* resultSize, pixelsPerImage, I.self)
        }
      }
      plane += most &* planeSize
      target += most &* resultSize
      channel &+= most
    }
  }

  /// A plane of outputs, row by row from padded rows in scratch.
  @inlinable @inline(__always)
  func depthwiseRows<I: InstructionSet>(
    _ plane: UnsafePointer<Float>, _ scratch: UnsafeMutablePointer<Float>, _ channel: Int,
    _ target: UnsafeMutablePointer<Float>, _: I.Type
  ) {
    let weights = self.weights + channel &* reductionLength
    var bias: Float?
    if let values = self.bias { bias = values[channel] }
    let rowLength = paddedRowLength
    // The borders stay zero.
    nnp_clear(scratch, window.kernelHeight &* rowLength)
    var row = 0
    while row < outputHeight {
      padRows(plane, row, scratch, rowLength)
      let firstSlot = slot(row, 0)
      let output = target + row &* outputWidth
      // The stride as a constant, so that each common one has a loop of its own.
      switch window.strideWidth {
      case 1: depthwiseRow(scratch, firstSlot, weights, bias, output, 1, I.self)
      case 2: depthwiseRow(scratch, firstSlot, weights, bias, output, 2, I.self)
      default: depthwiseRow(scratch, firstSlot, weights, bias, output, window.strideWidth, I.self)
      }
      row &+= 1
    }
  }
}

extension ConvolutionArguments {
  /// One output row, sixteen pixels at a time, from the padded rows in scratch.
  @inlinable @inline(__always)
  func depthwiseRow<I: InstructionSet>(
    _ scratch: UnsafeMutablePointer<Float>, _ firstSlot: Int, _ weights: UnsafePointer<Float>, _ bias: Float?,
    _ output: UnsafeMutablePointer<Float>, _ stride: Int, _: I.Type
  ) {
    let rowLength = paddedRowLength
    let kernelHeight = window.kernelHeight
    let kernelWidth = window.kernelWidth
    let dilation = window.dilationWidth
    var column = 0
    while column < outputWidth {
      var sum = nnp_splat(0)
      var weight = weights
      var slot = firstSlot
      var kernelRow = kernelHeight
      while kernelRow > 0 {
        var tap = UnsafePointer(scratch) + (slot &* rowLength &+ column &* stride)
        var kernelColumn = kernelWidth
        while kernelColumn > 0 {
          let values =
            stride == 1
            ? nnp_load(tap) : stride == 2 ? nnp_load_every_other(tap) : nnp_load_strided(tap, stride)
          sum = I.fma(nnp_splat(weight.pointee), values, sum)
          weight += 1
          tap += dilation
          kernelColumn &-= 1
        }
        slot = slot &+ 1 == kernelHeight ? 0 : slot &+ 1
        kernelRow &-= 1
      }
      if let bias { sum = sum + nnp_splat(bias) }
      if let bounds = epilogue.bounds { sum = clipped(sum, nnp_splat(bounds.low), nnp_splat(bounds.high)) }
      storeColumns(output + column, outputWidth &- column, sum)
      column &+= 16
    }
  }

  /// Where in scratch the padded input row lies that `kernelRow` of output row `row` reads.
  ///
  /// The slots are a ring: without dilation, a row stays where it is while the window passes over it.
  @inlinable @inline(__always)
  func slot(_ row: Int, _ kernelRow: Int) -> Int {
    window.dilationHeight == 1
      ? (row &* window.strideHeight &+ kernelRow) % window.kernelHeight : kernelRow
  }

  /// Copies the input rows under output row `row` into their slots of `scratch`, between their borders, which are zeros; those that
  /// lie there already, from the row before, stay.
  @inlinable @inline(__always)
  func padRows(
    _ plane: UnsafePointer<Float>, _ row: Int, _ scratch: UnsafeMutablePointer<Float>, _ rowLength: Int
  ) {
    let left = min(window.padLeft, rowLength)
    let count = min(width, rowLength &- left)
    var kernelRow = 0
    if row > 0 && window.dilationHeight == 1 {
      kernelRow = max(0, window.kernelHeight &- window.strideHeight)
    }
    while kernelRow < window.kernelHeight {
      let y = row &* window.strideHeight &+ kernelRow &* window.dilationHeight &- window.padTop
      let target = scratch + (slot(row, kernelRow) &* rowLength &+ left)
      if y >= 0 && y < height {
        nnp_copy_bytes(target, plane + y &* width, count &* 4)
      } else {
        nnp_clear(target, count)
      }
      kernelRow &+= 1
    }
  }
}
