import NNFormat
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
