import NNGraph
import Testing

@Test func broadcastingRepeatsExtentsOfOne() throws {
  let cases: [(Shape, Shape, Shape)] = [
    ([2, 3], [2, 3], [2, 3]), ([2, 3], [3], [2, 3]), ([], [2, 3], [2, 3]), ([2, 1], [1, 3], [2, 3]),
    ([5, 1, 3], [4, 1], [5, 4, 3]), ([0, 3], [1, 3], [0, 3]), ([1], [0], [0]),
    (Shape([n, .fixed(3)]), [3], Shape([n, .fixed(3)])), (Shape([n]), [1], Shape([n])),
    (Shape([n]), Shape([n]), Shape([n])), (Shape([n]), Shape([t]), Shape([.unknown])),
    (Shape([n]), [4], [4]), (Shape([.unknown]), [4], [4]), (Shape([.unknown]), Shape([n]), Shape([.unknown])),
  ]
  for (a, b, expected) in cases {
    #expect(try Shape.broadcast(a, b) == expected)
    #expect(try Shape.broadcast(b, a) == expected)
  }
}

@Test func shapesThatDoNotBroadcastAreNamed() {
  for (a, b) in [([2], [3]), ([2, 3], [2]), ([0], [2])] as [(Shape, Shape)] {
    expectError(.shapeMismatch, "shapes \(a.description) and \(b.description)") {
      _ = try Shape.broadcast(a, b)
    }
  }
}

@Test func elementCountIsKnownOnlyIfEveryExtentIs() {
  #expect(Shape([] as [Int]).elementCount == 1)
  #expect(Shape([2, 3]).elementCount == 6)
  #expect(Shape([2, 0, 3]).elementCount == 0)
  #expect(Shape([0, 1 << 60, 1 << 60]).elementCount == 0)
  #expect(Shape([1 << 60, 1 << 60, 0]).elementCount == nil)
  #expect(Shape([n, .fixed(2)]).elementCount == nil)
  #expect(Shape([n, .fixed(0)]).elementCount == nil)
  #expect(Shape([1 << 48]).elementCount == 1 << 48)
  #expect(Shape([1 << 48, 2]).elementCount == nil)
}

@Test func absurdShapesAreRefused() throws {
  try Shape([1 << 48]).validate()
  try Shape([Int](repeating: 1, count: 8)).validate()
  expectError(.limitExceeded, "rank 9") { try Shape([Int](repeating: 1, count: 9)).validate() }
  expectError(.limitExceeded, "2^48") { try Shape([1 << 48, 2]).validate() }
  expectError(.limitExceeded, "2^48") { try Shape([0, 1 << 49]).validate() }
  expectError(.limitExceeded, "2^48") { try Shape([.max, .max]).validate() }
  expectError(.limitExceeded, "2^48") { try Shape([n, .fixed(1 << 49)]).validate() }
  expectError(.invalidGraph, "negative") { try Shape([-1]).validate() }
}

@Test func shapesAreDescribedWithTheNamesOfTheirSymbols() {
  let shape = Shape([n, .fixed(64), .unknown, t])
  #expect(shape.description == "(d0, 64, ?, d1)")
  #expect(shape.describe(symbols: ["N"]) == "(N, 64, ?, d1)")
  #expect(Shape([] as [Int]).description == "()")
}

@Test func namesAreComparedByBytes() {
  #expect(Name("é") == Name(utf8: [0xC3, 0xA9]))
  // The same character composed differently is another name.
  #expect(Name("e\u{301}") != Name("\u{E9}"))
  #expect((["b", "", "ab", "a"] as [Name]).sorted() == ["", "a", "ab", "b"])
}

@Test func bytesOfATensorFollowFromTypeAndLayout() throws {
  #expect(try Tensor.byteCount(dtype: .i64, extents: [2, 3], layout: .rowMajor) == 48)
  #expect(try Tensor.byteCount(dtype: .f32, extents: [5, 17], layout: .panels) == 2 * 5 * 64)
  #expect(try Tensor.byteCount(dtype: .f32, extents: [5, 0], layout: .panels) == 0)
  expectError(.invalidGraph, "panels hold f32 matrices") {
    _ = try Tensor.byteCount(dtype: .f16, extents: [5, 17], layout: .panels)
  }
  expectError(.invalidGraph, "panels hold f32 matrices") {
    _ = try Tensor.byteCount(dtype: .f32, extents: [5], layout: .panels)
  }
  #expect(try Tensor.byteCount(dtype: .f32, extents: [17, 5, 3, 1], layout: .filterPanels) == 2 * 15 * 64)
  expectError(.invalidGraph, "filters, not f32 (17, 5)") {
    _ = try Tensor.byteCount(dtype: .f32, extents: [17, 5], layout: .filterPanels)
  }
  expectError(.invalidGraph, "filters, not f16") {
    _ = try Tensor.byteCount(dtype: .f16, extents: [17, 5, 3, 1], layout: .filterPanels)
  }
  expectError(.limitExceeded, "2^48") {
    _ = try Tensor.byteCount(dtype: .f32, extents: [1 << 60], layout: .rowMajor)
  }
  // 2^48 columns of 0 rows would be 2^44 panels of nothing: fine; 2^48 rows of one column are too large to address.
  #expect(try Tensor.byteCount(dtype: .f32, extents: [0, 1 << 48], layout: .panels) == 0)
  #expect(try Tensor.byteCount(dtype: .f32, extents: [1 << 48, 1], layout: .panels) == 1 << 54)
  #expect(
    try Tensor.byteCount(dtype: .f32, extents: [1, 1 << 24, 1 << 24], layout: .filterPanels) == 1 << 54)
}

@Test func tensorsHaveExactlyTheirBytes() throws {
  let storage = try TensorStorage.allocate(size: 12) { _ in }
  _ = try Tensor(dtype: .f32, extents: [3], storage: storage)
  expectError(.invalidGraph, "12 bytes given for a tensor of 16") {
    _ = try Tensor(dtype: .f32, extents: [4], storage: storage)
  }
}
