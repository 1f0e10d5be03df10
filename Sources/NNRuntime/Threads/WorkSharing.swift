import NNGraph

/// Who works on a plan's steps.
struct WorkSharing {
  private let threads: Int
  private let team: Unmanaged<ExecutorTeam>?

  init(_ options: Plan.Options) {
    threads = options.threads
    team = options.team
  }

  /// Runs a step by as many threads as are worth it.
  @inline(never)
  func perform(_ step: Step) throws(NNError) {
    if threads > 1, step.isWorthSharing {
      if let team {
        try team.takeUnretainedValue().run(
          units: step.units, threads: threads, grain: step.grain, work: step.body)
      } else {
        ThreadPool.shared.run(units: step.units, threads: threads, grain: step.grain, work: step.body)
      }
    } else {
      step.body(0..<step.units, 0)
    }
  }
}
