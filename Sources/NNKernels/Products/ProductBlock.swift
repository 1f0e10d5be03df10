import CPlatform
import NNGraph

/// One block of a product: rows of A against panels of B, everything already shifted to the block.
public struct ProductBlock: BitwiseCopyable {
  @usableFromInline var a: UnsafePointer<Float>
  /// From one row of A to the next, and from one element of a row to the next.
  @usableFromInline var aStride: Int
  @usableFromInline var aStep: Int
  @usableFromInline var panels: UnsafePointer<Float>
  /// From one panel of B to the next, and from one row of a panel to the next.
  @usableFromInline var panelStride: Int
  @usableFromInline var panelStep: Int
  /// Where each row of a panel lies (of narrow panels each pair), from `panels` on, if they are not `panelStep` apart, which is 0 then;
  /// nil otherwise. With `readsPanelsAhead`, eight more can be read after the last one.
  @usableFromInline var rowOffsets: UnsafePointer<Int>?
  @usableFromInline var c: UnsafeMutablePointer<Float>
  @usableFromInline var cStride: Int
  /// One number per column, nil for none.
  @usableFromInline var columnBias: UnsafePointer<Float>?
  /// One number per row, nil for none.
  @usableFromInline var rowBias: UnsafePointer<Float>?
  @usableFromInline var rows: Int
  @usableFromInline var columns: Int
  @usableFromInline var k: Int
  /// Whether the products are added to what C holds.
  @usableFromInline var accumulates: Bool
  /// Whether A lies in panels of 16 rows, as ``Panels`` of its transpose; rows are then counted from a panel's first.
  public var aInPanels: Bool
  /// Whether A is weights that are seldom in the cache: rows of k elements, or panels, that follow each other.
  @usableFromInline var readsAhead: Bool
  /// Whether B is panels of weights that are seldom in the cache and, for more than one row, follow each other.
  @usableFromInline var readsPanelsAhead: Bool
  /// What has nothing to do with the product and is brought to the second-level cache meanwhile, `aheadStep` elements with each step along
  /// k; of each panel of B, it lies `aheadStride` further. Nil for nothing.
  @usableFromInline var ahead: UnsafePointer<Float>?
  @usableFromInline var aheadStride: Int
  @usableFromInline var aheadStep: Int
  /// What results are kept between on the way to memory, nil for nothing.
  @usableFromInline var bounds: (low: Float, high: Float)?
  /// What is added to the results after the bias, before the bounds, laid out as C; nil for nothing.
  @usableFromInline var residual: UnsafePointer<Float>?

  @inlinable @inline(__always)
  public init(
    a: UnsafePointer<Float>, aStride: Int, aStep: Int = 1, panels: UnsafePointer<Float>, panelStride: Int,
    panelStep: Int = 16, c: UnsafeMutablePointer<Float>, cStride: Int, columnBias: UnsafePointer<Float>?,
    rowBias: UnsafePointer<Float>?, rows: Int, columns: Int, k: Int, accumulates: Bool = false,
    aInPanels: Bool = false, readsAhead: Bool = false, readsPanelsAhead: Bool = false,
    epilogue: Epilogue = .none
  ) {
    self.aInPanels = aInPanels
    self.readsAhead = readsAhead
    self.readsPanelsAhead = readsPanelsAhead
    bounds = epilogue.bounds
    residual = nil
    ahead = nil
    aheadStride = 0
    aheadStep = 0
    self.a = a
    self.aStride = aStride
    self.aStep = aStep
    self.panels = panels
    self.panelStride = panelStride
    self.panelStep = panelStep
    rowOffsets = nil
    self.accumulates = accumulates
    self.c = c
    self.cStride = cStride
    self.columnBias = columnBias
    self.rowBias = rowBias
    self.rows = rows
    self.columns = columns
    self.k = k
  }
}

/// What one tile has brought to the second-level cache: a line for each `step` elements.
@usableFromInline struct PanelsAhead {
  @usableFromInline var start: UnsafePointer<Float>
  @usableFromInline let step: Int
  /// Where the part of a panel ends, and from there to the next panel's.
  @usableFromInline var end: UnsafePointer<Float>
  @usableFromInline let gap: Int

  @inlinable @inline(__always)
  init(start: UnsafePointer<Float>, step: Int, part: Int, panelStride: Int) {
    self.start = start
    self.step = step
    end = start + part &* 16
    gap = panelStride &- part &* 16
  }

  /// Panels that lie beside each other, `count` rows that are `step` apart: each tile asks for all of one.
  @inlinable @inline(__always)
  init(rows: UnsafePointer<Float>, step: Int, count: Int) {
    start = rows
    self.step = step
    end = rows
    gap = 16 &- step &* count
  }

  /// For the tile below.
  @inlinable @inline(__always) func advanced(_ k: Int) -> PanelsAhead {
    var next = self
    next.start += step &* k
    if next.start >= end {
      next.start += gap
      next.end += gap &+ k &* 16
    }
    return next
  }
}

extension ProductBlock {
  /// One tile over k in `kBegin ..< kEnd`: begins at 0 for the first part of k, continues from C otherwise; adds the bias
  /// after the last.
  @inlinable @inline(__always)
  func multiply<T: Tile>(
    _ row: Int, _ panel: Int, _ kBegin: Int, _ kEnd: Int, _: T.Type, next: PanelsAhead? = nil
  ) {
    let width = columns &- panel &* 16
    let place = row &* cStride &+ panel &* 16
    let target = c + place
    let isStart = kBegin == 0 && !accumulates
    var tile = isStart ? T.zero : T.load(UnsafePointer(target), cStride, width)
    let (panelStride, panelStep) = (panelStride, panelStep)
    let (stride, step) = aInPanels ? (1, 16) : (aStride, aStep)
    let firstRow = panels + panel &* panelStride
    let first = aInPanels ? row / 16 &* 16 &* k &+ row % 16 : row &* stride
    var column = TileColumn(a + (first &+ kBegin &* step), stride)
    // The first tiles of each row ask for the next rows, or in panels for what is read 64 lines later.
    let isAhead = readsAhead && panel == 0 && kEnd &- kBegin == k
    var ahead = isAhead ? column.first + (aInPanels ? 1024 : T.rows &* stride) : column.first
    var aheadStep = isAhead ? (aInPanels ? 16 : T.rows) : 0
    if let next { (ahead, aheadStep) = (next.start, next.step) }
    let asks = T.rows >= 4 && MemoryLayout<T.Columns>.size >= MemoryLayout<Vector>.size
    // Two loops: in the innermost ones, each question counts.
    var left = kEnd &- kBegin
    if let rowOffsets {
      var place = rowOffsets + kBegin
      while left > 0 {
        if asks {
          nnp_prefetch_far(ahead)
          ahead += aheadStep
        }
        if T.rows == 1 && readsPanelsAhead { T.Columns.prefetch(firstRow + place[8], panelStride) }
        tile.step(column, 0, T.Columns.load(firstRow + place.pointee, panelStride))
        place += 1
        column = column.advanced(step)
        left &-= 1
      }
    } else {
      var b = firstRow + kBegin &* panelStep
      while left > 0 {
        if asks {
          nnp_prefetch_far(ahead)
          // The odd one may have its panels to itself, and so two lines at a time.
          if T.rows == 9 && aheadStep > 16 { nnp_prefetch_far(ahead + 16) }
          ahead += aheadStep
        }
        tile.step(column, 0, T.Columns.load(b, panelStride))
        b += panelStep
        column = column.advanced(step)
        left &-= 1
      }
    }
    let isWhole = width >= T.Columns.panels &* 16
    let residual = T.Instructions.fusesConvolutions && kEnd == k ? residual : nil
    if kEnd == k {
      if let columnBias { tile.addToRows(T.Columns.loadPartial(columnBias + panel &* 16, width)) }
      if let rowBias { tile.addPerRow(rowBias + row) }
      if let residual, isWhole { tile.add(residual + place, cStride) }
      if let bounds, residual == nil || isWhole { tile.clip(nnp_splat(bounds.low), nnp_splat(bounds.high)) }
    }
    tile.store(target, cStride, width)
    if let residual, !isWhole {
      add(residual + place, to: target, rows: T.rows, columns: width, T.Instructions.self)
    }
  }

  /// What the `tiles` tiles of a column ask for: ``ahead``; else of the next panels, each a part of weights, or a panel of an image's rows;
  /// nil where these were gathered, and are in the cache.
  @inlinable @inline(__always)
  func panelsAhead<T: Tile>(_ panel: Int, _ tiles: Int, _ kBegin: Int, _ kEnd: Int, _: T.Type) -> PanelsAhead?
  {
    if let ahead {
      return PanelsAhead(start: ahead + panel &* aheadStride, step: aheadStep, part: k, panelStride: k &* 16)
    }
    guard readsPanelsAhead else {
      guard panelStep > 16, panel > 0 else { return nil }
      return PanelsAhead(
        rows: panels + ((panel &+ T.Columns.panels) &* 16 &+ kBegin &* panelStep), step: panelStep,
        count: kEnd &- kBegin)
    }
    guard tiles > 0 else { return nil }
    return PanelsAhead(
      start: panels + ((panel &+ T.Columns.panels) &* panelStride &+ kBegin &* 16),
      step: (T.Columns.panels &* 16 &+ tiles &- 1) / tiles, part: kEnd &- kBegin, panelStride: panelStride)
  }

  /// All panels for `count` tiles of rows from `row` on.
  @inlinable @inline(never)
  func sweep<T: Tile>(_ row: Int, _ count: Int, _ kBegin: Int, _ kEnd: Int, _: T.Type) {
    let panelCount = Panels.count(columns: columns)
    let last = row &+ count &* T.rows
    var panel = 0
    while panel &+ T.Columns.panels <= panelCount {
      var r = row
      while r < last {
        multiply(r, panel, kBegin, kEnd, T.self)
        r &+= T.rows
      }
      panel &+= T.Columns.panels
    }
    while panel < panelCount {
      var r = row
      while r < last {
        multiply(r, panel, kBegin, kEnd, T.Narrow.self)
        r &+= T.rows
      }
      panel &+= 1
    }
  }

  /// One column of tiles: as many of `Tall` as leave whole ones of `T`, whose height is two thirds of theirs, then as many of `T` as rows
  /// from `row` to `last` take; the rest by one-panel tiles of `Rest`, which divide them. What is asked for ahead is shared out among all
  /// but those and `more` tiles below, for which the rest of it is returned: asked for faster, it would fill the places that the tiles' own
  /// reads wait for.
  @inlinable @inline(never)
  @discardableResult
  func cover<Tall: Tile, T: Tile, Rest: Tile>(
    _ row: Int, _ last: Int, _ panel: Int, _ kBegin: Int, _ kEnd: Int, _: Tall.Type, _: T.Type,
    rest: Rest.Type, more: Int = 0
  ) -> PanelsAhead? {
    var tall = 0
    if Tall.rows > T.rows, !aInPanels {
      let thirds = (last &- row) / (Tall.rows &- T.rows)
      tall = max(0, thirds % 3 == 1 ? thirds / 3 &- 1 : thirds / 3)
    }
    let tiles = tall &+ (last &- row &- tall &* Tall.rows) / T.rows
    var ahead = panelsAhead(panel, tiles &+ more, kBegin, kEnd, T.self)
    var next = row
    if Tall.rows > T.rows {
      next = cover(next, next &+ tall &* Tall.rows, panel, kBegin, kEnd, Tall.self, &ahead)
    }
    next = cover(next, last, panel, kBegin, kEnd, T.self, &ahead)
    if Rest.rows < T.rows, next < last {
      coverRest(next, last, panel, T.Columns.panels, kBegin, kEnd, Rest.self)
    }
    return ahead
  }

  /// As many tiles as fit; the row after the last one.
  @inlinable @inline(__always)
  func cover<T: Tile>(
    _ row: Int, _ last: Int, _ panel: Int, _ kBegin: Int, _ kEnd: Int, _: T.Type, _ ahead: inout PanelsAhead?
  ) -> Int {
    var r = row
    while r &+ T.rows <= last {
      multiply(r, panel, kBegin, kEnd, T.self, next: ahead)
      ahead = ahead?.advanced(kEnd &- kBegin)
      r &+= T.rows
    }
    return r
  }

  /// `count` panels one after the other.
  @inlinable @inline(never)
  func coverRest<T: Tile>(
    _ row: Int, _ last: Int, _ panel: Int, _ count: Int, _ kBegin: Int, _ kEnd: Int, _: T.Type
  ) {
    var r = row
    while r < last {
      var p = 0
      while p < count {
        multiply(r, panel &+ p, kBegin, kEnd, T.self)
        p &+= 1
      }
      r &+= T.rows
    }
  }

  /// Up to this k, the panels of a main tile stay in the first-level cache.
  @inlinable static var mainPart: Int { 128 }
  /// Longer k goes in parts.
  @inlinable static var longestPart: Int { 2048 }

  /// The whole block with the given tiles: the main one takes as many rows as it fits; those of 4, 2 and 1 rows the rest. Panels that the
  /// main one leaves over go to taller tiles, of three panels, two and one, so that there are always enough sums on their way, and eight
  /// columns or fewer to `half` and the shorter `halfRest`. Rows of A that lie in no panels go to tiles of `tall` before those of `pair`.
  /// One row more than pairs take, as tiles and pixels of odd squares are, goes to a last one of `odd`.
  ///
  /// Where k is so long that the panels of a main tile leave the first-level cache before the next rows pass by, tiles of two panels take
  /// them all: those read half as much of B for each sum, tall ones a third. Longer k goes in equal parts that keep two panels in the
  /// second-level cache; each part reads and writes C once more.
  @inlinable @inline(__always)
  public func run<
    Main: Tile, Triple: Tile, Tall: Tile, Pair: Tile, Odd: Tile, Single: Tile, Half: Tile, HalfRest: Tile,
    Four: Tile,
    Two: Tile,
    One: Tile
  >(
    _: Main.Type, triple: Triple.Type, tall: Tall.Type, pair: Pair.Type, odd: Odd.Type, single: Single.Type,
    half: Half.Type,
    halfRest: HalfRest.Type,
    _: Four.Type, _: Two.Type, _: One.Type
  ) {
    let parts = rows > 8 ? (k &+ Self.longestPart &- 1) / Self.longestPart : 1
    let part = parts > 1 ? (k &+ parts &- 1) / parts : max(1, k)
    let panelCount = Panels.count(columns: columns)
    var kBegin = 0
    repeat {
      let kEnd = min(k, kBegin &+ part)
      let main = rows / Main.rows
      var row = main &* Main.rows
      if Odd.rows > Pair.rows, rows % Pair.rows == 1, rows > Pair.rows, columns & 31 == 0, !aInPanels {
        var panel = 0
        row = rows &- Odd.rows
        while panel < panelCount {
          let ahead = cover(
            0, row, panel, kBegin, kEnd, Tall.self, Pair.self, rest: Main.Narrow.self, more: 1)
          multiply(row, panel, kBegin, kEnd, Odd.self, next: ahead)
          panel &+= Pair.Columns.panels
        }
        row = rows
      } else if main > 0 {
        var panel = 0
        // A last panel of which half is wanted is left for the end.
        let hasHalf = columns &- (panelCount &- 1) &* 16 <= 8
        let whole = hasHalf ? panelCount &- 1 : panelCount
        while part <= Self.mainPart && panel &+ Main.Columns.panels <= whole {
          cover(0, row, panel, kBegin, kEnd, Main.self, Main.self, rest: Main.Narrow.self)
          panel &+= Main.Columns.panels
        }
        while whole &- panel != 3 && panel &+ Pair.Columns.panels <= whole {
          cover(0, row, panel, kBegin, kEnd, Tall.self, Pair.self, rest: Main.Narrow.self)
          panel &+= Pair.Columns.panels
        }
        if whole &- panel == 3 {
          cover(0, row, panel, kBegin, kEnd, Triple.self, Triple.self, rest: Main.Narrow.self)
          panel &+= Triple.Columns.panels
        }
        while panel < whole {
          cover(0, row, panel, kBegin, kEnd, Single.self, Single.self, rest: Main.Narrow.self)
          panel &+= Single.Columns.panels
        }
        if hasHalf { cover(0, row, panel, kBegin, kEnd, Half.self, Half.self, rest: HalfRest.self) }
      }
      let four = (rows &- row) / 4
      if four > 0 { sweep(row, four, kBegin, kEnd, Four.self) }
      row &+= four &* 4
      if rows &- row >= 2 {
        sweep(row, 1, kBegin, kEnd, Two.self)
        row &+= 2
      }
      if row < rows { sweep(row, 1, kBegin, kEnd, One.self) }
      kBegin = kEnd
    } while kBegin < k
  }

  /// The whole block with the tiles of an instruction set, by code that all callers share.
  @inlinable @inline(never)
  public func run<I: InstructionSet>(_: I.Type) { I.multiply(self) }

  /// The activation over every row, while the block is still in the cache.
  @inlinable @inline(never)
  func finish<I: InstructionSet>(_ epilogue: Epilogue, _: I.Type) {
    var row = 0
    while row < rows {
      epilogue.apply(to: c + row &* cStride, columns, I.self)
      row &+= 1
    }
  }
}
