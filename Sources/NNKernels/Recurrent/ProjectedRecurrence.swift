import CPlatform
import NNGraph

// A gated recurrence over one sequence together with the product that projects the sequence.
//
// A step reads the whole recurrent weight from the second-level cache, and the arithmetic units wait for it half of the time.
// Meanwhile they project rows of later steps: a tile of them takes a step for every few of the recurrent product. Every sum
// is that of the separate kernels, in their order.

/// Work of one call: all steps of one sequence. See ``RecurrentStepArguments`` and `Op.recurrent`.
public struct ProjectedRecurrenceArguments {
  /// The sequence (T, K), K being at least 1, and its weight (K, gates·H) in panels with a bias (gates·H) or nil.
  public var x: UnsafePointer<Float>
  public var k: Int
  public var weight: UnsafePointer<Float>
  public var bias: UnsafePointer<Float>?
  /// Memory for p, (T, gates·H).
  public var projected: UnsafeMutablePointer<Float>
  /// R (H, gates·H) in panels, and c of the gated recurrent unit.
  public var recurrentWeight: UnsafePointer<Float>
  public var recurrentBias: UnsafePointer<Float>?
  /// Two places for h, of which the first holds the initial state, and one for the long short-term memory's c.
  public var hidden: (UnsafeMutablePointer<Float>, UnsafeMutablePointer<Float>)
  public var cell: UnsafeMutablePointer<Float>
  /// Each step's h, and with `showsCell` c behind it; rows `outStride` apart.
  public var out: UnsafeMutablePointer<Float>
  public var outStride: Int
  public var showsCell: Bool
  public var steps: Int
  /// H, a multiple of 16.
  public var units: Int
  public var isReversed: Bool
  /// Blocks of H numbers in a row of p.
  public var gateCount: Int

  @inlinable public init(
    x: UnsafePointer<Float>, k: Int, weight: UnsafePointer<Float>, bias: UnsafePointer<Float>?,
    projected: UnsafeMutablePointer<Float>, recurrentWeight: UnsafePointer<Float>,
    recurrentBias: UnsafePointer<Float>?,
    hidden: (UnsafeMutablePointer<Float>, UnsafeMutablePointer<Float>), cell: UnsafeMutablePointer<Float>,
    out: UnsafeMutablePointer<Float>, outStride: Int, showsCell: Bool, steps: Int, units: Int,
    isReversed: Bool, gateCount: Int
  ) {
    self.x = x
    self.k = k
    self.weight = weight
    self.bias = bias
    self.projected = projected
    self.recurrentWeight = recurrentWeight
    self.recurrentBias = recurrentBias
    self.hidden = hidden
    self.cell = cell
    self.out = out
    self.outStride = outStride
    self.showsCell = showsCell
    self.steps = steps
    self.units = units
    self.isReversed = isReversed
    self.gateCount = gateCount
  }
}

public typealias ProjectedRecurrenceKernel = @Sendable (_ arguments: ProjectedRecurrenceArguments) -> Void

/// What a kind of gated recurrence does with the sums of sixteen units, in two halves: the second one runs beside the first half of the
/// next units, so that the processor has two chains of operations to work on.
@usableFromInline protocol GatedUnits {
  /// R·h of each gate.
  associatedtype Sums: PanelRow
  /// What is projected at once beside the sums, where there are many registers.
  associatedtype Projection: Tile
  associatedtype Pending
  static var nothing: Pending { get }
  static func begin(_ sums: Sums, _ place: GatedUnitsPlace) -> Pending
  static func end(_ pending: Pending, _ place: GatedUnitsPlace)
}

/// Where the sixteen units' numbers are; blocks of gates and results are `stride` apart.
@usableFromInline struct GatedUnitsPlace {
  @usableFromInline var projected: UnsafePointer<Float>
  @usableFromInline var bias: UnsafePointer<Float>?
  @usableFromInline var hidden: UnsafePointer<Float>
  @usableFromInline var nextHidden: UnsafeMutablePointer<Float>
  @usableFromInline var cell: UnsafeMutablePointer<Float>
  @usableFromInline var out: UnsafeMutablePointer<Float>
  /// Where c of the result belongs; where nobody wants it there, the same as `cell`.
  @usableFromInline var cellOut: UnsafeMutablePointer<Float>
  @usableFromInline var stride: Int

  @inlinable @inline(__always)
  init(
    projected: UnsafePointer<Float>, bias: UnsafePointer<Float>?, hidden: UnsafePointer<Float>,
    nextHidden: UnsafeMutablePointer<Float>, cell: UnsafeMutablePointer<Float>,
    out: UnsafeMutablePointer<Float>, cellOut: UnsafeMutablePointer<Float>, stride: Int
  ) {
    self.projected = projected
    self.bias = bias
    self.hidden = hidden
    self.nextHidden = nextHidden
    self.cell = cell
    self.out = out
    self.cellOut = cellOut
    self.stride = stride
  }

  /// The place of the sixteen units `offset` further on.
  @inlinable @inline(__always)
  func advanced(_ offset: Int) -> GatedUnitsPlace {
    var shifted = bias
    if let bias { shifted = bias + offset }
    return GatedUnitsPlace(
      projected: projected + offset, bias: shifted, hidden: hidden + offset, nextHidden: nextHidden + offset,
      cell: cell + offset, out: out + offset, cellOut: cellOut + offset, stride: stride)
  }

  @inlinable @inline(__always)
  func input(_ gate: Int) -> Vector { nnp_load(projected + gate &* stride) }

  @inlinable @inline(__always)
  func biased(_ sum: Vector, _ gate: Int) -> Vector {
    guard let bias else { return sum }
    return sum + nnp_load(bias + gate &* stride)
  }
}

@usableFromInline enum LongShortTermMemoryUnits<I: InstructionSet>: GatedUnits {
  @usableFromInline typealias Sums = FourPanels
  @usableFromInline typealias Projection = Rows8<I, TwoPanels>

  @inlinable @inline(__always)
  static var nothing: (outputDivisor: Vector, cell: Vector) { (nnp_splat(0), nnp_splat(0)) }

  @inlinable @inline(__always)
  static func begin(_ sums: FourPanels, _ place: GatedUnitsPlace) -> (outputDivisor: Vector, cell: Vector) {
    let inputDivisor = gateSigmoidDivisor(sums.left.left.v + place.input(0), I.self)
    let forget = gateSigmoid(sums.left.right.v + place.input(1), I.self)
    let added = gatedTanh(divisor: inputDivisor, sums.right.left.v + place.input(2), I.self)
    let outputDivisor = gateSigmoidDivisor(sums.right.right.v + place.input(3), I.self)
    let cell = I.fma(forget, nnp_load(place.cell), added)
    nnp_store(place.cell, cell)
    nnp_store(place.cellOut, cell)
    return (outputDivisor, cell)
  }

  @inlinable @inline(__always)
  static func end(_ pending: (outputDivisor: Vector, cell: Vector), _ place: GatedUnitsPlace) {
    let state = gatedTanh(divisor: pending.outputDivisor, pending.cell, I.self)
    nnp_store(place.nextHidden, state)
    nnp_store(place.out, state)
  }
}

@usableFromInline enum GatedRecurrentUnitUnits<I: InstructionSet>: GatedUnits {
  @usableFromInline typealias Sums = ThreePanels
  @usableFromInline typealias Projection = Rows12<I, TwoPanels>

  @inlinable @inline(__always)
  static var nothing: (update: Vector, argument: Vector) { (nnp_splat(0), nnp_splat(0)) }

  @inlinable @inline(__always)
  static func begin(_ sums: ThreePanels, _ place: GatedUnitsPlace) -> (update: Vector, argument: Vector) {
    let reset = gateSigmoid(place.biased(sums.left.left.v, 0) + place.input(0), I.self)
    let update = gateSigmoid(place.biased(sums.left.right.v, 1) + place.input(1), I.self)
    return (update, I.fma(reset, place.biased(sums.right.v, 2), place.input(2)))
  }

  @inlinable @inline(__always)
  static func end(_ pending: (update: Vector, argument: Vector), _ place: GatedUnitsPlace) {
    let candidate = gateTanh(pending.argument, I.self)
    let state = I.fma(pending.update, nnp_load(place.hidden) - candidate, candidate)
    nnp_store(place.nextHidden, state)
    nnp_store(place.out, state)
  }
}

/// Rows of p that are computed ahead of their steps, a tile's panels at a time.
@usableFromInline struct ProjectionAhead<Rows: Tile> {
  @usableFromInline var x: UnsafePointer<Float>
  @usableFromInline var k: Int
  @usableFromInline var weight: UnsafePointer<Float>
  @usableFromInline var bias: UnsafePointer<Float>?
  @usableFromInline var out: UnsafeMutablePointer<Float>
  @usableFromInline var outStride: Int
  /// The panels that are being computed, over the first `done` of k.
  @usableFromInline var tile: Rows
  @usableFromInline var done: Int
  @usableFromInline var tilesLeft: Int
  /// Panels after those that are being computed.
  @usableFromInline var panelsBehind: Int

  /// Tiles of so many panels; the last one may compute some that the one before it did.
  @inlinable @inline(__always)
  static func tiles(_ panels: Int) -> Int { (panels &+ Rows.Columns.panels &- 1) / Rows.Columns.panels }

  /// - Parameters:
  ///   - row: the first of the rows.
  ///   - panels: those of p's columns, or 0 if there are no rows left.
  @inlinable @inline(__always)
  init(_ arguments: ProjectedRecurrenceArguments, row: Int, panels: Int) {
    outStride = arguments.units &* arguments.gateCount
    x = arguments.x + row &* arguments.k
    k = arguments.k
    weight = arguments.weight
    bias = arguments.bias
    out = arguments.projected + row &* outStride
    tile = .zero
    done = 0
    tilesLeft = Self.tiles(panels)
    panelsBehind = panels &- Rows.Columns.panels
  }

  /// A row of the panels that are being computed, of which the first one's is at `row`.
  @inlinable @inline(__always)
  func weights(_ row: UnsafePointer<Float>) -> Rows.Columns { Rows.Columns.load(row, k &* 16) }

  /// Ends a tile and begins the next one.
  @inlinable @inline(__always)
  mutating func finishTile() {
    if let bias { tile.addToRows(Rows.Columns.load(bias, 16)) }
    tile.store(out, outStride, Rows.Columns.panels &* 16)
    tile = .zero
    done = 0
    tilesLeft &-= 1
    let advance = min(Rows.Columns.panels, panelsBehind)
    panelsBehind &-= advance
    weight += advance &* k &* 16
    out += advance &* 16
    if let present = bias { bias = present + advance &* 16 }
  }
}

/// R·h of a block of units, whose gates' panels are `gateStride` apart; meanwhile `quota` steps of the projection.
@inlinable @inline(__always)
func gateSums<Sums: PanelRow, Rows: Tile, I: InstructionSet>(
  _ hidden: UnsafePointer<Float>, _ units: Int, _ panel: UnsafePointer<Float>, _ gateStride: Int,
  projecting ahead: inout ProjectionAhead<Rows>, _ quota: Int, _: Sums.Type, _: I.Type
) -> Sums {
  var sums = Sums.zero
  var panel = panel
  var index = 0
  var quota = quota
  while quota > 0, ahead.tilesLeft > 0 {
    let count = min(quota, ahead.k &- ahead.done)
    quota &-= count
    var tile = ahead.tile
    var x = TileColumn(ahead.x + ahead.done, ahead.k)
    var weight = ahead.weight + ahead.done &* 16
    // A step of the projection for as many of the recurrent product as make that many sums.
    let group = Rows.rows &* Rows.Columns.panels / Sums.panels
    let together = min(count, (units &- index) / group)
    var left = together
    while left > 0 {
      tile.step(x, 0, ahead.weights(weight))
      var member = 0
      while member < group {
        sums = sums.adding(product: nnp_splat(hidden[index]), Sums.load(panel, gateStride), I.self)
        panel += 16
        index &+= 1
        member &+= 1
      }
      x = x.advanced(1)
      weight += 16
      left &-= 1
    }
    left = count &- together
    while left > 0 {
      tile.step(x, 0, ahead.weights(weight))
      x = x.advanced(1)
      weight += 16
      left &-= 1
    }
    ahead.tile = tile
    ahead.done &+= count
    if ahead.done == ahead.k { ahead.finishTile() }
  }
  while index < units {
    sums = sums.adding(product: nnp_splat(hidden[index]), Sums.load(panel, gateStride), I.self)
    panel += 16
    index &+= 1
  }
  return sums
}

/// See ``ProjectedRecurrenceArguments``.
@inlinable @inline(never)
func projectedRecurrence<Units: GatedUnits, Rows: Tile>(
  _ arguments: ProjectedRecurrenceArguments, _: Units.Type, _: Rows.Type
) {
  typealias I = Rows.Instructions
  let (units, steps) = (arguments.units, arguments.steps)
  let (blocks, gateStride) = (units / 16, units &* units)
  let panels = blocks &* arguments.gateCount
  // The first rows are projected before the first step: as many as leave whole tiles.
  var ready = (steps &- 1) % Rows.rows &+ 1
  let firstRow = arguments.isReversed ? steps &- ready : 0
  let columns = panels &* 16
  let first = MatmulArguments(
    a: arguments.x + firstRow &* arguments.k, panels: arguments.weight,
    c: arguments.projected + firstRow &* columns, bias: arguments.bias, m: ready, n: columns, k: arguments.k)
  matmul(first, 0..<first.workUnits, I.self)

  var (hidden, nextHidden) = arguments.hidden
  var step = 0
  while step < steps {
    let hasNext = ready < steps
    let nextRow = arguments.isReversed ? steps &- ready &- Rows.rows : ready
    var ahead = ProjectionAhead<Rows>(arguments, row: hasNext ? nextRow : 0, panels: hasNext ? panels : 0)
    // The work is spread evenly over the blocks of these steps.
    let turns = (ready &- step) &* blocks
    let quota = (ProjectionAhead<Rows>.tiles(panels) &* arguments.k &+ turns &- 1) / turns
    while step < ready {
      let position = arguments.isReversed ? steps &- 1 &- step : step
      let out = arguments.out + position &* arguments.outStride
      let place = GatedUnitsPlace(
        projected: UnsafePointer(arguments.projected + position &* columns), bias: arguments.recurrentBias,
        hidden: UnsafePointer(hidden), nextHidden: nextHidden, cell: arguments.cell,
        out: out, cellOut: arguments.showsCell ? out + units : arguments.cell, stride: units)
      var pending = Units.nothing
      // To and fro: what the first-level cache holds of the last step's last panels is read first.
      let back = step % 2
      let direction = 1 &- 2 &* back
      var block = back &* (blocks &- 1)
      var last = block
      var left = blocks
      while left > 0 {
        let sums = gateSums(
          UnsafePointer(hidden), units, arguments.recurrentWeight + block &* units &* 16, gateStride,
          projecting: &ahead, quota, Units.Sums.self, I.self)
        let next = Units.begin(sums, place.advanced(block &* 16))
        if left < blocks { Units.end(pending, place.advanced(last &* 16)) }
        pending = next
        last = block
        block &+= direction
        left &-= 1
      }
      Units.end(pending, place.advanced(last &* 16))
      swap(&hidden, &nextHidden)
      step &+= 1
    }
    if hasNext { ready &+= Rows.rows }
  }
}

@inlinable @inline(__always)
func projectedRecurrenceKernel<I: InstructionSet>(
  _ kind: Recurrent.Kind, _: I.Type
) -> ProjectedRecurrenceKernel? {
  switch kind {
  case .simple: nil
  case .lstm: { projectedRecurrence($0, LongShortTermMemoryUnits<I>.self, I.self) }
  case .gru: { projectedRecurrence($0, GatedRecurrentUnitUnits<I>.self, I.self) }
  }
}

@inlinable @inline(__always)
func projectedRecurrence<Units: GatedUnits, I: InstructionSet>(
  _ arguments: ProjectedRecurrenceArguments, _: Units.Type, _: I.Type
) {
  if I.hasManyRegisters {
    projectedRecurrence(arguments, Units.self, Units.Projection.self)
  } else {
    projectedRecurrence(arguments, Units.self, Rows8<I, OnePanel>.self)
  }
}
