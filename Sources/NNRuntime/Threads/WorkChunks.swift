import Synchronization

/// Work that several threads can share: called with disjoint ranges of units, and the index of the calling thread
/// (0 for the one that gave the work).
typealias SharedWork = (_ units: Range<Int>, _ thread: Int) -> Void

/// Work cut into chunks. Each thread has a run of neighbours, since those often share what they read, and what they write is often what it
/// reads next; when it is through it takes over what others have left of theirs.
final class WorkChunks: @unchecked Sendable {
  /// The next chunk of each thread's run, each in a cache line of its own.
  private let next: UnsafeMutablePointer<Atomic<Int>>
  private static let step = 8
  // Written while no thread takes chunks.
  private var work: SharedWork?
  private var units = 0
  private var threads = 1
  private var grain = 1
  private var chunks = 0

  init() {
    let count = ThreadPool.maximumThreads * WorkChunks.step
    next = .allocate(capacity: count)
    for index in 0..<count { (next + index).initialize(to: Atomic(0)) }
  }

  deinit { next.deallocate() }

  /// Cuts `0..<units` for up to `threads` threads, at multiples of `grain`.
  func fill(units: Int, threads: Int, grain: Int, work: @escaping SharedWork) {
    self.work = work
    self.units = units
    self.threads = threads
    self.grain = grain
    // Some chunks a thread even out their speeds; whole units keep each kernel's own blocking.
    chunks = min((units + grain - 1) / grain, threads * 8)
    for thread in 0..<threads {
      next[thread * WorkChunks.step].store(chunks * thread / threads, ordering: .relaxed)
    }
  }

  func clear() { work = nil }

  /// Does what is left, as thread number `thread`; the chunks of one run ascend.
  func take(thread: Int) {
    guard let work else { return }
    // Unit counts are far below 2^56, so the products cannot overflow.
    let grains = (units + grain - 1) / grain
    var owner = thread
    for _ in 0..<threads {
      let last = chunks * (owner + 1) / threads
      while true {
        let chunk = next[owner * WorkChunks.step].wrappingAdd(1, ordering: .relaxed).oldValue
        if chunk >= last { break }
        let (begin, end) = (grains * chunk / chunks * grain, grains * (chunk + 1) / chunks * grain)
        work(begin..<min(units, end), thread)
      }
      owner = owner + 1 < threads ? owner + 1 : 0
    }
  }
}
