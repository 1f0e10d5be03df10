import NNGraph

extension Plan {
  /// What one node of the plan took. Elementwise nodes that run as one chain are told as one, and so are those of an attention, a
  /// recurrence with its projection, a convolution with what alone reads its outputs (see ``FusedConvolution``), and a transposed
  /// convolution's product with its fold: the last of them.
  public struct NodeTime: Sendable {
    /// The node's index in the planned graph.
    public var node: Int
    /// The node's result, as it is numbered in the graph that was planned.
    public var result: ValueID
    /// Results of other nodes that ran in the same steps: those of an attention, a recurrence's projection,
    /// a convolution before its pooling or a depthwise one or the bounds of its sum, and a transposed convolution's product.
    public var others: [ValueID] = []
    /// The sum over its steps of the shortest time that each took in any run, in seconds.
    public var seconds: Double
  }

  /// Runs the plan and measures how long each node takes.
  ///
  /// - Parameters:
  ///   - runs: how often, at least 1; each step's shortest time counts.
  ///   - now: seconds since some fixed moment.
  /// - Returns: the nodes that take a step, in the order in which they run.
  /// - Throws: as ``run()``; ``ErrorCode/invalidArgument`` for no run.
  public func profile(runs: Int, now: () -> Double) throws(NNError) -> [NodeTime] {
    guard runs >= 1 else { throw NNError(.invalidArgument, "\(runs) runs to measure") }
    var best = [Double](repeating: .infinity, count: steps.count)
    var run = 0
    while run < runs {
      for (index, step) in steps.enumerated() {
        let start = now()
        try perform(step)
        let seconds = now() - start
        if seconds < best[index] { best[index] = seconds }
      }
      carryStates()
      run += 1
    }
    var times: [NodeTime] = []
    for (index, step) in steps.enumerated() {
      if let last = times.last, last.node == step.node {
        times[times.count - 1].seconds += best[index]
      } else {
        let members = companions.first { $0.last == step.node }?.dropLast() ?? []
        let others = members.filter { member in !steps.contains { $0.node == member } }
          .map { nodes[$0].outputs[0] }
        times.append(
          NodeTime(
            node: step.node, result: nodes[step.node].outputs[0], others: others, seconds: best[index]))
      }
    }
    return times
  }
}
