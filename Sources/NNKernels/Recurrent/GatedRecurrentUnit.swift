import CPlatform
import NNGraph

/// A step of the gated recurrent unit, see `Recurrent.Kind.gru` and `Recurrent.slopeCount`.
@inlinable @inline(never)
func gatedRecurrentUnitStep<I: InstructionSet>(
  _ arguments: RecurrentStepArguments, _ rows: Range<Int>, _: I.Type
) {
  let units = arguments.units
  var row = rows.lowerBound
  while row < rows.upperBound {
    let gates = UnsafePointer(arguments.gates + row &* units &* 3)
    let projected = arguments.projected + row &* arguments.projectedStride
    let hidden = arguments.hidden + row &* units
    let out = arguments.out + row &* arguments.outStride
    let slopes = out + units
    if !arguments.counts(row) {
      nnp_copy(out, hidden, units)
      if arguments.keepsSlopes { nnp_clear(slopes, units &* 5) }
      row &+= 1
      continue
    }
    var j = 0
    while j < units {
      let left = units &- j
      let (second, third) = (units &+ j, units &* 2 &+ j)
      let reset = gateSigmoid(sum(gates + j, projected + j, left), I.self)
      let update = gateSigmoid(sum(gates + second, projected + second, left), I.self)
      let own = loadColumns(gates + third, left, 0)
      let candidate = gateTanh(I.fma(reset, own, loadColumns(projected + third, left, 0)), I.self)
      let distance = loadColumns(UnsafePointer(hidden + j), left, 0) - candidate
      storeTwice(hidden + j, out + j, left, I.fma(update, distance, candidate))
      if arguments.keepsSlopes {
        storeColumns(slopes + j, left, sigmoidSlope(reset) * own)
        storeColumns(slopes + second, left, sigmoidSlope(update) * distance)
        storeColumns(slopes + third, left, (nnp_splat(1) - update) * tanhSlope(candidate, I.self))
        storeColumns(slopes + (units &* 3 &+ j), left, reset)
        storeColumns(slopes + (units &* 4 &+ j), left, update)
      }
      j &+= 16
    }
    row &+= 1
  }
}

/// Its gradient: dn = dh·((1 − z)·tanh′ n), dr = dn·(r′·n′), dz = dh·(z′·(hₜ₋₁ − n)); dn·r goes to the projected state, and dh·z
/// to the state before.
@inlinable @inline(never)
func gatedRecurrentUnitGradient<I: InstructionSet>(
  _ arguments: RecurrentGradientStepArguments, _ rows: Range<Int>, _: I.Type
) {
  let units = arguments.units
  var row = rows.lowerBound
  while row < rows.upperBound {
    let slopes = arguments.slopes + row &* arguments.slopesStride
    let hidden = arguments.hidden + row &* units
    let gates = arguments.gates + row &* units &* 3
    let counts = arguments.counts(row)
    var j = 0
    while j < units {
      let left = units &- j
      let (second, third) = (units &+ j, units &* 2 &+ j)
      var dh = loadColumns(UnsafePointer(hidden + j), left, 0)
      if let dy = arguments.dy {
        dh = dh + loadColumns(dy + (row &* arguments.dyStride &+ j), left, 0)
      }
      var candidate = nnp_splat(0)
      if counts {
        candidate = dh * loadColumns(slopes + third, left, 0)
        storeColumns(gates + j, left, candidate * loadColumns(slopes + j, left, 0))
        storeColumns(gates + second, left, dh * loadColumns(slopes + second, left, 0))
        storeColumns(gates + third, left, candidate * loadColumns(slopes + (units &* 3 &+ j), left, 0))
        dh = dh * loadColumns(slopes + (units &* 4 &+ j), left, 0)
      }
      storeColumns(hidden + j, left, dh)
      if let out = arguments.out {
        storeColumns(out + (row &* arguments.outStride &+ units &* 3 &+ j), left, candidate)
      }
      j &+= 16
    }
    if !counts { nnp_clear(gates, units &* 3) }
    if let out = arguments.out { nnp_copy(out + row &* arguments.outStride, gates, units &* 3) }
    row &+= 1
  }
}

@inlinable @inline(__always)
func recurrentStepKernel<I: InstructionSet>(
  _ kind: Recurrent.Kind, _: I.Type
) -> RangeKernel<RecurrentStepArguments>? {
  switch kind {
  case .simple: nil
  case .lstm: { longShortTermMemoryStep($0, $1, I.self) }
  case .gru: { gatedRecurrentUnitStep($0, $1, I.self) }
  }
}

@inlinable @inline(__always)
func recurrentGradientStepKernel<I: InstructionSet>(
  _ kind: Recurrent.Kind, _: I.Type
) -> RangeKernel<RecurrentGradientStepArguments>? {
  switch kind {
  case .simple: nil
  case .lstm: { longShortTermMemoryGradient($0, $1, I.self) }
  case .gru: { gatedRecurrentUnitGradient($0, $1, I.self) }
  }
}
