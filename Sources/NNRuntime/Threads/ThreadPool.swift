import CPlatform
import NNGraph
import Synchronization

/// The process's worker threads, started when a session first asks for more than one thread.
///
/// Workers sleep while there is nothing to do. After a piece of work they first look out for the next one for some microseconds, since
/// waking them takes as long as a small operator, and a run has many. One piece of work runs at a time: a session that finds the pool busy
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
  /// Filled by the giver before it wakes the workers, taken by them until it has seen them all leave.
  private let chunks = WorkChunks()

  /// How often a thread looks before it sleeps: some tens of microseconds.
  private static let looks = 3000

  // Changed only while the monitor is held; looked at without it.
  private let generation = Atomic<UInt64>(0)
  private let active = Atomic<Int>(0)

  // Guarded by the monitor.
  private var workers = 0
  private var seats = 0
  private var sleepers = 0

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
    active.store(0, ordering: .relaxed)
    seats = 0
    sleepers = 0
    chunks.clear()
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

  /// Runs `work` over `0..<units` on up to `threads` threads, the calling one among them, and returns when all is done. There are no more
  /// threads than units, and their numbers are below both.
  func run(units: Int, threads: Int, grain: Int = 1, work: @escaping SharedWork) {
    let threads = max(1, min(threads, units))
    let (taken, _) = busy.compareExchange(expected: false, desired: true, ordering: .acquiringAndReleasing)
    guard taken else {
      work(0..<units, 0)
      return
    }
    nnp_monitor_lock(monitor)
    chunks.fill(units: units, threads: threads, grain: grain, work: work)
    seats = min(threads - 1, workers)
    generation.wrappingAdd(1, ordering: .releasing)
    if sleepers > 0 { nnp_monitor_wake_workers(monitor) }
    nnp_monitor_unlock(monitor)

    chunks.take(thread: 0)

    nnp_monitor_lock(monitor)
    seats = 0
    if active.load(ordering: .relaxed) > 0 {
      nnp_monitor_unlock(monitor)
      look { active.load(ordering: .acquiring) == 0 }
      nnp_monitor_lock(monitor)
    }
    while active.load(ordering: .relaxed) > 0 { nnp_monitor_wait_done(monitor) }
    chunks.clear()
    nnp_monitor_unlock(monitor)
    busy.store(false, ordering: .releasing)
  }

  private func serve() {
    var seen: UInt64 = 0
    nnp_monitor_lock(monitor)
    while true {
      while seats == 0 || generation.load(ordering: .relaxed) == seen {
        // All seats were taken: this piece of work is not for this thread.
        seen = generation.load(ordering: .relaxed)
        sleepers += 1
        nnp_monitor_wait_work(monitor)
        sleepers -= 1
      }
      seen = generation.load(ordering: .relaxed)
      let thread = seats
      seats -= 1
      active.wrappingAdd(1, ordering: .relaxed)
      nnp_monitor_unlock(monitor)
      chunks.take(thread: thread)
      nnp_monitor_lock(monitor)
      active.wrappingSubtract(1, ordering: .releasing)
      if active.load(ordering: .relaxed) == 0 { nnp_monitor_wake_giver(monitor) }
      nnp_monitor_unlock(monitor)
      look { generation.load(ordering: .acquiring) != seen }
      nnp_monitor_lock(monitor)
    }
  }

  /// Waits a little while for another thread's doing.
  private func look(_ isDone: () -> Bool) {
    var left = ThreadPool.looks
    while left > 0, !isDone() {
      nnp_spin_pause()
      left -= 1
    }
  }
}
