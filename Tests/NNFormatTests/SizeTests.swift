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

/// Bytes of which about two in three are one of four neighbours, as the exponents of weights are.
private func exponents(_ count: Int) -> [UInt8] {
  var state: UInt64 = 1
  return (0..<count).map { _ in
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return UInt8(120 - min(40, (state >> 32 | 1 << 31).leadingZeroBitCount - 32 + Int(state >> 62)))
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
  var state: UInt64 = 3
  let noise = (0..<30_000).map { _ -> UInt8 in
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return UInt8(truncatingIfNeeded: state >> 56)
  }
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
