import NNFormat
import NNGraph
import NNPasses
import NNRuntime
import Testing

/// Weights with the numbers of narrower types.
@Suite struct RoundWeightsTests {
  private func normal(_ extents: [Int], seed: UInt64 = 1) throws -> Tensor {
    var random = UniformNumbers(seed: seed)
    let count = extents.reduce(1, *)
    return try Tensor(
      (0..<count).map { _ in (0..<4).reduce(Float(-2)) { sum, _ in sum + random.next() } / 10 },
      extents: extents)
  }

  /// y = x·W + b over a table's rows, both packed.
  private func graph(_ table: Tensor, _ weight: Tensor) throws -> Graph {
    var graph = Graph(name: "weights")
    let ids = graph.addInput("ids", .i64, [3])
    let rows = try graph.append(.gather(axis: 0), [graph.addConstant("table", table), ids])
    let bias = graph.addConstant("bias", try normal([weight.extents[1]], seed: 3))
    graph.addOutput(
      try graph.append(.matmul(Matmul()), [rows, graph.addConstant("weight", weight), bias]), name: "y")
    return try graph.packed()
  }

  @Test func everyNumberIsOneOfTheNarrowerType() throws {
    for dtype in [DType.f16, .bf16] {
      var rounded = try graph(try normal([40, 24]), try normal([24, 20], seed: 2))
      let exact = rounded
      #expect(try rounded.roundWeights(to: dtype) == RoundedWeights(tensors: 2, numbers: 40 * 24 + 24 * 20))
      for (value, before) in zip(rounded.values, exact.values) {
        guard let constant = value.constant, let was = before.constant else { continue }
        #expect(constant.type == was.type && constant.layout == was.layout)
        let isBias = value.name == "bias"
        #expect(constant.bytes.elementsEqual(was.bytes) == isBias, "\(value.name.string)")
        guard !isBias, constant.layout == .rowMajor else { continue }
        #expect(try constant.cast(to: dtype).cast(to: .f32).floats == constant.floats)
        #expect(try was.cast(to: dtype).cast(to: .f32).floats == constant.floats)
      }
    }
  }

  @Test func aNumberBeyondTheRangeIsNamedWithItsWeight() throws {
    var values = [Float](repeating: 1, count: 24 * 20)
    values[7] = -70000
    var graph = try graph(try normal([40, 24]), try Tensor(values, extents: [24, 20]))
    do {
      _ = try graph.roundWeights(to: .f16)
      Issue.record("70000 is no number of f16")
    } catch let error as NNError {
      #expect(error.code == .limitExceeded)
      #expect(error.message == "weight \"weight\": -70000.0 is beyond the range of f16")
    }
    _ = try graph.roundWeights(to: .bf16)
  }

  @Test func theFileIsAsSmallAsWithWeightsOfTheNarrowerType() throws {
    for dtype in [DType.f16, .bf16] {
      var rounded = Graph(name: "weights")
      let weight = try normal([512, 512])
      var narrow = rounded
      let x = rounded.addInput("x", .f32, [1, 512])
      rounded.addOutput(
        try rounded.append(.matmul(Matmul()), [x, rounded.addConstant("weight", weight)]), name: "y")
      _ = try rounded.roundWeights(to: dtype)
      _ = narrow.addInput("x", .f32, [1, 512])
      let constant = narrow.addConstant("weight", try weight.cast(to: dtype))
      let wide = try narrow.append(.cast(.f32), [constant])
      narrow.addOutput(try narrow.append(.matmul(Matmul()), [narrow.inputs[0], wide]), name: "y")
      let sizes = try [rounded, narrow].map { try ModelFile(graph: $0).encode().count }
      #expect(Double(sizes[0]) < 1.01 * Double(sizes[1]), "\(sizes)")
    }
  }

  @Test func constantsThatPassesChangeAreNotCalledAsBefore() throws {
    var graph = Graph(name: "names")
    let x = graph.addInput("x", .f32, [2, 4])
    let right = graph.addConstant("right", try normal([20, 4]))
    let left = graph.addConstant("left", try normal([2, 3]))
    let product = try graph.append(.matmul(Matmul(transposesB: true)), [x, right])
    graph.addOutput(try graph.append(.matmul(Matmul(transposesA: true)), [left, product]), name: "y")
    let packed = try graph.packed()
    let names = packed.values.compactMap { $0.constant == nil ? nil : $0.name.string }
    #expect(names.sorted() == ["left.T", "right.T"])
  }
}
