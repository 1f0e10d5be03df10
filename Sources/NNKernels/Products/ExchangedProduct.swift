import CPlatform

// Products with few columns, such as the 49 pixels of a 7 x 7 image: the operands change places, so that filters fill the lanes, of
// which columns would leave some empty, and every tile is wide.

extension ProductBlock {
  /// Whether so many columns leave enough lanes empty, or tiles so narrow, that exchanging the operands takes less time. `lanes` are what
  /// the columns take up otherwise; short sums would not make up for turning the results.
  @inlinable @inline(__always)
  static func gainsByExchange(columns: Int, lanes: Int, k: Int) -> Bool {
    k >= 64 && (columns <= 16 || columns <= 64 && columns &* 27 <= lanes &* 25)
  }

  /// The same product and bits, as Cᵀ = Bᵀ·Aᵀ by way of `scratch`. A lies in panels, from the first row of one on, and B as rows
  /// that hold all columns.
  @inlinable @inline(never)
  func multiplyExchanged<I: InstructionSet>(_ scratch: UnsafeMutablePointer<Float>, _: I.Type) {
    let width = Panels.count(columns: rows) &* 16
    var exchanged = self
    exchanged.a = panels
    exchanged.aStride = 1
    exchanged.aStep = panelStep
    exchanged.aInPanels = false
    exchanged.panels = a
    exchanged.panelStride = k &* 16
    exchanged.panelStep = 16
    exchanged.c = scratch
    exchanged.cStride = width
    exchanged.columnBias = rowBias
    exchanged.rowBias = nil
    exchanged.residual = nil
    if residual != nil { exchanged.bounds = nil }
    exchanged.rows = columns
    exchanged.columns = rows
    exchanged.readsAhead = false
    exchanged.readsPanelsAhead = readsAhead
    exchanged.run(I.self)
    I.transpose(UnsafePointer(scratch), width, c, cStride, rows, columns)
    if I.fusesConvolutions, let residual {
      add(residual, to: c, rows: rows, columns: columns, I.self)
    }
  }
}
