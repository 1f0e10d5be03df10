import CPlatform

/// A step of the long short-term memory, see `Recurrent.Kind.lstm` and `Recurrent.slopeCount`.
@inlinable @inline(never)
func longShortTermMemoryStep<I: InstructionSet>(
  _ arguments: RecurrentStepArguments, _ rows: Range<Int>, _: I.Type
) {
  let units = arguments.units
  let blocks = arguments.keepsSlopes ? 8 : 2
  var lanes = Lanes()
  withUnsafeMutableBytes(of: &lanes) { memory in
    let tail = memory.baseAddress!.assumingMemoryBound(to: Float.self)
    // Results take the gates' places once these are read.
    let atTail = LongShortTermMemoryColumns(
      gates: UnsafePointer(tail), projected: UnsafePointer(tail + 64), stride: 16, cell: tail + 128,
      hidden: tail + 144, out: tail, outStride: 16)
    var row = rows.lowerBound
    while row < rows.upperBound {
      let gates = arguments.gates + row &* units &* 4
      let projected = arguments.projected + row &* arguments.projectedStride
      let hidden = arguments.hidden + row &* units
      let cell = arguments.cell + row &* units
      let out = arguments.out + row &* arguments.outStride
      row &+= 1
      if !arguments.counts(row &- 1) {
        nnp_copy(out, hidden, units)
        nnp_copy(out + units, cell, units)
        nnp_clear(out + units &* 2, units &* (blocks &- 2))
        continue
      }
      let columns = LongShortTermMemoryColumns(
        gates: UnsafePointer(gates), projected: projected, stride: units, cell: cell, hidden: hidden,
        out: out,
        outStride: units)
      columns.stepGates(units, blocks, atTail, I.self)
      columns.stepState(units, blocks, atTail, I.self)
    }
  }
}

/// Sixteen columns of a row; blocks of gates are `stride` apart, those of results `outStride`.
@usableFromInline struct LongShortTermMemoryColumns {
  @usableFromInline var gates: UnsafePointer<Float>
  @usableFromInline var projected: UnsafePointer<Float>
  @usableFromInline var stride: Int
  @usableFromInline var cell: UnsafeMutablePointer<Float>
  @usableFromInline var hidden: UnsafeMutablePointer<Float>
  @usableFromInline var out: UnsafeMutablePointer<Float>
  @usableFromInline var outStride: Int

  @inlinable @inline(__always)
  init(
    gates: UnsafePointer<Float>, projected: UnsafePointer<Float>, stride: Int,
    cell: UnsafeMutablePointer<Float>, hidden: UnsafeMutablePointer<Float>, out: UnsafeMutablePointer<Float>,
    outStride: Int
  ) {
    self.gates = gates
    self.projected = projected
    self.stride = stride
    self.cell = cell
    self.hidden = hidden
    self.out = out
    self.outStride = outStride
  }

  @inlinable @inline(__always)
  mutating func advance() {
    gates += 16
    projected += 16
    cell += 16
    hidden += 16
    out += 16
  }

  @inlinable @inline(__always)
  func gate(_ index: Int) -> Vector {
    nnp_load(gates + index &* stride) + nnp_load(projected + index &* stride)
  }

  /// Everything up to c, for all columns; the output gate waits in `hidden`, so that h can follow in a loop of its own:
  /// processors then work on more columns at once.
  @inlinable @inline(__always)
  func stepGates<I: InstructionSet>(
    _ units: Int, _ blocks: Int, _ atTail: LongShortTermMemoryColumns, _: I.Type
  ) {
    var part = self
    var left = units
    while left > 0 {
      let own = part
      if left < 16 {
        let tail = atTail.out
        ColumnTail.gather(4, own.gates, units, tail, left)
        ColumnTail.gather(4, own.projected, units, tail + 64, left)
        ColumnTail.gather(1, UnsafePointer(own.cell), units, atTail.cell, left)
        part = atTail
      }
      let input = gateSigmoid(part.gate(0), I.self)
      let forget = gateSigmoid(part.gate(1), I.self)
      let candidate = gateTanh(part.gate(2), I.self)
      let output = gateSigmoid(part.gate(3), I.self)
      let before = nnp_load(part.cell)
      let after = I.fma(forget, before, input * candidate)
      nnp_store(part.cell, after)
      nnp_store(part.hidden, output)
      part.store(1, after)
      if blocks > 2 {
        part.store(2, sigmoidSlope(input) * candidate)
        part.store(3, sigmoidSlope(forget) * before)
        part.store(4, input * tanhSlope(candidate, I.self))
        part.store(7, forget)
      }
      if left < 16 { atTail.giveBack(own, units, blocks, left) }
      part.advance()
      left &-= 16
    }
  }

  /// h = o·tanh c, for all columns.
  @inlinable @inline(__always)
  func stepState<I: InstructionSet>(
    _ units: Int, _ blocks: Int, _ atTail: LongShortTermMemoryColumns, _: I.Type
  ) {
    var part = self
    var left = units
    while left > 0 {
      let own = part
      if left < 16 {
        ColumnTail.gather(blocks, UnsafePointer(own.out), units, atTail.out, left)
        ColumnTail.gather(1, UnsafePointer(own.cell), units, atTail.cell, left)
        ColumnTail.gather(1, UnsafePointer(own.hidden), units, atTail.hidden, left)
        part = atTail
      }
      let output = nnp_load(part.hidden)
      let shown = gateTanh(nnp_load(part.cell), I.self)
      let state = output * shown
      nnp_store(part.hidden, state)
      part.store(0, state)
      if blocks > 2 {
        part.store(5, sigmoidSlope(output) * shown)
        part.store(6, output * tanhSlope(shown, I.self))
      }
      if left < 16 { atTail.giveBack(own, units, blocks, left) }
      part.advance()
      left &-= 16
    }
  }

  /// Copies what was computed at a row's tail to the row.
  @inlinable @inline(__always)
  func giveBack(_ own: LongShortTermMemoryColumns, _ units: Int, _ blocks: Int, _ left: Int) {
    ColumnTail.scatter(blocks, UnsafePointer(out), own.out, units, left)
    ColumnTail.scatter(1, UnsafePointer(cell), own.cell, units, left)
    ColumnTail.scatter(1, UnsafePointer(hidden), own.hidden, units, left)
  }

  @inlinable @inline(__always)
  func store(_ block: Int, _ value: Vector) { nnp_store(out + block &* outStride, value) }
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
