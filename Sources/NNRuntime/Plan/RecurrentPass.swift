import CPlatform
import NNGraph
import NNKernels

/// The steps of a recurrence over a sequence, with everything resolved. See `Op.recurrent` for the tensors.
struct RecurrentPass {
  let recurrent: Recurrent
  let layout: RecurrentLayout
  let projected: UnsafePointer<Float>
  let panels: UnsafePointer<Float>
  /// c of the gated recurrent unit.
  let bias: UnsafePointer<Float>?
  /// The initial state; a stride of 0 gives every sample the same.
  let hidden: UnsafePointer<Float>
  let hiddenStride: Int
  let cell: UnsafePointer<Float>
  let cellStride: Int
  let mask: UnsafePointer<UInt8>?
  let out: UnsafeMutablePointer<Float>
  let product: RangeKernel<MatmulArguments>
  let step: RangeKernel<RecurrentStepArguments>

  /// All steps of the samples `rows`.
  func run(_ rows: Range<Int>, _ scratch: RecurrentScratch) {
    let (steps, units, columns) = (layout.steps, layout.units, layout.columns)
    let (count, width) = (rows.count, units * recurrent.blockCount)
    let outStride = recurrent.rowCount(steps: steps) * width
    let first = out + rows.lowerBound * outStride
    start(rows, scratch, first, outStride)
    let multiply = MatmulArguments(
      a: scratch.hidden, panels: panels, c: scratch.gates, bias: bias, m: count, n: columns, k: units)
    var advance = RecurrentStepArguments(
      gates: scratch.gates, projected: projected, projectedStride: steps * columns, hidden: scratch.hidden,
      cell: scratch.cell, out: first, outStride: outStride, keepsSlopes: recurrent.keepsSlopes, mask: nil,
      maskStride: steps, units: units)
    var number = 0
    while number < steps {
      let position = recurrent.isReversed ? steps - 1 - number : number
      advance.projected = projected + (rows.lowerBound * steps + position) * columns
      advance.out = first + recurrent.row(ofPosition: position) * width
      if let mask { advance.mask = mask + (rows.lowerBound * steps + position) }
      product(multiply, 0..<multiply.workUnits)
      step(advance, 0..<count)
      number += 1
    }
  }

  /// Brings the initial state into the scratch, and with slopes into its row of the result.
  func start(
    _ rows: Range<Int>, _ scratch: RecurrentScratch, _ first: UnsafeMutablePointer<Float>, _ outStride: Int
  ) {
    let units = layout.units
    let initial = first + (recurrent.isReversed ? layout.steps : 0) * units * recurrent.blockCount
    var row = 0
    while row < rows.count {
      nnp_copy(scratch.hidden + row * units, hidden + (rows.lowerBound + row) * hiddenStride, units)
      if recurrent.kind == .lstm {
        nnp_copy(scratch.cell + row * units, cell + (rows.lowerBound + row) * cellStride, units)
      }
      if recurrent.keepsSlopes {
        let target = initial + row * outStride
        nnp_clear(target, units * recurrent.blockCount)
        nnp_copy(target, scratch.hidden + row * units, units)
        if recurrent.kind == .lstm { nnp_copy(target + units, scratch.cell + row * units, units) }
      }
      row += 1
    }
  }
}

/// The gradient's steps, from the last to the first. See `Op.recurrentGradient` for the tensors.
struct RecurrentGradientPass {
  let recurrent: Recurrent
  let layout: RecurrentLayout
  /// The first slope of the first sample's first step.
  let slopes: UnsafePointer<Float>
  let slopesStride: Int
  /// Distance of a sample's slopes from the next one's.
  let slopesRowStride: Int
  /// The transposed recurrent weight.
  let panels: UnsafePointer<Float>
  let dy: UnsafePointer<Float>
  let dyWidth: Int
  /// Whether dy is that of the step alone that is read last.
  let isOfLast: Bool
  let mask: UnsafePointer<UInt8>?
  let out: UnsafeMutablePointer<Float>
  let ofStates: Bool
  let product: RangeKernel<MatmulArguments>
  let step: RangeKernel<RecurrentGradientStepArguments>

  func run(_ rows: Range<Int>, _ scratch: RecurrentScratch) {
    let (steps, units, columns) = (layout.steps, layout.units, layout.columns)
    let (count, width) = (rows.count, units * recurrent.gradientBlockCount)
    nnp_clear(scratch.hidden, count * units)
    nnp_clear(scratch.cell, count * units)
    // What the states pass on directly is there already.
    var multiply = MatmulArguments(
      a: scratch.gates, panels: panels, c: scratch.hidden, m: count, n: units, k: columns)
    multiply.accumulates = true
    var retreat = RecurrentGradientStepArguments(
      slopes: slopes, slopesStride: slopesRowStride, dy: nil,
      dyStride: isOfLast ? dyWidth : steps * dyWidth, hasCell: dyWidth > units, hidden: scratch.hidden,
      cell: scratch.cell, gates: scratch.gates, out: nil, outStride: steps * width, mask: nil,
      maskStride: steps, units: units)
    var number = steps - 1
    while number >= 0 {
      let position = recurrent.isReversed ? steps - 1 - number : number
      retreat.slopes = slopes + (rows.lowerBound * slopesRowStride + position * slopesStride)
      if isOfLast {
        retreat.dy = number == steps - 1 ? dy + rows.lowerBound * dyWidth : nil
      } else {
        retreat.dy = dy + (rows.lowerBound * steps + position) * dyWidth
      }
      if !ofStates { retreat.out = out + (rows.lowerBound * steps + position) * width }
      if let mask { retreat.mask = mask + (rows.lowerBound * steps + position) }
      step(retreat, 0..<count)
      if number > 0 || ofStates { product(multiply, 0..<multiply.workUnits) }
      number -= 1
    }
    if ofStates { finish(rows, scratch) }
  }

  /// Brings the gradient of the initial state to the result.
  private func finish(_ rows: Range<Int>, _ scratch: RecurrentScratch) {
    let units = layout.units
    var row = 0
    while row < rows.count {
      let target = out + (rows.lowerBound + row) * units * recurrent.stateCount
      nnp_copy(target, scratch.hidden + row * units, units)
      if recurrent.kind == .lstm { nnp_copy(target + units, scratch.cell + row * units, units) }
      row += 1
    }
  }
}
