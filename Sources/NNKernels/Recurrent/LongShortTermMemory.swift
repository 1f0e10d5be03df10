import CPlatform

/// A step of the long short-term memory, see `Recurrent.Kind.lstm` and `Recurrent.slopeCount`.
@inlinable @inline(never)
func longShortTermMemoryStep<I: InstructionSet>(
  _ arguments: RecurrentStepArguments, _ rows: Range<Int>, _: I.Type
) {
  let units = arguments.units
  var row = rows.lowerBound
  while row < rows.upperBound {
    let gates = UnsafePointer(arguments.gates + row &* units &* 4)
    let projected = arguments.projected + row &* arguments.projectedStride
    let hidden = arguments.hidden + row &* units
    let cell = arguments.cell + row &* units
    let out = arguments.out + row &* arguments.outStride
    let slopes = out + units &* 2
    if !arguments.counts(row) {
      nnp_copy(out, hidden, units)
      nnp_copy(out + units, cell, units)
      if arguments.keepsSlopes { nnp_clear(slopes, units &* 6) }
      row &+= 1
      continue
    }
    var j = 0
    while j < units {
      let left = units &- j
      let (second, third, fourth) = (units &+ j, units &* 2 &+ j, units &* 3 &+ j)
      let input = gateSigmoid(sum(gates + j, projected + j, left), I.self)
      let forget = gateSigmoid(sum(gates + second, projected + second, left), I.self)
      let candidate = gateTanh(sum(gates + third, projected + third, left), I.self)
      let output = gateSigmoid(sum(gates + fourth, projected + fourth, left), I.self)
      let before = loadColumns(UnsafePointer(cell + j), left, 0)
      let after = I.fma(forget, before, input * candidate)
      let shown = gateTanh(after, I.self)
      storeTwice(cell + j, out + (units &+ j), left, after)
      storeTwice(hidden + j, out + j, left, output * shown)
      if arguments.keepsSlopes {
        storeColumns(slopes + j, left, sigmoidSlope(input) * candidate)
        storeColumns(slopes + (units &+ j), left, sigmoidSlope(forget) * before)
        storeColumns(slopes + (units &* 2 &+ j), left, input * tanhSlope(candidate, I.self))
        storeColumns(slopes + (units &* 3 &+ j), left, sigmoidSlope(output) * shown)
        storeColumns(slopes + (units &* 4 &+ j), left, output * tanhSlope(shown, I.self))
        storeColumns(slopes + (units &* 5 &+ j), left, forget)
      }
      j &+= 16
    }
    row &+= 1
  }
}

/// Its gradient: dc += dh·(o·tanh′ c), and every gate's is dc or dh times its slope.
@inlinable @inline(never)
func longShortTermMemoryGradient<I: InstructionSet>(
  _ arguments: RecurrentGradientStepArguments, _ rows: Range<Int>, _: I.Type
) {
  let units = arguments.units
  var row = rows.lowerBound
  while row < rows.upperBound {
    let slopes = arguments.slopes + row &* arguments.slopesStride
    let hidden = arguments.hidden + row &* units
    let cell = arguments.cell + row &* units
    let gates = arguments.gates + row &* units &* 4
    let counts = arguments.counts(row)
    var j = 0
    while j < units {
      let left = units &- j
      var dh = loadColumns(UnsafePointer(hidden + j), left, 0)
      var dc = loadColumns(UnsafePointer(cell + j), left, 0)
      if let all = arguments.dy {
        let dy = all + (row &* arguments.dyStride &+ j)
        dh = dh + loadColumns(dy, left, 0)
        if arguments.hasCell { dc = dc + loadColumns(dy + units, left, 0) }
      }
      if counts {
        dc = dc + dh * loadColumns(slopes + (units &* 4 &+ j), left, 0)
        storeColumns(gates + j, left, dc * loadColumns(slopes + j, left, 0))
        storeColumns(gates + (units &+ j), left, dc * loadColumns(slopes + (units &+ j), left, 0))
        storeColumns(gates + (units &* 2 &+ j), left, dc * loadColumns(slopes + (units &* 2 &+ j), left, 0))
        storeColumns(gates + (units &* 3 &+ j), left, dh * loadColumns(slopes + (units &* 3 &+ j), left, 0))
        dc = dc * loadColumns(slopes + (units &* 5 &+ j), left, 0)
        dh = nnp_splat(0)
      }
      storeColumns(hidden + j, left, dh)
      storeColumns(cell + j, left, dc)
      j &+= 16
    }
    if !counts { nnp_clear(gates, units &* 4) }
    if let out = arguments.out { nnp_copy(out + row &* arguments.outStride, gates, units &* 4) }
    row &+= 1
  }
}
