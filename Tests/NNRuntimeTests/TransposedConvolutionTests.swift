import NNGraph
import NNRuntime
import Reference
import Testing

private struct Case: CustomStringConvertible {
  var batch = 1
  var channels = 32
  var height = 4
  var width = 4
  var filters = 16
  var kernel = (4, 4)
  var padding = 1
  /// Padding at the bottom and right less that at the top and left.
  var extra = (0, 0)
  var isConstant = true

  var description: String {
    "(\(batch), \(channels), \(height), \(width)) → \(filters), \(kernel), padding \(padding) and \(extra) more"
  }

  /// The product and its fold; what is an output is computed node by node.
  func graph(_ weights: ReferenceTensor, isObserved: Bool) throws -> Graph {
    var graph = Graph(name: "transposed")
    let x = graph.addInput("x", .f32, Shape([batch, channels, height * width]))
    let extents = [filters * kernel.0 * kernel.1, channels]
    let w =
      isConstant ? graph.addConstant("w", try weights.tensor()) : graph.addInput("w", .f32, Shape(extents))
    let columns = try graph.append(.matmul(Matmul()), [w, x])
    var window = Window(extent: [kernel.0, kernel.1])
    window.strides = [2, 2]
    window.paddingBefore = [padding, padding]
    window.paddingAfter = [padding + extra.0, padding + extra.1]
    let y = try graph.append(.fold(window, height: 2 * height, width: 2 * width), [columns])
    graph.addOutput(y, name: "y")
    if isObserved { graph.addOutput(columns, name: "columns") }
    return graph
  }
}

private let doubling =
  [
    Case(), Case(channels: 16, height: 8, width: 8, filters: 32),
    Case(batch: 3, height: 7, width: 6, filters: 48),
    Case(batch: 2, channels: 16, height: 9, width: 33),
    Case(height: 12, width: 8, kernel: (3, 3), extra: (-1, -1)),
    Case(height: 10, width: 6, kernel: (5, 5), padding: 2, extra: (-1, -1)),
    Case(height: 6, width: 13, kernel: (6, 6), padding: 2), Case(kernel: (4, 5), extra: (0, 1)),
    Case(height: 16, width: 70, isConstant: false), Case(batch: 2, channels: 144, filters: 64),
  ] + fewPixels

/// Of so few pixels, for so many weights, that each meets every tap.
private let fewPixels = [
  Case(channels: 112, filters: 64), Case(batch: 3, channels: 96, height: 3, width: 3, filters: 80),
  Case(batch: 2, channels: 64, height: 2, width: 7, filters: 48, kernel: (5, 5), padding: 2, extra: (-1, -1)),
  Case(channels: 80, filters: 64, kernel: (4, 5), extra: (0, 1)),
  Case(channels: 80, height: 1, width: 1, filters: 64, isConstant: false),
]

@Test(arguments: doubling)
private func aTransposedConvolutionThatDoublesAnImageIsNearItsProductAndFold(_ example: Case) throws {
  var random = SplitMix64(seed: 41)
  let taps = example.kernel.0 * example.kernel.1
  let weights = random.reals([example.filters * taps, example.channels])
  let x = random.reals([example.batch, example.channels, example.height * example.width])
  let inputs = example.isConstant ? [x] : [x, weights]
  let plain = try example.graph(weights, isObserved: false)
  let exact = try run(try example.graph(weights, isObserved: true), inputs)[0].floats!
  let results = try instructionSets.flatMap { level in
    try [1, 2].map { try run(plain, inputs, Session.Options(threads: $0, instructionSet: level))[0].floats! }
  }
  let scale = exact.map(abs).max()!
  for (y, expected) in zip(results[0], exact) { #expect(abs(y - expected) <= 1e-5 * scale) }
  for other in results { #expect(other.map(\.bitPattern) == results[0].map(\.bitPattern)) }
  // Never the columns, which would be larger than all else.
  let plan = try Plan(plain, inputExtents: plain.inputs.map { plain[$0].type.shape.extents! })
  #expect(try plan.profile(runs: 1) { 0 }.last?.others == [plain.nodes[0].outputs[0]])

  // Each image has the bits that it has alone.
  var alone = example
  alone.batch = 1
  let (size, outputs) = (x.values.count / example.batch, results[0].count / example.batch)
  for item in 0..<example.batch {
    let one = ReferenceTensor(
      Array(x.values[item * size..<(item + 1) * size]),
      extents: [1, example.channels, size / example.channels], dtype: .f32)
    let y = try run(
      try alone.graph(weights, isObserved: false), example.isConstant ? [one] : [one, weights])[0].floats!
    #expect(y.map(\.bitPattern) == results[0][item * outputs..<(item + 1) * outputs].map(\.bitPattern))
  }
}

@Test(arguments: fewPixels)
private func fewPixelsGiveTheBitsOfTheProductAndItsFold(_ example: Case) throws {
  var random = SplitMix64(seed: 42)
  let weights = random.reals([example.filters * example.kernel.0 * example.kernel.1, example.channels])
  let x = random.reals([example.batch, example.channels, example.height * example.width])
  let inputs = example.isConstant ? [x] : [x, weights]
  let expected = bits(try run(try example.graph(weights, isObserved: true), inputs))[0]
  #expect(bits(try run(try example.graph(weights, isObserved: false), inputs)) == [expected])
}

@Test(arguments: [
  Case(channels: 24), Case(filters: 8), Case(kernel: (2, 2), padding: 0),
  Case(kernel: (7, 7), padding: 2, extra: (1, 1)),
])
private func otherTransposedConvolutionsAreTheirProductAndFold(_ example: Case) throws {
  var random = SplitMix64(seed: 43)
  let taps = example.kernel.0 * example.kernel.1
  let weights = random.reals([example.filters * taps, example.channels])
  let x = random.reals([example.batch, example.channels, example.height * example.width])
  let expected = bits(try run(try example.graph(weights, isObserved: true), [x]))[0]
  #expect(bits(try run(try example.graph(weights, isObserved: false), [x])) == [expected])
}
