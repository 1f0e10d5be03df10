import CPlatform

// Register tiles, put together from rows and columns by generic structs: a tile for any number of registers is one
// type, and there is one microkernel.

/// One row of results over adjacent panels; also one row of B.
public protocol PanelRow {
  /// How many panels the row spans.
  static var panels: Int { get }
  static var zero: Self { get }
  static func splat(_ value: Float) -> Self
  /// Panel p of the row is at `p * stride`.
  static func load(_ pointer: UnsafePointer<Float>, _ stride: Int) -> Self
  /// Has what ``load(_:_:)`` reads brought to the first-level cache; the pointer may point anywhere.
  static func prefetch(_ pointer: UnsafePointer<Float>, _ stride: Int)
  func adding(_ other: Self) -> Self
  /// self + a·b, rounded once.
  func adding<I: InstructionSet>(product a: Vector, _ b: Self, _: I.Type) -> Self
  /// The first `count` columns, of which the last panel may lack some.
  static func loadPartial(_ pointer: UnsafePointer<Float>, _ count: Int) -> Self
  func store(_ pointer: UnsafeMutablePointer<Float>)
  func storePartial(_ pointer: UnsafeMutablePointer<Float>, _ count: Int)
  /// See ``clipped(_:_:_:)``.
  func clipped(_ low: Vector, _ high: Vector) -> Self
}

/// Sixteen columns.
public struct OnePanel: PanelRow {
  @usableFromInline var v: Vector

  @inlinable @inline(__always) init(_ v: Vector) { self.v = v }
  @inlinable @inline(__always) public static var panels: Int { 1 }
  @inlinable @inline(__always) public static var zero: Self { Self(nnp_splat(0)) }
  @inlinable @inline(__always) public static func splat(_ value: Float) -> Self { Self(nnp_splat(value)) }
  @inlinable @inline(__always)
  public static func load(_ pointer: UnsafePointer<Float>, _ stride: Int) -> Self { Self(nnp_load(pointer)) }
  @inlinable @inline(__always)
  public static func prefetch(_ pointer: UnsafePointer<Float>, _ stride: Int) { nnp_prefetch(pointer) }
  @inlinable @inline(__always) public func adding(_ other: Self) -> Self { Self(v + other.v) }
  @inlinable @inline(__always)
  public func adding<I: InstructionSet>(product a: Vector, _ b: Self, _: I.Type) -> Self {
    Self(I.fma(a, b.v, v))
  }
  @inlinable @inline(__always)
  public static func loadPartial(_ pointer: UnsafePointer<Float>, _ count: Int) -> Self {
    count >= 16 ? Self(nnp_load(pointer)) : Self(nnp_load_partial(pointer, count, nnp_splat(0)))
  }
  @inlinable @inline(__always)
  public func store(_ pointer: UnsafeMutablePointer<Float>) { nnp_store(pointer, v) }
  @inlinable @inline(__always)
  public func storePartial(_ pointer: UnsafeMutablePointer<Float>, _ count: Int) {
    if count >= 16 { nnp_store(pointer, v) } else { nnp_store_partial(pointer, count, v) }
  }
  @inlinable @inline(__always)
  public func clipped(_ low: Vector, _ high: Vector) -> Self { Self(NNKernels.clipped(v, low, high)) }
}

/// The first eight columns of a panel, where no more are left; for instruction sets with fused multiply–add.
public struct HalfPanel: PanelRow {
  @usableFromInline var v: SIMD8<Float>

  @inlinable @inline(__always) init(_ v: SIMD8<Float>) { self.v = v }
  @inlinable @inline(__always) public static var panels: Int { 1 }
  @inlinable @inline(__always) public static var zero: Self { splat(0) }
  @inlinable @inline(__always)
  public static func splat(_ value: Float) -> Self { Self(nnp_lower_half(nnp_splat(value))) }
  @inlinable @inline(__always)
  public static func load(_ pointer: UnsafePointer<Float>, _ stride: Int) -> Self {
    Self(nnp_load_half(pointer))
  }
  @inlinable @inline(__always)
  public static func prefetch(_ pointer: UnsafePointer<Float>, _ stride: Int) { nnp_prefetch(pointer) }
  @inlinable @inline(__always) public func adding(_ other: Self) -> Self { Self(v + other.v) }
  @inlinable @inline(__always)
  public func adding<I: InstructionSet>(product a: Vector, _ b: Self, _: I.Type) -> Self {
    Self(nnp_fma_half(nnp_lower_half(a), b.v, v))
  }
  @inlinable @inline(__always)
  public static func loadPartial(_ pointer: UnsafePointer<Float>, _ count: Int) -> Self {
    count >= 8
      ? Self(nnp_load_half(pointer)) : Self(nnp_lower_half(nnp_load_partial(pointer, count, nnp_splat(0))))
  }
  @inlinable @inline(__always)
  public func store(_ pointer: UnsafeMutablePointer<Float>) { nnp_store_half(pointer, v) }
  @inlinable @inline(__always)
  public func storePartial(_ pointer: UnsafeMutablePointer<Float>, _ count: Int) {
    if count >= 8 {
      store(pointer)
    } else {
      nnp_store_partial(pointer, count, nnp_widen_half(v))
    }
  }
  @inlinable @inline(__always)
  public func clipped(_ low: Vector, _ high: Vector) -> Self {
    Self(nnp_lower_half(NNKernels.clipped(nnp_widen_half(v), low, high)))
  }
}

/// Two rows side by side.
public struct Beside<Left: PanelRow, Right: PanelRow>: PanelRow {
  @usableFromInline var left: Left
  @usableFromInline var right: Right

  @inlinable @inline(__always) init(_ left: Left, _ right: Right) {
    self.left = left
    self.right = right
  }
  @inlinable @inline(__always) public static var panels: Int { Left.panels &+ Right.panels }
  @inlinable @inline(__always) public static var zero: Self { Self(Left.zero, Right.zero) }
  @inlinable @inline(__always)
  public static func splat(_ value: Float) -> Self { Self(Left.splat(value), Right.splat(value)) }
  @inlinable @inline(__always)
  public static func load(_ pointer: UnsafePointer<Float>, _ stride: Int) -> Self {
    Self(Left.load(pointer, stride), Right.load(pointer + Left.panels &* stride, stride))
  }
  @inlinable @inline(__always)
  public static func prefetch(_ pointer: UnsafePointer<Float>, _ stride: Int) {
    Left.prefetch(pointer, stride)
    Right.prefetch(pointer + Left.panels &* stride, stride)
  }
  @inlinable @inline(__always)
  public func adding(_ other: Self) -> Self { Self(left.adding(other.left), right.adding(other.right)) }
  @inlinable @inline(__always)
  public func adding<I: InstructionSet>(product a: Vector, _ b: Self, _: I.Type) -> Self {
    Self(left.adding(product: a, b.left, I.self), right.adding(product: a, b.right, I.self))
  }
  @inlinable @inline(__always)
  public static func loadPartial(_ pointer: UnsafePointer<Float>, _ count: Int) -> Self {
    let width = Left.panels &* 16
    return Self(Left.load(pointer, 16), Right.loadPartial(pointer + width, count &- width))
  }
  @inlinable @inline(__always)
  public func store(_ pointer: UnsafeMutablePointer<Float>) {
    left.store(pointer)
    right.store(pointer + Left.panels &* 16)
  }
  @inlinable @inline(__always)
  public func storePartial(_ pointer: UnsafeMutablePointer<Float>, _ count: Int) {
    let width = Left.panels &* 16
    left.store(pointer)
    right.storePartial(pointer + width, count &- width)
  }
  @inlinable @inline(__always)
  public func clipped(_ low: Vector, _ high: Vector) -> Self {
    Self(left.clipped(low, high), right.clipped(low, high))
  }
}

/// A column of A: an element of each row of a tile. Every fourth row has a pointer, from which instructions reach the next three: so few
/// pointers move in each step.
public struct TileColumn {
  @usableFromInline var first: UnsafePointer<Float>
  @usableFromInline var fifth: UnsafePointer<Float>
  @usableFromInline var ninth: UnsafePointer<Float>
  @usableFromInline var thirteenth: UnsafePointer<Float>
  /// From one row to the next.
  @usableFromInline let stride: Int

  /// `a` is the first row's element.
  @inlinable @inline(__always) init(_ a: UnsafePointer<Float>, _ stride: Int) {
    first = a
    fifth = a + 4 &* stride
    ninth = a + 8 &* stride
    thirteenth = a + 12 &* stride
    self.stride = stride
  }

  /// The column `step` elements further.
  @inlinable @inline(__always) func advanced(_ step: Int) -> TileColumn {
    var next = self
    next.first += step
    next.fifth += step
    next.ninth += step
    next.thirteenth += step
    return next
  }

  /// The element of one of the first sixteen rows in all lanes.
  @inlinable @inline(__always) func splat(_ row: Int) -> Vector {
    let pointer = row < 4 ? first : row < 8 ? fifth : row < 12 ? ninth : thirteenth
    return nnp_splat(pointer[row % 4 &* stride])
  }
}

/// A block of results held in registers.
public protocol Tile {
  associatedtype Instructions: InstructionSet
  associatedtype Columns: PanelRow
  /// A tile of the same rows and one panel, for the panels left over.
  associatedtype Narrow: Tile where Narrow.Columns == OnePanel, Narrow.Narrow == Narrow
  static var rows: Int { get }
  static var zero: Self { get }
  /// Adds column k of A, from row `row` on, times row k of B.
  mutating func step(_ a: TileColumn, _ row: Int, _ b: Columns)
  mutating func add(_ other: Self)
  mutating func addToRows(_ value: Columns)
  /// Adds one number per row.
  mutating func addPerRow(_ values: UnsafePointer<Float>)
  /// Adds whole rows, `stride` apart.
  mutating func add(_ rows: UnsafePointer<Float>, _ stride: Int)
  mutating func clip(_ low: Vector, _ high: Vector)
  static func load(_ c: UnsafePointer<Float>, _ stride: Int, _ columns: Int) -> Self
  func store(_ c: UnsafeMutablePointer<Float>, _ stride: Int, _ columns: Int)
}

/// One row of results.
public struct Row<I: InstructionSet, Columns: PanelRow>: Tile {
  public typealias Instructions = I
  public typealias Narrow = Row<I, OnePanel>
  @usableFromInline var sums: Columns

  @inlinable @inline(__always) init(_ sums: Columns) { self.sums = sums }
  @inlinable @inline(__always) public static var rows: Int { 1 }
  @inlinable @inline(__always) public static var zero: Self { Self(Columns.zero) }
  @inlinable @inline(__always)
  public mutating func step(_ a: TileColumn, _ row: Int, _ b: Columns) {
    sums = sums.adding(product: a.splat(row), b, I.self)
  }
  @inlinable @inline(__always)
  public mutating func add(_ other: Self) { sums = sums.adding(other.sums) }
  @inlinable @inline(__always)
  public mutating func addToRows(_ value: Columns) { sums = sums.adding(value) }
  @inlinable @inline(__always)
  public mutating func addPerRow(_ values: UnsafePointer<Float>) {
    sums = sums.adding(Columns.splat(values.pointee))
  }
  @inlinable @inline(__always)
  public mutating func add(_ rows: UnsafePointer<Float>, _ stride: Int) {
    sums = sums.adding(Columns.load(rows, 16))
  }
  @inlinable @inline(__always)
  public mutating func clip(_ low: Vector, _ high: Vector) { sums = sums.clipped(low, high) }
  @inlinable @inline(__always)
  public static func load(_ c: UnsafePointer<Float>, _ stride: Int, _ columns: Int) -> Self {
    Self(Columns.loadPartial(c, columns))
  }
  @inlinable @inline(__always)
  public func store(_ c: UnsafeMutablePointer<Float>, _ stride: Int, _ columns: Int) {
    sums.storePartial(c, columns)
  }
}

/// One tile above another.
public struct Stack<Upper: Tile, Lower: Tile>: Tile where Upper.Columns == Lower.Columns {
  public typealias Instructions = Upper.Instructions
  public typealias Columns = Upper.Columns
  public typealias Narrow = Stack<Upper.Narrow, Lower.Narrow>
  @usableFromInline var upper: Upper
  @usableFromInline var lower: Lower

  @inlinable @inline(__always) init(_ upper: Upper, _ lower: Lower) {
    self.upper = upper
    self.lower = lower
  }
  @inlinable @inline(__always) public static var rows: Int { Upper.rows &+ Lower.rows }
  @inlinable @inline(__always) public static var zero: Self { Self(Upper.zero, Lower.zero) }
  @inlinable @inline(__always)
  public mutating func step(_ a: TileColumn, _ row: Int, _ b: Columns) {
    upper.step(a, row, b)
    lower.step(a, row &+ Upper.rows, b)
  }
  @inlinable @inline(__always)
  public mutating func add(_ other: Self) {
    upper.add(other.upper)
    lower.add(other.lower)
  }
  @inlinable @inline(__always)
  public mutating func addToRows(_ value: Columns) {
    upper.addToRows(value)
    lower.addToRows(value)
  }
  @inlinable @inline(__always)
  public mutating func addPerRow(_ values: UnsafePointer<Float>) {
    upper.addPerRow(values)
    lower.addPerRow(values + Upper.rows)
  }
  @inlinable @inline(__always)
  public mutating func add(_ rows: UnsafePointer<Float>, _ stride: Int) {
    upper.add(rows, stride)
    lower.add(rows + Upper.rows &* stride, stride)
  }
  @inlinable @inline(__always)
  public mutating func clip(_ low: Vector, _ high: Vector) {
    upper.clip(low, high)
    lower.clip(low, high)
  }
  @inlinable @inline(__always)
  public static func load(_ c: UnsafePointer<Float>, _ stride: Int, _ columns: Int) -> Self {
    Self(
      Upper.load(c, stride, columns), Lower.load(c + Upper.rows &* stride, stride, columns))
  }
  @inlinable @inline(__always)
  public func store(_ c: UnsafeMutablePointer<Float>, _ stride: Int, _ columns: Int) {
    upper.store(c, stride, columns)
    lower.store(c + Upper.rows &* stride, stride, columns)
  }
}

public typealias TwoPanels = Beside<OnePanel, OnePanel>
public typealias ThreePanels = Beside<TwoPanels, OnePanel>
public typealias FourPanels = Beside<TwoPanels, TwoPanels>
public typealias EightPanels = Beside<FourPanels, FourPanels>
public typealias Rows1<I: InstructionSet, C: PanelRow> = Row<I, C>
public typealias Rows2<I: InstructionSet, C: PanelRow> = Stack<Row<I, C>, Row<I, C>>
public typealias Rows4<I: InstructionSet, C: PanelRow> = Stack<Rows2<I, C>, Rows2<I, C>>
public typealias Rows6<I: InstructionSet, C: PanelRow> = Stack<Rows4<I, C>, Rows2<I, C>>
public typealias Rows8<I: InstructionSet, C: PanelRow> = Stack<Rows4<I, C>, Rows4<I, C>>
public typealias Rows9<I: InstructionSet, C: PanelRow> = Stack<Rows8<I, C>, Row<I, C>>
public typealias Rows12<I: InstructionSet, C: PanelRow> = Stack<Rows8<I, C>, Rows4<I, C>>
public typealias Rows16<I: InstructionSet, C: PanelRow> = Stack<Rows8<I, C>, Rows8<I, C>>
