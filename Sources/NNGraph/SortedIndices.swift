/// The numbers `0..<count` in the order given by `precedes`, by heap sort.
///
/// One function for every sorting in the lean library: the standard library's would be compiled anew for each.
///
/// - Parameter precedes: a strict weak order; numbers that it does not tell apart come in any order.
@inline(never) @export(interface)
public func sortedIndices(_ count: Int, by precedes: (Int, Int) -> Bool) -> [Int] {
  var heap = Array(0..<count)
  func sink(_ start: Int, _ end: Int) {
    var parent = start
    while true {
      var child = 2 * parent + 1
      if child >= end { return }
      if child + 1 < end, precedes(heap[child], heap[child + 1]) { child += 1 }
      if !precedes(heap[parent], heap[child]) { return }
      heap.swapAt(parent, child)
      parent = child
    }
  }
  for start in stride(from: count / 2 - 1, through: 0, by: -1) { sink(start, count) }
  for end in stride(from: count - 1, to: 0, by: -1) {
    heap.swapAt(0, end)
    sink(0, end)
  }
  return heap
}
