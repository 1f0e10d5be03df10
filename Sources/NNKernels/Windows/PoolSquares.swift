import CPlatform

// Pooling by squares of 2 x 2 that do not overlap, the commonest window, sixteen results at a time.

/// The four taps of sixteen neighbouring squares, in row-major order.
@usableFromInline typealias Squares = (Vector, Vector, Vector, Vector)

extension Window {
  /// Whether the window halves both sides: 2 x 2, stride 2, without padding.
  @inlinable public var isHalving: Bool {
    kernelHeight == 2 && kernelWidth == 2 && strideHeight == 2 && strideWidth == 2
      && (padTop | padLeft | padBottom | padRight) == 0
  }
}

/// The first squares from element `offset` of x on, which has `size` elements; only `count` matter.
@inlinable @inline(__always)
func loadSquares(_ x: UnsafePointer<Float>, _ offset: Int, _ width: Int, _ count: Int, _ size: Int) -> Squares
{
  let upper = x + offset
  let lower = upper + width
  // A vector's end may lie in the next row, but not behind the tensor.
  if offset &+ width &+ 32 <= size {
    let (a, b) = (nnp_load(upper), nnp_load(upper + 16))
    let (c, d) = (nnp_load(lower), nnp_load(lower + 16))
    return (evenLanes(a, b), oddLanes(a, b), evenLanes(c, d), oddLanes(c, d))
  }
  return (
    nnp_load_strided_lanes(upper, 2, 0, count, 0), nnp_load_strided_lanes(upper + 1, 2, 0, count, 0),
    nnp_load_strided_lanes(lower, 2, 0, count, 0), nnp_load_strided_lanes(lower + 1, 2, 0, count, 0)
  )
}

/// See ``pool(_:_:_:_:)``.
@inlinable @inline(__always)
func poolSquares<I: InstructionSet>(
  _ arguments: PoolArguments, _ range: Range<Int>, _ isMaximum: Bool, _: I.Type
) {
  let (height, width) = (arguments.height, arguments.width)
  let size = arguments.planes &* height &* width
  let limit = range.upperBound &* arguments.outputHeight &* arguments.outputWidth
  var place = range.lowerBound &* arguments.outputHeight &* arguments.outputWidth
  var unit = range.lowerBound
  while unit < range.upperBound {
    var y = 0
    while y < arguments.outputHeight {
      let row = (unit &* height &+ 2 &* y) &* width
      var x = 0
      while x < arguments.outputWidth {
        let lanes = min(16, arguments.outputWidth &- x)
        let taps = loadSquares(arguments.x, row &+ 2 &* x, width, lanes, size)
        var result = taps.0
        if isMaximum {
          result = nnp_select(nnp_is_better(taps.1, result), taps.1, result)
          result = nnp_select(nnp_is_better(taps.2, result), taps.2, result)
          result = nnp_select(nnp_is_better(taps.3, result), taps.3, result)
        } else {
          result = (nnp_splat(0) + taps.0 + taps.1 + taps.2 + taps.3) * nnp_splat(0.25)
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

/// See ``poolGradient(_:_:_:_:)``.
@inlinable @inline(__always)
func poolSquaresGradient<I: InstructionSet>(
  _ arguments: PoolGradientArguments, _ range: Range<Int>, _ isMaximum: Bool, _: I.Type
) {
  let (height, width) = (arguments.height, arguments.width)
  let limit = range.upperBound &* height &* width
  // Squares leave a last row and column of odd sides out.
  let covered = 2 &* arguments.outputHeight
  var unit = range.lowerBound
  while unit < range.upperBound {
    var y = 0
    while y < arguments.outputHeight {
      poolSquaresRowGradient(arguments, unit, y, limit, isMaximum, I.self)
      y &+= 1
    }
    let rest = (unit &* height &+ covered) &* width
    if covered < height { (arguments.dx + rest).update(repeating: 0, count: (height &- covered) &* width) }
    unit &+= 1
  }
}

@inlinable @inline(__always)
func poolSquaresRowGradient<I: InstructionSet>(
  _ arguments: PoolGradientArguments, _ unit: Int, _ y: Int, _ limit: Int, _ isMaximum: Bool, _: I.Type
) {
  let width = arguments.width
  let size = arguments.planes &* arguments.height &* width
  let row = (unit &* arguments.height &+ 2 &* y) &* width
  let dy = arguments.dy + (unit &* arguments.outputHeight &+ y) &* arguments.outputWidth
  var x = 0
  while x < arguments.outputWidth {
    let lanes = min(16, arguments.outputWidth &- x)
    let offset = row &+ 2 &* x
    let zero = nnp_splat(0)
    // Gradients are added to 0: −0 becomes +0.
    var first = loadColumns(dy + x, lanes, 0) + zero
    var (second, third, fourth) = (zero, zero, zero)
    if isMaximum, let image = arguments.x {
      let taps = loadSquares(image, offset, width, lanes, size)
      // Each later tap that is better takes the place of those before.
      let isSecond = nnp_is_better(taps.1, taps.0)
      var best = nnp_select(isSecond, taps.1, taps.0)
      let isThird = nnp_is_better(taps.2, best)
      best = nnp_select(isThird, taps.2, best)
      let isFourth = nnp_is_better(taps.3, best)
      fourth = nnp_select(isFourth, first, zero)
      first = nnp_select(isFourth, zero, first)
      third = nnp_select(isThird, first, zero)
      first = nnp_select(isThird, zero, first)
      second = nnp_select(isSecond, first, zero)
      first = nnp_select(isSecond, zero, first)
    } else {
      first = first * nnp_splat(0.25)
      (second, third, fourth) = (first, first, first)
    }
    // What a row stores past its end, zeros, the rows below overwrite; where a row has several pieces, none may.
    let isFree = 2 &* x &+ 32 <= width || arguments.outputWidth <= 16
    let count = isFree && offset &+ width &+ 32 <= limit ? 32 : min(32, width &- 2 &* x)
    storePairs(arguments.dx + offset, count, first, second)
    storePairs(arguments.dx + (offset &+ width), count, third, fourth)
    x &+= 16
  }
  // Of a last column after whole vectors, or alone.
  if arguments.outputWidth & 15 == 0 && width & 1 == 1 {
    arguments.dx[row &+ width &- 1] = 0
    arguments.dx[row &+ 2 &* width &- 1] = 0
  }
}

/// Alternating elements of both, the first `count` of 32.
@inlinable @inline(__always)
func storePairs(_ out: UnsafeMutablePointer<Float>, _ count: Int, _ even: Vector, _ odd: Vector) {
  let (low, high) = (nnp_interleave_low(even, odd), nnp_interleave_high(even, odd))
  if count >= 32 {
    nnp_store(out, low)
    nnp_store(out + 16, high)
  } else {
    storeColumns(out, min(16, count), low)
    if count > 16 { nnp_store_partial(out + 16, count &- 16, high) }
  }
}
