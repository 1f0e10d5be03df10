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
  let isThree = window.kernelHeight == 3 && window.kernelWidth == 3 && window.dilationWidth == 1
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
    // The borders stay zero.
    nnp_clear(scratch, window.kernelHeight &* rowLength)
    var row = 0
    while row < arguments.outputHeight {
      arguments.padRows(plane, row, scratch, rowLength)
      let firstSlot = arguments.slot(row, 0)
      let output = target + row &* arguments.outputWidth
      // The stride as a constant, so that each common one has a loop of its own.
      switch (window.strideWidth, isThree) {
      case (1, true): arguments.depthwiseRowOfThree(scratch, firstSlot, weights, bias, output, 1, I.self)
      case (2, true): arguments.depthwiseRowOfThree(scratch, firstSlot, weights, bias, output, 2, I.self)
      case (1, false): arguments.depthwiseRow(scratch, firstSlot, weights, bias, output, 1, I.self)
      case (2, false): arguments.depthwiseRow(scratch, firstSlot, weights, bias, output, 2, I.self)
      default: arguments.depthwiseRow(scratch, firstSlot, weights, bias, output, window.strideWidth, I.self)
      }
      row &+= 1
    }
    if arguments.epilogue.function != .identity {
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
      storeColumns(output + column, outputWidth &- column, sum)
      column &+= 16
    }
  }

  /// As ``depthwiseRow(_:_:_:_:_:_:_:)`` for windows of 3 x 3 neighbours and a stride of 1 or 2: the weights stay in registers.
  @inlinable @inline(__always)
  func depthwiseRowOfThree<I: InstructionSet>(
    _ scratch: UnsafeMutablePointer<Float>, _ firstSlot: Int, _ weights: UnsafePointer<Float>, _ bias: Float?,
    _ output: UnsafeMutablePointer<Float>, _ stride: Int, _: I.Type
  ) {
    let rowLength = paddedRowLength
    let second = firstSlot == 2 ? 0 : firstSlot &+ 1
    let third = second == 2 ? 0 : second &+ 1
    let (w0, w1, w2): (Vector, Vector, Vector) = (
      nnp_splat(weights[0]), nnp_splat(weights[1]), nnp_splat(weights[2])
    )
    let (w3, w4, w5): (Vector, Vector, Vector) = (
      nnp_splat(weights[3]), nnp_splat(weights[4]), nnp_splat(weights[5])
    )
    let (w6, w7, w8): (Vector, Vector, Vector) = (
      nnp_splat(weights[6]), nnp_splat(weights[7]), nnp_splat(weights[8])
    )
    let shift = nnp_splat(bias ?? 0)
    var column = 0
    while column < outputWidth {
      let taps = UnsafePointer(scratch) + column &* stride
      var sum = nnp_splat(0)
      sum = addThreeTaps(sum, taps + firstSlot &* rowLength, w0, w1, w2, stride, I.self)
      sum = addThreeTaps(sum, taps + second &* rowLength, w3, w4, w5, stride, I.self)
      sum = addThreeTaps(sum, taps + third &* rowLength, w6, w7, w8, stride, I.self)
      if bias != nil { sum = sum + shift }
      storeColumns(output + column, outputWidth &- column, sum)
      column &+= 16
    }
  }

  /// Adds the products of three neighbouring taps of sixteen windows, whose stride is 1 or 2.
  @inlinable @inline(__always)
  func addThreeTaps<I: InstructionSet>(
    _ sum: Vector, _ taps: UnsafePointer<Float>, _ w0: Vector, _ w1: Vector, _ w2: Vector, _ stride: Int,
    _: I.Type
  ) -> Vector {
    if stride == 1 {
      return I.fma(w2, nnp_load(taps + 2), I.fma(w1, nnp_load(taps + 1), I.fma(w0, nnp_load(taps), sum)))
    }
    let (a, b): (Vector, Vector) = (nnp_load(taps), nnp_load(taps + 16))
    let even: Vector = I.fma(w0, evenLanes(a, b), sum)
    return I.fma(w2, nnp_load_every_other(taps + 2), I.fma(w1, oddLanes(a, b), even))
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
