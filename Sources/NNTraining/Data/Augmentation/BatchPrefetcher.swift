import CPlatform
import NNGraph

/// Threads that prepare the next batches while a step runs, in a ring of buffers. Batches come in their order, whichever thread
/// prepared them.
final class BatchPrefetcher: @unchecked Sendable {
  let source: AugmentedBatches
  /// The number after the last batch; batches of all epochs are numbered through.
  private let end: Int
  private let ring: [PreparedBatch]
  private let monitor: UnsafeMutablePointer<nnp_monitor>
  private var threads: [nnp_thread] = []
  /// The epoch's samples, for a training without threads.
  private var order: (epoch: Int, rows: [Int]) = (-1, [])

  // Guarded by the monitor.
  /// The next batch to prepare, and the one that the training takes next.
  private var upcoming: Int
  private var current: Int
  /// The batch that each buffer holds ready; −1 for none.
  private var ready: [Int]
  private var isStopping = false

  /// Starts the threads.
  ///
  /// - Parameters:
  ///   - position: where the training begins.
  ///   - count: how many threads. Without any, or if the system refuses, batches are prepared by the thread that takes them.
  init(_ source: AugmentedBatches, from position: FitPosition, epochs: Int, threads count: Int)
    throws(NNError)
  {
    self.source = source
    // As many as fit into the integers, which no training reaches.
    let (all, overflow) = epochs.multipliedReportingOverflow(by: source.batches)
    end = overflow ? Int.max : all
    let (before, tooMany) = position.epoch.multipliedReportingOverflow(by: source.batches)
    current = min(tooMany ? end : before + position.batch, end)
    upcoming = current
    let wanted = min(max(count, 0), BatchPrefetcher.maximumThreads)
    var buffers: [PreparedBatch] = []
    for _ in 0..<(wanted == 0 ? 1 : wanted + 2) { buffers.append(try source.makeBatch()) }
    ring = buffers
    ready = [Int](repeating: -1, count: buffers.count)
    monitor = .allocate(capacity: 1)
    nnp_monitor_init(monitor)
    for _ in 0..<wanted {
      var thread = nnp_thread()
      let argument = Unmanaged.passRetained(self)
      let status = nnp_thread_start_joinable(
        &thread,
        { argument in
          guard let argument else { return nil }
          Unmanaged<BatchPrefetcher>.fromOpaque(argument).takeRetainedValue().work()
          return nil
        }, argument.toOpaque())
      if status != 0 {
        argument.release()
        break
      }
      threads.append(thread)
    }
  }

  static let maximumThreads = 64

  deinit {
    nnp_monitor_destroy(monitor)
    monitor.deallocate()
  }

  /// Ends and joins the threads.
  func stop() {
    nnp_monitor_lock(monitor)
    isStopping = true
    nnp_monitor_wake_workers(monitor)
    nnp_monitor_unlock(monitor)
    for thread in threads { nnp_thread_join(thread) }
    threads = []
  }

  /// The next batch, which stays as it is until ``release()``. With threads it allocates nothing.
  ///
  /// - Throws: what went wrong when it was prepared; ``ErrorCode/invalidState`` if there is none left.
  func take() throws(NNError) -> PreparedBatch {
    guard current < end else { throw NNError(.invalidState, "all batches have been taken") }
    let slot = current % ring.count
    if threads.isEmpty {
      let epoch = current / source.batches
      if order.epoch != epoch { order = (epoch, source.order(epoch: epoch)) }
      try source.prepare(order.rows, epoch: epoch, batch: current % source.batches, into: ring[slot])
      return ring[slot]
    }
    nnp_monitor_lock(monitor)
    while ready[slot] != current { nnp_monitor_wait_done(monitor) }
    nnp_monitor_unlock(monitor)
    let batch = ring[slot]
    if let failure = batch.failure { throw failure }
    return batch
  }

  /// Gives the buffer of the batch that was taken back.
  func release() {
    nnp_monitor_lock(monitor)
    current += 1
    nnp_monitor_wake_workers(monitor)
    nnp_monitor_unlock(monitor)
  }

  private func work() {
    var order: (epoch: Int, rows: [Int]) = (-1, [])
    nnp_monitor_lock(monitor)
    while true {
      while !isStopping, upcoming < end, upcoming - current >= ring.count { nnp_monitor_wait_work(monitor) }
      if isStopping || upcoming >= end { break }
      let number = upcoming
      upcoming += 1
      nnp_monitor_unlock(monitor)

      let epoch = number / source.batches
      if order.epoch != epoch { order = (epoch, source.order(epoch: epoch)) }
      let batch = ring[number % ring.count]
      batch.failure = nil
      do throws(NNError) {
        try source.prepare(
          order.rows, epoch: epoch, batch: number % source.batches, into: batch)
      } catch {
        batch.failure = error
      }

      nnp_monitor_lock(monitor)
      ready[number % ring.count] = number
      nnp_monitor_wake_giver(monitor)
    }
    nnp_monitor_unlock(monitor)
  }
}
