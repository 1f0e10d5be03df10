import CPlatform

/// See ``UnfoldArguments``. Every element of the image takes its taps in ascending order, from +0 on.
@inlinable @inline(never)
func fold<I: InstructionSet>(_ arguments: UnfoldArguments, _ range: Range<Int>, _: I.Type) {
  let window = arguments.window
  let pixels = arguments.outputHeight &* arguments.outputWidth
  let taps = window.kernelHeight &* window.kernelWidth
  var unit = range.lowerBound
  while unit < range.upperBound {
    let columns = arguments.input + unit &* taps &* pixels
    let image = arguments.out + unit &* arguments.height &* arguments.width
    var y = 0
    if pixels == 0 {
      image.update(repeating: 0, count: arguments.height &* arguments.width)
      y = arguments.height
    } else if arguments.foldsSquares {
      arguments.foldSquares(columns, image, I.self)
      y = arguments.height
    }
    while y < arguments.height {
      let row = image + y &* arguments.width
      switch window.strideWidth {
      case 1: arguments.foldRow(columns, y, row, I.self)
      case 2: arguments.foldRowOfPairs(columns, y, row, I.self)
      default: arguments.foldRowBySteps(columns, y, row)
      }
      y &+= 1
    }
    unit &+= 1
  }
}

extension UnfoldArguments {
  @inlinable @inline(__always)
  func foldRow<I: InstructionSet>(
    _ columns: UnsafePointer<Float>, _ y: Int, _ row: UnsafeMutablePointer<Float>, _: I.Type
  ) {
    var x = 0
    while x < width {
      nnp_store_partial(row + x, min(16, width &- x), sumOfTaps(columns, y, x, 0, 1, I.self))
      x &+= 16
    }
  }

  /// Even and odd elements meet different taps.
  @inlinable @inline(__always)
  func foldRowOfPairs<I: InstructionSet>(
    _ columns: UnsafePointer<Float>, _ y: Int, _ row: UnsafeMutablePointer<Float>, _: I.Type
  ) {
    var pair = 0
    while pair &* 2 < width {
      let even = sumOfTaps(columns, y, pair, 0, 2, I.self)
      let odd = sumOfTaps(columns, y, pair, 1, 2, I.self)
      let left = width &- pair &* 2
      let target = row + pair &* 2
      nnp_store_partial(target, min(16, left), nnp_interleave_low(even, odd))
      if left > 16 { nnp_store_partial(target + 16, min(16, left &- 16), nnp_interleave_high(even, odd)) }
      pair &+= 16
    }
  }

  /// The taps of sixteen elements, `stride` apart from element `first * stride + phase` of row `y` on, summed.
  @inlinable @inline(never)
  func sumOfTaps<I: InstructionSet>(
    _ columns: UnsafePointer<Float>, _ y: Int, _ first: Int, _ phase: Int, _ stride: Int, _: I.Type
  ) -> Vector {
    let pixels = outputHeight &* outputWidth
    var sum = nnp_splat(0)
    var tapRow = 0
    while tapRow < window.kernelHeight {
      let down = y &+ window.padTop &- tapRow &* window.dilationHeight
      // The usual strides without a division.
      let line =
        window.strideHeight == 1 ? down : window.strideHeight == 2 ? down >> 1 : down / window.strideHeight
      guard down >= 0, line &* window.strideHeight == down, line < outputHeight else {
        tapRow &+= 1
        continue
      }
      var tap = columns + (tapRow &* window.kernelWidth &* pixels &+ line &* outputWidth)
      var across = phase &+ window.padLeft
      var tapColumn = window.kernelWidth
      while tapColumn > 0 {
        if stride == 1 || across & 1 == 0 {
          let start = first &+ (stride == 1 ? across : across >> 1)
          let begin = max(0, min(16, 0 &- start))
          let end = max(begin, min(16, outputWidth &- start))
          sum = sum + nnp_load_lanes(tap + start, begin, end, nnp_splat(0))
        }
        tap += pixels
        across &-= window.dilationWidth
        tapColumn &-= 1
      }
      tapRow &+= 1
    }
    return sum
  }

  /// A row at any stride, element by element.
  @inline(never) @export(interface)
  public func foldRowBySteps(
    _ columns: UnsafePointer<Float>, _ y: Int, _ row: UnsafeMutablePointer<Float>
  ) {
    let pixels = outputHeight &* outputWidth
    row.update(repeating: 0, count: width)
    var tap = 0
    while tap < window.kernelHeight &* window.kernelWidth {
      let down = y &+ window.padTop &- tap / window.kernelWidth &* window.dilationHeight
      let line = down / window.strideHeight
      if down >= 0, line &* window.strideHeight == down, line < outputHeight {
        let source = columns + (tap &* pixels &+ line &* outputWidth)
        var x = tap % window.kernelWidth &* window.dilationWidth &- window.padLeft
        var pixel = 0
        while pixel < outputWidth {
          if x >= 0 && x < width { row[x] += source[pixel] }
          x &+= window.strideWidth
          pixel &+= 1
        }
      }
      tap &+= 1
    }
  }
}
