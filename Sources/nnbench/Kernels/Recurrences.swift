import NNGraph
import NNKernels

/// A recurrence from K inputs to H units.
private struct RecurrenceShape {
  var kind: Recurrent.Kind
  var inputs: Int
  var units: Int
  var steps: Int
  var batch: Int

  var gates: Int { Recurrent(kind).gateCount }
  var states: Int { Recurrent(kind).stateCount }
  var columns: Int { gates * units }
  var text: String { "\(inputs) to \(units), \(steps) steps, batch \(batch)" }

  /// A step is a product of its own, so the recurrent weight is read once in each.
  var work: Work {
    let operands =
      count(batch, steps, inputs) + count(inputs, columns) + count(batch, steps, units)
    return Work(
      flops: 2 * count(batch, steps, inputs + units, columns),
      bytes: 4 * (operands + count(steps, units, columns)), workingSet: 4 * (operands + count(units, columns))
    )
  }
}

extension Benchmark {
  private static let kinds: [Recurrent.Kind] = [.lstm, .gru, .simple]

  static var recurrences: [Benchmark] {
    kinds.flatMap { kind in
      [
        (64, 128, 100, 1), (128, 128, 100, 1), (16, 32, 20, 1), (256, 512, 50, 1), (32, 64, 50, 32),
        (64, 128, 100, 32),
      ]
      .map { RecurrenceShape(kind: kind, inputs: $0.0, units: $0.1, steps: $0.2, batch: $0.3) }
      .map(recurrence)
    }
      + kinds.flatMap { kind in
        [(1, 128), (32, 64), (32, 256)].map { gates(kind, rows: $0.0, units: $0.1, keepsSlopes: false) }
          + [gates(kind, rows: 32, units: 64, keepsSlopes: true)]
      }
  }

  /// The whole sequence as the runtime computes it: by one kernel for a single sequence where there is one, else step by step.
  private static func recurrence(_ shape: RecurrenceShape) -> Benchmark {
    Benchmark(.recurrent, "\(shape.kind)", shape.text, shape.work) { table, memory in
      if shape.batch == 1, let kernel = table.projectedRecurrence(shape.kind) {
        let arguments = projected(shape, memory)
        return { kernel(arguments) }
      }
      return stepByStep(shape, table, memory)
    }
  }

  private static func projected(_ shape: RecurrenceShape, _ memory: Memory) -> ProjectedRecurrenceArguments {
    let (units, columns) = (shape.units, shape.columns)
    return ProjectedRecurrenceArguments(
      x: memory.floats(shape.steps * shape.inputs), k: shape.inputs,
      weight: memory.floats(Panels.size(k: shape.inputs, columns: columns)), bias: memory.floats(columns),
      projected: memory.floats(shape.steps * columns),
      recurrentWeight: memory.floats(Panels.size(k: units, columns: columns)),
      recurrentBias: shape.kind == .gru ? UnsafePointer(memory.floats(columns)) : nil,
      hidden: (memory.floats(units), memory.floats(units)), cell: memory.floats(units),
      out: memory.floats(shape.steps * units * shape.states), outStride: units * shape.states,
      showsCell: shape.states > 1, steps: shape.steps, units: units, isReversed: false, gateCount: shape.gates
    )
  }

  private static func stepByStep(
    _ shape: RecurrenceShape, _ table: KernelTable, _ memory: Memory
  ) -> () -> Void {
    let (batch, steps, units, columns) = (shape.batch, shape.steps, shape.units, shape.columns)
    let width = units * shape.states
    let (p, gates) = (memory.floats(batch * steps * columns), memory.floats(batch * columns))
    let (hidden, out) = (memory.floats(batch * units), memory.floats(batch * steps * width))
    let project = MatmulArguments(
      a: memory.floats(batch * steps * shape.inputs),
      panels: memory.floats(Panels.size(k: shape.inputs, columns: columns)), c: p,
      bias: memory.floats(columns),
      m: batch * steps, n: columns, k: shape.inputs)
    let multiply = MatmulArguments(
      a: hidden, panels: memory.floats(Panels.size(k: units, columns: columns)), c: gates,
      bias: shape.kind == .gru ? UnsafePointer(memory.floats(columns)) : nil, m: batch, n: columns, k: units)
    let advance = RecurrentStepArguments(
      gates: gates, projected: p, projectedStride: steps * columns, hidden: hidden,
      cell: memory.floats(batch * units), out: out, outStride: steps * width, keepsSlopes: false, mask: nil,
      maskStride: 0, units: units)
    let step = stepKernel(shape.kind, table)
    return {
      table.matmul(project, 0..<project.workUnits)
      var one = advance
      for number in 0..<steps {
        one.projected = UnsafePointer(p + number * columns)
        one.out = out + number * width
        table.matmul(multiply, 0..<multiply.workUnits)
        step(one, 0..<batch)
      }
    }
  }

  /// What a step does after its product: functions take the time, so no operations are counted.
  private static func gates(
    _ kind: Recurrent.Kind, rows: Int, units: Int, keepsSlopes: Bool
  ) -> Benchmark {
    let shape = RecurrenceShape(kind: kind, inputs: 1, units: units, steps: 1, batch: rows)
    // Both sums, and the states before, after and in the result.
    let blocks = 2 * shape.gates + 3 * shape.states + (keepsSlopes ? Recurrent(kind).slopeCount : 0)
    return Benchmark(
      .recurrent, "\(kind) gates" + (keepsSlopes ? " with slopes" : ""), "\(units), batch \(rows)",
      Work(bytes: 4 * count(rows, units, blocks), elements: count(rows, units))
    ) { table, memory in
      let width = 8 * units
      let arguments = RecurrentStepArguments(
        gates: memory.floats(rows * shape.columns), projected: memory.floats(rows * shape.columns),
        projectedStride: shape.columns, hidden: memory.floats(rows * units),
        cell: memory.floats(rows * units), out: memory.floats(rows * width), outStride: width,
        keepsSlopes: keepsSlopes, mask: nil, maskStride: 0, units: units)
      let step = stepKernel(kind, table)
      return { step(arguments, 0..<rows) }
    }
  }

  private static func stepKernel(
    _ kind: Recurrent.Kind, _ table: KernelTable
  ) -> RangeKernel<RecurrentStepArguments> {
    if let kernel = table.recurrentStep(kind) { return kernel }
    let function = table.unary(.tanh)
    return { arguments, rows in arguments.simpleStep(function, 0, 0, rows) }
  }
}
