import NNGraph
import Testing

@Test(arguments: ReduceFunction.allCases)
func reduceFoldsItsAxes(function: ReduceFunction) throws {
  let x = f32(n, .fixed(3), .fixed(4))
  func op(_ axes: [Int], _ keeps: Bool) -> Op {
    .reduce(Reduce(function, axes: axes, keepsDimensions: keeps))
  }
  #expect(try infer(op([1], false), x) == f32(n, .fixed(4)))
  #expect(try infer(op([0, 2], true), x) == f32(1, 3, 1))
  #expect(try infer(op([0, 1, 2], false), x) == f32())
  #expect(try infer(op([], false), x) == x)
  expectRefused(op([3], false), x, code: .invalidGraph, "axis 3 of a tensor of rank 3")
  expectRefused(op([-1], false), x, code: .invalidGraph, "axis -1")
  expectRefused(op([1, 1], false), x, code: .invalidGraph, "ascending")
  expectRefused(op([2, 0], false), x, code: .invalidGraph, "ascending")
  #expect(try infer(op([0], false), i64(n)) == i64())
  expectRefused(
    op([0], false), TensorType(.i8, [3]), code: .unsupportedOperator, "cast the operands to i64")
}

@Test func argumentGivesIndices() throws {
  let keeping = Op.argument(ArgumentReduce(findsMaximum: true, axis: 1, keepsDimensions: true))
  #expect(try infer(keeping, f32(n, .fixed(3))) == i64(n, .fixed(1)))
  let folding = Op.argument(ArgumentReduce(findsMaximum: false, axis: 0, keepsDimensions: false))
  #expect(try infer(folding, f32(n, .fixed(3))) == i64(.fixed(3)))
  expectRefused(keeping, f32(3), code: .invalidGraph, "axis 1")
}

@Test func reshapeInfersOneExtent() throws {
  func reshape(_ dimensions: Dimension...) -> Op { .reshape(Shape(dimensions)) }
  #expect(try infer(reshape(.fixed(4), .unknown), f32(2, 6)) == f32(4, 3))
  #expect(try infer(reshape(n, .unknown), f32(n, .fixed(3), .fixed(4))) == f32(n, .fixed(12)))
  #expect(try infer(reshape(.unknown, .fixed(12)), f32(n, .fixed(3), .fixed(4))) == f32(n, .fixed(12)))
  #expect(try infer(reshape(.unknown), f32(n, .fixed(3))) == f32(.unknown))
  #expect(try infer(reshape(.unknown), f32(0, 3)) == f32(0))
  #expect(try infer(reshape(), f32(1, 1)) == f32())
  #expect(try infer(reshape(.unknown), f32()) == f32(1))
  #expect(try infer(reshape(.fixed(6)), i64(.fixed(2), .fixed(3))) == i64(.fixed(6)))
  expectRefused(reshape(.fixed(5)), f32(2, 3), code: .shapeMismatch, "(2, 3) has 6 elements")
  expectRefused(reshape(.unknown, .fixed(4)), f32(2, 3), code: .shapeMismatch, "cannot become")
  expectRefused(reshape(.unknown, .fixed(0)), f32(2, 3), code: .shapeMismatch, "cannot become")
  expectRefused(reshape(.unknown, .unknown), f32(2, 3), code: .invalidGraph, "more than one")
  expectRefused(reshape(.fixed(-6)), f32(2, 3), code: .invalidGraph, "negative")
  expectRefused(reshape(.fixed(.max), .fixed(.max)), f32(2, 3), code: .limitExceeded, "2^48")
}

@Test func transposePermutesAxes() throws {
  #expect(try infer(.transpose([2, 0, 1]), f32(n, .fixed(3), .fixed(4))) == f32(.fixed(4), n, .fixed(3)))
  #expect(try infer(.transpose([]), f32()) == f32())
  expectRefused(.transpose([0]), f32(2, 3), code: .invalidGraph, "permutation of 1 axes")
  expectRefused(.transpose([0, 0]), f32(2, 3), code: .invalidGraph, "stands twice")
  expectRefused(.transpose([0, 2]), f32(2, 3), code: .invalidGraph, "axis 2")
  expectRefused(.transpose([-1, 0]), f32(2, 3), code: .invalidGraph, "axis -1")
  expectRefused(.transpose([Int.max, Int.min]), f32(2, 3), code: .invalidGraph, "axis")
}

@Test func expandRepeatsExtentsOfOne() throws {
  func expand(_ dimensions: Dimension...) -> Op { .expand(Shape(dimensions)) }
  #expect(try infer(expand(n, .fixed(4), .fixed(3)), f32(1, 3)) == f32(n, .fixed(4), .fixed(3)))
  #expect(try infer(expand(.fixed(2)), f32()) == f32(2))
  #expect(try infer(expand(.fixed(0)), f32(1)) == f32(0))
  expectRefused(expand(.fixed(1)), f32(3), code: .shapeMismatch, "cannot be repeated")
  expectRefused(expand(.fixed(3)), f32(2, 3), code: .shapeMismatch, "cannot be repeated")
  expectRefused(expand(.fixed(4)), f32(3), code: .shapeMismatch, "broadcast")
}

@Test func sliceTakesStepsInBothDirections() throws {
  func count(_ extent: Int, _ start: Int, _ end: Int, _ step: Int) throws -> Int? {
    try infer(.slice([SliceRange(start: start, end: end, step: step)]), f32(extent)).shape[0].extent
  }
  // As Python's len(range(extent)[start:end:step]).
  #expect(try count(10, 0, 10, 3) == 4)
  #expect(try count(10, 2, -2, 1) == 6)
  #expect(try count(10, -3, .max, 1) == 3)
  #expect(try count(10, 9, .min, -1) == 10)
  #expect(try count(10, -1, .min, -1) == 10)
  #expect(try count(10, .max, .min, -3) == 4)
  #expect(try count(10, 7, 2, -2) == 3)
  #expect(try count(10, 2, 7, -1) == 0)
  #expect(try count(10, 7, 2, 1) == 0)
  #expect(try count(10, 20, 30, 1) == 0)
  #expect(try count(10, -30, -20, 1) == 0)
  #expect(try count(10, .min, .max, .max) == 1)
  #expect(try count(10, .max, .min, .min) == 1)
  #expect(try count(0, 0, .max, 1) == 0)
  #expect(try count(0, -1, .min, -1) == 0)
  #expect(try infer(.slice([.all, SliceRange(start: 0, end: 2)]), f32(n, n)) == f32(n, .unknown))
  expectRefused(.slice([SliceRange(start: 0, end: 1, step: 0)]), f32(3), code: .invalidGraph, "step 0")
  expectRefused(.slice([]), f32(3), code: .invalidGraph, "0 ranges for a tensor of rank 1")
}

/// Every slice of every short axis agrees with the definition: start, start + step, … while before end.
@Test func resolvedSlicesAgreeWithTheDefinition() {
  for extent in 0...5 {
    for start in -7...7 {
      for end in -7...7 {
        for step in [-3, -2, -1, 1, 2, 3] {
          let lowest = step > 0 ? 0 : -1
          let highest = step > 0 ? extent : extent - 1
          let from = min(max(start < 0 ? start + extent : start, lowest), highest)
          let to = min(max(end < 0 ? end + extent : end, lowest), highest)
          let expected = Array(stride(from: from, to: to, by: step))
          let range = SliceRange(start: start, end: end, step: step).resolved(extent: extent)
          #expect(range.count == expected.count)
          if let first = expected.first { #expect(range.start == first) }
        }
      }
    }
  }
}

@Test func padAddsToBothEnds() throws {
  #expect(try infer(.pad(Pad(before: [1, 0], after: [2, 0])), f32(.fixed(3), n)) == f32(.fixed(6), n))
  #expect(try infer(.pad(Pad(before: [1], after: [0])), f32(n)) == f32(.unknown))
  expectRefused(.pad(Pad(before: [1], after: [1])), f32(2, 3), code: .invalidGraph, "padding for 1 axes")
  expectRefused(.pad(Pad(before: [-1], after: [1])), f32(2), code: .invalidGraph, "padding by -1")
  expectRefused(.pad(Pad(before: [.max], after: [.max])), f32(2), code: .invalidGraph, "padding by")
  expectRefused(.pad(Pad(before: [1 << 48], after: [1 << 48])), f32(2), code: .limitExceeded, "2^48")
}

@Test func concatAddsExtents() throws {
  #expect(try infer(.concat(axis: 1), f32(n, .fixed(2)), f32(n, .fixed(3))) == f32(n, .fixed(5)))
  #expect(try infer(.concat(axis: 0), f32(n, .fixed(2)), f32(1, 2)) == f32(.unknown, .fixed(2)))
  #expect(try infer(.concat(axis: 1), f32(.fixed(4), .fixed(2)), f32(n, .fixed(3))) == f32(4, 5))
  expectRefused(.concat(axis: 1), f32(2, 2), f32(3, 3), code: .shapeMismatch, "cannot join")
  expectRefused(.concat(axis: 0), f32(2, 2), f32(2), code: .shapeMismatch, "ranks differ")
  expectRefused(.concat(axis: 2), f32(2, 2), code: .invalidGraph, "axis 2")
  expectRefused(.concat(axis: 0), f32(2), i64(.fixed(2)), code: .dtypeMismatch, "f32 and i64")
  expectRefused(.concat(axis: 0), code: .invalidGraph, "at least 1 inputs")
  expectRefused(.concat(axis: 0), f32(1 << 48), f32(1 << 48), code: .limitExceeded, "2^48")
}

@Test func gatherReplacesAnAxisByThoseOfTheIndices() throws {
  #expect(try infer(.gather(axis: 0), f32(10, 4), i64(n, .fixed(3))) == f32(n, .fixed(3), .fixed(4)))
  #expect(try infer(.gather(axis: 1), i64(n, .fixed(3)), TensorType(.i32, [])) == i64(n))
  expectRefused(.gather(axis: 2), f32(10, 4), i64(), code: .invalidGraph, "axis 2")
  expectRefused(.gather(axis: 0), f32(10), f32(2), code: .dtypeMismatch, "indices must be i32 or i64")
  let ones = TensorType(.i64, Shape([Int](repeating: 1, count: 8)))
  expectRefused(.gather(axis: 0), f32(1, 1), ones, code: .limitExceeded, "rank 9")
}

@Test func scatterAddTakesUpdatesOfTheGatheredShape() throws {
  #expect(try infer(.scatter(.add, axis: 0), f32(10, 4), i64(n), f32(n, .fixed(4))) == f32(10, 4))
  expectRefused(
    .scatter(.add, axis: 0), f32(10, 4), i64(.fixed(3)), f32(2, 4), code: .shapeMismatch, "updates of shape")
  expectRefused(.scatter(.add, axis: 0), f32(10), i64(), i64(), code: .dtypeMismatch, "updates must be f32")
}
