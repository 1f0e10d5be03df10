import CPlatform
import NNGraph

/// A step of the gated recurrent unit, see `Recurrent.Kind.gru` and `Recurrent.slopeCount`.
@inlinable @inline(never)
func gatedRecurrentUnitStep<I: InstructionSet>(
  _ arguments: RecurrentStepArguments, _ rows: Range<Int>, _: I.Type
) {
  let units = arguments.units
  let blocks = arguments.keepsSlopes ? 6 : 1
  var lanes = Lanes()
  withUnsafeMutableBytes(of: &lanes) { memory in
    let tail = memory.baseAddress!.assumingMemoryBound(to: Float.self)
    var row = rows.lowerBound
    while row < rows.upperBound {
      var part = GatedRecurrentUnitColumns(
        gates: UnsafePointer(arguments.gates + row &* units &* 3),
        projected: arguments.projected + row &* arguments.projectedStride,
        hidden: arguments.hidden + row &* units, out: arguments.out + row &* arguments.outStride,
        stride: units)
      row &+= 1
      if !arguments.counts(row &- 1) {
        nnp_copy(part.out, part.hidden, units)
        nnp_clear(part.out + units, units &* (blocks &- 1))
        continue
      }
      var left = units
      while left > 0 {
        let own = part
        if left < 16 {
          ColumnTail.gather(3, own.gates, units, tail, left)
          ColumnTail.gather(3, own.projected, units, tail + 48, left)
          ColumnTail.gather(1, UnsafePointer(own.hidden), units, tail + 96, left)
          // Results take the gates' places once these are read.
          part = GatedRecurrentUnitColumns(
            gates: UnsafePointer(tail), projected: UnsafePointer(tail + 48), hidden: tail + 96, out: tail,
            stride: 16)
        }
        part.step(arguments.keepsSlopes, I.self)
        if left < 16 {
          ColumnTail.scatter(blocks, UnsafePointer(tail), own.out, units, left)
          ColumnTail.scatter(1, UnsafePointer(tail + 96), own.hidden, units, left)
        }
        part.advance()
        left &-= 16
      }
    }
  }
}

/// Sixteen columns of a row, whose blocks are `stride` apart.
@usableFromInline struct GatedRecurrentUnitColumns {
  @usableFromInline var gates: UnsafePointer<Float>
  @usableFromInline var projected: UnsafePointer<Float>
  @usableFromInline var hidden: UnsafeMutablePointer<Float>
  @usableFromInline var out: UnsafeMutablePointer<Float>
  @usableFromInline var stride: Int

  @inlinable @inline(__always)
  init(
    gates: UnsafePointer<Float>, projected: UnsafePointer<Float>, hidden: UnsafeMutablePointer<Float>,
    out: UnsafeMutablePointer<Float>, stride: Int
  ) {
    self.gates = gates
    self.projected = projected
    self.hidden = hidden
    self.out = out
    self.stride = stride
  }

  @inlinable @inline(__always)
  mutating func advance() {
    gates += 16
    projected += 16
    hidden += 16
    out += 16
  }

  @inlinable @inline(__always)
  func gate(_ index: Int) -> Vector {
    nnp_load(gates + index &* stride) + nnp_load(projected + index &* stride)
  }

  @inlinable @inline(__always)
  func store(_ block: Int, _ value: Vector) { nnp_store(out + block &* stride, value) }

  @inlinable @inline(__always)
  func step<I: InstructionSet>(_ keepsSlopes: Bool, _: I.Type) {
    let reset = gateSigmoid(gate(0), I.self)
    let update = gateSigmoid(gate(1), I.self)
    let own = nnp_load(gates + stride &* 2)
    let candidate = gateTanh(I.fma(reset, own, nnp_load(projected + stride &* 2)), I.self)
    let distance = nnp_load(hidden) - candidate
    let state = I.fma(update, distance, candidate)
    nnp_store(hidden, state)
    store(0, state)
    if keepsSlopes {
      store(1, sigmoidSlope(reset) * own)
      store(2, sigmoidSlope(update) * distance)
      store(3, (nnp_splat(1) - update) * tanhSlope(candidate, I.self))
      store(4, reset)
      store(5, update)
    }
  }
}

/// Its gradient: dn = dh·((1 − z)·tanh′ n), dr = dn·(r′·n′), dz = dh·(z′·(hₜ₋₁ − n)); dn·r goes to the projected state, and dh·z
/// to the state before.
@usableFromInline enum GatedRecurrentUnitGradient: GatedGradient {
  @inlinable @inline(__always) static var gateCount: Int { 3 }
  @inlinable @inline(__always) static var slopeCount: Int { 5 }

  @inlinable @inline(__always)
  static func step(_ columns: GradientColumns, _ counts: Bool) {
    var dh = columns.hiddenGradient
    var candidate = nnp_splat(0)
    if counts {
      candidate = dh * columns.slope(2)
      columns.store(0, candidate * columns.slope(0))
      columns.store(1, dh * columns.slope(1))
      columns.store(2, candidate * columns.slope(3))
      dh = dh * columns.slope(4)
    } else {
      columns.store(0, candidate)
      columns.store(1, candidate)
      columns.store(2, candidate)
    }
    nnp_store(columns.hidden, dh)
    if let target = columns.candidate { nnp_store(target, candidate) }
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
  case .lstm: { gatedGradientStep($0, $1, LongShortTermMemoryGradient.self, I.self) }
  case .gru: { gatedGradientStep($0, $1, GatedRecurrentUnitGradient.self, I.self) }
  }
}
