import CPlatform

// Products of one panel: where one row of A meets sixteen columns or fewer, a single sum would wait for itself at each step of a long k.

extension MatmulArguments {
  /// Whether each output is put together from four sums. By the shape of B alone, so that a row has the same bits in every batch.
  @inlinable @inline(__always)
  public static func splitsSums(n: Int, k: Int) -> Bool { n <= Panels.width && k >= leastSplit }

  /// Shorter sums than this wait less than it takes to put four together.
  @inlinable static var leastSplit: Int { 128 }
}

extension ProductBlock {
  /// The block of one panel, as ``MatmulArguments/splitsSums(n:k:)`` says: as many rows at once as fit, the rest one by one.
  @inlinable @inline(__always)
  public func multiplySplit<Main: Tile, One: Tile>(_: Main.Type, _: One.Type)
  where Main.Columns == OnePanel, One.Columns == OnePanel {
    var row = 0
    while Main.rows > 1 && row &+ Main.rows <= rows {
      multiplySplit(row, Main.self)
      row &+= Main.rows
    }
    while row < rows {
      multiplySplit(row, One.self)
      row &+= 1
    }
  }

  @inlinable @inline(never)
  func multiplySplit<T: Tile>(_ row: Int, _: T.Type) where T.Columns == OnePanel {
    let target = c + row &* cStride
    let (stride, step, panelStep) = (aStride, aStep, panelStep)
    var first = accumulates ? T.load(UnsafePointer(target), cStride, columns) : T.zero
    var (second, third, fourth) = (T.zero, T.zero, T.zero)
    var column = TileColumn(a + row &* stride, stride)
    var b = panels
    var left = k
    while left >= 4 {
      first.step(column, 0, OnePanel.load(b, 0))
      second.step(column.advanced(step), 0, OnePanel.load(b + panelStep, 0))
      third.step(column.advanced(2 &* step), 0, OnePanel.load(b + 2 &* panelStep, 0))
      fourth.step(column.advanced(3 &* step), 0, OnePanel.load(b + 3 &* panelStep, 0))
      column = column.advanced(4 &* step)
      b += 4 &* panelStep
      left &-= 4
    }
    if left > 0 { first.step(column, 0, OnePanel.load(b, 0)) }
    if left > 1 { second.step(column.advanced(step), 0, OnePanel.load(b + panelStep, 0)) }
    if left > 2 { third.step(column.advanced(2 &* step), 0, OnePanel.load(b + 2 &* panelStep, 0)) }
    third.add(fourth)
    first.add(second)
    first.add(third)
    if let columnBias { first.addToRows(OnePanel.loadPartial(columnBias, columns)) }
    if let bounds { first.clip(nnp_splat(bounds.low), nnp_splat(bounds.high)) }
    first.store(target, cStride, columns)
  }
}
