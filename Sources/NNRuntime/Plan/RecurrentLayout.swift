import NNGraph
import NNKernels

/// The extents of a recurrence and the memory that it needs: the recurrent weight in panels, and for each thread the gates and the
/// states of the samples that it works on.
struct RecurrentLayout {
  let batch: Int
  let steps: Int
  let units: Int
  /// Columns of the recurrent weight: gates·H.
  let columns: Int
  /// Samples in a work unit: all of its steps are done by one thread.
  let rowsPerUnit: Int
  /// Bytes of workspace for the weight's panels; 0 if it is stored in them.
  let panelsBytes: Int

  init(_ recurrent: Recurrent, _ node: Node, _ graph: Graph, _ types: [TensorType], _ options: Plan.Options) {
    let first = types[node.inputs[0].index].shape.extents ?? []
    let weight = types[node.inputs[1].index].shape.extents ?? []
    batch = first[0]
    units = weight[0]
    columns = weight[1]
    let isGradient: Bool
    if case .recurrentGradient = node.op { isGradient = true } else { isGradient = false }
    steps = isGradient && recurrent.kind != .simple ? first[1] - 1 : first[1]
    let share = (batch + options.threads - 1) / options.threads
    rowsPerUnit = max(1, min(MatmulArguments.rowsPerUnit, (share + 3) / 4 * 4, batch))
    if graph[node.inputs[1]].constant?.layout == .panels {
      panelsBytes = 0
    } else {
      panelsBytes =
        4 * (isGradient ? Panels.size(k: columns, columns: units) : Panels.size(k: units, columns: columns))
    }
  }

  var workUnits: Int { (batch + rowsPerUnit - 1) / rowsPerUnit }
  /// Multiply–adds of the products.
  var cost: Int { Step.cost(2, batch, max(steps, 1), units, columns) }

  /// Floats of `rows` rows of `width`, up to a whole cache line.
  private func size(_ width: Int) -> Int { (rowsPerUnit * width + 15) / 16 * 16 }

  /// Bytes of scratch of a thread.
  var scratchSize: Int { 4 * (size(columns) + 2 * size(units)) }

  /// Where gates (rows, gates·H), hidden and cell state (rows, H) lie in a thread's scratch.
  func parts(_ scratch: UnsafeMutableRawPointer) -> RecurrentScratch {
    let gates = scratch.assumingMemoryBound(to: Float.self)
    let hidden = gates + size(columns)
    return RecurrentScratch(gates: gates, hidden: hidden, cell: hidden + size(units))
  }

  /// The samples of a work unit.
  func rows(_ unit: Int) -> Range<Int> { unit * rowsPerUnit..<min(batch, (unit + 1) * rowsPerUnit) }
}

struct RecurrentScratch {
  let gates: UnsafeMutablePointer<Float>
  let hidden: UnsafeMutablePointer<Float>
  let cell: UnsafeMutablePointer<Float>
}
