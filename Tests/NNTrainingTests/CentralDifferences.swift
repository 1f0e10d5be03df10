import NNGraph
import NNTraining
import Reference
import Testing

/// Deterministic numbers that keep away from zero, where several functions have kinks: ± 0.2…1.5.
func spread(_ count: Int, seed: UInt64, positive: Bool = false) -> [Double] {
  var generator = Philox(seed: seed, stream: 77)
  return (0..<count).map { _ in
    let magnitude = 0.2 + 1.3 * generator.uniform()
    return generator.uniform() < 0.5 && !positive ? -magnitude : magnitude
  }
}

/// Compares the gradients of a scalar with central differences in float64, element by element and with sign.
///
/// All f32 inputs of the trace are differentiated; `values` are the inputs' in their order. A derivative may differ by
/// `tolerance` of the largest one of its tensor.
func expectGradientsMatchDifferences(
  _ label: String, of result: SymbolicTensor, values: [ReferenceTensor], tolerance: Double = 1e-6
) throws {
  let trace = result.trace
  try trace.output(result, name: "result")
  let forward = ReferenceEvaluator(trace.graph)
  let differentiated = values.indices.filter { values[$0].dtype == .f32 }
  let graph = try trace.graph.addingGradients(
    of: result.id, withRespectTo: differentiated.map { trace.graph.inputs[$0] })
  try graph.verify()
  let outputs = try ReferenceEvaluator(graph).run(inputs: values)
  for (position, index) in differentiated.enumerated() {
    let name = trace.graph[trace.graph.inputs[index]].name.string
    let gradient = outputs[position + 1]
    #expect(gradient.extents == values[index].extents, "\(label): \(name)")
    var differences: [Double] = []
    for element in 0..<values[index].count {
      let step = 1e-5 * max(1, values[index].values[element].magnitude)
      var moved = values
      moved[index].values[element] += step
      let above = try forward.run(inputs: moved)[0].values[0]
      moved[index].values[element] = values[index].values[element] - step
      let below = try forward.run(inputs: moved)[0].values[0]
      differences.append((above - below) / (2 * step))
    }
    let difference = relativeDifference(gradient.values, differences, floor: 1e-3)
    #expect(difference < tolerance, "\(label): gradient of \(name) differs by \(difference)")
  }
}

/// Σ y·r with fixed numbers r, so that every element of y has a gradient of its own.
func weightedSum(_ y: SymbolicTensor, seed: UInt64 = 99) throws -> SymbolicTensor {
  let extents = try y.knownExtents()
  let weights = spread(extents.reduce(1, *), seed: seed).map { Float($0) }
  return try (y * y.trace.constant("upstream", Tensor(weights, extents: extents))).sum()
}
