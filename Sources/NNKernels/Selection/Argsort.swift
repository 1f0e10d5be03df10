import NNGraph

/// y = the order of x along an axis. x is (outer, axis, inner), y as x: y[o, j, i] is the index of the element that is number j.
///
/// Ascending or descending by ``orderKey(_:_:)``; of equal elements the first stands in front. Work units: outer · inner.
public struct ArgsortArguments {
  public var x: UnsafeRawPointer
  public var dtype: DType
  public var y: UnsafeMutablePointer<Int64>
  public var outer: Int
  public var axis: Int
  public var inner: Int
  public var isDescending: Bool

  @inlinable public init(
    x: UnsafeRawPointer, dtype: DType, y: UnsafeMutablePointer<Int64>, outer: Int, axis: Int, inner: Int,
    isDescending: Bool
  ) {
    self.x = x
    self.dtype = dtype
    self.y = y
    self.outer = outer
    self.axis = axis
    self.inner = inner
    self.isDescending = isDescending
  }

  /// Whether element `a` of a column comes before element `b`.
  @inline(__always)
  func precedes(_ column: UnsafeRawPointer, _ a: Int64, _ b: Int64) -> Bool {
    let step = inner &* dtype.size
    let (p, q) = (orderKey(dtype, column + Int(a) &* step), orderKey(dtype, column + Int(b) &* step))
    if p != q { return isDescending ? p > q : p < q }
    return a < b
  }
}

/// See ``ArgsortArguments``: heap sort in the result itself, so that nothing is allocated.
func argsort(_ arguments: ArgsortArguments, _ range: Range<Int>) {
  let (axis, inner) = (arguments.axis, arguments.inner)
  var unit = range.lowerBound
  while unit < range.upperBound {
    let offset = unit / inner &* axis &* inner &+ unit % inner
    let column = arguments.x + offset &* arguments.dtype.size
    let order = arguments.y + offset
    var i = 0
    while i < axis {
      order[i &* inner] = Int64(i)
      i &+= 1
    }
    i = axis / 2 &- 1
    while i >= 0 {
      sink(arguments, column, order, i, axis)
      i &-= 1
    }
    var end = axis &- 1
    while end > 0 {
      let largest = order[0]
      order[0] = order[end &* inner]
      order[end &* inner] = largest
      sink(arguments, column, order, 0, end)
      end &-= 1
    }
    unit &+= 1
  }
}

/// Brings the element at `start` of a heap of `end` elements to where it belongs.
private func sink(
  _ arguments: ArgsortArguments, _ column: UnsafeRawPointer, _ order: UnsafeMutablePointer<Int64>,
  _ start: Int, _ end: Int
) {
  let inner = arguments.inner
  var parent = start
  while true {
    var child = 2 &* parent &+ 1
    if child >= end { return }
    if child &+ 1 < end,
      arguments.precedes(column, order[child &* inner], order[(child &+ 1) &* inner])
    {
      child &+= 1
    }
    let (upper, lower) = (order[parent &* inner], order[child &* inner])
    if !arguments.precedes(column, upper, lower) { return }
    order[parent &* inner] = lower
    order[child &* inner] = upper
    parent = child
  }
}
