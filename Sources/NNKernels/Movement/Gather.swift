import CPlatform

/// Index `i` of the list, brought into 0 ..< axis; −1 if it is out of bounds.
@inline(__always)
func position(_ indices: UnsafeRawPointer, _ isWide: Bool, _ i: Int, _ axis: Int) -> Int {
  let index =
    isWide
    ? Int(indices.assumingMemoryBound(to: Int64.self)[i])
    : Int(indices.assumingMemoryBound(to: Int32.self)[i])
  let position = index < 0 ? index &+ axis : index
  return position >= 0 && position < axis ? position : -1
}

/// See ``GatherArguments``; stops at the first bad index.
func gather(_ arguments: GatherArguments, _ range: Range<Int>) -> Int {
  let data = arguments.data
  let size = arguments.innerBytes
  var unit = range.lowerBound
  while unit < range.upperBound {
    let i = unit % arguments.count
    let row = position(arguments.indices, arguments.wideIndices, i, arguments.axis)
    if row < 0 { return i }
    memcpy(
      arguments.out + unit &* size, data + (unit / arguments.count &* arguments.axis &+ row) &* size, size)
    unit &+= 1
  }
  return -1
}
