import Synchronization

/// Work that several threads can share: called with disjoint ranges of units, and the index of the calling thread
/// (0 for the one that gave the work).
typealias SharedWork = (_ units: Range<Int>, _ thread: Int) -> Void

/// Work cut into chunks, which threads take one after the other until none is left.
final class WorkChunks: @unchecked Sendable {
  private let next = Atomic<Int>(0)
  // Written while no thread takes chunks.
  private var work: SharedWork?
  private var units = 0
  private var chunks = 0

  /// Cuts `0..<units` for up to `threads` threads.
  func fill(units: Int, threads: Int, work: @escaping SharedWork) {
    self.work = work
    self.units = units
    // A few chunks a thread even out their speeds; whole units keep each kernel's own blocking.
    chunks = min(units, threads * 4)
    next.store(0, ordering: .relaxed)
  }

  func clear() { work = nil }

  /// Does what is left, as thread number `thread`; the chunks of one thread ascend.
  func take(thread: Int) {
    guard let work else { return }
    while true {
      let chunk = next.wrappingAdd(1, ordering: .relaxed).oldValue
      if chunk >= chunks { return }
      // Unit counts are far below 2^56, so the products cannot overflow.
      work(units * chunk / chunks..<units * (chunk + 1) / chunks, thread)
    }
  }
}
