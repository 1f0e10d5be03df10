import CPlatform
import Dispatch
import Foundation
import NNFormat
import NNGraph
import Reference
import Synchronization
import Testing

@testable import NNRuntime

/// A host's own executor: the same bits however it runs the parts, and an error, with a session that goes on, however it breaks
/// its contract.
@Suite struct ExecutorTests {
  /// x (16, 256) → two dense layers, wide enough to be several units of work.
  private static func perceptron() throws -> (Graph, ReferenceTensor) {
    var random = SplitMix64(seed: 11)
    var graph = Graph(name: "dense")
    var x = graph.addInput("x", .f32, [16, 256])
    for (width, next) in [(256, 1024), (1024, 640)] {
      let weight = try graph.constant("weight", random.reals([width, next], range: 0.125))
      x = try graph.append(.matmul(Matmul()), [x, weight], name: "dense")
      x = try graph.append(.unary(Activation(.tanh)), [x])
    }
    graph.addOutput(x, name: "y")
    return (graph, random.reals([16, 256]))
  }

  /// x (6, 8, 24, 24) → convolution, pooling, convolution with a residual connection.
  private static func convolutional() throws -> (Graph, ReferenceTensor) {
    var random = SplitMix64(seed: 12)
    var graph = Graph(name: "images")
    let x = graph.addInput("x", .f32, [6, 8, 24, 24])
    let same = Window(extent: [3, 3], paddingBefore: [1, 1], paddingAfter: [1, 1])
    func convolution(_ x: ValueID, _ channels: Int) throws -> ValueID {
      let weight = try graph.constant("weight", random.reals([24, channels, 3, 3], range: 0.25))
      return try graph.append(.convolution(Convolution(window: same)), [x, weight])
    }
    let first = try graph.append(.unary(Activation(.relu)), [try convolution(x, 8)])
    let pool = Pool(.maximum, window: Window(extent: [2, 2], strides: [2, 2]))
    let pooled = try graph.append(.pool(pool), [first])
    let sum = try graph.append(.binary(.add), [try convolution(pooled, 24), pooled])
    graph.addOutput(sum, name: "y")
    return (graph, random.reals([6, 8, 24, 24]))
  }

  private static func networks() throws -> [(Graph, ReferenceTensor)] {
    [try perceptron(), try convolutional()]
  }

  private static let inOrder = HostExecutor { work in
    for part in 0..<work.count { work.run(part: part) }
  }
  private static let reversed = HostExecutor { work in
    for part in (0..<work.count).reversed() { work.run(part: part) }
  }
  private static let dispatched = HostExecutor { work in
    DispatchQueue.concurrentPerform(iterations: work.count) { work.run(part: $0) }
  }
  /// A thread for each part.
  private static let threaded = HostExecutor { work in
    final class Job {
      let work: HostExecutor.Work
      let part: Int
      init(_ work: HostExecutor.Work, _ part: Int) { (self.work, self.part) = (work, part) }
    }
    var threads: [nnp_thread] = []
    for part in 0..<work.count {
      var thread = nnp_thread()
      let job = Unmanaged.passRetained(Job(work, part))
      let status = nnp_thread_start_joinable(
        &thread,
        { argument in
          let job = Unmanaged<Job>.fromOpaque(argument!).takeRetainedValue()
          job.work.run(part: job.part)
          return nil
        }, job.toOpaque())
      if status == 0 { threads.append(thread) } else { job.release() }
    }
    for thread in threads { nnp_thread_join(thread) }
  }

  @Test func anyExecutorGivesTheSameBits() throws {
    for (graph, input) in try ExecutorTests.networks() {
      let expected = bits(try run(graph, [input]))
      for executor in [
        ExecutorTests.inOrder, ExecutorTests.reversed, ExecutorTests.dispatched, ExecutorTests.threaded,
      ] {
        for threads in [2, 3, 8, 256] {
          let calls = Mutex(0)
          let counted = HostExecutor { work in
            calls.withLock { $0 += 1 }
            executor.run(work)
          }
          let options = Session.Options(threads: threads, executor: counted)
          #expect(bits(try run(graph, [input], options)) == expected)
          #expect(calls.withLock { $0 } >= 2)
        }
      }
    }
  }

  @Test func workIsCutIntoAtMostAsManyPartsAsThreads() throws {
    let (graph, input) = try ExecutorTests.perceptron()
    for threads in [2, 5] {
      let counts = Mutex<[Int]>([])
      let executor = HostExecutor { work in
        counts.withLock { $0.append(work.count) }
        ExecutorTests.inOrder.run(work)
      }
      _ = try run(graph, [input], Session.Options(threads: threads, executor: executor))
      let seen = counts.withLock { $0 }
      #expect(seen.count >= 2 && seen.allSatisfy { 2...threads ~= $0 }, "\(seen)")
    }
  }

  @Test func oneThreadAndSmallWorkCallNoExecutor() throws {
    let never = HostExecutor { _ in Issue.record("called") }
    let (graph, input) = try ExecutorTests.perceptron()
    _ = try run(graph, [input], Session.Options(threads: 1, executor: never))
    var small = Graph(name: "small")
    let x = small.addInput("x", .f32, [64])
    small.addOutput(try small.append(.unary(Activation(.relu)), [x]), name: "y")
    let numbers = ReferenceTensor([Double](repeating: 1, count: 64), extents: [64])
    _ = try run(small, [numbers], Session.Options(threads: 4, executor: never))
  }

  @Test func sessionsOnSeveralThreadsShareAnExecutor() throws {
    for (graph, input) in try ExecutorTests.networks() {
      let model = try Model(ModelFile(graph: graph))
      let tensor = try input.tensor()
      let expected = bits(try Session(model)([tensor]))
      let wrong = Atomic<Int>(0)
      DispatchQueue.concurrentPerform(iterations: 4) { _ in
        do {
          let options = Session.Options(threads: 3, executor: ExecutorTests.dispatched)
          let session = try Session(model, options: options)
          for _ in 0..<5 where bits(try session([tensor])) != expected {
            wrong.wrappingAdd(1, ordering: .relaxed)
          }
        } catch {
          wrong.wrappingAdd(1, ordering: .relaxed)
        }
      }
      let wrongResults = wrong.load(ordering: .relaxed)
      #expect(wrongResults == 0)
    }
  }

  @Test func brokenExecutorsAreReportedAndTheSessionGoesOn() throws {
    let ways: [(String, @Sendable (HostExecutor.Work) -> Void)] = [
      ("ran 0 of", { _ in }),
      ("ran 1 of", { $0.run(part: 0) }),
      ("ran 1 of", { $0.run(part: $0.count - 1) }),
      (
        "made 1 calls",
        { work in
          (0..<work.count).forEach(work.run); work.run(part: 1)
        }
      ),
      (
        "made 1 calls",
        { work in
          (1..<work.count).forEach(work.run); work.run(part: 1)
        }
      ),
      (
        "made 6 calls",
        { work in
          (0..<work.count).forEach(work.run)
          for part in [-1, .min, .max, 256, 1 << 32, work.count] { work.run(part: part) }
        }
      ),
    ]
    for (graph, input) in try ExecutorTests.networks() {
      let expected = bits(try run(graph, [input]))
      for (words, way) in ways {
        let isBroken = Atomic<Bool>(false)
        let executor = HostExecutor { work in
          if isBroken.exchange(false, ordering: .relaxed) {
            way(work)
          } else {
            ExecutorTests.inOrder.run(work)
          }
        }
        let session = try Session(
          try Model(ModelFile(graph: graph)), options: .init(threads: 4, executor: executor))
        let tensor = try input.tensor()
        for _ in 0..<3 {
          isBroken.store(true, ordering: .relaxed)
          let error = thrown { _ = try session([tensor]) }
          #expect(error?.code == .executorFailed && error?.message.contains(words) == true, "\(error as Any)")
          #expect(thrown { _ = try session.output(0) }?.code == .invalidState)
          #expect(bits(try session([tensor])) == expected)
        }
      }
    }
  }

  /// Work may be kept and run at any later time: it does nothing, also when its session is gone.
  @Test func callsAfterTheExecutorHasReturnedDoNothing() throws {
    let (graph, input) = try ExecutorTests.perceptron()
    let tensor = try input.tensor()
    let kept = Mutex<[HostExecutor.Work]>([])
    let executor = HostExecutor { work in
      kept.withLock { $0.append(work) }
      ExecutorTests.inOrder.run(work)
    }
    var session: Session? = try Session(
      try Model(ModelFile(graph: graph)), options: .init(threads: 4, executor: executor))
    let expected = bits(try session!([tensor]))
    kept.withLock { $0[0].run(part: 0) }
    #expect(bits([try session!.copyOutput(0)]) == expected)
    #expect(thrown { _ = try session!([tensor]) }?.message.contains("made 1 calls") == true)
    #expect(bits(try session!([tensor])) == expected)
    session = nil
    for work in kept.withLock({ $0 }) { work.run(part: 0) }
  }

  /// A part that is at work when the executor returns is waited for.
  @Test func anEarlyReturnIsReportedAndNothingIsLeftAtWork() throws {
    let executor = HostExecutor { _ in }
    let team = ExecutorTeam(executor)
    let isInside = Atomic<Bool>(false)
    let isLeft = Atomic<Bool>(false)
    let early = HostExecutor { work in
      // A thread of its own: a queue has none to spare where there is one processor.
      Thread.detachNewThread { work.run(part: 1) }
      while !isInside.load(ordering: .acquiring) { nnp_thread_yield() }
    }
    #expect(thrown { try team.run(units: 2, threads: 2) { _, _ in } }?.code == .executorFailed)
    let error = thrown {
      try ExecutorTeam(early).run(units: 2, threads: 2) { _, _ in
        isInside.store(true, ordering: .releasing)
        for _ in 0..<1000 { nnp_thread_yield() }
        isLeft.store(true, ordering: .releasing)
      }
    }
    let wasWaitedFor = isLeft.load(ordering: .acquiring)
    #expect(wasWaitedFor)
    #expect(error?.message.contains("ran 1 of 2 parts, returned before 1 of them") == true, "\(error as Any)")
  }

  /// Weights that are transformed before the first run are that by parts, too; where that fails, the next run does it again.
  @Test func weightsAreLaidOutByAnExecutor() throws {
    var random = SplitMix64(seed: 14)
    var graph = Graph(name: "wide")
    let x = graph.addInput("x", .f32, [1, 64, 20, 20])
    let weight = try graph.constant("weight", random.reals([96, 64, 3, 3], range: 0.125))
    let same = Window(extent: [3, 3], paddingBefore: [1, 1], paddingAfter: [1, 1])
    graph.addOutput(try graph.append(.convolution(Convolution(window: same)), [x, weight]), name: "y")
    let input = try random.reals([1, 64, 20, 20]).tensor()
    let model = try Model(ModelFile(graph: graph))
    let expected = bits(try Session(model)([input]))

    let calls = Mutex(0)
    let failures = Mutex(1)
    let executor = HostExecutor { work in
      calls.withLock { $0 += 1 }
      let fails = failures.withLock { left in
        left -= 1
        return left >= 0
      }
      if !fails { ExecutorTests.dispatched.run(work) }
    }
    let session = try Session(model, options: .init(threads: 3, executor: executor))
    #expect(thrown { _ = try session([input]) }?.code == .executorFailed)
    var counts: [Int] = []
    for _ in 0..<3 {
      let before = calls.withLock { $0 }
      #expect(bits(try session([input])) == expected)
      counts.append(calls.withLock { $0 } - before)
    }
    #expect(counts[0] > counts[1] && counts[1] == counts[2], "\(counts)")
  }

  @Test func modelsAreDecodedByMoreThreadsThanTheyHaveChunks() throws {
    let (graph, input) = try ExecutorTests.perceptron()
    let bytes = try ModelFile(graph: graph).encode()
    let expected = bits(try run(graph, [input]))
    for threads in [2, 7, 16, 256] {
      // Which thread takes over what others have left is chance.
      for _ in 0..<20 {
        let model = try bytes.withUnsafeBytes { try Model.open(bytes: $0, options: .init(threads: threads)) }
        #expect(bits(try Session(model)([try input.tensor()])) == expected)
      }
    }
  }

  @Test func modelsAreDecodedByAnExecutor() throws {
    let (graph, input) = try ExecutorTests.perceptron()
    let bytes = try ModelFile(graph: graph).encode()
    let expected = bits(try run(graph, [input]))
    let calls = Atomic<Int>(0)
    for executor in [ExecutorTests.reversed, ExecutorTests.dispatched] {
      let counted = HostExecutor { work in
        calls.wrappingAdd(1, ordering: .relaxed)
        executor.run(work)
      }
      let model = try bytes.withUnsafeBytes {
        try Model.open(bytes: $0, options: .init(threads: 3, executor: counted))
      }
      #expect(bits(try Session(model)([try input.tensor()])) == expected)
    }
    let callCount = calls.load(ordering: .relaxed)
    #expect(callCount == 2)
    let lazy = HostExecutor { _ in }
    let error = thrown {
      _ = try bytes.withUnsafeBytes { try Model.open(bytes: $0, options: .init(threads: 3, executor: lazy)) }
    }
    #expect(error?.code == .executorFailed)
  }
}
