// Exact on every machine, so compiled once.

/// See ``KernelTable/argumentMaximum``.
func argumentMaximum(_ arguments: ArgumentReduceArguments, _ range: Range<Int>) {
  argumentReduce(arguments, range) { $0 > $1 }
}

/// See ``KernelTable/argumentMinimum``.
func argumentMinimum(_ arguments: ArgumentReduceArguments, _ range: Range<Int>) {
  argumentReduce(arguments, range) { $0 < $1 }
}

@inline(__always)
private func argumentReduce(
  _ arguments: ArgumentReduceArguments, _ range: Range<Int>, _ isBetter: (Float, Float) -> Bool
) {
  var unit = range.lowerBound
  while unit < range.upperBound {
    let x =
      arguments.x + (unit / arguments.inner &* arguments.axis &* arguments.inner &+ unit % arguments.inner)
    var best = x[0]
    var index = 0
    var i = 1
    while i < arguments.axis && !best.isNaN {
      let value = x[i &* arguments.inner]
      if isBetter(value, best) || value.isNaN {
        best = value
        index = i
      }
      i &+= 1
    }
    arguments.y[unit] = Int64(index)
    unit &+= 1
  }
}
