import NNGraph
import NNPasses
import NNRuntime
import Reference
import Testing

extension OperatorCase {
  /// A graph of one node over inputs.
  func graph() throws -> Graph {
    var graph = Graph(name: "one operator")
    let ids = inputs.enumerated().map { index, input in
      graph.addInput(Name("x\(index)"), input.dtype, Shape(input.extents))
    }
    graph.addOutput(try graph.append(op, ids, name: "node"), name: "y")
    return graph
  }
}

/// The same node with every second input a constant.
private func graphWithConstants(of sample: OperatorCase) throws -> (Graph, [ReferenceTensor]) {
  var graph = Graph(name: "one operator with constants")
  var ids: [ValueID] = []
  var inputs: [ReferenceTensor] = []
  for (index, input) in sample.inputs.enumerated() {
    if index % 2 == 1 {
      ids.append(try graph.constant(Name("c\(index)"), input))
    } else {
      ids.append(graph.addInput(Name("x\(index)"), input.dtype, Shape(input.extents)))
      inputs.append(input)
    }
  }
  graph.addOutput(try graph.append(sample.op, ids, name: "node"), name: "y")
  return (graph, inputs)
}

/// Where `result` is further from `expected` than `bound` allows, in words; nil if nowhere.
private func disagreement(_ result: Tensor, _ expected: ReferenceTensor, _ bound: Bound) -> String? {
  guard result.dtype == expected.dtype, result.extents == expected.extents else {
    return "\(result.dtype.name) \(result.extents) instead of \(expected.dtype.name) \(expected.extents)"
  }
  if result.dtype == .f64, case .ulps(let count) = bound {
    for (index, (actual, exact)) in zip(ReferenceTensor(result).values, expected.values).enumerated()
    where actual != exact && !(actual.isNaN && exact.isNaN) {
      if !(abs(actual - exact) <= count * exact.ulp) {
        return "element \(index) is \(actual) instead of \(exact)"
      }
    }
    return nil
  }
  if result.dtype.isFloatingPoint, result.dtype != .f32 {
    let isSame = zip(ReferenceTensor(result).values, expected.values).allSatisfy { actual, exact in
      actual == exact || (actual.isNaN && exact.isNaN)
    }
    return isSame ? nil : "\(ReferenceTensor(result)) instead of \(expected)"
  }
  guard result.dtype == .f32 else {
    return Array(result.bytes) == expected.bytes ? nil : "\(ReferenceTensor(result)) instead of \(expected)"
  }
  let floats = result.floats ?? []
  let largest = Float(expected.values.reduce(0) { max($0, abs($1)) })
  for (index, (actual, exact)) in zip(floats, expected.values).enumerated() {
    let isClose: Bool
    switch bound {
    case .exact: isClose = actual == Float(exact) || (actual.isNaN && exact.isNaN)
    case .ulps(let count): isClose = ulpDistance(actual, exact) <= count
    case .ulpsOfLargest(let count): isClose = abs(Double(actual) - exact) <= count * Double(largest.ulp)
    case .absolute(let distance): isClose = abs(Double(actual) - exact) <= distance
    }
    if !isClose {
      return "element \(index) is \(actual) instead of \(exact), \(ulpDistance(actual, exact)) ulp off"
    }
  }
  return nil
}

@Test(arguments: families) func operatorAgreesWithTheReferenceAndWithItselfEverywhere(_ family: Op) throws {
  let cases = OperatorCases.cases(for: family)
  #expect(cases.count >= 5)
  for sample in cases {
    #expect("\(sample.op.name)" == "\(family.name)")
    let label = "\(sample.op) of \(sample.inputs.map { $0.extents })"
    let graph = try sample.graph()
    let expected = try ReferenceEvaluator(graph).run(inputs: sample.inputs)[0]
    let result = try run(graph, sample.inputs, Session.Options(instructionSet: .baseline))
    if let words = disagreement(result[0], expected, sample.bound) { Issue.record("\(label): \(words)") }
    let (withConstants, inputs) = try graphWithConstants(of: sample)
    for level in instructionSets {
      let options = Session.Options(threads: 2, instructionSet: level)
      #expect(bits(try run(graph, sample.inputs, options)) == bits(result), "\(label) on \(level.name)")
      #expect(bits(try run(withConstants, inputs, options)) == bits(result), "\(label) with constants")
      #expect(bits(try run(try withConstants.packed(), inputs, options)) == bits(result), "\(label) packed")
    }
  }
}

@Test func everyFamilyIsTestedOnce() {
  #expect(Set(families.map { "\($0.name)" }).count == families.count)
}

/// Operators with enough work to be shared between threads.
private func largeCases() -> [OperatorCase] {
  var random = SplitMix64(seed: 11)
  let image = [2, 8, 40, 41]
  let window = Window(extent: [3, 3], paddingBefore: [1, 1], paddingAfter: [1, 1])
  return [
    OperatorCase(
      op: .matmul(Matmul()),
      inputs: [random.reals([150, 300]), random.reals([300, 203]), random.reals([203])]),
    OperatorCase(
      op: .matmul(Matmul(transposesA: true, transposesB: true)),
      inputs: [random.reals([130, 70]), random.reals([99, 130])]),
    OperatorCase(op: .matmul(Matmul()), inputs: [random.reals([1, 700]), random.reals([700, 1001])]),
    OperatorCase(
      op: .convolution(Convolution(window: window, groups: 2, activation: Activation(.gelu))),
      inputs: [random.reals(image), random.reals([30, 4, 3, 3]), random.reals([30])]),
    OperatorCase(op: .unary(Activation(.tanh)), inputs: [random.reals([300, 501])]),
    OperatorCase(op: .binary(.multiply), inputs: [random.reals([300, 501]), random.reals([501])]),
    OperatorCase(
      op: .reduce(Reduce(.sum, axes: [0], keepsDimensions: false)), inputs: [random.reals([700, 301])]),
    OperatorCase(
      op: .reduce(Reduce(.sumOfSquares, axes: [1], keepsDimensions: false)),
      inputs: [random.reals([301, 700])]),
    OperatorCase(op: .softmax(Softmax(.softmax, axis: 1)), inputs: [random.reals([301, 700])]),
    OperatorCase(op: .pool(Pool(.average, window: window)), inputs: [random.reals([4, 16, 50, 51])]),
    OperatorCase(op: .unfold(window), inputs: [random.reals(image)]),
    OperatorCase(op: .transpose([1, 0]), inputs: [random.reals([501, 702])]),
    OperatorCase(
      op: .random(.normal, stream: 3), inputs: [random.reals([400, 401]), random.integers([2], 0...99)]),
    OperatorCase(
      op: .normalize(Normalize(.layer, epsilon: 1e-5)),
      inputs: [random.reals([400, 401]), random.reals([401]), random.reals([401])]),
  ] + OperatorCases.largeRecurrent(&random)
}

@Test func threadsDoNotChangeTheBits() throws {
  for sample in largeCases() {
    let graph = try sample.graph()
    let single = bits(try run(graph, sample.inputs, Session.Options(threads: 1, instructionSet: .baseline)))
    for level in instructionSets {
      for threads in [1, 2, 3, 8] {
        let options = Session.Options(threads: threads, instructionSet: level)
        #expect(
          bits(try run(graph, sample.inputs, options)) == single,
          "\(sample.op), \(threads) threads, \(level.name)")
      }
    }
  }
}
