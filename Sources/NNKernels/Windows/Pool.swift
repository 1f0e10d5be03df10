// Exact or in scalar order, so compiled once for every machine.

extension Window {
  /// The rows of the image under output row `y`, clipped to it.
  @inline(__always)
  func rows(_ y: Int, _ height: Int) -> Range<Int> {
    let top = y &* strideHeight &- padTop
    let begin = max(0, min(top, height))
    return begin..<max(begin, min(height, top &+ kernelHeight))
  }

  /// The columns of the image under output column `x`, clipped to it.
  @inline(__always)
  func columns(_ x: Int, _ width: Int) -> Range<Int> {
    let left = x &* strideWidth &- padLeft
    let begin = max(0, min(left, width))
    return begin..<max(begin, min(width, left &+ kernelWidth))
  }
}

/// The largest of each window; padding takes no part, NaN wins, and a window of padding alone gives −∞.
func maximumPool(_ arguments: PoolArguments, _ range: Range<Int>) {
  if arguments.window.isHalving {
    maximumOfSquares(arguments, range)
    return
  }
  forEachWindow(arguments, range) { plane, rows, columns in
    var best = -Float.infinity
    var y = rows.lowerBound
    while y < rows.upperBound {
      let row = plane + y &* arguments.width
      var x = columns.lowerBound
      while x < columns.upperBound {
        let value = row[x]
        if value > best || value.isNaN { best = value }
        if best.isNaN { return best }
        x &+= 1
      }
      y &+= 1
    }
    return best
  }
}

/// The mean of each window: the taps inside the image are added in row-major order, then divided by their count or by
/// the whole window. A window of padding alone gives 0.
func averagePool(_ arguments: PoolArguments, _ range: Range<Int>) {
  if arguments.window.isHalving {
    averageOfSquares(arguments, range)
    return
  }
  let whole = arguments.window.kernelHeight &* arguments.window.kernelWidth
  forEachWindow(arguments, range) { plane, rows, columns in
    var sum: Float = 0
    var y = rows.lowerBound
    while y < rows.upperBound {
      let row = plane + y &* arguments.width
      var x = columns.lowerBound
      while x < columns.upperBound {
        sum += row[x]
        x &+= 1
      }
      y &+= 1
    }
    let count = arguments.countIncludesPadding ? whole : max(1, rows.count &* columns.count)
    return sum / Float(count)
  }
}

@inline(__always)
private func forEachWindow(
  _ arguments: PoolArguments, _ range: Range<Int>,
  _ body: (_ plane: UnsafePointer<Float>, _ rows: Range<Int>, _ columns: Range<Int>) -> Float
) {
  var unit = range.lowerBound
  while unit < range.upperBound {
    let plane = arguments.x + unit &* arguments.height &* arguments.width
    var out = arguments.y + unit &* arguments.outputHeight &* arguments.outputWidth
    var y = 0
    while y < arguments.outputHeight {
      let rows = arguments.window.rows(y, arguments.height)
      var x = 0
      while x < arguments.outputWidth {
        out.pointee = body(plane, rows, arguments.window.columns(x, arguments.width))
        out += 1
        x &+= 1
      }
      y &+= 1
    }
    unit &+= 1
  }
}

/// See ``PoolGradientArguments``: dy goes to the first maximum of its window.
func maximumPoolGradient(_ arguments: PoolGradientArguments, _ range: Range<Int>) {
  guard let x = arguments.x else { return }
  if arguments.window.isHalving {
    maximumOfSquaresGradient(x, arguments, range)
    return
  }
  forEachGradient(arguments, range) { unit, dx, rows, columns, dy in
    let plane = x + unit &* arguments.height &* arguments.width
    var best = -Float.infinity
    var index = -1
    var row = rows.lowerBound
    search: while row < rows.upperBound {
      var column = columns.lowerBound
      while column < columns.upperBound {
        let position = row &* arguments.width &+ column
        let value = plane[position]
        if index < 0 || value > best || value.isNaN {
          best = value
          index = position
        }
        if best.isNaN { break search }
        column &+= 1
      }
      row &+= 1
    }
    if index >= 0 { dx[index] += dy }
  }
}

/// See ``PoolGradientArguments``: dy over the count goes to every tap inside the image.
func averagePoolGradient(_ arguments: PoolGradientArguments, _ range: Range<Int>) {
  let whole = arguments.window.kernelHeight &* arguments.window.kernelWidth
  forEachGradient(arguments, range) { _, dx, rows, columns, dy in
    let count = arguments.countIncludesPadding ? whole : max(1, rows.count &* columns.count)
    let share = dy / Float(count)
    var row = rows.lowerBound
    while row < rows.upperBound {
      var column = columns.lowerBound
      while column < columns.upperBound {
        dx[row &* arguments.width &+ column] += share
        column &+= 1
      }
      row &+= 1
    }
  }
}

@inline(__always)
private func forEachGradient(
  _ arguments: PoolGradientArguments, _ range: Range<Int>,
  _ body: (
    _ unit: Int, _ dx: UnsafeMutablePointer<Float>, _ rows: Range<Int>, _ columns: Range<Int>, _ dy: Float
  ) -> Void
) {
  var unit = range.lowerBound
  while unit < range.upperBound {
    let dx = arguments.dx + unit &* arguments.height &* arguments.width
    dx.update(repeating: 0, count: arguments.height &* arguments.width)
    var dy = arguments.dy + unit &* arguments.outputHeight &* arguments.outputWidth
    var y = 0
    while y < arguments.outputHeight {
      let rows = arguments.window.rows(y, arguments.height)
      var x = 0
      while x < arguments.outputWidth {
        body(unit, dx, rows, arguments.window.columns(x, arguments.width), dy.pointee)
        dy += 1
        x &+= 1
      }
      y &+= 1
    }
    unit &+= 1
  }
}
