import NNFormat
import NNGraph
import NNPasses
import NNRuntime
import Testing

/// A row with many zeros has the same bits alone, where weights that zeros meet are left out, as in a batch, where they are not: also where
/// a weight or a bias is such that none may be left out.
@Test(arguments: ["plain", "bf16", "f16", "infinite weight", "bias of minus zero", "no bias"])
func rowsWithZerosHaveTheSameBitsAloneAndInABatch(_ kind: String) throws {
  var random = SplitMix64(seed: 23)
  let (k, columns) = (300, 70)
  var graph = Graph(name: "product")
  let input = graph.addInput("x", .f32, Shape([graph.dimension("N"), .fixed(k)]))
  var weights = (0..<k * columns).map { _ in Float.random(in: -1...1, using: &random) }
  var bias = (0..<columns).map { _ in Float.random(in: -1...1, using: &random) }
  // The first row of x is all zeros there.
  if kind == "infinite weight" { weights[7 * columns + 5] = .infinity }
  if kind == "bias of minus zero" { bias[9] = -0.0 }
  var operands = [input, graph.addConstant("W", try Tensor(weights, extents: [k, columns]))]
  if kind != "no bias" { operands.append(graph.addConstant("b", try Tensor(bias, extents: [columns]))) }
  graph.addOutput(try graph.append(.matmul(Matmul(activation: .identity)), operands), name: "y")
  if kind == "bf16" { _ = try graph.roundWeights(to: .bf16) }
  if kind == "f16" { _ = try graph.roundWeights(to: .f16) }
  let model = try Model(ModelFile(graph: try graph.packed()))

  var x = (0..<3 * k).map { _ in Float.random(in: -1...1, using: &random) }
  for index in x.indices where index < k || index % 2 == 0 { x[index] = 0 }
  x[2 * k + 2] = -0.0
  let all = try Tensor(x, extents: [3, k])
  let batch = try Session(model, options: .init(instructionSet: .baseline))([all])[0].floats!
  for row in 0..<3 {
    let alone = try Tensor(Array(x[row * k..<(row + 1) * k]), extents: [1, k])
    for level in instructionSets {
      let result = try Session(model, options: .init(instructionSet: level))([alone])[0].floats!
      for column in 0..<columns {
        let (one, other) = (result[column], batch[row * columns + column])
        #expect(
          one.bitPattern == other.bitPattern || one.isNaN && other.isNaN, "\(row), \(column), \(level.name)")
      }
    }
  }
  #expect(batch[5].isNaN == (kind == "infinite weight"))
}
