import CPlatform
import NNGraph

/// One contiguous row. Lanes past the end hold −∞, whose power is 0; NaN spoils the sum, whatever the maximum is.
@inlinable @inline(__always)
func softmaxRow<I: InstructionSet>(
  _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, _ count: Int, _ isLogarithm: Bool, _: I.Type
) {
  let maximum = nnp_splat(NumberMaximumFold.fold(x, count, I.self))
  var lanes = nnp_splat(0)
  var i = 0
  while i < count {
    let e = exponentialBelow(loadColumns(x + i, count &- i, -.infinity) - maximum, I.self)
    if !isLogarithm { storeColumns(y + i, count &- i, e) }
    lanes = lanes + e
    i &+= 16
  }
  let sum = nnp_splat(SumFold.foldLanes(lanes, I.self))
  let logarithmOfSum = isLogarithm ? logarithm(sum, I.self) : sum
  let inverse = nnp_splat(1) / sum
  i = 0
  while i < count {
    let left = count &- i
    let value =
      isLogarithm
      ? (loadColumns(x + i, left, 0) - maximum) - logarithmOfSum
      : loadColumns(UnsafePointer(y + i), left, 0) * inverse
    storeColumns(y + i, left, value)
    i &+= 16
  }
}

/// Two contiguous rows, `count` apart, at the same time: what is folded across one vector waits long for each step, and the other row
/// fills the wait. Each row's numbers are those of ``softmaxRow(_:_:_:_:_:)``.
@inlinable @inline(__always)
func softmaxRowPair<I: InstructionSet>(
  _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, _ count: Int, _: I.Type
) {
  let (x2, y2) = (x + count, y + count)
  let maximum = nnp_splat(NumberMaximumFold.fold(x, count, I.self))
  let maximum2 = nnp_splat(NumberMaximumFold.fold(x2, count, I.self))
  var (lanes, lanes2) = (nnp_splat(0), nnp_splat(0))
  var i = 0
  while i < count {
    let left = count &- i
    let e = exponentialBelow(loadColumns(x + i, left, -.infinity) - maximum, I.self)
    let e2 = exponentialBelow(loadColumns(x2 + i, left, -.infinity) - maximum2, I.self)
    storeColumns(y + i, left, e)
    storeColumns(y2 + i, left, e2)
    lanes = lanes + e
    lanes2 = lanes2 + e2
    i &+= 16
  }
  let inverse = nnp_splat(1) / nnp_splat(SumFold.foldLanes(lanes, I.self))
  let inverse2 = nnp_splat(1) / nnp_splat(SumFold.foldLanes(lanes2, I.self))
  i = 0
  while i < count {
    let left = count &- i
    storeColumns(y + i, left, loadColumns(UnsafePointer(y + i), left, 0) * inverse)
    storeColumns(y2 + i, left, loadColumns(UnsafePointer(y2 + i), left, 0) * inverse2)
    i &+= 16
  }
}

/// Up to sixteen neighbouring columns, whose elements are `stride` apart.
@inlinable @inline(__always)
func softmaxColumns<I: InstructionSet>(
  _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, _ columns: Int, _ axis: Int, _ stride: Int,
  _ isLogarithm: Bool, _: I.Type
) {
  var maximum = nnp_splat(-.infinity)
  var r = 0
  while r < axis {
    maximum = NumberMaximumFold.take(maximum, loadColumns(x + r &* stride, columns, 0), I.self)
    r &+= 1
  }
  var lanes = Lanes()
  SumFold.startLanes(&lanes)
  r = 0
  while r < axis {
    let e = exponentialBelow(loadColumns(x + r &* stride, columns, 0) - maximum, I.self)
    if !isLogarithm { storeColumns(y + r &* stride, columns, e) }
    nnp_set_lane(&lanes, r & 15, nnp_lane(&lanes, r & 15) + e)
    r &+= 1
  }
  let sum = SumFold.foldLanes(&lanes, I.self)
  let logarithmOfSum = isLogarithm ? logarithm(sum, I.self) : sum
  let inverse = nnp_splat(1) / sum
  r = 0
  while r < axis {
    let value =
      isLogarithm
      ? (loadColumns(x + r &* stride, columns, 0) - maximum) - logarithmOfSum
      : loadColumns(UnsafePointer(y + r &* stride), columns, 0) * inverse
    storeColumns(y + r &* stride, columns, value)
    r &+= 1
  }
}

/// See ``SoftmaxArguments``. Not inlined, so that softmax and its logarithm share their code.
@inlinable @inline(never) @_optimize(size)
func softmax<I: InstructionSet>(
  _ arguments: SoftmaxArguments, _ range: Range<Int>, _ isLogarithm: Bool, _: I.Type
) {
  let axis = arguments.axis
  let inner = arguments.inner
  var unit = range.lowerBound
  while unit < range.upperBound {
    let column = unit % inner
    let offset = unit / inner &* axis &* inner &+ column
    if I.pairsRows && inner == 1 && !isLogarithm && unit &+ 2 <= range.upperBound {
      softmaxRowPair(arguments.x + offset, arguments.y + offset, axis, I.self)
      unit &+= 2
    } else if inner == 1 {
      softmaxRow(arguments.x + offset, arguments.y + offset, axis, isLogarithm, I.self)
      unit &+= 1
    } else {
      let columns = min(16, min(inner &- column, range.upperBound &- unit))
      softmaxColumns(
        arguments.x + offset, arguments.y + offset, columns, axis, inner, isLogarithm, I.self)
      unit &+= columns
    }
  }
}

@inlinable @inline(__always)
func softmaxKernel<I: InstructionSet>(_ function: SoftmaxFunction, _: I.Type) -> RangeKernel<SoftmaxArguments>
{
  switch function {
  case .softmax: { softmax($0, $1, false, I.self) }
  case .logSoftmax: { softmax($0, $1, true, I.self) }
  }
}
