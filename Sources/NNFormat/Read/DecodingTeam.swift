import NNGraph

/// Who decodes the chunks of a file.
public struct DecodingTeam: Sendable {
  /// Work over disjoint ranges of units, with the number of the thread that does it, from 0 on.
  public typealias Work = (_ units: Range<Int>, _ thread: Int) -> Void

  let threads: Int
  let run: @Sendable (_ units: Int, _ work: @escaping Work) throws(NNError) -> Void

  /// - Parameters:
  ///   - threads: how many threads there are at most.
  ///   - run: has work over `0..<units` done, each unit once, and returns when all is done. Threads' numbers are below `threads` and
  ///     below `units`. It throws if it cannot tell that all has been done.
  public init(
    threads: Int, run: @escaping @Sendable (_ units: Int, _ work: @escaping Work) throws(NNError) -> Void
  ) {
    self.threads = threads
    self.run = run
  }

  /// The calling thread.
  public static var alone: DecodingTeam { DecodingTeam(threads: 1) { units, work in work(0..<units, 0) } }
}
