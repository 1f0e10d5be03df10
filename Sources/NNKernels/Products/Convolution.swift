import CPlatform
import NNGraph

// Convolution as a product: weights (M, K) times the image's columns (K, pixels), gathered into panels of 16 pixels.

extension ConvolutionArguments {
  /// Fills `panel` (K, 16) with the taps of 16 output pixels from `pixel` on; pixels past the end and taps in the
  /// padding are zeros. `image` is the first input channel of the group.
  @export(interface)
  public func gatherPanel(_ image: UnsafePointer<Float>, _ pixel: Int, _ panel: UnsafeMutablePointer<Float>) {
    let pixels = outputHeight &* outputWidth
    let count = min(16, pixels &- pixel)
    let firstRow = pixel / outputWidth
    let firstColumn = pixel % outputWidth
    let channelSize = height &* width
    var target = panel
    var channel = 0
    while channel < channels / groups {
      let plane = image + channel &* channelSize
      var kernelRow = 0
      while kernelRow < window.kernelHeight {
        let top = kernelRow &* window.dilationHeight &- window.padTop
        var kernelColumn = 0
        while kernelColumn < window.kernelWidth {
          let left = kernelColumn &* window.dilationWidth &- window.padLeft
          gatherTap(plane, top, left, firstRow, firstColumn, count, target)
          target += 16
          kernelColumn &+= 1
        }
        kernelRow &+= 1
      }
      channel &+= 1
    }
  }

  /// One tap of `count` pixels in a row-major walk from (row, column), as runs within output rows.
  @inline(__always)
  private func gatherTap(
    _ plane: UnsafePointer<Float>, _ top: Int, _ left: Int, _ firstRow: Int, _ firstColumn: Int, _ count: Int,
    _ target: UnsafeMutablePointer<Float>
  ) {
    var row = firstRow
    var column = firstColumn
    var lane = 0
    while lane < count {
      let run = min(count &- lane, outputWidth &- column)
      let y = row &* window.strideHeight &+ top
      var x = column &* window.strideWidth &+ left
      let isInside = y >= 0 && y < height
      let lastX = x &+ (run &- 1) &* window.strideWidth
      if isInside && x >= 0 && lastX < width {
        let source = plane + (y &* width &+ x)
        if run == 16 && window.strideWidth == 1 {
          nnp_store(target, nnp_load(source))
        } else {
          var i = 0
          while i < run {
            target[lane &+ i] = source[i &* window.strideWidth]
            i &+= 1
          }
        }
      } else {
        var i = 0
        while i < run {
          target[lane &+ i] = isInside && x >= 0 && x < width ? plane[y &* width &+ x] : 0
          x &+= window.strideWidth
          i &+= 1
        }
      }
      lane &+= run
      column = 0
      row &+= 1
    }
    while lane < 16 {
      target[lane] = 0
      lane &+= 1
    }
  }
}

/// See ``ConvolutionArguments``.
@inlinable
func convolution<I: InstructionSet>(
  _ arguments: ConvolutionArguments, _ scratch: UnsafeMutableRawPointer, _ units: Range<Int>, _: I.Type
) {
  let floats = scratch.assumingMemoryBound(to: Float.self)
  if arguments.isDepthwise {
    depthwiseConvolution(arguments, floats, units, I.self)
    return
  }
  let unitsPerGroup = arguments.unitsPerGroup
  let inputs = arguments.channels / arguments.groups
  let outputs = arguments.outputChannels / arguments.groups
  let k = arguments.reductionLength
  let pixels = arguments.outputHeight &* arguments.outputWidth
  let pixelsPerUnit = arguments.panelsPerUnit &* 16
  var unit = units.lowerBound
  while unit < units.upperBound {
    let firstPixel = unit % unitsPerGroup &* pixelsPerUnit
    let group = unit / unitsPerGroup % arguments.groups
    let item = unit / (unitsPerGroup &* arguments.groups)
    let columns = min(pixelsPerUnit, pixels &- firstPixel)
    let image =
      arguments.x + (item &* arguments.channels &+ group &* inputs) &* arguments.height &* arguments.width
    var panel = 0
    while panel &* 16 < columns {
      arguments.gatherPanel(image, firstPixel &+ panel &* 16, floats + panel &* k &* 16)
      panel &+= 1
    }
    var bias = arguments.bias
    if let all = arguments.bias { bias = all + group &* outputs }
    let block = ProductBlock(
      a: arguments.weights + group &* outputs &* k, aStride: k, panels: UnsafePointer(floats),
      c: arguments.y + (item &* arguments.outputChannels &+ group &* outputs) &* pixels + firstPixel,
      cStride: pixels, columnBias: nil, rowBias: bias, rows: outputs, columns: columns, k: k)
    I.multiply(block)
    if arguments.epilogue.function != .identity { block.finish(arguments.epilogue, I.self) }
    unit &+= 1
  }
}

/// One input channel per group: the padded input rows of an output row lie in scratch, and every tap is a shifted read.
@inlinable @inline(__always)
func depthwiseConvolution<I: InstructionSet>(
  _ arguments: ConvolutionArguments, _ scratch: UnsafeMutablePointer<Float>, _ units: Range<Int>, _: I.Type
) {
  let window = arguments.window
  let taps = window.kernelHeight &* window.kernelWidth
  let pixels = arguments.outputHeight &* arguments.outputWidth
  let perGroup = arguments.outputChannels / arguments.groups
  let rowLength = arguments.paddedRowLength
  var unit = units.lowerBound
  while unit < units.upperBound {
    let channel = unit % arguments.outputChannels
    let item = unit / arguments.outputChannels
    let plane =
      arguments.x + (item &* arguments.channels &+ channel / perGroup) &* arguments.height &* arguments.width
    let weights = arguments.weights + channel &* taps
    let target = arguments.y + unit &* pixels
    var row = 0
    while row < arguments.outputHeight {
      arguments.padRows(plane, row, scratch, rowLength)
      let output = target + row &* arguments.outputWidth
      var column = 0
      while column < arguments.outputWidth {
        var sum = nnp_splat(0)
        var kernelRow = 0
        while kernelRow < window.kernelHeight {
          let source = scratch + (kernelRow &* rowLength &+ column &* window.strideWidth)
          let rowWeights = weights + kernelRow &* window.kernelWidth
          var kernelColumn = 0
          while kernelColumn < window.kernelWidth {
            let tap = source + kernelColumn &* window.dilationWidth
            let values =
              window.strideWidth == 1
              ? nnp_load(tap) : nnp_load_strided(tap, window.strideWidth)
            sum = I.fma(nnp_splat(rowWeights[kernelColumn]), values, sum)
            kernelColumn &+= 1
          }
          kernelRow &+= 1
        }
        if let bias = arguments.bias { sum = sum + nnp_splat(bias[channel]) }
        OnePanel(sum).storePartial(output + column, arguments.outputWidth &- column)
        column &+= 16
      }
      row &+= 1
    }
    if arguments.epilogue.function != .identity {
      let block = ProductBlock(
        a: weights, aStride: taps, panels: UnsafePointer(scratch), c: target, cStride: pixels,
        columnBias: nil, rowBias: nil, rows: 1, columns: pixels, k: taps)
      block.finish(arguments.epilogue, I.self)
    }
    unit &+= 1
  }
}

extension ConvolutionArguments {
  /// Copies the input rows under output row `row` into `scratch`, zeros around them, one every `rowLength`.
  @inlinable @inline(__always)
  func padRows(
    _ plane: UnsafePointer<Float>, _ row: Int, _ scratch: UnsafeMutablePointer<Float>, _ rowLength: Int
  ) {
    var kernelRow = 0
    while kernelRow < window.kernelHeight {
      let y = row &* window.strideHeight &+ kernelRow &* window.dilationHeight &- window.padTop
      let target = scratch + kernelRow &* rowLength
      let isInside = y >= 0 && y < height
      let left = isInside ? min(window.padLeft, rowLength) : rowLength
      let count = isInside ? min(width, rowLength &- left) : 0
      nnp_clear(target, left)
      if count > 0 { nnp_copy(target + left, plane + y &* width, count) }
      nnp_clear(target + (left &+ count), rowLength &- left &- count)
      kernelRow &+= 1
    }
  }
}
