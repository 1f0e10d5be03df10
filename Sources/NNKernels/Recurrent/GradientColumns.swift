import CPlatform

/// The gradient of one kind of gated recurrence, for sixteen columns of a row.
@usableFromInline protocol GatedGradient {
  static var gateCount: Int { get }
  static var slopeCount: Int { get }
  static func step(_ columns: GradientColumns, _ counts: Bool)
}

/// Sixteen columns of a row of ``RecurrentGradientStepArguments``, with the distances of its blocks.
@usableFromInline struct GradientColumns {
  @usableFromInline var slopes: UnsafePointer<Float>
  @usableFromInline var dy: UnsafePointer<Float>?
  @usableFromInline var hasCell: Bool
  @usableFromInline var hidden: UnsafeMutablePointer<Float>
  @usableFromInline var cell: UnsafeMutablePointer<Float>
  @usableFromInline var gates: UnsafeMutablePointer<Float>
  /// Where the gradient of pₜ's n goes, of the gated recurrent unit.
  @usableFromInline var candidate: UnsafeMutablePointer<Float>?
  @usableFromInline var stride: Int

  @inlinable @inline(__always)
  init(_ arguments: RecurrentGradientStepArguments, _ row: Int, gateCount: Int) {
    stride = arguments.units
    slopes = arguments.slopes + row &* arguments.slopesStride
    dy = nil
    if let all = arguments.dy { dy = all + row &* arguments.dyStride }
    hasCell = arguments.hasCell
    hidden = arguments.hidden + row &* stride
    cell = arguments.cell + row &* stride
    gates = arguments.gates + row &* stride &* gateCount
    candidate = nil
    if gateCount == 3, let out = arguments.out {
      candidate = out + (row &* arguments.outStride &+ stride &* 3)
    }
  }

  @inlinable @inline(__always)
  mutating func advance() {
    slopes += 16
    if let present = dy { dy = present + 16 }
    hidden += 16
    cell += 16
    gates += 16
    if let present = candidate { candidate = present + 16 }
  }

  @inlinable @inline(__always)
  func slope(_ block: Int) -> Vector { nnp_load(slopes + block &* stride) }

  @inlinable @inline(__always)
  func store(_ gate: Int, _ value: Vector) { nnp_store(gates + gate &* stride, value) }

  /// The gradient of h.
  @inlinable @inline(__always)
  var hiddenGradient: Vector {
    let passed = nnp_load(hidden)
    guard let dy else { return passed }
    return passed + nnp_load(dy)
  }

  /// The gradient of c.
  @inlinable @inline(__always)
  var cellGradient: Vector {
    let passed = nnp_load(cell)
    guard hasCell, let dy else { return passed }
    return passed + nnp_load(dy + stride)
  }

  /// These columns, of which `left` are left, at `tail`, which has room for sixteen blocks.
  @inlinable @inline(__always)
  func gathered(_ slopeCount: Int, _ tail: UnsafeMutablePointer<Float>, _ left: Int) -> GradientColumns {
    ColumnTail.gather(slopeCount, slopes, stride, tail, left)
    ColumnTail.gather(1, UnsafePointer(hidden), stride, tail + 128, left)
    ColumnTail.gather(1, UnsafePointer(cell), stride, tail + 144, left)
    if let dy { ColumnTail.gather(hasCell ? 2 : 1, dy, stride, tail + 96, left) }
    var result = self
    result.slopes = UnsafePointer(tail)
    result.hidden = tail + 128
    result.cell = tail + 144
    result.gates = tail + 160
    result.stride = 16
    if dy != nil { result.dy = UnsafePointer(tail + 96) }
    if candidate != nil { result.candidate = tail + 224 }
    return result
  }

  /// Copies the results at `tail` back to these columns.
  @inlinable @inline(__always)
  func scatter(_ gateCount: Int, _ tail: UnsafeMutablePointer<Float>, _ left: Int) {
    ColumnTail.scatter(1, UnsafePointer(tail + 128), hidden, stride, left)
    ColumnTail.scatter(1, UnsafePointer(tail + 144), cell, stride, left)
    ColumnTail.scatter(gateCount, UnsafePointer(tail + 160), gates, stride, left)
    if let candidate { ColumnTail.scatter(1, UnsafePointer(tail + 224), candidate, stride, left) }
  }
}

/// A step's gradient for some rows.
@inlinable @inline(never)
func gatedGradientStep<Kind: GatedGradient, I: InstructionSet>(
  _ arguments: RecurrentGradientStepArguments, _ rows: Range<Int>, _: Kind.Type, _: I.Type
) {
  var lanes = Lanes()
  withUnsafeMutableBytes(of: &lanes) { memory in
    let tail = memory.baseAddress!.assumingMemoryBound(to: Float.self)
    var row = rows.lowerBound
    while row < rows.upperBound {
      let counts = arguments.counts(row)
      let whole = GradientColumns(arguments, row, gateCount: Kind.gateCount)
      var part = whole
      var left = arguments.units
      while left > 0 {
        let own = part
        if left < 16 { part = own.gathered(Kind.slopeCount, tail, left) }
        Kind.step(part, counts)
        if left < 16 { own.scatter(Kind.gateCount, tail, left) }
        part.advance()
        left &-= 16
      }
      if let out = arguments.out {
        nnp_copy(out + row &* arguments.outStride, whole.gates, arguments.units &* Kind.gateCount)
      }
      row &+= 1
    }
  }
}
