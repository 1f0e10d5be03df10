import NNGraph
import NNPasses
import NNRuntime
import Testing

/// A gated recurrence over the projection of x, which lies in memory of the plan's own.
private struct SequenceModel: CustomStringConvertible {
  let kind: Recurrent.Kind
  let batch: Int
  let steps: Int
  let features: Int
  let units: Int
  let isReversed: Bool
  let hasBias: Bool
  var isReadTwice = false
  /// The columns of the states that are the output, nil for all.
  var shown: Range<Int>?

  var description: String {
    "\(kind), \(batch) x \(steps) x \(features) → \(units), reversed: \(isReversed), bias: \(hasBias), "
      + "shown: \(String(describing: shown))"
  }

  func graph(_ random: inout SplitMix64) throws -> Graph {
    let recurrent = Recurrent(kind, isReversed: isReversed)
    let columns = recurrent.gateCount * units
    var graph = Graph(name: "sequence")
    func constant(_ name: Name, _ extents: [Int]) throws -> ValueID {
      graph.addConstant(name, try random.reals(extents, range: 0.25).tensor())
    }
    let x = graph.addInput("x", .f32, Shape([.fixed(batch), .fixed(steps), .fixed(features)]))
    var operands = [
      try graph.append(.unary(Activation(.relu)), [x]), try constant("W", [features, columns]),
    ]
    if hasBias { operands.append(try constant("b", [columns])) }
    let projected = try graph.append(.matmul(Matmul()), operands)
    operands = [projected, try constant("R", [units, columns])]
    if kind == .gru { operands.append(try constant("c", [columns])) }
    operands += try (0..<recurrent.stateCount).map { try constant($0 == 0 ? "h" : "C", [1, units]) }
    var states = try graph.append(.recurrent(recurrent), operands)
    if let shown {
      states = try graph.append(
        .slice([.all, .all, SliceRange(start: shown.lowerBound, end: shown.upperBound)]), [states])
    }
    graph.addOutput(states, name: "states")
    if isReadTwice {
      graph.addOutput(try graph.append(.unary(Activation(.tanh)), [projected]), name: "tanh")
    }
    return graph
  }
}

@Test func recurrencesThatProjectTheirSequenceGiveTheSameBits() throws {
  var models: [SequenceModel] = []
  for kind in [Recurrent.Kind.lstm, .gru] {
    // Whole tiles of rows and all remainders, and projections longer and shorter than the recurrent product.
    for steps in 7...35 {
      models.append(
        SequenceModel(
          kind: kind, batch: 1, steps: steps, features: [16, 32, 45][steps % 3], units: 32,
          isReversed: steps % 2 == 0, hasBias: steps % 4 < 2))
    }
    // Of 80 units, the gated recurrent unit has an odd number of panels.
    for (batch, units) in [(1, 16), (1, 48), (1, 80), (1, 24), (2, 32), (1, 0)] {
      models.append(
        SequenceModel(
          kind: kind, batch: batch, steps: 29, features: units == 48 ? 0 : 20, units: units,
          isReversed: false, hasBias: true, isReadTwice: units == 16))
    }
  }
  // All of h alone, part of it, all of c.
  for shown in [0..<32, 0..<31, 32..<64] {
    models.append(
      SequenceModel(
        kind: .lstm, batch: 1, steps: 20, features: 24, units: 32, isReversed: false, hasBias: true,
        shown: shown))
  }
  for model in models {
    var random = SplitMix64(seed: 31)
    let graph = try model.graph(&random)
    let x = random.reals([model.batch, model.steps, model.features])
    let expected = bits(try run(graph, [x], Session.Options(instructionSet: .baseline)))
    let packed = try graph.packed()
    for level in instructionSets {
      let result = bits(try run(packed, [x], Session.Options(instructionSet: level)))
      #expect(result == expected, "\(model), \(level.name)")
    }
  }
}
