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

  /// The error for what was raised; the fault is then lowered.
  func take(_ node: Node) -> NNError {
    let position = position.exchange(Fault.none, ordering: .relaxed)
    return NNError(
      .indexOutOfRange, node.description + ": element \(position) of the indices lies outside the axis")
  }
}
