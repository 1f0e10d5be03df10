/// The host's own threads in place of the process's workers.
///
/// Work that is worth sharing comes in parts, at most as many as the options say threads. The executor has each part run
/// once, on any threads and in any order, also all on the calling one, and returns when all have returned. No bit of a
/// result depends on how. With Dispatch, for instance:
///
/// ```swift
/// Session.Options(threads: 4, executor: HostExecutor { work in
///   DispatchQueue.concurrentPerform(iterations: work.count) { work.run(part: $0) }
/// })
/// ```
///
/// Several sessions may share an executor, which is then called by several threads at once. One that does anything else
/// with the parts makes the run fail with ``ErrorCode/executorFailed``; the session stays usable.
public struct HostExecutor: Sendable {
  /// Parts to run, which know nothing of threads.
  public struct Work: Sendable {
    /// How many parts there are, 2 to 256.
    public let count: Int
    let team: ExecutorTeam

    /// Runs one part, and returns when it is done.
    ///
    /// - Parameter part: which, in `0..<count`. An index outside it, a part that was run before, and a part after the
    ///   executor has returned do nothing but make the run fail.
    public func run(part: Int) { team.run(part: part) }

    /// What ``run(part:of:)`` takes; valid while the session lives, or until the model is open.
    package var pointer: UnsafeMutableRawPointer { Unmanaged.passUnretained(team).toOpaque() }

    /// Runs one part of the work behind a pointer; nothing for nil.
    package static func run(part: Int, of pointer: UnsafeMutableRawPointer?) {
      guard let pointer else { return }
      Unmanaged<ExecutorTeam>.fromOpaque(pointer).takeUnretainedValue().run(part: part)
    }
  }

  let run: @Sendable (Work) -> Void

  /// - Parameter run: has every part of the work run once, and returns when all have returned.
  public init(_ run: @escaping @Sendable (Work) -> Void) {
    self.run = run
  }
}
