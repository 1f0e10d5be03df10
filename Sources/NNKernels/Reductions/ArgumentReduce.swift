import NNGraph

// Exact on every machine, so compiled once.

/// The index of the largest or smallest element along an axis; NaN wins over numbers. Of equals the first or the last.
private func argumentReduce<T: Comparable & BitwiseCopyable>(
  _ arguments: ArgumentReduceArguments, _ range: Range<Int>, _ argument: ArgumentReduce, _: T.Type
) {
  var unit = range.lowerBound
  while unit < range.upperBound {
    let offset =
      unit / arguments.inner &* arguments.axis &* arguments.inner &+ unit % arguments.inner
    let x = arguments.x.assumingMemoryBound(to: T.self) + offset
    var best = x[0]
    var index = 0
    var i = 1
    while i < arguments.axis {
      let value = x[i &* arguments.inner]
      let isLater = argument.selectsLast && (value == best || (value != value && best != best))
      let isBetter = (argument.findsMaximum ? value > best : value < best) || value != value
      if isLater || (isBetter && best == best) {
        best = value
        index = i
      }
      i &+= 1
    }
    arguments.y[unit] = Int64(index)
    unit &+= 1
  }
}

/// nil for types other than f32, f64, i64 and u64.
func argumentReduceKernel(_ argument: ArgumentReduce, _ type: DType) -> RangeKernel<ArgumentReduceArguments>?
{
  switch type {
  case .f32: { argumentReduce($0, $1, argument, Float.self) }
  case .f64: { argumentReduce($0, $1, argument, Double.self) }
  case .i64: { argumentReduce($0, $1, argument, Int64.self) }
  case .u64: { argumentReduce($0, $1, argument, UInt64.self) }
  case .f16, .bf16, .f8e4m3fn, .f8e4m3fnuz, .f8e5m2, .f8e5m2fnuz, .f8e8m0, .f4e2m1, .i8, .i16, .i32, .i4, .i2,
    .u8,
    .u16, .u32, .u4, .u2, .bool:
    nil
  }
}
