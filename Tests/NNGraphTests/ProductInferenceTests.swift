import NNGraph
import Testing

@Test func matmulMultipliesTheLastTwoAxes() throws {
  let plain = Op.matmul(Matmul())
  #expect(try infer(plain, f32(n, .fixed(4)), f32(4, 3)) == f32(n, .fixed(3)))
  #expect(try infer(plain, f32(n, .fixed(4)), f32(4, 3), f32(3)) == f32(n, .fixed(3)))
  #expect(try infer(plain, f32(5, 1, 2, 4), f32(6, 4, 3)) == f32(5, 6, 2, 3))
  #expect(try infer(.matmul(Matmul(transposesA: true)), f32(4, 2), f32(4, 3)) == f32(2, 3))
  #expect(try infer(.matmul(Matmul(transposesB: true)), f32(2, 4), f32(3, 4)) == f32(2, 3))
  #expect(try infer(plain, f32(2, 0), f32(0, 3)) == f32(2, 3))
  expectRefused(plain, f32(2, 4), f32(5, 3), code: .shapeMismatch, "inner extents of (2, 4) and (5, 3)")
  expectRefused(.matmul(Matmul(transposesB: true)), f32(2, 4), f32(4, 3), code: .shapeMismatch, "(4, 3)ᵀ")
  expectRefused(plain, f32(4), f32(4, 3), code: .shapeMismatch, "rank 2 or more")
  expectRefused(plain, f32(2, 2, 4), f32(3, 4, 3), code: .shapeMismatch, "broadcast")
  expectRefused(plain, f32(2, 4), f32(4, 3), f32(2), code: .shapeMismatch, "bias has shape (2)")
  expectRefused(plain, f32(2, 4), f32(4, 3), f32(1, 3), code: .shapeMismatch, "bias")
  expectRefused(
    plain, i64(.fixed(2), .fixed(4)), f32(4, 3), code: .dtypeMismatch, "second operand must be i64, not f32")
  #expect(try infer(plain, i64(.fixed(2), .fixed(4)), i64(.fixed(4), .fixed(3))) == i64(.fixed(2), .fixed(3)))
  expectRefused(
    .matmul(Matmul(activation: Activation(.relu))), i64(.fixed(2), .fixed(4)), i64(.fixed(4), .fixed(3)),
    code: .unsupportedOperator, "no activations for i64")
  expectRefused(
    plain, TensorType(.u8, [2, 4]), TensorType(.u8, [4, 3]), code: .unsupportedOperator,
    "cast the operands to i32")
  expectRefused(plain, f32(2, 4), code: .invalidGraph, "takes 2 to 3 inputs, not 1")
}

@Test func convolutionSlidesItsWindow() throws {
  let window = Window(
    extent: [3, 2], strides: [2, 1], dilations: [1, 2], paddingBefore: [1, 0], paddingAfter: [0, 2])
  let op = Op.convolution(Convolution(window: window))
  // Height (9 + 1 − 3)/2 + 1 = 4, width (8 + 2 − 3)/1 + 1 = 8.
  #expect(
    try infer(op, f32(n, .fixed(4), .fixed(9), .fixed(8)), f32(6, 4, 3, 2), f32(6)).shape.dimensions
      == [n, .fixed(6), .fixed(4), .fixed(8)])
  #expect(try infer(op, f32(1, 4, 1, 1), f32(6, 4, 3, 2)) == f32(1, 6, 0, 1))
  let grouped = Op.convolution(Convolution(window: window, groups: 2))
  #expect(try infer(grouped, f32(1, 4, 9, 8), f32(6, 2, 3, 2)) == f32(1, 6, 4, 8))
  expectRefused(op, f32(1, 3, 9, 8), f32(6, 4, 3, 2), code: .shapeMismatch, "3 channels")
  expectRefused(grouped, f32(1, 4, 9, 8), f32(5, 2, 3, 2), code: .shapeMismatch, "multiple of 2 groups")
  expectRefused(op, f32(1, 4, 9, 8), f32(6, 4, 2, 3), code: .shapeMismatch, "(M, C/groups, 3, 2)")
  expectRefused(op, f32(4, 9, 8), f32(6, 4, 3, 2), code: .shapeMismatch, "(N, C, H, W)")
  expectRefused(op, f32(1, 4, 9, 8), f32(6, 4, 3, 2), f32(5), code: .shapeMismatch, "bias")
  for groups in [0, -1, .max, .min] {
    let op = Op.convolution(Convolution(window: window, groups: groups))
    expectRefused(op, f32(1, 4, 9, 8), f32(6, 2, 3, 2), code: .invalidGraph, "groups")
  }
}

@Test func windowsKeepFreeExtentsTheyDoNotChange() throws {
  let same = Window(extent: [3, 3], paddingBefore: [1, 1], paddingAfter: [1, 1])
  let x = f32(n, .fixed(1), t, t)
  #expect(try infer(.convolution(Convolution(window: same)), x, f32(2, 1, 3, 3)) == f32(n, .fixed(2), t, t))
  let valid = Window(extent: [3, 3])
  #expect(
    try infer(.convolution(Convolution(window: valid)), x, f32(2, 1, 3, 3))
      == f32(n, .fixed(2), .unknown, .unknown))
}

@Test func impossibleWindowsAreRefused() {
  let x = f32(1, 1, 8, 8)
  func refused(_ window: Window, _ code: ErrorCode, _ text: String) {
    for op in [Op.pool(Pool(.maximum, window: window)), .unfold(window)] {
      expectRefused(op, x, code: code, text)
    }
  }
  for value in [0, -1, .min, .max] {
    refused(Window(extent: [value, 2]), .invalidGraph, "extent \(value)")
    refused(Window(extent: [2, 2], strides: [1, value]), .invalidGraph, "stride \(value)")
    refused(Window(extent: [2, 2], dilations: [value, 1]), .invalidGraph, "dilation \(value)")
  }
  for value in [-1, .min, .max] {
    refused(Window(extent: [2, 2], paddingBefore: [0, value]), .invalidGraph, "padding \(value)")
    refused(Window(extent: [2, 2], paddingAfter: [value, 0]), .invalidGraph, "padding \(value)")
  }
  let wide = Window(
    extent: [1 << 28, 1 << 28], strides: [1 << 24, 1 << 24], paddingBefore: [1 << 27, 1 << 27],
    paddingAfter: [1 << 27, 1 << 27])
  refused(wide, .invalidGraph, "268435456 by 268435456 elements")
  refused(Window(extent: [1 << 14, (1 << 14) + 1]), .invalidGraph, "at most 2^28")
  for count in [0, 1, 3] {
    refused(Window(extent: [Int](repeating: 2, count: count)), .unsupportedOperator, "\(count) spatial axes")
  }
}

@Test(arguments: PoolFunction.allCases)
func poolKeepsChannels(function: PoolFunction) throws {
  let window = Window(extent: [2, 3], strides: [2, 3], paddingBefore: [1, 0], paddingAfter: [0, 2])
  let op = Op.pool(Pool(function, window: window))
  #expect(try infer(op, f32(n, .fixed(3), .fixed(7), .fixed(7))) == f32(n, .fixed(3), .fixed(4), .fixed(3)))
  expectRefused(op, f32(1, 7, 7), code: .shapeMismatch, "(N, C, H, W)")
  let dilated = Window(extent: [2, 2], dilations: [2, 1])
  expectRefused(
    .pool(Pool(function, window: dilated)), f32(1, 1, 7, 7), code: .unsupportedOperator, "dilation 2")
  let wide = Window(extent: [2, 2], paddingBefore: [2, 0])
  expectRefused(.pool(Pool(function, window: wide)), f32(1, 1, 7, 7), code: .invalidGraph, "as wide as")
}

@Test func poolGradientHasTheShapeOfTheInput() throws {
  let op = Op.poolGradient(Pool(.average, window: Window(extent: [2, 2], strides: [2, 2])))
  #expect(
    try infer(op, f32(n, .fixed(3), .fixed(8), .fixed(8)), f32(n, .fixed(3), .fixed(4), .fixed(4)))
      == f32(n, .fixed(3), .fixed(8), .fixed(8)))
  expectRefused(op, f32(1, 3, 8, 8), f32(1, 3, 8, 8), code: .shapeMismatch, "gradient has shape (1, 3, 8, 8)")
}

@Test func foldIsTheInverseOfUnfold() throws {
  let window = Window(
    extent: [3, 2], strides: [2, 1], dilations: [1, 2], paddingBefore: [1, 0], paddingAfter: [0, 2])
  let x = f32(1, 2, 9, 8)
  let patches = try infer(.unfold(window), x)
  #expect(patches == f32(1, 12, 32))
  #expect(try infer(.fold(window, height: 9, width: 8), patches) == x)
  #expect(try infer(.unfold(window), f32(n, .fixed(2), .fixed(9), t)) == f32(n, .fixed(12), .unknown))
  expectRefused(.fold(window, height: 9, width: 9), patches, code: .shapeMismatch, "do not cover")
  expectRefused(.fold(window, height: 9, width: 8), f32(1, 13, 32), code: .shapeMismatch, "multiple")
  expectRefused(.fold(window, height: -1, width: 8), patches, code: .invalidGraph, "-1 by 8")
  expectRefused(.fold(window, height: .max, width: .max), patches, code: .invalidGraph, "an image of")
}
