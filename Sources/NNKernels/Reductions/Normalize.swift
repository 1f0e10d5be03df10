import CPlatform

/// See ``BatchNormalizeArguments``.
@inlinable
func batchNormalize<I: InstructionSet>(_ arguments: BatchNormalizeArguments, _ range: Range<Int>, _: I.Type) {
  if arguments.inner == 1 { return batchNormalizeRows(arguments, range, I.self) }
  var unit = range.lowerBound
  while unit < range.upperBound {
    let channel = unit % arguments.channels
    let x = arguments.x + unit &* arguments.inner
    let y = arguments.y + unit &* arguments.inner
    let variance = nnp_splat(arguments.variance[channel])
    let factor = nnp_splat(arguments.scale[channel]) / nnp_sqrt(variance + nnp_splat(arguments.epsilon))
    let mean = nnp_splat(arguments.mean[channel])
    let bias = nnp_splat(arguments.bias[channel])
    var i = 0
    while i < arguments.inner {
      let left = arguments.inner &- i
      storeColumns(y + i, left, I.fma(loadColumns(x + i, left, 0) - mean, factor, bias))
      i &+= 16
    }
    unit &+= 1
  }
}

/// One element of each channel: sixteen channels at a time.
@inlinable @inline(__always)
func batchNormalizeRows<I: InstructionSet>(
  _ arguments: BatchNormalizeArguments, _ range: Range<Int>, _: I.Type
) {
  var unit = range.lowerBound
  while unit < range.upperBound {
    let channel = unit % arguments.channels
    let count = min(16, min(arguments.channels &- channel, range.upperBound &- unit))
    let variance = loadColumns(arguments.variance + channel, count, 1)
    let scale = loadColumns(arguments.scale + channel, count, 0)
    let factor = scale / nnp_sqrt(variance + nnp_splat(arguments.epsilon))
    let distance =
      loadColumns(arguments.x + unit, count, 0) - loadColumns(arguments.mean + channel, count, 0)
    let bias = loadColumns(arguments.bias + channel, count, 0)
    storeColumns(arguments.y + unit, count, I.fma(distance, factor, bias))
    unit &+= count
  }
}

/// See ``LayerNormalizeArguments``. Two passes: the variance is taken around the mean.
@inlinable
func layerNormalize<I: InstructionSet>(_ arguments: LayerNormalizeArguments, _ range: Range<Int>, _: I.Type) {
  let count = arguments.inner
  let divisor = Float(count)
  var unit = range.lowerBound
  while unit < range.upperBound {
    let x = arguments.x + unit &* count
    let y = arguments.y + unit &* count
    let meanValue = SumFold.fold(x, count, I.self) / divisor
    let mean = nnp_splat(meanValue)
    var lanes = nnp_splat(0)
    var i = 0
    while i < count {
      // Past the end lies the mean itself: its distance is 0.
      let distance = loadColumns(x + i, count &- i, meanValue) - mean
      lanes = I.fma(distance, distance, lanes)
      i &+= 16
    }
    let variance = nnp_splat(SumFold.foldLanes(lanes, I.self) / divisor)
    let inverse = nnp_splat(1) / nnp_sqrt(variance + nnp_splat(arguments.epsilon))
    i = 0
    while i < count {
      let left = count &- i
      let value = (loadColumns(x + i, left, 0) - mean) * inverse
      var scale = nnp_splat(1)
      var bias = nnp_splat(0)
      if let values = arguments.scale { scale = loadColumns(values + i, left, 0) }
      if let values = arguments.bias { bias = loadColumns(values + i, left, 0) }
      storeColumns(y + i, left, I.fma(value, scale, bias))
      i &+= 16
    }
    unit &+= 1
  }
}
