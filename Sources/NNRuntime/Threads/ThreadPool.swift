import CPlatform
import NNGraph
import Synchronization

/// Work that several threads can share: called with disjoint ranges of units, and the index of the calling thread
/// (0 for the one that gave the work).
typealias SharedWork = (_ units: Range<Int>, _ thread: Int) -> Void

/// The process's worker threads, started when a session first asks for more than one thread.
///
/// Workers sleep while there is nothing to do. One piece of work runs at a time: a session that finds the pool busy
/// does its work alone, which changes no bit of the result. After `fork` the child starts with no workers and makes new
/// ones when it needs them.
final class ThreadPool: @unchecked Sendable {
  static let shared = ThreadPool()
  /// More threads than this are never started.
  static let maximumThreads = 256

  /// - Throws: ``ErrorCode/invalidArgument`` for a number of threads that cannot be.
  static func check(threads: Int) throws(NNError) {
    guard threads >= 1, threads <= maximumThreads else {
      throw NNError(.invalidArgument, "\(threads) threads; 1 to \(maximumThreads) are possible")
    }
  }

  private let monitor: UnsafeMutablePointer<nnp_monitor>
  private let busy = Atomic<Bool>(false)
  private let nextChunk = Atomic<Int>(0)

  // Guarded by the monitor.
  private var workers = 0
  private var generation: UInt64 = 0
  private var active = 0
  private var seats = 0

  // Written by the giver before it wakes the workers, read by them until it has seen them all leave.
  private var work: SharedWork?
  private var units = 0
  private var chunks = 0

  private init() {
    monitor = UnsafeMutablePointer<nnp_monitor>.allocate(capacity: 1)
    nnp_monitor_init(monitor)
    _ = nnp_at_fork(
      { nnp_monitor_lock(ThreadPool.shared.monitor) },
      { nnp_monitor_unlock(ThreadPool.shared.monitor) },
      { ThreadPool.shared.forgetWorkers() })
  }

  /// In a forked child: the workers stayed behind in the parent.
  private func forgetWorkers() {
    nnp_monitor_init(monitor)
    workers = 0
    active = 0
    seats = 0
    work = nil
    busy.store(false, ordering: .releasing)
  }

  /// Starts workers until there are `count`. Fewer if the system refuses; then less runs in parallel.
  func prepare(workers count: Int) {
    nnp_monitor_lock(monitor)
    while workers < min(count, ThreadPool.maximumThreads - 1) {
      let status = nnp_thread_start(
        { _ in
          ThreadPool.shared.serve()
          return nil
        }, nil)
      if status != 0 { break }
      workers += 1
    }
    nnp_monitor_unlock(monitor)
  }

  /// Runs `work` over `0..<units` on up to `threads` threads, the calling one among them, and returns when all is done.
  func run(units: Int, threads: Int, work: @escaping SharedWork) {
    let (taken, _) = busy.compareExchange(expected: false, desired: true, ordering: .acquiringAndReleasing)
    guard taken else {
      work(0..<units, 0)
      return
    }
    nnp_monitor_lock(monitor)
    self.work = work
    self.units = units
    // A few chunks a thread even out their speeds; whole units keep each kernel's own blocking.
    chunks = min(units, threads * 4)
    nextChunk.store(0, ordering: .relaxed)
    seats = min(threads - 1, workers)
    generation &+= 1
    nnp_monitor_wake_workers(monitor)
    nnp_monitor_unlock(monitor)

    takeChunks(work, thread: 0)

    nnp_monitor_lock(monitor)
    seats = 0
    while active > 0 { nnp_monitor_wait_done(monitor) }
    self.work = nil
    nnp_monitor_unlock(monitor)
    busy.store(false, ordering: .releasing)
  }

  private func takeChunks(_ work: SharedWork, thread: Int) {
    let (units, chunks) = (self.units, self.chunks)
    while true {
      let chunk = nextChunk.wrappingAdd(1, ordering: .relaxed).oldValue
      if chunk >= chunks { return }
      // Unit counts are far below 2^56, so the products cannot overflow.
      work(units * chunk / chunks..<units * (chunk + 1) / chunks, thread)
    }
  }

  private func serve() {
    var seen: UInt64 = 0
    nnp_monitor_lock(monitor)
    while true {
      while seats == 0 || generation == seen { nnp_monitor_wait_work(monitor) }
      seen = generation
      let thread = seats
      seats -= 1
      active += 1
      let work = self.work
      nnp_monitor_unlock(monitor)
      if let work { takeChunks(work, thread: thread) }
      nnp_monitor_lock(monitor)
      active -= 1
      if active == 0 { nnp_monitor_wake_giver(monitor) }
    }
  }
}
