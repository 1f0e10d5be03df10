/// C = epilogue(A·B + bias), for each of `batch` products.
///
/// A is (M, K) with rows `aRowStride` and columns `aColumnStride` apart, C is (M, N) with rows `cRowStride` apart and overlaps
/// nothing. B is (K, N) in panels (see ``Panels``), or row-major if N is a multiple of 16, see ``readRowMajor(rowStride:)``.
/// `bias` is (N) or nil. Batch strides may be 0 to share an operand.
/// Each output starts at +0, or at what C holds if `accumulates`, and takes fused multiply–adds with k ascending; then bias is
/// added; then the epilogue applied. Where N ≤ 16 and K ≥ 128 there are four such sums s₀ … s₃, sᵢ of k = i, i + 4, …, and
/// (s₀ + s₁) + (s₂ + s₃) takes their place; only s₀ starts at what C holds.
///
/// Work units: ``workUnits``, each a block of rows times a group of panels of one product.
public struct MatmulArguments {
  public var a: UnsafePointer<Float>
  public var panels: UnsafePointer<Float>
  public var c: UnsafeMutablePointer<Float>
  /// The same numbers in half the space, read instead of `panels` where m is 1 and the instruction set widens them; nil for none.
  public var narrowPanels: NarrowPanels?
  public var bias: UnsafePointer<Float>?
  public var epilogue: Epilogue
  public var m: Int
  public var n: Int
  public var k: Int
  public var aRowStride: Int
  public var aColumnStride: Int
  /// From one panel of B to the next, and from one row of a panel to the next.
  public var panelStride: Int
  public var panelRowStride: Int
  public var cRowStride: Int
  public var accumulates: Bool
  /// Whether rows of B that zeros of A meet may be left out: of one product of one row, whose elements follow each other, with panels
  /// and a bias, which ``allowSkipping(panels:k:bias:columns:)``, and which has single sums.
  public var skipsZeros: Bool
  public var batch: Int
  public var aBatchStride: Int
  public var panelsBatchStride: Int
  public var cBatchStride: Int
  /// Rows that one thread had better take all of, for all columns, before any others.
  @usableFromInline var rowsPerPart: Int
  /// Panels in one work unit.
  @usableFromInline var panelsPerUnit: Int

  /// Rows of A and C are contiguous (strides K and N) and there is one product, unless the fields are set otherwise.
  @inlinable public init(
    a: UnsafePointer<Float>, panels: UnsafePointer<Float>, c: UnsafeMutablePointer<Float>,
    bias: UnsafePointer<Float>? = nil, epilogue: Epilogue = .none, m: Int, n: Int, k: Int
  ) {
    self.a = a
    self.panels = panels
    narrowPanels = nil
    self.c = c
    self.bias = bias
    self.epilogue = epilogue
    self.m = m
    self.n = n
    self.k = k
    aRowStride = k
    aColumnStride = 1
    panelStride = k &* Panels.width
    panelRowStride = Panels.width
    cRowStride = n
    accumulates = false
    skipsZeros = false
    batch = 1
    aBatchStride = 0
    panelsBatchStride = 0
    cBatchStride = 0
    rowsPerPart = .max
    panelsPerUnit = 16
  }

  /// Says that `panels` points to a row-major B instead, whose columns are a multiple of 16: then its rows hold each panel's
  /// rows side by side.
  @inlinable public mutating func readRowMajor(rowStride: Int) {
    panelStride = Panels.width
    panelRowStride = rowStride
  }

  /// Rows in one work unit: a multiple of every instruction set's tile height.
  @inlinable public static var rowsPerUnit: Int { 96 }

  /// Blocks of rows in each part, the last one's perhaps without rows.
  @inlinable @inline(__always) var rowBlocks: Int {
    (min(m, rowsPerPart) &+ Self.rowsPerUnit &- 1) / Self.rowsPerUnit
  }
  @inlinable @inline(__always) var panelGroups: Int {
    (Panels.count(columns: n) &+ panelsPerUnit &- 1) / panelsPerUnit
  }

  /// How many units the work has.
  public var workUnits: Int {
    @inline(never) @export(interface) get {
      let parts = rowsPerPart < m ? (m &+ rowsPerPart &- 1) / rowsPerPart : 1
      return batch &* parts &* rowBlocks &* panelGroups
    }
  }

  /// Has `threads` share out one product's rows: each then reads of A what it wrote, if the steps around this one do the same. All of them
  /// read all of B, so of few rows they share out the columns. To be called before anything asks for units; no bit depends on it.
  public mutating func share(among threads: Int) {
    guard threads > 1, batch == 1, n > 0 else { return }
    if m >= threads &* Self.leastRows {
      rowsPerPart = (m &+ 4 &* threads &- 1) / (4 &* threads) &* 4
    } else if m <= 2 &* Self.rowsPerUnit {
      let groups = (panelGroups &+ threads &- 1) / threads &* threads
      // Pairs of panels make whole tiles.
      panelsPerUnit = (Panels.count(columns: n) &+ 2 &* groups &- 1) / (2 &* groups) &* 2
    }
  }

  /// With fewer rows, reading B takes longer than multiplying by it.
  private static var leastRows: Int { 32 }
}
