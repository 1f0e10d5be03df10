import CPlatform
import NNGraph
import Synchronization

/// One session's way to a host's executor, and the check that the executor does what it should.
///
/// What a broken executor calls too often, too late or with a wrong index finds the gate closed or its part taken, and
/// touches nothing. Any one part would do all the work, so parts that are never called leave no hole in it.
final class ExecutorTeam: @unchecked Sendable {
  private let executor: HostExecutor
  private let chunks = WorkChunks()
  /// How many calls are inside, plus `open` while parts may be run.
  private let gate = Atomic<Int>(0)
  private static let open = 1 << 30
  /// How often each part was called.
  private let calls: UnsafeMutablePointer<Atomic<Int>>
  private let calledParts = Atomic<Int>(0)
  private let strayCalls = Atomic<Int>(0)
  // Written while the gate is closed and nobody inside.
  private var count = 0

  init(_ executor: HostExecutor) {
    self.executor = executor
    calls = .allocate(capacity: ThreadPool.maximumThreads)
    for part in 0..<ThreadPool.maximumThreads { (calls + part).initialize(to: Atomic(0)) }
  }

  deinit { calls.deallocate() }

  /// Has `work` over `0..<units` done in up to `threads` parts, at least 2, each with a thread number of its own.
  ///
  /// - Throws: ``ErrorCode/executorFailed`` unless the executor ran each part once and waited for all.
  func run(units: Int, threads: Int, grain: Int = 1, work: @escaping SharedWork) throws(NNError) {
    guard units > 1 else { return work(0..<units, 0) }
    count = min(units, threads)
    chunks.fill(units: units, threads: threads, grain: grain, work: work)
    for part in 0..<count { calls[part].store(0, ordering: .relaxed) }
    calledParts.store(0, ordering: .relaxed)
    gate.wrappingAdd(ExecutorTeam.open, ordering: .acquiringAndReleasing)

    executor.run(HostExecutor.Work(count: count, team: self))

    let unfinished = gate.wrappingSubtract(ExecutorTeam.open, ordering: .acquiringAndReleasing).newValue
    // Never with an executor that keeps its contract: what is still at work writes into the session's memory.
    while gate.load(ordering: .acquiring) != 0 { nnp_thread_yield() }
    chunks.clear()
    let (ran, stray) = (calledParts.load(ordering: .relaxed), strayCalls.load(ordering: .relaxed))
    strayCalls.wrappingSubtract(stray, ordering: .relaxed)
    guard ran == count, stray == 0, unfinished == 0 else {
      throw NNError(
        .executorFailed,
        "the host's executor ran \(ran) of \(count) parts, returned before \(unfinished) of them, "
          + "and made \(stray) calls too many, too late or out of range")
    }
  }

  /// Runs one part, on whatever thread.
  func run(part: Int) {
    let before = gate.wrappingAdd(1, ordering: .acquiringAndReleasing).oldValue
    if before >= ExecutorTeam.open, part >= 0, part < count,
      calls[part].wrappingAdd(1, ordering: .relaxed).oldValue == 0
    {
      calledParts.wrappingAdd(1, ordering: .relaxed)
      chunks.take(thread: part)
    } else {
      strayCalls.wrappingAdd(1, ordering: .relaxed)
    }
    gate.wrappingSubtract(1, ordering: .acquiringAndReleasing)
  }
}
