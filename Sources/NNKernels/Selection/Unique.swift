import NNGraph

/// The distinct items of a tensor, an item being an element or a slice along one axis.
public struct DistinctItems {
  /// For each distinct item, where it appears first.
  public private(set) var first: [Int] = []
  /// For each item, which of the distinct ones it is.
  public private(set) var inverse: [Int]
  /// For each distinct item, how often it appears.
  public private(set) var counts: [Int] = []

  /// Finds the distinct ones of `count` items; item i has the elements (outer, i, inner) of the tensor at `elements`.
  ///
  /// They come in ascending order, the first different element deciding, if `sorts`, else as they appear.
  @inline(never) @export(interface)
  public init(
    _ dtype: DType, _ elements: UnsafeRawPointer, count: Int, outer: Int, inner: Int, sorts: Bool
  ) {
    let size = dtype.size
    func order(_ a: Int, _ b: Int) -> Int {
      var row = 0
      while row < outer {
        var x = elements + ((row &* count &+ a) &* inner) &* size
        var y = elements + ((row &* count &+ b) &* inner) &* size
        var column = 0
        while column < inner {
          let (p, q) = (orderKey(dtype, x), orderKey(dtype, y))
          if p != q { return p < q ? -1 : 1 }
          x += size
          y += size
          column &+= 1
        }
        row &+= 1
      }
      return 0
    }
    inverse = [Int](repeating: 0, count: count)
    let sorted = sortedIndices(count) {
      let relation = order($0, $1)
      return relation != 0 ? relation < 0 : $0 < $1
    }
    // Equal items are neighbours now, the earliest one in front.
    for (position, item) in sorted.enumerated() {
      if position == 0 || order(sorted[position &- 1], item) != 0 {
        first.append(item)
        counts.append(0)
      }
      counts[counts.count &- 1] &+= 1
      inverse[item] = first.count &- 1
    }
    if !sorts { sortByAppearance() }
  }

  private mutating func sortByAppearance() {
    let (first, counts) = (first, counts)
    let order = sortedIndices(first.count) { first[$0] < first[$1] }
    var rank = [Int](repeating: 0, count: first.count)
    for (position, item) in order.enumerated() {
      rank[item] = position
      self.first[position] = first[item]
      self.counts[position] = counts[item]
    }
    for item in inverse.indices { inverse[item] = rank[inverse[item]] }
  }
}
