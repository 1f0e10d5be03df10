import CPlatform

// A plane of outputs of a 3 x 3 window in strips, as in DepthwiseStrips.swift, of which the largest of each square is kept.

/// The depthwise convolutions of ``ConvolutionArguments/canPool``, plane by plane.
@inlinable @inline(never) @_optimize(size)
func pooledDepthwiseConvolution<I: InstructionSet>(
  _ arguments: ConvolutionArguments, _ scratch: UnsafeMutablePointer<Float>, _ units: Range<Int>, _: I.Type
) {
  let window = arguments.window
  let pixels = arguments.outputHeight &* arguments.outputWidth
  let results = arguments.resultHeight(I.self) &* arguments.resultWidth(I.self)
  let perGroup = arguments.outputChannels / arguments.groups
  let outputs = scratch + max(window.kernelHeight &* arguments.paddedRowLength, arguments.width)
  nnp_clear(scratch, arguments.width)
  var unit = units.lowerBound
  while unit < units.upperBound {
    let channel = unit % arguments.outputChannels
    let input = unit / arguments.outputChannels &* arguments.channels &+ channel / perGroup
    let target = arguments.y + unit &* results
    var bias: Float?
    if let values = arguments.bias { bias = values[channel] }
    let isDone = arguments.pooledStrips(
      arguments.x + input &* arguments.height &* arguments.width, UnsafePointer(scratch),
      arguments.weights + channel &* 9, bias, target, I.self)
    if !isDone {
      // One output after the other, then.
      var plain = arguments
      plain.pools = false
      plain.y = outputs - unit &* pixels
      convolution(plain, scratch, unit..<unit &+ 1, I.self)
      let squares = PoolArguments(
        x: UnsafePointer(outputs), y: target, window: Window(kernel: (2, 2), stride: (2, 2)), planes: 1,
        height: arguments.outputHeight, width: arguments.outputWidth)
      scalarPool(squares, 0..<1, true)
    }
    unit &+= 1
  }
}

extension ConvolutionArguments {
  /// The largest of squares from a plane of the image and a row of zeros; false where their bits depend on the order in which outputs are
  /// compared: then what `target` holds does not count.
  @inlinable @inline(never)
  func pooledStrips<I: InstructionSet>(
    _ plane: UnsafePointer<Float>, _ zeros: UnsafePointer<Float>, _ weights: UnsafePointer<Float>,
    _ bias: Float?, _ target: UnsafeMutablePointer<Float>, _: I.Type
  ) -> Bool {
    let minusZero = (-0.0 as Float).bitPattern
    // What anything but −0 was added to is never −0. Then outputs that are equal have the same bits, bounded ones too, and only NaN
    // tells the order.
    guard let bias, bias.bitPattern != minusZero, epilogue.low.bitPattern != minusZero,
      epilogue.high.bitPattern != minusZero
    else { return false }
    let nine = NineWeights(weights)
    let shift = nnp_splat(bias)
    let (low, high) = (nnp_splat(epilogue.low), nnp_splat(epilogue.high))
    let pooledWidth = outputWidth / 2
    /// NaN if any output is.
    var total = nnp_splat(0)
    var column = 0
    while column < pooledWidth {
      let strip = Strip(x: 2 &* column &- window.padLeft, width: width, stride: 1)
      let lanes = min(8, pooledWidth &- column)
      var output = target + column
      var y = 0 &- window.padTop
      var taps = tapsOfRow(strip, y, false, plane, zeros, I.self)
      var next = addThreeTaps(taps, nine.top, nnp_splat(0), I.self)
      taps = tapsOfRow(strip, y &+ 1, false, plane, zeros, I.self)
      next = addThreeTaps(taps, nine.middle, next, I.self)
      var afterNext = addThreeTaps(taps, nine.top, nnp_splat(0), I.self)
      var row = outputHeight / 2
      while row > 0 {
        y &+= 2
        taps = tapsOfRow(strip, y, false, plane, zeros, I.self)
        let upper: Vector = addThreeTaps(taps, nine.bottom, next, I.self) + shift
        next = addThreeTaps(taps, nine.middle, afterNext, I.self)
        afterNext = addThreeTaps(taps, nine.top, nnp_splat(0), I.self)
        taps = tapsOfRow(strip, y &+ 1, false, plane, zeros, I.self)
        let lower: Vector = addThreeTaps(taps, nine.bottom, next, I.self) + shift
        next = addThreeTaps(taps, nine.middle, afterNext, I.self)
        afterNext = addThreeTaps(taps, nine.top, nnp_splat(0), I.self)
        total = total + (upper + lower)
        let pairs: Vector = larger(evenLanes(upper, lower), oddLanes(upper, lower))
        let squares: Vector = clipped(larger(pairs, nnp_shift_8(pairs)), low, high)
        if lanes == 8 {
          nnp_store_half(output, nnp_lower_half(squares))
        } else {
          nnp_store_partial(output, lanes, squares)
        }
        output += pooledWidth
        row &-= 1
      }
      column &+= 8
    }
    return nnp_any(nnp_is_nan(total)) == 0
  }
}
