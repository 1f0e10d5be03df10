@testable import NNFormat
import NNGraph
import Testing

@Test func smallPerceptronTakesAtMost86PercentOfItsWeights() throws {
  let widths = [64, 256, 128, 10]
  let model = try mlp(widths)
  let bytes = try model.encode()
  var weights = 0
  for layer in 1..<widths.count { weights += (widths[layer - 1] + 1) * widths[layer] }
  let ratio = Double(bytes.count) / Double(4 * weights)
  #expect(ratio <= 0.86)
  _ = try ModelFile.decode(bytes)
}

/// Bytes that are about as unlike each other as the exponents of weights: each step down is half as likely, from one of four neighbours.
private func exponents(_ count: Int) -> [UInt8] {
  var random = TestRandom(seed: 1)
  return (0..<count).map { _ in
    let bits = random.next()
    return UInt8(120 - (bits >> 32 | 1 << 20).trailingZeroBitCount - Int(bits & 3))
  }
}

@Test(arguments: [1, 3, 9])
func chanceMatchesOfWeightsAreLeftOut(level: Int) throws {
  let bytes = exponents(65536)
  let encoder = try ZstdEncoder(level: level)
  let usual = try #require(try encoder.compress(bytes))
  let frame = try #require(try bytes.withUnsafeBytes { bytes in try encoder.compressWeights(bytes) })
  #expect(frame.count < usual.count)
  #expect(frame.count < bytes.count / 2)
}

@Test(arguments: [1, 9, 19])
func bytesOfWeightsThatComeAgainAreMatched(level: Int) throws {
  // Noise, which alone does not get shorter, a long way before its copy.
  var random = TestRandom(seed: 3)
  let noise = (0..<30_000).map { _ in UInt8(truncatingIfNeeded: random.next()) }
  let encoder = try ZstdEncoder(level: level)
  #expect(try noise.withUnsafeBytes { bytes in try encoder.compressWeights(bytes) } == nil)
  let twice = noise + noise
  let frame = try #require(try twice.withUnsafeBytes { bytes in try encoder.compressWeights(bytes) })
  #expect(frame.count < 31_000)
  // And numbers of few bits that have both: codes alone would leave four bits of each.
  let pattern = noise.prefix(5000).map { $0 & 15 }
  let again = Array(repeating: pattern, count: 12).flatMap { $0 }
  let short = try #require(try again.withUnsafeBytes { bytes in try encoder.compressWeights(bytes) })
  #expect(short.count < 4000)
}
