import NNGraph
import Reference
import Testing

// The reference is checked against results worked out by hand and against identities that hold exactly.

private func apply(_ op: Op, _ inputs: [ReferenceTensor]) throws -> ReferenceTensor {
  var graph = Graph(name: "one operator")
  var ids: [ValueID] = []
  for (i, input) in inputs.enumerated() {
    ids.append(graph.addInput(Name("x\(i)"), input.dtype, Shape(input.extents)))
  }
  graph.addOutput(try graph.append(op, ids), name: "y")
  return try ReferenceEvaluator(graph).run(inputs: inputs)[0]
}

private func counting(_ extents: [Int]) -> ReferenceTensor {
  ReferenceTensor((0..<extents.reduce(1, *)).map { Double($0) }, extents: extents)
}

@Test func philoxGivesThePublishedKnownAnswers() {
  // The known-answer file of the authors' Random123 distribution.
  #expect(
    philox4x32x10(counter: [0, 0, 0, 0], key: [0, 0]) == [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8])
  #expect(
    philox4x32x10(counter: [UInt32](repeating: .max, count: 4), key: [.max, .max])
      == [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd])
  #expect(
    philox4x32x10(
      counter: [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344], key: [0xa409_3822, 0x299f_31d0])
      == [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1])
}

@Test func matmulTransposesAndBroadcastsBatches() throws {
  let a = counting([2, 1, 2, 3])
  let b = ReferenceTensor([1, 0, 0, 1, 1, 1], extents: [3, 2])
  let bias = ReferenceTensor([10, 20], extents: [2])
  let plain = try apply(.matmul(Matmul()), [a, b, bias])
  #expect(plain.extents == [2, 1, 2, 2])
  #expect(plain.values == [12, 23, 18, 29, 24, 35, 30, 41])
  let bT = ReferenceTensor([1, 0, 1, 0, 1, 1], extents: [2, 3])
  #expect(try apply(.matmul(Matmul(transposesB: true)), [a, bT, bias]) == plain)
  let aT = try apply(.transpose([0, 1, 3, 2]), [a])
  #expect(try apply(.matmul(Matmul(transposesA: true)), [aT, b, bias]) == plain)
}

@Test func convolutionIsUnfoldTimesWeights() throws {
  let window = Window(
    extent: [3, 2], strides: [2, 1], dilations: [1, 2], paddingBefore: [1, 0], paddingAfter: [0, 2])
  let x = counting([2, 3, 5, 4])
  let weight = ReferenceTensor((0..<36).map { Double(($0 * 7) % 11 - 5) }, extents: [2, 3, 3, 2])
  let direct = try apply(.convolution(Convolution(window: window)), [x, weight])
  let patches = try apply(.unfold(window), [x])
  let product = try apply(.matmul(Matmul()), [try apply(.reshape([2, 18]), [weight]), patches])
  #expect(direct.values == product.values)
}

@Test func foldIsTheAdjointOfUnfold() throws {
  let window = Window(extent: [2, 3], strides: [1, 2], paddingBefore: [1, 1], paddingAfter: [0, 1])
  let x = counting([1, 2, 4, 5])
  let unfolded = try apply(.unfold(window), [x])
  let y = ReferenceTensor(unfolded.values.indices.map { Double($0 % 13 - 6) }, extents: unfolded.extents)
  let folded = try apply(.fold(window, height: 4, width: 5), [y])
  let left = zip(unfolded.values, y.values).reduce(0) { $0 + $1.0 * $1.1 }
  let right = zip(x.values, folded.values).reduce(0) { $0 + $1.0 * $1.1 }
  #expect(left == right)
}

@Test func groupedConvolutionSeesItsOwnChannels() throws {
  let x = ReferenceTensor([1, 2, 3, 4], extents: [1, 4, 1, 1])
  let weight = ReferenceTensor([1, 10, 100, 1000], extents: [2, 2, 1, 1])
  let y = try apply(.convolution(Convolution(window: Window(extent: [1, 1]), groups: 2)), [x, weight])
  #expect(y.values == [21, 4300])
}

@Test func averagePoolDividesByWhatItIsTold() throws {
  let x = counting([1, 1, 2, 2])
  let window = Window(extent: [2, 2], strides: [2, 2], paddingBefore: [1, 1], paddingAfter: [1, 1])
  #expect(try apply(.pool(Pool(.average, window: window)), [x]).values == [0, 1, 2, 3])
  #expect(
    try apply(.pool(Pool(.average, window: window, countsPadding: true)), [x]).values == [0, 0.25, 0.5, 0.75])
}

@Test func maximumPoolGradientGoesToTheFirstMaximum() throws {
  let x = ReferenceTensor([5, 5, 1, 5], extents: [1, 1, 2, 2])
  let dy = ReferenceTensor([3], extents: [1, 1, 1, 1])
  let gradient = try apply(.poolGradient(Pool(.maximum, window: Window(extent: [2, 2]))), [x, dy])
  #expect(gradient.values == [3, 0, 0, 0])
}

@Test func layerNormalisationHasMeanZeroAndVarianceOne() throws {
  let x = ReferenceTensor([1, 2, 3, 4, 100, 200, 300, 400], extents: [2, 4])
  let one = ReferenceTensor([1, 1, 1, 1], extents: [4])
  let zero = ReferenceTensor([0, 0, 0, 0], extents: [4])
  let y = try apply(.normalize(Normalize(.layer, epsilon: 1e-20)), [x, one, zero])
  for row in 0..<2 {
    let values = Array(y.values[row * 4..<row * 4 + 4])
    #expect(abs(values.reduce(0, +)) < 1e-12)
    #expect(abs(values.reduce(0) { $0 + $1 * $1 } / 4 - 1) < 1e-12)
  }
}

@Test func slicesFollowPython() throws {
  let x = counting([7])
  #expect(try apply(.slice([SliceRange(start: 5, end: -100, step: -2)]), [x]).values == [5, 3, 1])
  #expect(try apply(.slice([SliceRange(start: -3, end: Int.max)]), [x]).values == [4, 5, 6])
  #expect(try apply(.slice([SliceRange(start: 100, end: 2, step: -3)]), [x]).values == [6, 3])
}

@Test func gatherCountsNegativeIndicesFromTheEnd() throws {
  let x = counting([2, 3])
  let indices = ReferenceTensor(integers: [-1, 0], extents: [2])
  #expect(try apply(.gather(axis: 1), [x, indices]).values == [2, 0, 5, 3])
  let outside = ReferenceTensor(integers: [3], extents: [1])
  #expect(throws: NNError.self) { try apply(.gather(axis: 1), [x, outside]) }
}

@Test func scatterAddSumsRepeatedIndices() throws {
  let x = counting([3])
  let indices = ReferenceTensor(integers: [1, 1, -1], extents: [3], dtype: .i32)
  let updates = ReferenceTensor([10, 20, 30], extents: [3])
  #expect(try apply(.scatter(.add, axis: 0), [x, indices, updates]).values == [0, 31, 32])
}

@Test func castsSaturateAndRoundToEven() throws {
  let x = ReferenceTensor([300.9, -300, .nan, 2.9, -2.9], extents: [5])
  #expect(try apply(.cast(.i8), [x]).integers == [127, -128, 0, 2, -2])
  // 1 + 2⁻⁸ lies halfway between two bfloat16 numbers, 1 + 3·2⁻⁸ too.
  let halves = ReferenceTensor([1 + 0x1p-8, 1 + 0x3p-8], extents: [2])
  #expect(try apply(.cast(.bf16), [halves]).values == [1, 1 + 0x1p-6])
}

@Test func integersWrapAndDivisionByZeroGivesZero() throws {
  let a = ReferenceTensor(integers: [Int64(Int32.max), Int64(Int32.min), 7], extents: [3], dtype: .i32)
  let b = ReferenceTensor(integers: [1, -1, 0], extents: [3], dtype: .i32)
  #expect(try apply(.binary(.add), [a, b]).integers == [Int64(Int32.min), Int64(Int32.max), 7])
  #expect(try apply(.binary(.divide), [a, b]).integers == [Int64(Int32.max), Int64(Int32.min), 0])
}

@Test func argumentPrefersTheFirstAndNaN() throws {
  let x = ReferenceTensor([1, 3, 3, 4, .nan, 9], extents: [2, 3])
  let op = Op.argument(ArgumentReduce(findsMaximum: true, axis: 1, keepsDimensions: false))
  #expect(try apply(op, [x]).integers == [1, 1])
}

@Test func panelsReadAsTheMatrixTheyHold() throws {
  // (2, 17): two panels, the second with one column and fifteen zeros.
  var stored = [Float](repeating: 0, count: 2 * 2 * 16)
  for k in 0..<2 { for n in 0..<17 { stored[((n / 16) * 2 + k) * 16 + n % 16] = Float(k * 17 + n) } }
  let storage = try TensorStorage.allocate(size: stored.count * 4) { (memory) throws(NNError) in
    stored.withUnsafeBytes { memory.copyMemory(from: $0) }
  }
  let tensor = try Tensor(dtype: .f32, extents: [2, 17], layout: .panels, storage: storage)
  #expect(ReferenceTensor(tensor) == counting([2, 17]))
}

@Test func bytesRoundTripForEveryType() throws {
  for dtype in DType.allCases {
    let numbers = dtype == .f8e8m0 ? [1, 2, 4] : [0, 1, dtype.bitWidth < 8 || dtype == .bool ? 1 : 96]
    let tensor =
      dtype.isFloatingPoint
      ? ReferenceTensor(numbers.map { Double($0) }, extents: [3], dtype: dtype)
      : ReferenceTensor(integers: numbers.map { Int64($0) }, extents: [3], dtype: dtype)
    #expect(ReferenceTensor(try tensor.tensor()) == tensor)
  }
}

@Test func distanceIsCountedInUlps() {
  #expect(ulpDistance(1, 1) == 0)
  #expect(ulpDistance(Float(1).nextUp, 1) == 1)
  #expect(ulpDistance(Float(1).nextUp, 1 + 0x1p-24) == 0.5)
  #expect(ulpDistance(.nan, .nan) == 0)
  #expect(ulpDistance(.nan, 1) == .infinity)
  #expect(ulpDistance(.infinity, 1e300) == 0)
}

@Test func bfloat16IsRoundedOnce() throws {
  // Just above the middle: rounding to f32 first would land on it and then go to even.
  let x = ReferenceTensor(
    [1 + 0x1p-8 + 0x1p-40, -(1 + 0x1p-8), 3.5e38, -.infinity, 0], extents: [5], dtype: .f64)
  #expect(try apply(.cast(.bf16), [x]).values == [1 + 0x1p-7, -1, .infinity, -.infinity, 0])
}
