import NNGraph
import NNPasses
import Testing

/// The inputs that graphs are tried out with.
@Suite struct TrialInputTests {
  @Test func everyTypeGetsNumbersAndTheSameOnesForOneSeed() throws {
    var graph = Graph(name: "inputs")
    let shape = Shape([graph.dimension("N"), .fixed(1100)])
    for dtype in DType.allCases { _ = graph.addInput(Name("\(dtype.name)"), dtype, shape) }
    let tensors = try TrialInputs(extents: ["N": 3], seed: 5).tensors(for: graph)
    let again = try TrialInputs(extents: ["N": 3], seed: 5).tensors(for: graph)
    let others = try TrialInputs(extents: ["N": 3], seed: 6).tensors(for: graph)
    for (index, dtype) in DType.allCases.enumerated() {
      #expect(tensors[index].dtype == dtype && tensors[index].extents == [3, 1100])
      #expect(tensors[index].bytes.elementsEqual(again[index].bytes), "\(dtype)")
      #expect(!tensors[index].bytes.elementsEqual(others[index].bytes), "\(dtype)")
    }
  }

  @Test func indicesStayInsideTheAxisThatTheySelectFrom() throws {
    var graph = Graph(name: "table")
    let ids = graph.addInput("ids", .i32, [40])
    let mask = graph.addInput("mask", .i64, [40])
    let table = graph.addConstant("table", try Tensor([Float](repeating: 0, count: 28), extents: [7, 4]))
    let wide = try graph.append(.cast(.i64), [ids])
    let rows = try graph.append(.gather(axis: 0), [table, try graph.append(.reshape([8, 5]), [wide])])
    graph.addOutput(rows, name: "rows")
    graph.addOutput(try graph.append(.unary(Activation(.identity)), [mask]), name: "same")
    let tensors = try TrialInputs().tensors(for: graph)
    #expect(Set(try tensors[0].integers()) == Set(0..<7))
    #expect(Set(try tensors[1].integers()) == Set(0..<2))
  }

  @Test func oneHotGetsEveryClass() throws {
    var graph = Graph(name: "one-hot")
    let bytes = graph.addInput("bytes", .i32, [300, 1])
    let classes = graph.addConstant(
      "classes", try Tensor((0..<30).map { Int64($0) }, extents: [1, 30]).cast(to: .i32))
    graph.addOutput(try graph.append(.compare(.equal), [bytes, classes]), name: "one-hot")
    #expect(Set(try TrialInputs().tensors(for: graph)[0].integers()) == Set(0..<30))
  }

  @Test func whatIsComparedWithOneNumberIsThatNumberNowAndThen() throws {
    var graph = Graph(name: "rate")
    let rate = graph.addInput("rate", .i64, [50])
    let wanted = graph.addConstant("wanted", try Tensor([Int64(16_000)], extents: []))
    graph.addOutput(try graph.append(.compare(.equal), [rate, wanted]), name: "is-high")
    #expect(Set(try TrialInputs().tensors(for: graph)[0].integers()) == [0, 16_000])
  }

  @Test func firstDimensionsAreBatches() throws {
    var graph = Graph(name: "batches")
    let batch = graph.dimension("N")
    let time = graph.dimension("T")
    _ = graph.addInput("x", .f32, Shape([batch, time]))
    _ = graph.addInput("state", .f32, Shape([.fixed(2), batch, .unknown]))
    let tensors = try TrialInputs(freeExtent: 9, batchExtent: 3).tensors(for: graph)
    #expect(tensors.map(\.extents) == [[3, 9], [2, 3, 9]])
  }

  @Test func inputsThatAreTooLargeAreRefused() throws {
    var graph = Graph(name: "large")
    _ = graph.addInput("x", .f32, Shape([graph.dimension("N"), .fixed(1 << 20)]))
    #expect(throws: NNError.self) { try TrialInputs(freeExtent: 1 << 20).tensors(for: graph) }
  }
}
