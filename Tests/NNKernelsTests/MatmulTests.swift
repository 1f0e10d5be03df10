import NNGraph
import NNKernels
import Testing

/// One product's shape and what surrounds it.
private struct Case: CustomStringConvertible {
  var m: Int
  var n: Int
  var k: Int
  var hasBias = false
  var activation = Activation.identity
  var batch = 1
  var description: String { "\(batch)×(\(m), \(k))·(\(k), \(n)) bias \(hasBias) \(activation.function)" }
}

/// The contract, written plainly: from +0, fused multiply–adds with k ascending, in four sums if B is narrow and long, then the bias,
/// then the activation.
private func reference(_ a: ArraySlice<Float>, _ b: ArraySlice<Float>, _ bias: [Float]?, _ c: Case) -> [Float]
{
  var out = [Float](repeating: 0, count: c.m * c.n)
  for i in 0..<c.m {
    for j in 0..<c.n {
      var sums: [Float] = [0, 0, 0, 0]
      let turns = c.n <= 16 && c.k >= 128 ? 4 : 1
      for k in 0..<c.k {
        sums[k % turns].addProduct(a[a.startIndex + i * c.k + k], b[b.startIndex + k * c.n + j])
      }
      var sum = turns == 4 ? (sums[0] + sums[1]) + (sums[2] + sums[3]) : sums[0]
      if let bias { sum += bias[j] }
      out[i * c.n + j] = sum
    }
  }
  let kernel = tables[0].unary(c.activation.function)
  out.withUnsafeMutableBufferPointer { buffer in
    guard let base = buffer.baseAddress else { return }
    kernel(UnsafePointer(base), base, buffer.count, c.activation.alpha, c.activation.beta)
  }
  return out
}

private func packed(_ b: ArraySlice<Float>, k: Int, n: Int) -> [Float] {
  var panels = [Float](repeating: .nan, count: Panels.size(k: k, columns: n))
  b.withUnsafeBufferPointer { source in
    panels.withUnsafeMutableBufferPointer { target in
      guard let from = source.baseAddress, let to = target.baseAddress else { return }
      Panels.pack(from, k: k, columns: n, rowStride: n, into: to, range: 0..<Panels.count(columns: n))
    }
  }
  return panels
}

private func check(_ c: Case, _ generator: inout Generator) {
  let a = generator.floats(c.batch * c.m * c.k)
  let b = generator.floats(c.batch * c.k * c.n)
  let bias = generator.floats(c.n)
  var expected: [Float] = []
  var panels: [Float] = []
  for item in 0..<c.batch {
    let left = a[item * c.m * c.k..<(item + 1) * c.m * c.k]
    let right = b[item * c.k * c.n..<(item + 1) * c.k * c.n]
    expected += reference(left, right, c.hasBias ? bias : nil, c)
    panels += packed(right, k: c.k, n: c.n)
  }
  // Rows of C two apart, so that a store past a row's end would show.
  let stride = c.n + 2
  let blank = [Float](repeating: -7, count: c.batch * c.m * stride)
  var units = 0
  func arguments(
    _ a: UnsafePointer<Float>, _ panels: UnsafePointer<Float>, _ bias: UnsafePointer<Float>,
    _ out: UnsafeMutablePointer<Float>
  ) -> MatmulArguments {
    var arguments = MatmulArguments(
      a: a, panels: panels, c: out, bias: c.hasBias ? bias : nil, epilogue: Epilogue(c.activation), m: c.m,
      n: c.n,
      k: c.k)
    arguments.cRowStride = stride
    arguments.batch = c.batch
    arguments.aBatchStride = c.m * c.k
    arguments.panelsBatchStride = Panels.size(k: c.k, columns: c.n)
    arguments.cBatchStride = c.m * stride
    return arguments
  }
  (a + [0]).withUnsafeBufferPointer { a in
    (panels + [0]).withUnsafeBufferPointer { panels in
      (bias + [0]).withUnsafeBufferPointer { bias in
        let dummy = UnsafeMutablePointer(mutating: a.baseAddress!)
        units = arguments(a.baseAddress!, panels.baseAddress!, bias.baseAddress!, dummy).workUnits
        let out = identicalOutput(units: units, initial: blank) { table, out, range in
          table.matmul(arguments(a.baseAddress!, panels.baseAddress!, bias.baseAddress!, out), range)
        }
        for row in 0..<c.batch * c.m {
          let line = Array(out[row * stride..<row * stride + c.n])
          #expect(isSame(line, Array(expected[row * c.n..<(row + 1) * c.n])), "\(c), row \(row)")
          #expect(out[row * stride + c.n] == -7 && out[row * stride + c.n + 1] == -7, "\(c)")
        }
      }
    }
  }
}

@Test func productHasTheBitsOfTheContractForEveryTail() {
  var generator = Generator(1)
  for m in [0, 1, 2, 3, 4, 5, 6, 7, 11, 12, 13, 25] {
    for n in [0, 1, 15, 16, 17, 31, 33, 64, 65] {
      check(Case(m: m, n: n, k: generator.int(1...20), hasBias: generator.int(0...1) == 1), &generator)
    }
  }
}

@Test func productOfNothingIsTheBias() {
  var generator = Generator(2)
  check(Case(m: 3, n: 5, k: 0, hasBias: true), &generator)
  check(Case(m: 3, n: 5, k: 0), &generator)
}

@Test func blockingOverKKeepsTheBits() {
  var generator = Generator(3)
  for k in [255, 256, 257, 511, 600] {
    check(Case(m: 14, n: 21, k: k, hasBias: true, activation: Activation(.tanh)), &generator)
  }
}

@Test func longSumsOfFewColumnsHaveTheBitsOfTheContract() {
  var generator = Generator(7)
  for k in [127, 128, 129, 130, 131, 3136] {
    for (m, n) in [(1, 10), (1, 16), (1, 17), (3, 1), (4, 16), (101, 7)] {
      check(Case(m: m, n: n, k: k, hasBias: true, activation: Activation(.relu)), &generator)
    }
  }
}

@Test func manyUnitsKeepTheBits() {
  var generator = Generator(4)
  check(Case(m: 200, n: 530, k: 9, hasBias: true), &generator)
  check(Case(m: 1, n: 1000, k: 30), &generator)
}

@Test func everyActivationFusesWithTheBitsOfItsKernel() {
  var generator = Generator(5)
  for function in UnaryFunction.allCases {
    check(
      Case(m: 7, n: 19, k: 8, hasBias: true, activation: Activation(function, alpha: 0.25, beta: 1)),
      &generator)
  }
}

@Test func batchedProductsAreTheSameAsSingleOnes() {
  var generator = Generator(6)
  check(Case(m: 5, n: 18, k: 7, hasBias: true, batch: 4), &generator)
  check(Case(m: 97, n: 3, k: 4, batch: 3), &generator)
}

@Test func infinitiesAndNaNReachTheResult() {
  var generator = Generator(8)
  let a = generator.wildFloats(6 * 40)
  let b = generator.wildFloats(40 * 20)
  let c = Case(m: 6, n: 20, k: 40)
  let expected = reference(a[...], b[...], nil, c)
  let panels = packed(b[...], k: 40, n: 20)
  let out = identicalOutput(units: 1, initial: [Float](repeating: 0, count: 120)) { table, out, range in
    a.withUnsafeBufferPointer { a in
      panels.withUnsafeBufferPointer { panels in
        table.matmul(
          MatmulArguments(a: a.baseAddress!, panels: panels.baseAddress!, c: out, m: 6, n: 20, k: 40), range)
      }
    }
  }
  #expect(isSame(out, expected))
}

@Test func panelsPackedEitherWayUnpackToTheSameMatrix() {
  var generator = Generator(9)
  for (k, n) in [(1, 1), (3, 16), (5, 17), (20, 33), (0, 4), (4, 0)] {
    let b = generator.floats(k * n)
    var transposed = [Float](repeating: 0, count: k * n)
    var back = [Float](repeating: 0, count: k * n)
    let panels = packed(b[...], k: k, n: n)
    var fromTransposed = [Float](repeating: .nan, count: panels.count)
    for i in 0..<k { for j in 0..<n { transposed[j * k + i] = b[i * n + j] } }
    transposed.withUnsafeBufferPointer { source in
      fromTransposed.withUnsafeMutableBufferPointer { target in
        guard let from = source.baseAddress, let to = target.baseAddress else { return }
        Panels.packTransposed(
          from, k: k, columns: n, rowStride: k, into: to, range: 0..<Panels.count(columns: n))
      }
    }
    panels.withUnsafeBufferPointer { source in
      back.withUnsafeMutableBufferPointer { target in
        guard let from = source.baseAddress, let to = target.baseAddress else { return }
        Panels.unpack(from, k: k, columns: n, into: to, rowStride: n)
      }
    }
    #expect(back == b)
    panels.withUnsafeBufferPointer { source in
      back.withUnsafeMutableBufferPointer { target in
        guard let from = source.baseAddress, let to = target.baseAddress else { return }
        Panels.unpackTransposed(from, k: k, columns: n, into: to, range: 0..<Panels.count(columns: n))
      }
    }
    #expect(back == transposed)
    #expect(fromTransposed == panels)
    let padding = panels.indices.filter { panels.count > 0 && ($0 / (16 * max(1, k))) * 16 + $0 % 16 >= n }
    #expect(padding.allSatisfy { panels[$0] == 0 })
  }
}

/// Operands of any stride, a row-major B, and a C to add to: what gradients and recurrences ask for.
@Test func productReadsOperandsWhereTheyLie() {
  var generator = Generator(9)
  for (m, n, k) in [(1, 16, 3), (4, 64, 20), (7, 48, 300), (13, 80, 5), (5, 32, 0)] {
    let a = generator.floats(k * m + 1)
    let b = generator.floats(k * n + 1)
    let before = generator.floats(m * n)
    var expected = before
    for i in 0..<m {
      for j in 0..<n {
        // A is stored (K, M): its rows are one apart, its columns M.
        for l in 0..<k { expected[i * n + j].addProduct(a[l * m + i], b[l * n + j]) }
      }
    }
    var units = 0
    func arguments(
      _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ c: UnsafeMutablePointer<Float>
    ) -> MatmulArguments {
      var arguments = MatmulArguments(a: a, panels: b, c: c, m: m, n: n, k: k)
      arguments.aRowStride = 1
      arguments.aColumnStride = m
      arguments.readRowMajor(rowStride: n)
      arguments.accumulates = true
      return arguments
    }
    a.withUnsafeBufferPointer { a in
      b.withUnsafeBufferPointer { b in
        let dummy = UnsafeMutablePointer(mutating: a.baseAddress!)
        units = arguments(a.baseAddress!, b.baseAddress!, dummy).workUnits
        let out = identicalOutput(units: units, initial: before) { table, out, range in
          table.matmul(arguments(a.baseAddress!, b.baseAddress!, out), range)
        }
        #expect(isSame(out, expected), "\(m), \(n), \(k)")
      }
    }
  }
}
