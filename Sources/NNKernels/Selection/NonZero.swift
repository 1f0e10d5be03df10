import NNGraph

/// How many of `count` elements are not zero.
@inline(never) @export(interface)
public func nonZeroCount(_ dtype: DType, _ elements: UnsafeRawPointer, _ count: Int) -> Int {
  let zero = orderKeyOfZero(dtype)
  var found = 0
  var index = 0
  while index < count {
    if orderKey(dtype, elements + index &* dtype.size) != zero { found &+= 1 }
    index &+= 1
  }
  return found
}

/// Writes the indices of the elements that are not zero, in row-major order, to `indices` (rank, found).
@inline(never) @export(interface)
public func nonZeroIndices(
  _ dtype: DType, _ elements: UnsafeRawPointer, _ extents: [Int], _ indices: UnsafeMutablePointer<Int64>,
  _ found: Int
) {
  var count = 1
  for extent in extents { count &*= extent }
  let zero = orderKeyOfZero(dtype)
  var column = 0
  var index = 0
  while index < count {
    if orderKey(dtype, elements + index &* dtype.size) != zero {
      var rest = index
      var axis = extents.count &- 1
      while axis >= 0 {
        indices[axis &* found &+ column] = Int64(rest % extents[axis])
        rest /= extents[axis]
        axis &-= 1
      }
      column &+= 1
    }
    index &+= 1
  }
}
