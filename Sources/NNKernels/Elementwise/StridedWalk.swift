/// Walks a half-open range of the positions of a ``BroadcastLayout`` as runs along the innermost dimension.
///
/// Public for the instruction sets' modules alone, which must call it and not hold a copy of it (`@export(interface)`): a
/// copy would be compiled for their processor, under the same name as everyone else's.
///
/// Before the first and after each successful ``next()`` the fields describe the current run.
public struct StridedWalk {
  /// Positions in the run.
  public internal(set) var count = 0
  /// The operands' offsets, in elements, of the run's first position.
  public internal(set) var offset0 = 0
  public internal(set) var offset1 = 0
  public internal(set) var offset2 = 0
  /// The run's first position in row-major order.
  public internal(set) var position: Int
  var end: Int
  var rank: Int
  var dims: Dimensions
  var strides0: Dimensions
  var strides1: Dimensions
  var strides2: Dimensions
  var index = Dimensions(repeating: 0)

  @inline(never) @export(interface)
  public init(
    _ rank: Int, _ dims: Dimensions, _ strides0: Dimensions, _ strides1: Dimensions, _ strides2: Dimensions,
    _ range: Range<Int>
  ) {
    position = range.lowerBound
    end = range.upperBound
    self.rank = rank
    self.dims = dims
    self.strides0 = strides0
    self.strides1 = strides1
    self.strides2 = strides2
    if range.isEmpty { return }
    var rest = position
    var i = rank &- 1
    while i >= 0 {
      index[i] = rest % dims[i]
      rest /= dims[i]
      offset0 = offset0 &+ index[i] &* strides0[i]
      offset1 = offset1 &+ index[i] &* strides1[i]
      offset2 = offset2 &+ index[i] &* strides2[i]
      i &-= 1
    }
  }

  /// Moves to the next run; false at the end of the range.
  @inline(never) @export(interface)
  public mutating func next() -> Bool {
    if count > 0 {
      position = position &+ count
      advance(rank &- 1, by: count)
      var i = rank &- 1
      while i > 0 && index[i] == dims[i] {
        advance(i, by: 0 &- dims[i])
        i &-= 1
        advance(i, by: 1)
      }
    }
    if position >= end { return false }
    count = min(dims[rank &- 1] &- index[rank &- 1], end &- position)
    return true
  }

  private mutating func advance(_ axis: Int, by steps: Int) {
    index[axis] = index[axis] &+ steps
    offset0 = offset0 &+ steps &* strides0[axis]
    offset1 = offset1 &+ steps &* strides1[axis]
    offset2 = offset2 &+ steps &* strides2[axis]
  }
}
