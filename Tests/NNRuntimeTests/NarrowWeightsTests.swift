import NNFormat
import NNGraph
import NNKernels
import NNPasses
import NNRuntime
import Testing

/// One product of one row with a constant matrix that was rounded to `dtype`.
private func product(
  k: Int, columns: Int, _ dtype: DType, _ activation: Activation, hasBias: Bool, _ random: inout SplitMix64
) throws -> Graph {
  var graph = Graph(name: "product")
  let x = graph.addInput("x", .f32, Shape([graph.dimension("N"), .fixed(k)]))
  var numbers = (0..<k * columns).map { _ in Float.random(in: -2...2, using: &random) }
  // Numbers that either type has only just: the smallest ones, the largest, and both zeros.
  let extremes: [Float] = [
    0, -0.0, 0x1p-24, -0x3FFp-24, 0x1p-14, 65504, -65504, 0x1.FEp15, 0x1p-126, 0x1p-133,
  ]
  let usable = dtype == .f16 ? extremes.prefix(7) : extremes.dropFirst(7) + extremes.prefix(2)
  for (index, extreme) in usable.enumerated() where index * 7 < numbers.count { numbers[index * 7] = extreme }
  var operands = [x, graph.addConstant("W", try Tensor(numbers, extents: [k, columns]))]
  if hasBias { operands.append(graph.addConstant("b", try random.reals([columns]).tensor())) }
  graph.addOutput(try graph.append(.matmul(Matmul(activation: activation)), operands), name: "y")
  _ = try graph.roundWeights(to: dtype)
  return graph
}

@Test(arguments: [DType.bf16, .f16])
func weightsThatAreReadInHalfTheSpaceGiveTheSameBits(_ dtype: DType) throws {
  var random = SplitMix64(seed: 17)
  let activations = [
    Activation(.identity), Activation(.relu), Activation(.sigmoid), Activation(.clip, alpha: -1, beta: 3),
  ]
  for (number, columns) in [1, 10, 16, 33, 48, 64, 100, 127, 128, 150, 256, 271].enumerated() {
    for k in [256, 257] {
      let graph = try product(
        k: k, columns: columns, dtype, activations[number % 4], hasBias: number % 3 > 0, &random)
      let packed = try graph.packed()
      // More rows read the weights as they are.
      let x = random.reals([3, k])
      let all = try run(graph, [x], Session.Options(instructionSet: .baseline))[0].floats!
      for row in 0..<3 {
        let one = x.values[row * k..<(row + 1) * k]
        let single = try Tensor(one.map { Float($0) }, extents: [1, k])
        for level in instructionSets {
          let session = try Session(
            try Model(ModelFile(graph: packed)), options: .init(instructionSet: level))
          let result = try session([single])[0].floats!
          #expect(
            result.map { $0.bitPattern } == all[row * columns..<(row + 1) * columns].map { $0.bitPattern },
            "\(k) x \(columns), \(level.name)")
        }
      }
    }
  }
}

@Test func onlyNumbersThatAreHeldExactlyAreNarrowed() {
  func format(_ numbers: [Float]) -> NarrowPanels.Format? { .holding(numbers, numbers.count) }
  #expect(format([0, -1.5, 0x1.FEp127, 0x1p-133]) == .bf16)
  #expect(format([1 + 0x1p-10, 65504, 0x1p-24, -0x3FFp-24]) == .f16)
  #expect(format([1 + 0x1p-11]) == nil)
  #expect(format([1 + 0x1p-10, 65536]) == nil)
  #expect(format([1 + 0x1p-10, 0x1p-25]) == nil)
  #expect(format([0x1.8p-24, 1 + 0x1p-10]) == nil)
  #expect(format([.infinity]) == nil)
  #expect(format([.nan]) == nil)
}
