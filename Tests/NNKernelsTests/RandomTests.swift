import NNGraph
import NNKernels
import Testing

// Known answers: kat_vectors of Random123 1.09, the authors' own library (philox4x32, 10 rounds).
@Test func philoxGivesThePublishedWords() {
  #expect(
    Philox.words(counter: SIMD4(), key: SIMD2()) == SIMD4(0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8))
  #expect(
    Philox.words(counter: SIMD4(repeating: .max), key: SIMD2(repeating: .max))
      == SIMD4(0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd))
  #expect(
    Philox.words(
      counter: SIMD4(0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344), key: SIMD2(0xa409_3822, 0x299f_31d0)
    )
      == SIMD4(0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1))
}

private func draw(
  _ function: RandomFunction, _ count: Int, seed: UInt64 = 42, stream: UInt64 = 1, first: UInt64 = 0
)
  -> [Float]
{
  identicalOutput(units: count, initial: [Float](repeating: -9, count: count)) { table, out, range in
    table.random(function)(
      RandomArguments(out: out, count: count, seed: seed, stream: stream, first: first), range)
  }
}

@Test(arguments: RandomFunction.allCases) private func anyPartOfAStreamIsTheSame(_ function: RandomFunction) {
  let whole = draw(function, 1000)
  for first in [1, 3, 255, 256, 500] {
    #expect(draw(function, 300, first: UInt64(first)) == Array(whole[first..<first + 300]))
  }
  #expect(draw(function, 100, seed: 43) != Array(whole[..<100]))
  #expect(draw(function, 100, stream: 2) != Array(whole[..<100]))
}

@Test func uniformNumbersAreEvenAndBelowOne() {
  let values = draw(.uniform, 100_000)
  #expect(values.allSatisfy { $0 >= 0 && $0 < 1 && ($0 * 0x1p24).rounded() == $0 * 0x1p24 })
  let mean = values.map(Double.init).reduce(0, +) / 100_000
  // Four standard errors of the mean of 100,000: 4 · 0.2887/√100000.
  #expect(abs(mean - 0.5) < 0.0037)
  var bins = [Int](repeating: 0, count: 16)
  for value in values { bins[Int(value * 16)] += 1 }
  // χ² with 15 degrees of freedom: 37.7 is exceeded once in a thousand.
  let chi = bins.map { ($0 - 6250) * ($0 - 6250) }.reduce(0, +)
  #expect(Double(chi) / 6250 < 37.7)
}

@Test func normalNumbersHaveTheirMoments() {
  let values = draw(.normal, 100_000).map(Double.init)
  let mean = values.reduce(0, +) / 100_000
  let variance = values.map { $0 * $0 }.reduce(0, +) / 100_000
  let fourth = values.map { $0 * $0 * $0 * $0 }.reduce(0, +) / 100_000
  #expect(abs(mean) < 0.013)
  #expect(abs(variance - 1) < 0.018)
  #expect(abs(fourth - 3) < 0.13)
  let beyond = values.filter { abs($0) > 1.959964 }.count
  #expect(abs(beyond - 5000) < 280)
}
