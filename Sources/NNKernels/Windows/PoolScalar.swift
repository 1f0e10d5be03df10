// Pooling one window at a time, where vectors of windows do not pay: pooling of whole images above all, and processors
// whose vectors are short. Compiled once for every machine.

/// Whether vectors of windows would hold too few of them, or hold them up: sums of taps that lie far apart.
func isScalar(_ window: Window, _ outputWidth: Int, _ isMaximum: Bool) -> Bool {
  !window.isHalving && (outputWidth < 5 || (window.strideWidth > 2 && !isMaximum))
}

extension Window {
  /// The columns of the image under output column `x`, clipped to it.
  @inline(__always)
  func columns(_ x: Int, _ width: Int) -> Range<Int> {
    let left = x &* strideWidth &- padLeft
    let begin = max(0, min(left, width))
    return begin..<max(begin, min(width, left &+ kernelWidth))
  }
}

/// As ``pool(_:_:_:_:)``.
@export(interface)
public func scalarPool(_ arguments: PoolArguments, _ range: Range<Int>, _ isMaximum: Bool) {
  if isMaximum { scalarMaximumPool(arguments, range) } else { scalarAveragePool(arguments, range) }
}

/// As ``poolGradient(_:_:_:_:)``.
@export(interface)
public func scalarPoolGradient(_ arguments: PoolGradientArguments, _ range: Range<Int>, _ isMaximum: Bool) {
  if isMaximum {
    scalarMaximumPoolGradient(arguments, range)
  } else {
    scalarAveragePoolGradient(arguments, range)
  }
}

private func scalarMaximumPool(_ arguments: PoolArguments, _ range: Range<Int>) {
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

private func scalarAveragePool(_ arguments: PoolArguments, _ range: Range<Int>) {
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

private func scalarMaximumPoolGradient(_ arguments: PoolGradientArguments, _ range: Range<Int>) {
  guard let x = arguments.x else { return }
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

private func scalarAveragePoolGradient(_ arguments: PoolGradientArguments, _ range: Range<Int>) {
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
