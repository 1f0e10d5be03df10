import NNGraph
import NNPasses
import NNRuntime
import Reference
import Testing

// What `Graph.appendComputing` makes of operands of every type agrees with what the operator means for the type.

/// Numbers that a type can hold, small enough for sums and products to be interesting at its ends.
private func sample(_ extents: [Int], _ dtype: DType, _ range: ClosedRange<Int64>, seed: UInt64)
  -> ReferenceTensor
{
  var random = SplitMix64(seed: seed)
  let wide = random.integers(extents, range)
  if dtype.isFloatingPoint {
    let fractions = ReferenceTensor(wide.integers.map { Double($0) / 4 }, extents: extents, dtype: dtype)
    return fractions.bytes.withUnsafeBytes { ReferenceTensor(bytes: $0, dtype: dtype, extents: extents) }
  }
  let bytes = ReferenceTensor(integers: wide.integers, extents: extents, dtype: dtype).bytes
  if dtype == .bool {
    return ReferenceTensor(integers: wide.integers.map { $0 & 1 }, extents: extents, dtype: dtype)
  }
  return bytes.withUnsafeBytes { ReferenceTensor(bytes: $0, dtype: dtype, extents: extents) }
}

/// The operator on its own, by the runtime.
private func computed(_ op: Op, _ inputs: [ReferenceTensor]) throws -> Tensor {
  var graph = Graph(name: "computing")
  let ids = inputs.enumerated().map { graph.addInput(Name("x\($0)"), $1.dtype, Shape($1.extents)) }
  graph.addOutput(try graph.appendComputing(op, ids, name: "node"), name: "y")
  return try run(graph, inputs)[0]
}

/// What the operator means for its inputs' own types.
private func meant(_ op: Op, _ inputs: [ReferenceTensor], _ type: TensorType) throws -> ReferenceTensor {
  try ReferenceEvaluator.apply(op, inputs, type)
}

private func expectSame(_ op: Op, _ inputs: [ReferenceTensor], _ dtype: DType, _ extents: [Int]) throws {
  let result = try computed(op, inputs)
  let expected = try meant(op, inputs, TensorType(dtype, Shape(extents)))
  #expect(result.dtype == dtype && result.extents == extents, "\(op) of \(inputs[0].dtype)")
  let held = expected.bytes.withUnsafeBytes { ReferenceTensor(bytes: $0, dtype: dtype, extents: extents) }
  let actual = ReferenceTensor(result)
  let isSame = zip(actual.values, held.values).allSatisfy { $0 == $1 || ($0.isNaN && $1.isNaN) }
  #expect(isSame && actual.integers == held.integers, "\(op) of \(inputs): \(actual) instead of \(held)")
}

@Test(arguments: DType.allCases) func functionsOfTwoNumbersMeanTheSameForEveryType(_ dtype: DType) throws {
  let extents = [3, 23]
  for function in BinaryFunction.allCases where Op.binary(function).computeType(for: dtype) != nil {
    if dtype == .f8e8m0 { continue }
    let first = sample(extents, dtype, -300...300, seed: 1)
    var second = sample([23], dtype, -300...300, seed: 2)
    switch function {
    case .shiftLeft, .shiftRight:
      second = sample([23], dtype, dtype.isSigned ? -2...Int64(dtype.bitWidth + 3) : 0...70, seed: 3)
    case .power:
      // Powers of fractions are as near as f32's; those of integers are exact.
      if dtype.isFloatingPoint { continue }
      second = sample([23], dtype, -3...9, seed: 4)
      if dtype.isUnsigned { second = sample([23], dtype, 0...9, seed: 4) }
    case .add, .subtract, .multiply, .divide, .minimum, .maximum, .bitwiseAnd, .bitwiseOr, .bitwiseXor,
      .remainder,
      .modulo:
      break
    }
    try expectSame(.binary(function), [first, second], dtype, extents)
  }
}

@Test(arguments: DType.allCases) func comparisonsMeanTheSameForEveryType(_ dtype: DType) throws {
  for function in CompareFunction.allCases {
    let inputs = [sample([60], dtype, -4...4, seed: 5), sample([60], dtype, -4...4, seed: 6)]
    try expectSame(.compare(function), inputs, .bool, [60])
  }
}

@Test(arguments: DType.allCases) func foldsMeanTheSameForEveryType(_ dtype: DType) throws {
  for function in ReduceFunction.allCases {
    let op = Op.reduce(Reduce(function, axes: [1], keepsDimensions: false))
    guard op.computeType(for: dtype) != nil else { continue }
    let range: ClosedRange<Int64> = dtype.isFloatingPoint ? -4...4 : -300...300
    // Eight fractions of two bits have exact sums in every type's wider one.
    if !(dtype.isFloatingPoint && function == .product) {
      try expectSame(op, [sample([4, 8], dtype, range, seed: 7)], dtype, [4])
    }
    // An integer type has a number for the extreme of none.
    if !dtype.isFloatingPoint { try expectSame(op, [sample([3, 0], dtype, range, seed: 7)], dtype, [3]) }
  }
  for (findsMaximum, selectsLast) in [(true, false), (true, true), (false, false), (false, true)] {
    let argument = ArgumentReduce(
      findsMaximum: findsMaximum, selectsLast: selectsLast, axis: 1, keepsDimensions: false)
    try expectSame(.argument(argument), [sample([5, 19], dtype, -3...3, seed: 8)], .i64, [5])
  }
}

@Test(arguments: DType.allCases) func productsMeanTheSameForEveryType(_ dtype: DType) throws {
  let op = Op.matmul(Matmul())
  if op.computeType(for: dtype) == nil || dtype == .f8e8m0 { return }
  let inputs = [
    sample([3, 7], dtype, -9...9, seed: 9), sample([7, 5], dtype, -9...9, seed: 10),
    sample([5], dtype, -9...9, seed: 11),
  ]
  try expectSame(op, inputs, dtype, [3, 5])
}

@Test(arguments: DType.allCases.filter { $0.isInteger }) func functionsOfOneIntegerAreExact(_ dtype: DType)
  throws
{
  let x = sample([40], dtype, -300...300, seed: 12)
  let least = ReferenceTensor(
    integers: [dtype.isSigned ? .min >> (64 - dtype.bitWidth) : 0], extents: [1], dtype: dtype)
  for input in [x, least] {
    let functions: [(UnaryFunction, (Int64) -> Int64)] = [
      (.negate, { 0 &- $0 }), (.absolute, { $0 < 0 && dtype.isSigned ? 0 &- $0 : $0 }),
      (.square, { $0 &* $0 }),
      (.sign, { $0 == 0 ? 0 : $0 < 0 && dtype.isSigned ? -1 : 1 }),
      (.relu, { dtype.isSigned ? max($0, 0) : $0 }), (.floor, { $0 }),
    ]
    for (function, meaning) in functions {
      let result = ReferenceTensor(try computed(.unary(Activation(function)), [input]))
      let wrapped = ReferenceTensor(
        integers: input.integers.map(meaning), extents: input.extents, dtype: dtype
      ).bytes
      #expect(result.dtype == dtype && result.bytes == wrapped, "\(function) of \(dtype)")
    }
    var graph = Graph(name: "not")
    let id = graph.addInput("x", dtype, Shape(input.extents))
    graph.addOutput(try graph.appendNot(id, name: "not"), name: "y")
    let turned = ReferenceTensor(integers: input.integers.map { ~$0 }, extents: input.extents, dtype: dtype)
      .bytes
    #expect(bits(try run(graph, [input])) == [turned])
  }
}

@Test func functionsOfOneNarrowFractionAreThoseOfF32Rounded() throws {
  for dtype in [DType.f16, .bf16, .f8e4m3fn, .f8e5m2] {
    let x = sample([50], dtype, -20...20, seed: 13)
    for function in [UnaryFunction.exponential, .tanh, .arctangent, .floor, .negate] {
      let op = Op.unary(Activation(function))
      let wide = try x.tensor().cast(to: .f32)
      let expected = try computed(op, [ReferenceTensor(wide)]).cast(to: dtype)
      #expect(bits([try computed(op, [x])]) == bits([expected]), "\(function) of \(dtype)")
    }
  }
}

@Test func whatHasNoMeaningForATypeIsRefused() {
  func refusal(_ op: Op, _ dtype: DType, count: Int = 1) -> NNError? {
    thrown {
      var graph = Graph(name: "refused")
      let ids = (0..<count).map { graph.addInput(Name("x\($0)"), dtype, [4]) }
      _ = try graph.appendComputing(op, ids, name: "node")
    }
  }
  #expect(refusal(.unary(Activation(.exponential)), .i32)?.message.contains("not available for i32") == true)
  #expect(refusal(.binary(.shiftLeft), .f16, count: 2)?.message.contains("not available for f16") == true)
  #expect(refusal(.binary(.add), .bool, count: 2)?.message.contains("not available for bool") == true)
  #expect(refusal(.softmax(Softmax(.softmax, axis: 0)), .i8)?.code == .dtypeMismatch)
}
