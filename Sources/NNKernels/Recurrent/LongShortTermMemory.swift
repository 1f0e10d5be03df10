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

  /// Everything up to c, for all columns; the output gate's divisor waits in `hidden`, so that h can follow in a loop of its own:
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
      let inputDivisor = gateSigmoidDivisor(part.gate(0), I.self)
      let forget = gateSigmoid(part.gate(1), I.self)
      let proposed = part.gate(2)
      let outputDivisor = gateSigmoidDivisor(part.gate(3), I.self)
      let before = nnp_load(part.cell)
      let after = I.fma(forget, before, gatedTanh(divisor: inputDivisor, proposed, I.self))
      nnp_store(part.cell, after)
      nnp_store(part.hidden, outputDivisor)
      part.store(1, after)
      if blocks > 2 {
        let input = nnp_splat(1) / inputDivisor
        let candidate = gateTanh(proposed, I.self)
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
      let outputDivisor = nnp_load(part.hidden)
      let after = nnp_load(part.cell)
      let state = gatedTanh(divisor: outputDivisor, after, I.self)
      nnp_store(part.hidden, state)
      part.store(0, state)
      if blocks > 2 {
        let output = nnp_splat(1) / outputDivisor
        let shown = gateTanh(after, I.self)
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
@usableFromInline enum LongShortTermMemoryGradient: GatedGradient {
  @inlinable @inline(__always) static var gateCount: Int { 4 }
  @inlinable @inline(__always) static var slopeCount: Int { 6 }

  @inlinable @inline(__always)
  static func step(_ columns: GradientColumns, _ counts: Bool) {
    var dh = columns.hiddenGradient
    var dc = columns.cellGradient
    let zero = nnp_splat(0)
    if counts {
      dc = dc + dh * columns.slope(4)
      columns.store(0, dc * columns.slope(0))
      columns.store(1, dc * columns.slope(1))
      columns.store(2, dc * columns.slope(2))
      columns.store(3, dh * columns.slope(3))
      dc = dc * columns.slope(5)
      dh = zero
    } else {
      columns.store(0, zero)
      columns.store(1, zero)
      columns.store(2, zero)
      columns.store(3, zero)
    }
    nnp_store(columns.hidden, dh)
    nnp_store(columns.cell, dc)
  }
}
