import CPlatform

// Pooling, sixteen neighbouring windows at a time: for each tap of a window, the same tap of all sixteen is one load.

/// The largest of each window, or the mean.
///
/// The largest: padding takes no part, the first of equals and the first NaN win, and a window of padding alone gives −∞.
/// The mean: the taps inside the image are added in row-major order, then divided by their count or by the whole window;
/// a window of padding alone gives 0.
@inlinable
func pool<I: InstructionSet>(_ arguments: PoolArguments, _ range: Range<Int>, _ isMaximum: Bool, _: I.Type) {
  let window = arguments.window
  if window.isHalving { return poolSquares(arguments, range, isMaximum, I.self) }
  if isMaximum && window.isStrip && window.strideWidth == 2 {
    return maximumPoolStrips(arguments, range, I.self)
  }
  let size = arguments.planes &* arguments.height &* arguments.width
  // Lanes past the end of a row hold nothing; what they store is overwritten by the next row, up to the end of the range.
  let limit = range.upperBound &* arguments.outputHeight &* arguments.outputWidth
  var place = range.lowerBound &* arguments.outputHeight &* arguments.outputWidth
  var unit = range.lowerBound
  while unit < range.upperBound {
    var y = 0
    while y < arguments.outputHeight {
      let rows = window.rows(y, arguments.height)
      var x = 0
      while x < arguments.outputWidth {
        let lanes = min(16, arguments.outputWidth &- x)
        var result = nnp_splat(isMaximum ? -Float.infinity : 0)
        var row = rows.lowerBound
        while row < rows.upperBound {
          let start = (unit &* arguments.height &+ row) &* arguments.width
          var tap = 0
          while tap < window.kernelWidth {
            let taps = window.taps(tap, x, lanes, arguments.width)
            if isMaximum {
              let values = taps.load(arguments.x, start, 0..<size, -.infinity)
              result = nnp_select(nnp_is_better(values, result), values, result)
            } else {
              result = result + taps.load(arguments.x, start, 0..<size, 0)
            }
            tap &+= 1
          }
          row &+= 1
        }
        if !isMaximum {
          let counts = window.counts(rows, x, lanes, arguments.width, arguments.countIncludesPadding, I.self)
          result = result / counts
        }
        storeColumns(arguments.y + (place &+ x), place &+ x &+ 16 <= limit ? 16 : lanes, result)
        x &+= 16
      }
      place = place &+ arguments.outputWidth
      y &+= 1
    }
    unit &+= 1
  }
}

/// See ``PoolGradientArguments``: dy goes to the first maximum of its window, or dy over the count to every tap inside the
/// image. What overlapping windows give to an element is added in the order of the windows.
@inlinable
func poolGradient<I: InstructionSet>(
  _ arguments: PoolGradientArguments, _ range: Range<Int>, _ isMaximum: Bool, _: I.Type
) {
  if arguments.window.isHalving { return poolSquaresGradient(arguments, range, isMaximum, I.self) }
  let plane = arguments.height &* arguments.width
  // Planes are cleared just before they are added to, some at a time: within these, lanes that have nothing to add may add
  // 0 to whatever lies there. Nothing is ever −0, so that changes nothing.
  let group = max(1, 4096 / max(1, plane))
  var unit = range.lowerBound
  while unit < range.upperBound {
    let end = min(range.upperBound, unit &+ group)
    let inside = unit &* plane..<end &* plane
    (arguments.dx + inside.lowerBound).update(repeating: 0, count: inside.count)
    while unit < end {
      var y = 0
      while y < arguments.outputHeight {
        poolRowGradient(arguments, unit, y, inside, isMaximum, I.self)
        y &+= 1
      }
      unit &+= 1
    }
  }
}

/// One row of windows. `inside` are the elements of dx that may be touched.
@inlinable @inline(__always)
func poolRowGradient<I: InstructionSet>(
  _ arguments: PoolGradientArguments, _ unit: Int, _ y: Int, _ inside: Range<Int>, _ isMaximum: Bool,
  _: I.Type
) {
  let window = arguments.window
  let rows = window.rows(y, arguments.height)
  let place = (unit &* arguments.outputHeight &+ y) &* arguments.outputWidth
  var x = 0
  while x < arguments.outputWidth {
    let lanes = min(16, arguments.outputWidth &- x)
    var gradient = loadColumns(arguments.dy + (place &+ x), lanes, 0)
    var best = IntVector(repeating: 0)
    if isMaximum {
      best = bestTaps(arguments, unit, rows, x, lanes, I.self)
    } else {
      gradient =
        gradient / window.counts(rows, x, lanes, arguments.width, arguments.countIncludesPadding, I.self)
    }
    // Of the windows with a tap on an element, the first has its last tap there. Rows take turns: the next tap's elements
    // overlap, and what was just stored cannot be loaded across two stores without waiting.
    var tap = window.kernelWidth &- 1
    while tap >= 0 {
      let taps = window.taps(tap, x, lanes, arguments.width)
      var row = rows.lowerBound
      while row < rows.upperBound {
        let start = (unit &* arguments.height &+ row) &* arguments.width
        let number = Int32(truncatingIfNeeded: (row &- rows.lowerBound) &* window.kernelWidth &+ tap)
        let isHere = isMaximum ? nnp_equal_i32(best, IntVector(repeating: number)) : taps.mask
        taps.add(nnp_select(isHere, gradient, nnp_splat(0)), arguments.dx, start, inside)
        row &+= 1
      }
      tap &-= 1
    }
    x &+= 16
  }
}

/// The number, in row-major order, of the first maximum's tap in each of sixteen windows; −1 where all is padding.
@inlinable @inline(__always)
func bestTaps<I: InstructionSet>(
  _ arguments: PoolGradientArguments, _ unit: Int, _ rows: Range<Int>, _ x: Int, _ lanes: Int, _: I.Type
) -> IntVector {
  var number = IntVector(repeating: -1)
  guard let image = arguments.x else { return number }
  let window = arguments.window
  let size = arguments.planes &* arguments.height &* arguments.width
  var best = nnp_splat(-.infinity)
  var next: Int32 = 0
  var row = rows.lowerBound
  while row < rows.upperBound {
    let start = (unit &* arguments.height &+ row) &* arguments.width
    var tap = 0
    while tap < window.kernelWidth {
      let taps = window.taps(tap, x, lanes, arguments.width)
      let values = taps.load(image, start, 0..<size, -.infinity)
      // The first tap counts even if it is −∞.
      let isFirst = nnp_less_i32(number, IntVector(repeating: 0))
      let isBetter = (nnp_is_better(values, best) | isFirst) & taps.mask
      best = nnp_select(isBetter, values, best)
      number = nnp_select_i32(isBetter, IntVector(repeating: next), number)
      next = next &+ 1
      tap &+= 1
    }
    row &+= 1
  }
  return number
}
