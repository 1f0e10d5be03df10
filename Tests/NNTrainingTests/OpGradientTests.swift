import NNFormat
import NNGraph
import NNRuntime
import NNTraining
import Reference
import Testing

/// A node to differentiate: an operator with inputs.
private struct Sample {
  let label: String
  let op: Op
  let inputs: [ReferenceTensor]

  init(_ label: String, _ op: Op, _ inputs: [ReferenceTensor]) {
    self.label = label
    self.op = op
    self.inputs = inputs
  }
}

private func numbers(_ extents: [Int], seed: UInt64 = 1, positive: Bool = false) -> ReferenceTensor {
  ReferenceTensor(spread(extents.reduce(1, *), seed: seed, positive: positive), extents: extents)
}

private func indices(_ values: [Int64], _ extents: [Int]? = nil) -> ReferenceTensor {
  ReferenceTensor(integers: values, extents: extents ?? [values.count])
}

private let window = Window(
  extent: [3, 2], strides: [2, 1], dilations: [1, 2], paddingBefore: [1, 0], paddingAfter: [0, 1])
private let poolWindow = Window(
  extent: [2, 3], strides: [2, 2], paddingBefore: [1, 1], paddingAfter: [0, 1])

/// What is expected of an operator, for every case of ``Op``: no default, so that a new case needs an answer here.
private enum Expectation {
  case gradient([Sample])
  /// Piecewise constant or random: the gradient of what stands before it is zero.
  case zero(Op, [ReferenceTensor])
  /// Refused with an error that names the node.
  case undefined(Op, [ReferenceTensor])
}

private func expectation(_ op: Op) -> Expectation {
  switch op {
  case .unary: .gradient(unarySamples())
  case .binary: .gradient(binarySamples())
  case .compare(let function): .zero(.compare(function), [numbers([3]), numbers([3], seed: 2)])
  case .select:
    .gradient([
      Sample(
        "select", .select,
        [
          ReferenceTensor(integers: [1, 0, 1], extents: [3], dtype: .bool), numbers([2, 3]),
          numbers([2, 1], seed: 2),
        ])
    ])
  case .reduce: .gradient(reduceSamples())
  case .argument:
    .zero(
      .argument(ArgumentReduce(findsMaximum: true, axis: 0, keepsDimensions: false)), [numbers([3])])
  case .matmul: .gradient(matmulSamples())
  case .convolution: .gradient(convolutionSamples())
  case .pool:
    .gradient([
      Sample("maximum", .pool(Pool(.maximum, window: poolWindow)), [numbers([1, 2, 5, 4])]),
      Sample("average", .pool(Pool(.average, window: poolWindow)), [numbers([1, 2, 5, 4])]),
      Sample(
        "average counting padding", .pool(Pool(.average, window: poolWindow, countsPadding: true)),
        [numbers([2, 1, 4, 4])]),
    ])
  case .normalize:
    .gradient([
      Sample(
        "batch", .normalize(Normalize(.batch, epsilon: 0.01)),
        [
          numbers([2, 3, 2]), numbers([3], seed: 2), numbers([3], seed: 3), numbers([3], seed: 4),
          numbers([3], seed: 5, positive: true),
        ]),
      Sample(
        "layer", .normalize(Normalize(.layer, epsilon: 0.01)),
        [numbers([2, 5]), numbers([5], seed: 2), numbers([5], seed: 3)]),
    ])
  case .softmax:
    .gradient([
      Sample("softmax", .softmax(Softmax(.softmax, axis: 1)), [numbers([2, 4, 2])]),
      Sample("logSoftmax", .softmax(Softmax(.logSoftmax, axis: 0)), [numbers([3, 2])]),
    ])
  case .recurrent: .gradient(recurrentSamples())
  case .recurrentGradient(let recurrent, let ofStates):
    .undefined(
      .recurrentGradient(recurrent, ofStates: ofStates),
      [numbers([2, 4, 24]), numbers([3, 12], seed: 2), numbers([2, 3, 3], seed: 3)])
  case .reshape: .gradient([Sample("reshape", .reshape([3, 4]), [numbers([2, 6])])])
  case .transpose: .gradient([Sample("transpose", .transpose([2, 0, 1]), [numbers([2, 3, 4])])])
  case .expand: .gradient([Sample("expand", .expand([2, 3, 4]), [numbers([3, 1])])])
  case .slice: .gradient(sliceSamples())
  case .pad:
    .gradient([Sample("pad", .pad(Pad(before: [1, 0], after: [2, 1], value: 3)), [numbers([2, 3])])])
  case .concat:
    .gradient([
      Sample(
        "concat", .concat(axis: 1), [numbers([2, 1]), numbers([2, 3], seed: 2), numbers([2, 2], seed: 3)])
    ])
  case .gather:
    .gradient([
      Sample("rows", .gather(axis: 0), [numbers([4, 2]), indices([1, 3, 1, -1])]),
      Sample("columns", .gather(axis: 1), [numbers([2, 3]), indices([0, 2, 2, 1], [2, 2])]),
    ])
  case .argsort: .zero(.argsort(axis: 0, isDescending: true), [numbers([4])])
  case .scatter:
    .gradient([
      Sample(
        "scatterAdd", .scatter(.add, axis: 1),
        [numbers([2, 3]), indices([2, 0, 2, -2]), numbers([2, 4], seed: 2)])
    ])
  case .cast: .gradient([Sample("to its own type", .cast(.f32), [numbers([3])])])
  case .dynamic: .zero(.dynamic(.shape), [numbers([2, 3])])
  case .random(let function, let stream):
    .zero(.random(function, stream: stream), [numbers([4]), indices([1, 2])])
  case .unfold: .gradient([Sample("unfold", .unfold(window), [numbers([2, 2, 5, 4])])])
  case .normalizeTraining:
    .gradient([
      Sample(
        "channel moments", .normalizeTraining(NormalizeTraining(.channelMoments)), [numbers([3, 2, 2, 2])])
    ])
  case .convolutionWeightGradient:
    .undefined(
      .convolutionWeightGradient(Window(extent: [2, 2]), groups: 1),
      [numbers([1, 1, 3, 3]), numbers([1, 1, 2, 2], seed: 2)])
  case .fold:
    .gradient([
      Sample(
        "fold", .fold(window, height: 5, width: 4),
        [numbers([1, 12, window.outputExtent(axis: 0, of: 5) * window.outputExtent(axis: 1, of: 4)])])
    ])
  case .poolGradient:
    .undefined(
      .poolGradient(Pool(.average, window: Window(extent: [2, 2]))),
      [numbers([1, 1, 3, 3]), numbers([1, 1, 2, 2], seed: 2)])
  }
}

/// One value of every case.
private let everyOp: [Op] = [
  .unary(.identity), .binary(.add), .compare(.less), .select,
  .reduce(Reduce(.sum, axes: [], keepsDimensions: false)),
  .argument(ArgumentReduce(findsMaximum: true, axis: 0, keepsDimensions: false)), .matmul(Matmul()),
  .convolution(Convolution(window: window)), .pool(Pool(.average, window: poolWindow)),
  .normalize(Normalize(.layer, epsilon: 1)), .softmax(Softmax(.softmax, axis: 0)),
  .recurrent(Recurrent(.lstm)), .recurrentGradient(Recurrent(.lstm, keepsSlopes: true), ofStates: false),
  .reshape([]),
  .transpose([]),
  .expand([]), .slice([]), .pad(Pad(before: [], after: [])), .concat(axis: 0), .gather(axis: 0),
  .scatter(.add, axis: 0), .argsort(axis: 0, isDescending: true), .cast(.f32), .dynamic(.nonZero),
  .random(.uniform, stream: 1), .unfold(window),
  .normalizeTraining(NormalizeTraining(.channelMoments)), .convolutionWeightGradient(window, groups: 1),
  .fold(window, height: 1, width: 1), .poolGradient(Pool(.average, window: poolWindow)),
]

private func unarySamples() -> [Sample] {
  UnaryFunction.allCases.map { function in
    let activation =
      switch function {
      case .leakyRelu: Activation(function, alpha: 0.2)
      case .elu: Activation(function, alpha: 1.5)
      case .clip: Activation(function, alpha: -0.8, beta: 0.9)
      case .identity, .negate, .absolute, .square, .squareRoot, .reciprocalSquareRoot, .reciprocal,
        .exponential,
        .logarithm, .sign, .floor, .ceiling, .round, .errorFunction, .sine, .cosine, .logarithm1p,
        .exponentialMinus1, .tangent, .arcsine, .arccosine, .arctangent, .sinh, .cosh, .asinh, .acosh, .atanh,
        .sigmoid, .tanh, .relu, .gelu, .geluTanh, .silu, .softplus:
        Activation(function)
      }
    let isHalfLine = [.squareRoot, .reciprocalSquareRoot, .logarithm, .logarithm1p].contains(function)
    var x = numbers([9], positive: isHalfLine)
    if [.arcsine, .arccosine, .atanh].contains(function) { x.values = x.values.map { $0 / 4 } }
    if function == .acosh { x.values = x.values.map { abs($0) + 1.5 } }
    return Sample("\(function)", .unary(activation), [x])
  }
}

private func binarySamples() -> [Sample] {
  BinaryFunction.allCases.filter { Op.binary($0).computeType(for: .f32) != nil }.flatMap { function in
    let positive = function == .power
    return [
      Sample(
        "\(function)", .binary(function), [numbers([2, 3], positive: positive), numbers([2, 3], seed: 2)]),
      Sample(
        "\(function) broadcast", .binary(function),
        [numbers([2, 1, 3], positive: positive), numbers([4, 1], seed: 2)]),
    ]
  }
}

private func reduceSamples() -> [Sample] {
  var samples: [Sample] = []
  for function in ReduceFunction.allCases {
    for (axes, keeps) in [([1], false), ([0, 2], true), ([0, 1, 2], false)] {
      let op = Op.reduce(Reduce(function, axes: axes, keepsDimensions: keeps))
      samples.append(Sample("\(function) over \(axes)", op, [numbers([2, 3, 2])]))
    }
  }
  // Products over elements that hold one zero, and two.
  let zeros = ReferenceTensor([0.5, 0, 2, 0, 0, 3, 1, 2, 4], extents: [3, 3])
  samples.append(
    Sample("product with zeros", .reduce(Reduce(.product, axes: [1], keepsDimensions: false)), [zeros]))
  return samples
}

private func matmulSamples() -> [Sample] {
  var samples: [Sample] = []
  for transposesA in [false, true] {
    for transposesB in [false, true] {
      let op = Op.matmul(Matmul(transposesA: transposesA, transposesB: transposesB))
      let (a, b) = (transposesA ? [4, 3] : [3, 4], transposesB ? [2, 4] : [4, 2])
      let label = "\(transposesA) \(transposesB)"
      samples.append(Sample(label, op, [numbers(a), numbers(b, seed: 2), numbers([2], seed: 3)]))
      samples.append(Sample("batched " + label, op, [numbers([2, 1] + a), numbers([3] + b, seed: 2)]))
      samples.append(Sample("one matrix for a batch " + label, op, [numbers([2] + a), numbers(b, seed: 2)]))
    }
  }
  let fused = Op.matmul(Matmul(activation: Activation(.tanh)))
  samples.append(
    Sample("fused activation", fused, [numbers([3, 4]), numbers([4, 2], seed: 2), numbers([2], seed: 3)]))
  return samples
}

private func convolutionSamples() -> [Sample] {
  let plain = Op.convolution(Convolution(window: window))
  let grouped = Op.convolution(Convolution(window: window, groups: 2, activation: Activation(.sigmoid)))
  return [
    Sample("plain", plain, [numbers([2, 2, 5, 4]), numbers([3, 2, 3, 2], seed: 2)]),
    Sample(
      "grouped, with bias and activation", grouped,
      [numbers([1, 4, 5, 4]), numbers([4, 2, 3, 2], seed: 2), numbers([4], seed: 3)]),
  ]
}

private func recurrentSamples() -> [Sample] {
  var samples: [Sample] = []
  for kind in Recurrent.Kind.allCases {
    for isReversed in [false, true] {
      // Functions of every kind: from the result, from the argument, with parameters, without a slope.
      let activations: [Activation] =
        kind == .simple
        ? [
          Activation(.tanh), Activation(.silu), Activation(.leakyRelu, alpha: 0.2), .identity,
          Activation(.sign),
        ]
        : [.identity]
      for activation in activations {
        let recurrent = Recurrent(kind, activation: activation, isReversed: isReversed)
        let columns = 3 * recurrent.gateCount
        var inputs = [numbers([2, 4, columns]), numbers([3, columns], seed: 2)]
        if kind == .gru { inputs.append(numbers([columns], seed: 3)) }
        inputs.append(numbers([2, 3], seed: 4))
        // One state for both samples.
        if kind == .lstm { inputs.append(numbers([1, 3], seed: 5)) }
        let label = "\(kind) \(activation.function)\(isReversed ? " reversed" : "")"
        samples.append(Sample(label, .recurrent(recurrent), inputs))
        let mask = ReferenceTensor(integers: [1, 0, 1, 1, 0, 1, 1, 0], extents: [2, 4], dtype: .bool)
        samples.append(Sample(label + " with a mask", .recurrent(recurrent), inputs + [mask]))
      }
    }
  }
  return samples
}

private func sliceSamples() -> [Sample] {
  let ranges: [[SliceRange]] = [
    [SliceRange(start: 1, end: 3), .all],
    [SliceRange(start: 0, end: 5, step: 2), SliceRange(start: 1, end: -1)],
    [SliceRange(start: -1, end: -6, step: -2), SliceRange(start: 3, end: 0, step: -1)],
  ]
  return ranges.map { Sample("\($0)", .slice($0), [numbers([5, 4])]) }
}

@Suite struct OpGradientTests {
  @Test(arguments: everyOp.indices)
  func everyOperatorHasAGradientOrIsDeclaredWithout(index: Int) throws {
    switch expectation(everyOp[index]) {
    case .gradient(let samples):
      for sample in samples {
        let trace = Trace(mode: .training, parameters: ParameterStore(seed: 1))
        let y = try trace.apply(sample.op, symbols(for: sample.inputs, in: trace))
        try expectGradientsMatchDifferences(
          "\(sample.op.name) \(sample.label)", of: weightedSum(y), values: sample.inputs)
      }
    case .zero(let op, let inputs):
      let trace = Trace(mode: .training, parameters: ParameterStore(seed: 1))
      let x = symbols(for: inputs, in: trace)
      let result = try trace.apply(op, x).cast(to: .f32).sum()
      try trace.output(trace.gradient(of: result, withRespectTo: [x[0]])[0], name: "dx")
      let gradient = try ReferenceEvaluator(trace.graph).run(inputs: inputs)[0]
      #expect(gradient.extents == inputs[0].extents && gradient.values.allSatisfy { $0 == 0 })
    case .undefined(let op, let inputs):
      let trace = Trace(mode: .training, parameters: ParameterStore(seed: 1))
      let x = symbols(for: inputs, in: trace)
      let result = try trace.apply(op, x).sum()
      let error = #expect(throws: NNError.self) { try trace.gradient(of: result, withRespectTo: [x[1]]) }
      #expect(error?.code == .unsupportedOperator)
    }
  }

  /// A wrong sign, factor or transposition must not pass: the check itself is checked.
  @Test func aWrongGradientIsNoticed() throws {
    let values = spread(6, seed: 3)
    #expect(relativeDifference(values, values) == 0)
    #expect(relativeDifference(values.map { -$0 }, values) > 1)
    #expect(relativeDifference(values.map { $0 * 1.01 }, values) > 0.005)
    #expect(relativeDifference(values.reversed(), values) > 0.1)
    #expect(relativeDifference([Double](repeating: 0, count: 6), values) == 1)
    #expect(relativeDifference(values.map { _ in Double.nan }, values) == .infinity)
    #expect(relativeDifference(Array(values.dropLast()), values) == .infinity)
  }

  /// Equal operands share the gradient, as PyTorch documents for maximum, minimum and amax.
  @Test func tiesShareTheGradient() throws {
    let trace = Trace(mode: .training, parameters: ParameterStore(seed: 1))
    let a = trace.input("a", .f32, [2])
    let b = trace.input("b", .f32, [2])
    let result = try a.maximum(b).sum() + a.reduce(.maximum)
    for (name, gradient) in zip(["da", "db"], try trace.gradient(of: result, withRespectTo: [a, b])) {
      try trace.output(gradient, name: Name(name))
    }
    let inputs = [ReferenceTensor([1, 1], extents: [2]), ReferenceTensor([1, 0], extents: [2])]
    let outputs = try ReferenceEvaluator(trace.graph).run(inputs: inputs)
    #expect(outputs[0].values == [1, 1.5])
    #expect(outputs[1].values == [0.5, 0])
  }

  /// Differences through a narrower type would only show its rounding, so the rule is checked by its result.
  @Test func castsPassGradientsBetweenFloatingPointTypesOnly() throws {
    let trace = Trace(mode: .training, parameters: ParameterStore(seed: 1))
    let x = trace.input("x", .f32, [3])
    let narrow = try (x.cast(to: .f16).cast(to: .f32) * 3).sum()
    let integer = try (x.cast(to: .i32).cast(to: .f32) * 3).sum()
    try trace.output(trace.gradient(of: narrow, withRespectTo: [x])[0], name: "narrow")
    try trace.output(trace.gradient(of: integer, withRespectTo: [x])[0], name: "integer")
    let outputs = try ReferenceEvaluator(trace.graph).run(inputs: [numbers([3])])
    #expect(outputs[0].values == [3, 3, 3])
    #expect(outputs[1].values == [0, 0, 0])
  }

  private func symbols(for inputs: [ReferenceTensor], in trace: Trace) -> [SymbolicTensor] {
    inputs.enumerated().map { trace.input(Name("x\($0)"), $1.dtype, Shape($1.extents)) }
  }

  @Test func slicesThatOverlapLeaveGapsOrCutOtherAxesAddUp() throws {
    let trace = Trace(mode: .training, parameters: ParameterStore(seed: 1))
    let x = trace.input("x", .f32, [4, 7])
    func columns(_ range: Range<Int>) -> [SliceRange] {
      [.all, SliceRange(start: range.lowerBound, end: range.upperBound)]
    }
    // Side by side, overlapping, with gaps, along the other axis, along both, and the whole beside its slices.
    var sum = try weightedSum(x, seed: 1)
    let slices: [[SliceRange]] = [
      columns(1..<3), columns(3..<4), columns(2..<6), [SliceRange(start: 1, end: 3), .all],
      [SliceRange(start: 0, end: 2), SliceRange(start: 4, end: 7)],
      [.all, SliceRange(start: 6, end: 0, step: -2)],
    ]
    for (index, ranges) in slices.enumerated() {
      sum = try sum + weightedSum(x.sliced(ranges).squared(), seed: UInt64(index + 2))
    }
    let values = ReferenceTensor((0..<28).map { Double($0 * 5 % 11) / 7 - 0.6 }, extents: [4, 7])
    try expectGradientsMatchDifferences("slices", of: sum, values: [values])
  }

  /// The gradient of the sum of `op`'s result times `upstream`, computed by the runtime.
  private func gradient(_ op: Op, of values: [Float], _ extents: [Int], upstream: [Float]) throws -> [Float] {
    let trace = Trace(mode: .training, parameters: ParameterStore(seed: 1))
    let x = trace.input("x", .f32, Shape(extents))
    let y = try trace.apply(op, [x])
    let weights = trace.constant("upstream", try Tensor(upstream, extents: y.knownExtents()))
    try trace.output(trace.gradient(of: (y * weights).sum(), withRespectTo: [x])[0], name: "gradient")
    let session = try Session(Model(ModelFile(graph: trace.graph)))
    return try #require(try session([Tensor(values, extents: extents)])[0].floats)
  }

  @Test func gradientsOfMomentsDoNotCancelWhereTheMeanIsLarge() throws {
    // The mean is 10⁴, the deviations from it are exact.
    let deviations: [Float] = [-3, -1, 1, 3].map { $0 / 1024 }
    let gradient = try gradient(
      .normalizeTraining(NormalizeTraining(.channelMoments)), of: deviations.map { 10000 + $0 }, [4, 1],
      upstream: [0.25, 1000])
    for (result, deviation) in zip(gradient, deviations) {
      let expected = (0.25 + 2 * deviation * 1000) / 4
      #expect((result - expected).magnitude <= 2 * expected.ulp, "\(result), not \(expected)")
    }
  }

  @Test func gradientsOfBatchNormalisationDoNotCancelWhereTheMeanIsLarge() throws {
    let deviations: [Float] = [-3, -1, 1, 3].map { $0 / 1024 }
    let upstream: [Float] = [0.5, -2, 1, 0.25]
    let trace = Trace(mode: .training, parameters: ParameterStore(seed: 1))
    let x = trace.input("x", .f32, [4, 1])
    let moments = try trace.apply(.normalizeTraining(NormalizeTraining(.channelMoments)), [x])
    func row(_ index: Int) throws -> SymbolicTensor {
      try moments.sliced([SliceRange(start: index, end: index + 1), .all]).reshaped([1])
    }
    let y = try trace.apply(
      .normalize(Normalize(.batch, epsilon: 1e-5)),
      [x, trace.filled(1, [1]), trace.filled(0, [1]), row(0), row(1)])
    let weights = trace.constant("upstream", try Tensor(upstream, extents: [4, 1]))
    try trace.output(trace.gradient(of: (y * weights).sum(), withRespectTo: [x])[0], name: "gradient")
    let values = try Tensor(deviations.map { 10000 + $0 }, extents: [4, 1])
    let gradient = try #require(try Session(Model(ModelFile(graph: trace.graph)))([values])[0].floats)
    let (d, g) = (deviations.map { Double($0) }, upstream.map { Double($0) })
    let variance = d.reduce(0) { $0 + $1 * $1 } / 4
    let inverse = 1 / (variance + Double(Float(1e-5))).squareRoot()
    let (mean, product) = (g.reduce(0, +) / 4, zip(d, g).reduce(0) { $0 + $1.0 * $1.1 } / 4)
    let expected = zip(d, g).map { inverse * ($1 - mean - $0 * inverse * inverse * product) }
    #expect(relativeDifference(gradient.map { Double($0) }, expected) < 1e-6)
  }

  @Test func geluHasASlopeAtInfinity() throws {
    let places: [Float] = [.infinity, -.infinity, 3e38, -3e38, 20, -20, 15, -15, 0, .nan]
    let slopes = try gradient(
      .unary(.gelu), of: places, [10], upstream: [Float](repeating: 1, count: places.count))
    #expect(Array(slopes.prefix(9)) == [1, 0, 1, 0, 1, 0, 1, 0, 0.5] && slopes[9].isNaN, "\(slopes)")
  }
}
