import NNFormat
import NNGraph
import Testing

@testable import NNRuntime

/// Costs follow from extents, which a file may say to be anything.
@Suite struct StepCostTests {
  @Test func costsBeyondAllNumbersAreTheLargest() {
    #expect(Step.cost(2, 3, 4) == 24 && Step.cost(1 << 62, 1) == 1 << 62)
    #expect(Step.cost(2, 1 << 48, 1 << 28) == .max && Step.cost(.max, .max, .max) == .max)
    #expect(Step.cost(.max, .max, 0) == 0 && Step.cost(0, .max, 2) == 0)
  }

  /// The largest windows there may be, over as many places as memory allows.
  @Test func theLargestWindowsAreShared() throws {
    let window = Window(
      extent: [1 << 14, 1 << 14], strides: [1 << 8, 1 << 8], paddingBefore: [(1 << 14) - 1, (1 << 14) - 1],
      paddingAfter: [(1 << 14) - 1, (1 << 14) - 1])
    var graph = Graph(name: "wide")
    let x = graph.addInput("x", .f32, [1, 1, 1, 1])
    graph.addOutput(try graph.append(.pool(Pool(.maximum, window: window)), [x]), name: "y")
    let plan = try Plan(graph, inputExtents: [[1, 1, 1, 1]])
    #expect(plan.outputTypes[0].shape == [1, 1, 64, 64])
    #expect(plan.steps.map { $0.cost } == [1 << 40])
  }

  @Test func profilesOfNoRunAreRefused() throws {
    var graph = Graph(name: "small")
    let x = graph.addInput("x", .f32, [4])
    graph.addOutput(try graph.append(.unary(Activation(.relu)), [x]), name: "y")
    let plan = try Plan(graph, inputExtents: [[4]])
    for runs in [0, -1] {
      #expect(throws: NNError.self) { try plan.profile(runs: runs) { 0 } }
    }
    #expect(try plan.profile(runs: 1) { 0 }.map { $0.seconds } == [0])
  }
}
