import CPlatform
import NNGraph

/// See ``ConvolutionAlgorithm/depthwise``: the padded input rows of an output row lie in scratch, and every tap is a shifted read.
@inlinable @inline(__always)
func depthwiseConvolution<I: InstructionSet>(
  _ arguments: ConvolutionArguments, _ scratch: UnsafeMutablePointer<Float>, _ units: Range<Int>, _: I.Type
) {
  let window = arguments.window
  let taps = window.kernelHeight &* window.kernelWidth
  let pixels = arguments.outputHeight &* arguments.outputWidth
  let perGroup = arguments.outputChannels / arguments.groups
  let rowLength = arguments.paddedRowLength
  // Windows of 3 x 3 neighbours read the image itself, and zeros for rows outside.
  let readsImage =
    window.kernelHeight == 3 && window.kernelWidth == 3 && window.dilationWidth == 1
    && window.strideWidth <= 2
  if readsImage { nnp_clear(scratch, arguments.width) }
  var unit = units.lowerBound
  while unit < units.upperBound {
    let channel = unit % arguments.outputChannels
    let item = unit / arguments.outputChannels
    let plane =
      arguments.x + (item &* arguments.channels &+ channel / perGroup) &* arguments.height &* arguments.width
    let weights = arguments.weights + channel &* taps
    let target = arguments.y + unit &* pixels
    var bias: Float?
    if let values = arguments.bias { bias = values[channel] }
    if readsImage {
      if window.strideWidth == 1 {
        arguments.depthwisePlaneOfThree(plane, scratch, weights, bias, target, 1, I.self)
      } else {
        arguments.depthwisePlaneOfThree(plane, scratch, weights, bias, target, 2, I.self)
      }
    } else {
      // The borders stay zero.
      nnp_clear(scratch, window.kernelHeight &* rowLength)
    }
    var row = readsImage ? arguments.outputHeight : 0
    while row < arguments.outputHeight {
      arguments.padRows(plane, row, scratch, rowLength)
      let firstSlot = arguments.slot(row, 0)
      let output = target + row &* arguments.outputWidth
      // The stride as a constant, so that each common one has a loop of its own.
      switch window.strideWidth {
      case 1: arguments.depthwiseRow(scratch, firstSlot, weights, bias, output, 1, I.self)
      case 2: arguments.depthwiseRow(scratch, firstSlot, weights, bias, output, 2, I.self)
      default: arguments.depthwiseRow(scratch, firstSlot, weights, bias, output, window.strideWidth, I.self)
      }
      row &+= 1
    }
    if arguments.epilogue.isSeparate {
      let block = ProductBlock(
        a: weights, aStride: taps, panels: UnsafePointer(scratch), panelStride: taps &* 16, c: target,
        cStride: pixels,
        columnBias: nil, rowBias: nil, rows: 1, columns: pixels, k: taps)
      block.finish(arguments.epilogue, I.self)
    }
    unit &+= 1
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

/// The weights of a 3 x 3 window, each in every lane.
@usableFromInline struct NineWeights {
  @usableFromInline let top: (Vector, Vector, Vector)
  @usableFromInline let middle: (Vector, Vector, Vector)
  @usableFromInline let bottom: (Vector, Vector, Vector)

  @inlinable @inline(__always)
  init(_ weights: UnsafePointer<Float>) {
    top = (nnp_splat(weights[0]), nnp_splat(weights[1]), nnp_splat(weights[2]))
    middle = (nnp_splat(weights[3]), nnp_splat(weights[4]), nnp_splat(weights[5]))
    bottom = (nnp_splat(weights[6]), nnp_splat(weights[7]), nnp_splat(weights[8]))
  }
}

// Windows of 3 x 3 neighbouring pixels at a stride of 1 or 2 along rows: the weights stay in registers.
extension ConvolutionArguments {
  /// A plane of outputs, sixteen pixels of a row at a time, from a plane of the image and a row of zeros.
  @inlinable @inline(__always)
  func depthwisePlaneOfThree<I: InstructionSet>(
    _ plane: UnsafePointer<Float>, _ zeros: UnsafePointer<Float>, _ weights: UnsafePointer<Float>,
    _ bias: Float?,
    _ target: UnsafeMutablePointer<Float>, _ stride: Int, _: I.Type
  ) {
    let nine = NineWeights(weights)
    let shift = nnp_splat(bias ?? 0)
    let bounds = epilogue.bounds
    var row = 0
    while row < outputHeight {
      let y = row &* window.strideHeight &- window.padTop
      let (y1, y2) = (y &+ window.dilationHeight, y &+ 2 &* window.dilationHeight)
      let top = y >= 0 && y < height ? plane + y &* width : zeros
      let middle = y1 >= 0 && y1 < height ? plane + y1 &* width : zeros
      let bottom = y2 >= 0 && y2 < height ? plane + y2 &* width : zeros
      let output = target + row &* outputWidth
      var column = 0
      while column < outputWidth {
        let x = column &* stride &- window.padLeft
        let isInside = x >= 0 && x &+ 16 &* stride &+ 2 <= width
        var sum =
          isInside
          ? sumOfNine(top, middle, bottom, x, true, nine, stride, I.self)
          : sumOfNine(top, middle, bottom, x, false, nine, stride, I.self)
        if bias != nil { sum = sum + shift }
        if let bounds { sum = clipped(sum, nnp_splat(bounds.low), nnp_splat(bounds.high)) }
        storeColumns(output + column, outputWidth &- column, sum)
        column &+= 16
      }
      row &+= 1
    }
  }

  @inlinable @inline(__always)
  func sumOfNine<I: InstructionSet>(
    _ top: UnsafePointer<Float>, _ middle: UnsafePointer<Float>, _ bottom: UnsafePointer<Float>, _ x: Int,
    _ isInside: Bool, _ nine: NineWeights, _ stride: Int, _: I.Type
  ) -> Vector {
    let first = addThreeTaps(nnp_splat(0), top, x, isInside, nine.top, stride, I.self)
    let second = addThreeTaps(first, middle, x, isInside, nine.middle, stride, I.self)
    return addThreeTaps(second, bottom, x, isInside, nine.bottom, stride, I.self)
  }

  /// Adds the products of the taps at `x`, `x + 1` and `x + 2` of a row, of the first of sixteen windows.
  @inlinable @inline(__always)
  func addThreeTaps<I: InstructionSet>(
    _ sum: Vector, _ row: UnsafePointer<Float>, _ x: Int, _ isInside: Bool,
    _ weights: (Vector, Vector, Vector),
    _ stride: Int, _: I.Type
  ) -> Vector {
    @inline(__always) func pixels(_ offset: Int) -> Vector {
      let first = x &+ offset
      if isInside { return nnp_load(row + first) }
      let begin = min(16, max(0, 0 &- first))
      return nnp_load_lanes(row + first, begin, max(begin, min(16, width &- first)), nnp_splat(0))
    }
    if stride == 1 {
      return I.fma(weights.2, pixels(2), I.fma(weights.1, pixels(1), I.fma(weights.0, pixels(0), sum)))
    }
    let (a, b): (Vector, Vector) = (pixels(0), pixels(16))
    let first: Vector = I.fma(weights.0, evenLanes(a, b), sum)
    let second: Vector = I.fma(weights.1, oddLanes(a, b), first)
    return I.fma(weights.2, evenLanes(pixels(2), pixels(18)), second)
  }
}
