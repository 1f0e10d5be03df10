import CPlatform

/// The columns of the image that sixteen neighbouring windows of width 3 see, `stride` apart.
@usableFromInline struct Strip {
  /// The first window's first column, which may lie in the padding.
  @usableFromInline let x: Int
  @usableFromInline let width: Int
  @usableFromInline let stride: Int
  /// What taps in the padding are.
  @usableFromInline let outside: Float

  @inlinable @inline(__always)
  init(x: Int, width: Int, stride: Int, outside: Float = 0) {
    self.x = x
    self.width = width
    self.stride = stride
    self.outside = outside
  }

  /// Whether all that is read lies inside the image.
  @inlinable @inline(__always) var isInside: Bool {
    x >= 0 && x &+ 16 &* stride &+ (stride == 1 ? 2 : 1) <= width
  }

  /// Sixteen neighbours from column `x + offset` on.
  @inlinable @inline(__always)
  func load(_ row: UnsafePointer<Float>, _ offset: Int, _ isInside: Bool) -> Vector {
    let first = x &+ offset
    if isInside { return nnp_load(row + first) }
    let begin = min(16, max(0, 0 &- first))
    return nnp_load_lanes(row + first, begin, max(begin, min(16, width &- first)), nnp_splat(outside))
  }

  /// The three taps of a row.
  @inlinable @inline(__always)
  func taps(_ row: UnsafePointer<Float>, _ isInside: Bool) -> (Vector, Vector, Vector) {
    if stride == 1 { return (load(row, 0, isInside), load(row, 1, isInside), load(row, 2, isInside)) }
    let (a, b): (Vector, Vector) = (load(row, 1, isInside), load(row, 17, isInside))
    let last = oddLanes(a, b)
    // All but the first are what the window before has last.
    let first = isInside || (x >= 0 && x < width) ? row[x] : outside
    return (nnp_shift_in(last, first), evenLanes(a, b), last)
  }
}
