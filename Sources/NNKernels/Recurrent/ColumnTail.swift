import CPlatform

/// The last columns of rows whose blocks are no multiple of 16 wide, brought to a place where they are: the code for whole vectors
/// then serves them too, and stands once.
///
/// Public for the instruction sets' modules alone, as `StridedWalk`.
public enum ColumnTail {
  /// Copies the first `count` columns of some blocks, `stride` apart, to blocks of 16 with zeros behind.
  @inline(never) @export(interface)
  public static func gather(
    _ blocks: Int, _ from: UnsafePointer<Float>, _ stride: Int, _ to: UnsafeMutablePointer<Float>,
    _ count: Int
  ) {
    var block = 0
    while block < blocks {
      nnp_clear(to + block &* 16, 16)
      nnp_copy(to + block &* 16, from + block &* stride, count)
      block &+= 1
    }
  }

  /// Copies them back.
  @inline(never) @export(interface)
  public static func scatter(
    _ blocks: Int, _ from: UnsafePointer<Float>, _ to: UnsafeMutablePointer<Float>, _ stride: Int,
    _ count: Int
  ) {
    var block = 0
    while block < blocks {
      nnp_copy(to + block &* stride, from + block &* 16, count)
      block &+= 1
    }
  }
}
