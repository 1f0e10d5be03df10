import CPlatform

// The largest of windows of 3 x 3 that move by 2, in strips of sixteen columns from top to bottom, as in DepthwiseStrips.swift: the three
// taps of a row are compared once, for both rows of outputs that a row of the image may belong to.

/// See ``pool(_:_:_:_:)``. To keep the first of the largest of each row, then of the rows, is to keep the first of all.
@inlinable @inline(__always)
func maximumPoolStrips<I: InstructionSet>(_ arguments: PoolArguments, _ range: Range<Int>, _: I.Type) {
  var unit = range.lowerBound
  while unit < range.upperBound {
    let plane = arguments.x + unit &* arguments.height &* arguments.width
    let output = arguments.y + unit &* arguments.outputHeight &* arguments.outputWidth
    var total = nnp_splat(0)
    var column = 0
    while column < arguments.outputWidth {
      // The last sixteen, some of them once more.
      let first = min(column, max(0, arguments.outputWidth &- 16))
      let strip = Strip(
        x: 2 &* first &- arguments.window.padLeft, width: arguments.width, stride: 2, outside: -.infinity)
      let count = min(16, arguments.outputWidth &- first)
      let isWhole = strip.x >= -1 && strip.x &+ 33 <= arguments.width && count == 16
      maximumPoolStrip(arguments, strip, isWhole, count, plane, output + first, &total, I.self)
      column &+= 16
    }
    // One window after the other, then.
    if nnp_any(nnp_is_nan(total)) != 0 { scalarPool(arguments, unit..<unit &+ 1, true) }
    unit &+= 1
  }
}

/// `count` columns of outputs; with `isWhole`, only the first tap of the first may lie in the padding at their sides. `total` becomes NaN if any tap is: then what is
/// stored does not count.
@inlinable @inline(__always)
func maximumPoolStrip<I: InstructionSet>(
  _ arguments: PoolArguments, _ strip: Strip, _ isWhole: Bool, _ count: Int, _ plane: UnsafePointer<Float>,
  _ target: UnsafeMutablePointer<Float>, _ total: inout Vector, _: I.Type
) {
  var y = 0 &- arguments.window.padTop
  var taps = poolTaps(arguments, strip, isWhole, y, plane, I.self)
  var sum = total + (taps.0 + taps.1 + taps.2)
  var first = larger(larger(taps.0, taps.1), taps.2)
  var output = target
  var row = arguments.outputHeight
  while row > 0 {
    taps = poolTaps(arguments, strip, isWhole, y &+ 1, plane, I.self)
    let second = larger(larger(taps.0, taps.1), taps.2)
    sum = sum + (taps.0 + taps.1 + taps.2)
    taps = poolTaps(arguments, strip, isWhole, y &+ 2, plane, I.self)
    let third = larger(larger(taps.0, taps.1), taps.2)
    sum = sum + (taps.0 + taps.1 + taps.2)
    let largest = larger(larger(first, second), third)
    if isWhole { nnp_store(output, largest) } else { nnp_store_partial(output, count, largest) }
    first = third
    output += arguments.outputWidth
    y &+= 2
    row &-= 1
  }
  total = sum
}

/// The taps of sixteen windows in row `y` of the image; −∞ in the padding.
@inlinable @inline(__always)
func poolTaps<I: InstructionSet>(
  _ arguments: PoolArguments, _ strip: Strip, _ isWhole: Bool, _ y: Int, _ plane: UnsafePointer<Float>,
  _: I.Type
) -> (Vector, Vector, Vector) {
  if y < 0 || y >= arguments.height {
    let outside = nnp_splat(-.infinity)
    return (outside, outside, outside)
  }
  let row = plane + y &* arguments.width
  if !isWhole { return strip.taps(row, false) }
  let (a, b): (Vector, Vector) = (nnp_load(row + (strip.x &+ 1)), nnp_load(row + (strip.x &+ 17)))
  let last = oddLanes(a, b)
  return (nnp_shift_in(last, strip.x < 0 ? -.infinity : row[strip.x]), evenLanes(a, b), last)
}
