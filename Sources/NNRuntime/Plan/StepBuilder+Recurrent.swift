import NNGraph
import NNKernels

extension StepBuilder {
  func resolveRecurrent(_ recurrent: Recurrent) {
    guard outputCount > 0 else { return }
    let extents = RecurrentLayout(recurrent, node, graph, resolved.types, options)
    let pass = recurrentPass(recurrent, extents, panels: recurrentPanels(extents, isTransposed: false))
    emitPass(extents) { rows, scratch in pass.run(rows, scratch) }
  }

  private func recurrentPass(
    _ recurrent: Recurrent, _ extents: RecurrentLayout, panels: UnsafePointer<Float>
  ) -> RecurrentPass {
    let states = recurrent.stateInput
    let last = states + recurrent.stateCount - 1
    return RecurrentPass(
      recurrent: recurrent, layout: extents, projected: floats(0), panels: panels,
      bias: recurrent.kind == .gru ? floats(2) : nil, hidden: floats(states),
      hiddenStride: stateStride(states, extents), cell: floats(last), cellStride: stateStride(last, extents),
      mask: inputCount > last + 1 ? input(last + 1).assumingMemoryBound(to: UInt8.self) : nil,
      out: outputFloats, product: kernels.matmul, step: stepKernel(recurrent))
  }

  /// All nodes by one kernel, which there is.
  func resolveProjected(_ members: ProjectedRecurrence) {
    guard case .recurrent(let recurrent) = resolved.ops[members.recurrence],
      let kernel = kernels.projectedRecurrence(recurrent.kind)
    else { return }
    index = members.projection
    let (x, weight, bias) = (floats(0), floats(1), inputCount > 2 ? floats(2) : nil)
    let (projected, k) = (outputFloats, extents(1)[0])
    index = members.recurrence
    let extents = RecurrentLayout(recurrent, node, graph, resolved.types, options)
    let pass = recurrentPass(recurrent, extents, panels: floats(1))
    index = members.last
    let (out, outStride) = (outputFloats, outputExtents[2])
    let showsCell = recurrent.kind == .lstm && members.hidden == nil
    emitPass(extents) { rows, scratch in
      pass.start(rows, scratch, out, 0)
      kernel(
        ProjectedRecurrenceArguments(
          x: x, k: k, weight: weight, bias: bias, projected: projected, recurrentWeight: pass.panels,
          recurrentBias: pass.bias, hidden: (scratch.hidden, scratch.gates), cell: scratch.cell,
          out: out, outStride: outStride, showsCell: showsCell, steps: extents.steps, units: extents.units,
          isReversed: recurrent.isReversed, gateCount: recurrent.gateCount))
    }
  }

  func resolveRecurrentGradient(_ recurrent: Recurrent, ofStates: Bool) {
    guard outputCount > 0 else { return }
    let extents = RecurrentLayout(recurrent, node, graph, resolved.types, options)
    let isSimple = recurrent.kind == .simple
    let width = extents.units * (isSimple ? 1 : recurrent.blockCount)
    let offset = isSimple ? 0 : recurrent.row(ofPosition: 0) * width + extents.units * recurrent.stateCount
    let dy = self.extents(2)
    let pass = RecurrentGradientPass(
      recurrent: recurrent, layout: extents, slopes: floats(0) + offset, slopesStride: width,
      slopesRowStride: (isSimple ? extents.steps : extents.steps + 1) * width,
      panels: recurrentPanels(extents, isTransposed: true), dy: floats(2), dyWidth: dy[2],
      isOfLast: dy[1] == 1, mask: inputCount > 3 ? input(3).assumingMemoryBound(to: UInt8.self) : nil,
      out: outputFloats, ofStates: ofStates, product: kernels.matmul,
      step: kernels.recurrentGradientStep(recurrent.kind) ?? { $0.simpleStep($1) })
    emitPass(extents) { rows, scratch in pass.run(rows, scratch) }
  }

  private func stateStride(_ input: Int, _ extents: RecurrentLayout) -> Int {
    self.extents(input)[0] == 1 ? 0 : extents.units
  }

  private func stepKernel(_ recurrent: Recurrent) -> RangeKernel<RecurrentStepArguments> {
    if let kernel = kernels.recurrentStep(recurrent.kind) { return kernel }
    let function = kernels.unary(recurrent.activation.function)
    let (alpha, beta) = (recurrent.activation.alpha, recurrent.activation.beta)
    return { arguments, rows in arguments.simpleStep(function, alpha, beta, rows) }
  }

  /// The recurrent weight's panels, packed by a step before if it is not stored in them.
  private func recurrentPanels(_ extents: RecurrentLayout, isTransposed: Bool) -> UnsafePointer<Float> {
    let weight = floats(1)
    guard extents.panelsBytes > 0, let workspace = layout.workspaces[index] else { return weight }
    let panels = workspace.assumingMemoryBound(to: Float.self)
    let (units, columns) = (extents.units, extents.columns)
    let count = Panels.count(columns: isTransposed ? units : columns)
    emit(units: count, cost: Step.cost(units, columns)) { range, _ in
      if isTransposed {
        Panels.packTransposed(
          weight, k: columns, columns: units, rowStride: columns, into: panels, range: range)
      } else {
        Panels.pack(weight, k: units, columns: columns, rowStride: columns, into: panels, range: range)
      }
    }
    return UnsafePointer(panels)
  }

  private func emitPass(
    _ extents: RecurrentLayout, _ body: @escaping (Range<Int>, RecurrentScratch) -> Void
  ) {
    let scratch = layout.scratch
    emit(units: extents.workUnits, cost: extents.cost, isProduct: true) { range, thread in
      let parts = extents.parts(scratch[thread])
      for unit in range { body(extents.rows(unit), parts) }
    }
  }
}
