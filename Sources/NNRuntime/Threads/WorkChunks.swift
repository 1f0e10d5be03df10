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
  private var grain = 1
  private var chunks = 0

  /// Cuts `0..<units` for up to `threads` threads, at multiples of `grain`.
  func fill(units: Int, threads: Int, grain: Int, work: @escaping SharedWork) {
    self.work = work
    self.units = units
    self.grain = grain
    // Some chunks a thread even out their speeds; whole units keep each kernel's own blocking.
    chunks = min((units + grain - 1) / grain, threads * 8)
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
      let grains = (units + grain - 1) / grain
      let (begin, end) = (grains * chunk / chunks * grain, grains * (chunk + 1) / chunks * grain)
      work(begin..<min(units, end), thread)
    }
  }
}
