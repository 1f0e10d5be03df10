import NNGraph
import NNKernels

/// What one step of a long short-term memory of 64 units takes for 32 samples: its two products and its gates, in the caches.
func recurrentResults(_ table: KernelTable, _ peak: Peak) -> [Result] {
  let (rows, units) = (32, 64)
  let columns = 4 * units
  let width = 8 * units
  let gates = randomFloats(rows * columns)
  let hidden = randomFloats(rows * units)
  let cell = randomFloats(rows * units)
  let projected = randomFloats(rows * columns)
  let out = randomFloats(rows * width)
  let panels = randomFloats(Panels.size(k: units, columns: columns))
  let transposed = randomFloats(Panels.size(k: columns, columns: units))
  defer { for memory in [gates, hidden, cell, projected, out, panels, transposed] { memory.deallocate() } }

  func product(_ arguments: MatmulArguments, _ name: String) -> Result {
    let seconds = secondsPerCall { table.matmul(arguments, 0..<arguments.workUnits) }
    let value = 2e-9 * Double(rows * columns * units) / seconds
    return Result(
      group: "recurrent", name: name, value: value, unit: "GFLOP/s", shareOfPeak: peak.share(value))
  }
  func perUnit(_ seconds: Double, _ name: String) -> Result {
    Result(
      group: "recurrent", name: name, value: seconds / Double(rows * units) * 1e9, unit: "ns per unit")
  }
  var results: [Result] = []
  let forward = MatmulArguments(a: hidden, panels: panels, c: gates, m: rows, n: columns, k: units)
  results.append(product(forward, "lstm 64, batch 32: product"))
  var backward = MatmulArguments(a: gates, panels: transposed, c: hidden, m: rows, n: units, k: columns)
  backward.accumulates = true
  results.append(product(backward, "lstm 64, batch 32: product of the gradient"))
  for kind in [Recurrent.Kind.lstm, .gru] {
    for keepsSlopes in [false, true] {
      let arguments = RecurrentStepArguments(
        gates: gates, projected: projected, projectedStride: columns, hidden: hidden, cell: cell, out: out,
        outStride: width, keepsSlopes: keepsSlopes, mask: nil, maskStride: 0, units: units)
      guard let step = table.recurrentStep(kind) else { continue }
      results.append(
        perUnit(
          secondsPerCall { step(arguments, 0..<rows) },
          "\(kind) 64, batch 32: gates\(keepsSlopes ? " with slopes" : "")"))
    }
    let arguments = RecurrentGradientStepArguments(
      slopes: out, slopesStride: width, dy: hidden, dyStride: units, hasCell: false, hidden: hidden,
      cell: cell, gates: gates, out: projected, outStride: columns, mask: nil, maskStride: 0, units: units)
    guard let step = table.recurrentGradientStep(kind) else { continue }
    results.append(
      perUnit(secondsPerCall { step(arguments, 0..<rows) }, "\(kind) 64, batch 32: gradient of the gates"))
  }
  return results
}
