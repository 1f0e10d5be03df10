import CPlatform

/// One column of the taps of up to sixteen neighbouring windows: the elements of a row of the image, `stride` apart.
@usableFromInline struct Taps {
  /// Of the first window's tap, in the row; it may lie outside.
  @usableFromInline let column: Int
  @usableFromInline let stride: Int
  /// The windows whose taps lie inside the image.
  @usableFromInline let begin: Int
  @usableFromInline let end: Int
  /// How many windows there are: what the lanes past them hold does not matter.
  @usableFromInline let count: Int

  @inlinable @inline(__always)
  init(column: Int, stride: Int, begin: Int, end: Int, count: Int) {
    self.column = column
    self.stride = stride
    self.begin = begin
    self.end = end
    self.count = count
  }

  @inlinable @inline(__always) var areAllInside: Bool { begin == 0 && end == count }

  /// All ones in the windows whose taps lie inside, and perhaps past the windows.
  @inlinable @inline(__always)
  var mask: IntVector { areAllInside ? IntVector(repeating: -1) : nnp_lanes_between(begin, end) }

  /// Whether what one or two vectors hold from `offset` on, used or not, is there.
  @inlinable @inline(__always)
  func fit(_ offset: Int, _ inside: Range<Int>) -> Bool {
    stride <= 2 && offset >= inside.lowerBound && offset &+ 16 &* stride <= inside.upperBound
  }

  /// The taps in the row that begins at element `start` of `image`, `rest` outside; `inside` are the elements there are.
  @inlinable @inline(__always)
  func load(_ image: UnsafePointer<Float>, _ start: Int, _ inside: Range<Int>, _ rest: Float) -> Vector {
    let offset = start &+ column
    let p = image + offset
    if !fit(offset, inside) { return nnp_load_strided_lanes(p, stride, begin, end, rest) }
    let values = stride == 1 ? nnp_load(p) : nnp_load_every_other(p)
    return areAllInside ? values : nnp_select(nnp_lanes_between(begin, end), values, nnp_splat(rest))
  }

  /// Adds to the taps' elements. `values` are 0 for every tap outside, and past the windows.
  @inlinable @inline(__always)
  func add(_ values: Vector, _ image: UnsafeMutablePointer<Float>, _ start: Int, _ inside: Range<Int>) {
    let offset = start &+ column
    let p = image + offset
    if !fit(offset, inside) {
      nnp_add_strided_lanes(p, stride, begin, end, values)
    } else if stride == 1 {
      nnp_store(p, nnp_load(p) + values)
    } else {
      let zero = nnp_splat(0)
      nnp_store(p, nnp_load(p) + nnp_interleave_low(values, zero))
      nnp_store(p + 16, nnp_load(p + 16) + nnp_interleave_high(values, zero))
    }
  }
}

extension Window {
  /// The rows of the image under output row `y`, clipped to it.
  @inlinable @inline(__always)
  func rows(_ y: Int, _ height: Int) -> Range<Int> {
    let top = y &* strideHeight &- padTop
    let begin = max(0, min(top, height))
    return begin..<max(begin, min(height, top &+ kernelHeight))
  }

  /// Tap `tap` of the rows of `count` windows from the one at output column `x` on, in an image `width` wide.
  @inlinable @inline(__always)
  func taps(_ tap: Int, _ x: Int, _ count: Int, _ width: Int) -> Taps {
    let column = x &* strideWidth &+ tap &- padLeft
    var begin = 0
    var end = count
    if column < 0 { begin = min(count, (strideWidth &- 1 &- column) / strideWidth) }
    if column &+ (count &- 1) &* strideWidth >= width {
      end = max(begin, (width &- column &+ strideWidth &- 1) / strideWidth)
    }
    return Taps(column: column, stride: strideWidth, begin: begin, end: end, count: count)
  }

  /// What each window's sum is divided by: its taps inside the image, at least 1, or all of them.
  @inlinable @inline(__always)
  func counts<I: InstructionSet>(
    _ rows: Range<Int>, _ x: Int, _ count: Int, _ width: Int, _ includesPadding: Bool, _: I.Type
  ) -> Vector {
    if includesPadding { return nnp_splat(Float(kernelHeight &* kernelWidth)) }
    if taps(0, x, count, width).areAllInside && taps(kernelWidth &- 1, x, count, width).areAllInside {
      return nnp_splat(Float(max(1, rows.count &* kernelWidth)))
    }
    var columns = nnp_splat(0)
    var tap = 0
    while tap < kernelWidth {
      columns = columns + nnp_select(taps(tap, x, count, width).mask, nnp_splat(1), nnp_splat(0))
      tap &+= 1
    }
    return atLeast(1, columns * nnp_splat(Float(rows.count)))
  }
}
