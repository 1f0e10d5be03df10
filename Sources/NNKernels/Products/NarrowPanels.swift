import CPlatform

/// Panels of numbers that bf16 or f16 hold exactly, in half the space of f32: a product of one row waits for its weights, and widening
/// them costs less than reading them. The bits of results are those of f32 panels.
///
/// Panel p begins at 16·p·(k rounded up to a multiple of 2). Rows go in pairs: in bf16 the two share 32-bit words, the first one's numbers
/// being the lower halves; in f16 they follow one another. A last row without a partner has one of zeros.
public struct NarrowPanels: Sendable {
  public enum Format: UInt8, Sendable {
    case bf16
    case f16
  }

  public var format: Format
  @usableFromInline nonisolated(unsafe) var first: UnsafePointer<UInt16>
  @usableFromInline var stride: Int

  /// Panels for a (K, …) matrix that ``fill(_:from:k:panels:)`` has written.
  @inlinable public init(_ format: Format, _ first: UnsafePointer<UInt16>, k: Int) {
    self.format = format
    self.first = first
    stride = NarrowPanels.stride(k: k)
  }

  /// Numbers in a panel.
  @inlinable public static func stride(k: Int) -> Int { (k &+ k % 2) &* 16 }

  /// Numbers in the panels of a (K, N) matrix. The caller has checked that this fits an `Int`.
  @inlinable public static func size(k: Int, columns: Int) -> Int {
    Panels.count(columns: columns) &* stride(k: k)
  }

  /// Numbers in a pair of rows of a panel.
  @inlinable static var pairSize: Int { 32 }

  /// From panel `count` on, and in each panel from a row on that begins a pair.
  @inlinable @inline(__always)
  func advanced(_ count: Int, rows: Int = 0) -> NarrowPanels {
    var rest = self
    rest.first = first + (count &* stride &+ rows / 2 &* NarrowPanels.pairSize)
    return rest
  }
}

extension NarrowPanels.Format {
  /// The format that holds all numbers exactly; nil if none does.
  @export(interface)
  public static func holding(_ numbers: UnsafePointer<Float>, _ count: Int) -> Self? {
    if bf16.holds(numbers, count) { return .bf16 }
    return f16.holds(numbers, count) ? .f16 : nil
  }

  private func holds(_ numbers: UnsafePointer<Float>, _ count: Int) -> Bool {
    var index = 0
    while index < count {
      if narrowed(numbers[index].bitPattern) == nil { return false }
      index &+= 1
    }
    return true
  }

  /// The number with these bits in 16 bits; nil if it cannot be told exactly, and for what is not a finite number.
  @inline(__always)
  private func narrowed(_ bits: UInt32) -> UInt16? {
    let exponent = Int(truncatingIfNeeded: bits &>> 23) & 255
    if exponent == 255 { return nil }
    switch self {
    case .bf16: return bits & 0xFFFF == 0 ? UInt16(truncatingIfNeeded: bits &>> 16) : nil
    case .f16:
      let sign = UInt16(truncatingIfNeeded: bits &>> 16) & 0x8000
      if bits &<< 1 == 0 { return sign }
      if exponent >= 113 {
        // 2⁻¹⁴ to 65504.
        if exponent > 142 || bits & 0x1FFF != 0 { return nil }
        return sign | UInt16(truncatingIfNeeded: (bits & 0x7FFF_FFFF) &>> 13 &- 112 &<< 10)
      }
      // A multiple of 2⁻²⁴.
      if exponent < 103 { return nil }
      let significand = bits & 0x7F_FFFF | 0x80_0000
      let shift = UInt32(truncatingIfNeeded: 126 &- exponent)
      if significand & (1 &<< shift &- 1) != 0 { return nil }
      return sign | UInt16(truncatingIfNeeded: significand &>> shift)
    }
  }

  /// Writes f32 panels in this format, which holds all their numbers.
  @export(interface)
  public func fill(
    _ target: UnsafeMutablePointer<UInt16>, from panels: UnsafePointer<Float>, k: Int, columns: Int
  ) {
    let rows = k &+ k % 2
    let lines = Panels.count(columns: columns) &* rows
    var line = 0
    while line < lines {
      let (panel, row) = (line / rows, line % rows)
      let source = panels + (panel &* k &+ row) &* 16
      let pair = target + (line &- row % 2) &* 16
      var column = 0
      while column < 16 {
        let number = row < k ? narrowed(source[column].bitPattern) ?? 0 : 0
        switch self {
        case .bf16: pair[column &* 2 &+ row % 2] = number
        case .f16: pair[column &+ row % 2 &* 16] = number
        }
        column &+= 1
      }
      line &+= 1
    }
  }
}

/// How the rows of a pair are read.
public protocol NarrowRows {
  static func first(_ pair: UnsafePointer<UInt16>) -> Vector
  static func second(_ pair: UnsafePointer<UInt16>) -> Vector
}

@usableFromInline enum BF16Rows: NarrowRows {
  @inlinable @inline(__always)
  static func first(_ pair: UnsafePointer<UInt16>) -> Vector { nnp_widen_lower_bf16(pair) }
  @inlinable @inline(__always)
  static func second(_ pair: UnsafePointer<UInt16>) -> Vector { nnp_widen_upper_bf16(pair) }
}

@usableFromInline enum F16Rows: NarrowRows {
  @inlinable @inline(__always)
  static func first(_ pair: UnsafePointer<UInt16>) -> Vector { nnp_widen_f16(pair) }
  @inlinable @inline(__always)
  static func second(_ pair: UnsafePointer<UInt16>) -> Vector { nnp_widen_f16(pair + 16) }
}

/// A row of results that takes rows of narrow panels.
public protocol WideningRow: PanelRow {
  /// self + a·b, b being the first row of the pair.
  func adding<Rows: NarrowRows, I: InstructionSet>(
    first a: Vector, _ pair: UnsafePointer<UInt16>, _ stride: Int, _: Rows.Type, _: I.Type
  ) -> Self
  /// self + a.0·b.0 + a.1·b.1, of both rows of the pair; panels are `stride` apart.
  func adding<Rows: NarrowRows, I: InstructionSet>(
    pair a: (Vector, Vector), _ pair: UnsafePointer<UInt16>, _ stride: Int, _: Rows.Type, _: I.Type
  ) -> Self
}

extension OnePanel: WideningRow {
  @inlinable @inline(__always)
  public func adding<Rows: NarrowRows, I: InstructionSet>(
    first a: Vector, _ pair: UnsafePointer<UInt16>, _ stride: Int, _: Rows.Type, _: I.Type
  ) -> Self { Self(I.fma(a, Rows.first(pair), v)) }

  @inlinable @inline(__always)
  public func adding<Rows: NarrowRows, I: InstructionSet>(
    pair a: (Vector, Vector), _ pair: UnsafePointer<UInt16>, _ stride: Int, _: Rows.Type, _: I.Type
  ) -> Self { Self(I.fma(a.1, Rows.second(pair), I.fma(a.0, Rows.first(pair), v))) }
}

extension Beside: WideningRow where Left: WideningRow, Right: WideningRow {
  @inlinable @inline(__always)
  public func adding<Rows: NarrowRows, I: InstructionSet>(
    first a: Vector, _ pair: UnsafePointer<UInt16>, _ stride: Int, _: Rows.Type, _: I.Type
  ) -> Self {
    Self(
      left.adding(first: a, pair, stride, Rows.self, I.self),
      right.adding(first: a, pair + Left.panels &* stride, stride, Rows.self, I.self))
  }

  @inlinable @inline(__always)
  public func adding<Rows: NarrowRows, I: InstructionSet>(
    pair a: (Vector, Vector), _ pair: UnsafePointer<UInt16>, _ stride: Int, _: Rows.Type, _: I.Type
  ) -> Self {
    Self(
      left.adding(pair: a, pair, stride, Rows.self, I.self),
      right.adding(pair: a, pair + Left.panels &* stride, stride, Rows.self, I.self))
  }
}

extension ProductBlock {
  /// The block's one row from narrow panels, `Columns` at a time; panels that are left over go by four, two and one.
  @inlinable @inline(__always)
  public func multiplyRow<Columns: WideningRow, I: InstructionSet>(
    _ panels: NarrowPanels, _: Columns.Type, _: I.Type
  ) {
    switch panels.format {
    case .bf16: sweepRow(panels, Columns.self, BF16Rows.self, I.self)
    case .f16: sweepRow(panels, Columns.self, F16Rows.self, I.self)
    }
  }

  @inlinable @inline(never)
  func sweepRow<Columns: WideningRow, Rows: NarrowRows, I: InstructionSet>(
    _ panels: NarrowPanels, _: Columns.Type, _: Rows.Type, _: I.Type
  ) {
    let count = Panels.count(columns: columns)
    var panel = 0
    while panel &+ Columns.panels <= count {
      multiplyRow(panels, panel, Columns.self, Rows.self, I.self)
      panel &+= Columns.panels
    }
    while panel &+ 4 <= count {
      multiplyRow(panels, panel, FourPanels.self, Rows.self, I.self)
      panel &+= 4
    }
    if panel &+ 2 <= count {
      multiplyRow(panels, panel, TwoPanels.self, Rows.self, I.self)
      panel &+= 2
    }
    if panel < count { multiplyRow(panels, panel, OnePanel.self, Rows.self, I.self) }
  }

  @inlinable @inline(__always)
  func multiplyRow<Columns: WideningRow, Rows: NarrowRows, I: InstructionSet>(
    _ panels: NarrowPanels, _ panel: Int, _: Columns.Type, _: Rows.Type, _: I.Type
  ) {
    let stride = panels.stride
    let width = columns &- panel &* 16
    var sums = accumulates ? Columns.loadPartial(UnsafePointer(c) + panel &* 16, width) : Columns.zero
    let first = panels.first + panel &* stride
    var pair = first
    var offset = rowOffsets
    var a = a
    var left = k
    while left >= 2 {
      if let place = offset {
        pair = first + place.pointee
        offset = place + 1
      }
      sums = sums.adding(
        pair: (nnp_splat(a.pointee), nnp_splat(a[aStep])), pair, stride, Rows.self, I.self)
      pair += NarrowPanels.pairSize
      a += aStep &* 2
      left &-= 2
    }
    if left > 0 { sums = sums.adding(first: nnp_splat(a.pointee), pair, stride, Rows.self, I.self) }
    if let columnBias { sums = sums.adding(Columns.loadPartial(columnBias + panel &* 16, width)) }
    if let bounds { sums = sums.clipped(nnp_splat(bounds.low), nnp_splat(bounds.high)) }
    sums.storePartial(c + panel &* 16, width)
  }
}
