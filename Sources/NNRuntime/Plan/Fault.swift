import NNGraph
import Synchronization

/// Where a kernel that found an index out of range says so; several threads may find one at once.
final class Fault: Sendable {
  /// The lowest position at fault, or `none`.
  private let position = Atomic<Int>(Fault.none)
  private static let none = Int.max

  var isRaised: Bool { position.load(ordering: .relaxed) != Fault.none }

  /// Notes a position that an ``IndexedKernel`` returned; −1 is no fault.
  func note(_ position: Int) {
    guard position >= 0 else { return }
    self.position.min(position, ordering: .relaxed)
  }

  /// The error for what was raised by a step of `node` with `indices`; the fault is then lowered.
  func take(_ node: Node, _ indices: IndexList?) -> NNError {
    let position = position.exchange(Fault.none, ordering: .relaxed)
    guard let indices else {
      return NNError(.indexOutOfRange, node.description + ": an index is out of range")
    }
    return NNError(
      .indexOutOfRange,
      node.description
        + ": index \(indices[position]), element \(position) of \(indices.name.quoted), is not in "
        + "\(-indices.extent) ..< \(indices.extent)")
  }
}

/// The indices that a step selects by, as they lie in memory.
struct IndexList {
  let name: Name
  let start: UnsafeRawPointer
  /// Whether they have 64 bits, not 32.
  let isWide: Bool
  /// Of the axis that they select from.
  let extent: Int

  subscript(position: Int) -> Int {
    isWide
      ? Int(start.assumingMemoryBound(to: Int64.self)[position])
      : Int(start.assumingMemoryBound(to: Int32.self)[position])
  }
}
