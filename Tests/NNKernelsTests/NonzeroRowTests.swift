import NNGraph
import NNKernels
import Testing

/// One row times (K, N) with a bias.
private struct RowCase: CustomStringConvertible {
  var k: Int
  var n: Int
  var activation = Activation.identity
  var x: [Float]
  var weights: [Float]
  var bias: [Float]
  var format: NarrowPanels.Format?
  var description: String {
    "\(k) x \(n), \(x.count { $0 == 0 }) zeros, \(activation.function), \(format.map { "\($0)" } ?? "f32")"
  }

  /// Every table's result, work cut in several ways; the same bits everywhere.
  func result(skipsZeros: Bool) -> [Float] {
    var panels = [Float](repeating: 0, count: Panels.size(k: k, columns: n))
    for row in 0..<k {
      for column in 0..<n {
        panels[column / 16 * k * 16 + row * 16 + column % 16] = weights[row * n + column]
      }
    }
    var narrow = [UInt16](repeating: 0, count: NarrowPanels.size(k: k, columns: n) + 1)
    if let format {
      narrow.withUnsafeMutableBufferPointer { format.fill($0.baseAddress!, from: panels, k: k, columns: n) }
    }
    return (x + [0]).withUnsafeBufferPointer { x in
      (panels + [0]).withUnsafeBufferPointer { panels in
        narrow.withUnsafeBufferPointer { narrow in
          bias.withUnsafeBufferPointer { bias in
            func arguments(_ out: UnsafeMutablePointer<Float>) -> MatmulArguments {
              var arguments = MatmulArguments(
                a: x.baseAddress!, panels: panels.baseAddress!, c: out, bias: bias.baseAddress!,
                epilogue: Epilogue(activation), m: 1, n: n, k: k)
              arguments.skipsZeros = skipsZeros
              if let format { arguments.narrowPanels = NarrowPanels(format, narrow.baseAddress!, k: k) }
              return arguments
            }
            let units = arguments(UnsafeMutablePointer(mutating: x.baseAddress!)).workUnits
            return identicalOutput(units: units, initial: [Float](repeating: -7, count: n)) {
              table, out, range in table.matmul(arguments(out), range)
            }
          }
        }
      }
    }
  }
}

/// Rounded toward zero.
private func roundedToBF16(_ number: Float) -> Float { Float(bitPattern: number.bitPattern & 0xFFFF_0000) }

@Test func rowsThatZerosMeetAreLeftOutWithTheSameBits() {
  var generator = Generator(41)
  let activations = [
    Activation(.identity), Activation(.relu), Activation(.tanh), Activation(.clip, alpha: -1, beta: 3),
  ]
  let special: [Float] = [.nan, .infinity, -.infinity, -0.0, .leastNonzeroMagnitude, 0x1p-130]
  for (turn, k) in [0, 1, 15, 16, 17, 100, 255, 256, 257, 513, 700].enumerated() {
    for n in [17, 64, 79, 130, 300, 560] {
      for zerosOfFour in [1, 2, 3, 4] {
        var x = generator.floats(k)
        for index in x.indices where generator.int(0...3) < zerosOfFour {
          x[index] = generator.int(0...1) == 0 ? 0 : -0.0
        }
        if turn % 3 == 2 { x[generator.int(0...k - 1)] = special[generator.int(0...special.count - 1)] }
        // Products and sums that are too small for a float, too: their zeros have either sign.
        var weights = generator.floats(k * n)
        for index in weights.indices where generator.int(0...9) == 0 {
          weights[index] = [0, -0.0, .leastNonzeroMagnitude, -.leastNonzeroMagnitude][generator.int(0...3)]
        }
        var bias = generator.floats(n)
        for index in bias.indices where generator.int(0...2) == 0 { bias[index] = 0 }
        var row = RowCase(k: k, n: n, activation: activations[turn % 4], x: x, weights: weights, bias: bias)
        #expect(isSame(row.result(skipsZeros: true), row.result(skipsZeros: false)), "\(row)")
        // The same with weights of 16 bits.
        row.format = turn % 2 == 0 ? .bf16 : .f16
        row.weights = weights.map { row.format == .bf16 ? roundedToBF16($0) : Float(Float16($0)) }
        #expect(isSame(row.result(skipsZeros: true), row.result(skipsZeros: false)), "\(row)")
      }
    }
  }
}

@Test func sumsThatVanishHaveTheSameSign() {
  // −2⁻²⁰⁰ rounds to −0; the zero that follows makes it +0, or is left out.
  let row = RowCase(
    k: 4, n: 17, x: [0x1p-100, 0, 0, 0], weights: [Float](repeating: -0x1p-100, count: 17 * 4),
    bias: [Float](repeating: 0, count: 17))
  #expect(row.result(skipsZeros: true).allSatisfy { $0.bitPattern == 0 })
  #expect(row.result(skipsZeros: false).allSatisfy { $0.bitPattern == 0 })
}

@Test func rowsThatAreLeftOutAreNotRead() {
  // With a weight that is not finite, which is what nobody may ask for, the result tells whether its row was read.
  var x = [Float](repeating: 1, count: 64)
  for index in 0..<16 { x[index * 4] = 0 }
  var weights = [Float](repeating: 1, count: 64 * 20)
  weights[8 * 20 + 3] = .infinity
  let row = RowCase(k: 64, n: 20, x: x, weights: weights, bias: [Float](repeating: 2, count: 20))
  #expect(row.result(skipsZeros: true) == [Float](repeating: 50, count: 20))
  #expect(row.result(skipsZeros: false)[3].isNaN)
  // With one zero less it is not worth while.
  x[60] = 1
  let denser = RowCase(k: 64, n: 20, x: x, weights: weights, bias: [Float](repeating: 2, count: 20))
  #expect(denser.result(skipsZeros: true)[3].isNaN)
}

@Test func onlyFiniteWeightsAndBiasesWithoutMinusZeroAllowSkipping() {
  func allows(_ panels: [Float], _ bias: [Float]) -> Bool {
    MatmulArguments.allowSkipping(panels: panels, k: panels.count / 32, bias: bias, columns: bias.count)
  }
  let panels = [Float](repeating: .greatestFiniteMagnitude, count: 5 * 32)
  let bias = [Float](repeating: 0, count: 20)
  #expect(allows(panels, bias))
  #expect(allows([], bias))
  for place in [0, 79, 80, 159] {
    for special in [Float.infinity, -.infinity, .nan] {
      var spoiled = panels
      spoiled[place] = special
      #expect(!allows(spoiled, bias))
    }
  }
  for place in [0, 15, 19] {
    var spoiled = bias
    spoiled[place] = -0.0
    #expect(!allows(panels, spoiled))
  }
}
