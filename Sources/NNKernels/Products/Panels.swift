import CPlatform

/// The layout of a product's right operand, which is also the layout of dense weights in a file.
///
/// B is (K, N). Panel p holds columns 16p ..< 16p + 16, k-major: element (k, j) of the panel is at p·K·16 + k·16 + j.
/// The last panel is padded with zeros to 16 columns. One panel row is one 64-byte line, so panels serve every vector width.
public enum Panels {
  /// Columns in a panel.
  @inlinable public static var width: Int { 16 }

  /// Panels that hold `columns` columns.
  @inlinable public static func count(columns: Int) -> Int { (columns &+ 15) / 16 }

  /// Elements of the panels of a (K, N) matrix, padding included. The caller has checked that this fits an `Int`.
  @inlinable public static func size(k: Int, columns: Int) -> Int { count(columns: columns) &* 16 &* k }

  /// Packs B (K, N), whose rows are `rowStride` elements apart, into panels `range` of `panels`.
  public static func pack(
    _ b: UnsafePointer<Float>, k: Int, columns: Int, rowStride: Int, into panels: UnsafeMutablePointer<Float>,
    range: Range<Int>
  ) {
    // Row by row over all panels: reading goes on where it stopped.
    let whole = min(range.upperBound, columns / 16)
    var row = 0
    while row < k {
      let source = b + row &* rowStride
      var target = panels + (range.lowerBound &* k &+ row) &* 16
      var p = range.lowerBound
      while p < whole {
        nnp_store(target, nnp_load(source + p &* 16))
        target += k &* 16
        p &+= 1
      }
      while p < range.upperBound {
        nnp_store(target, nnp_load_partial(source + p &* 16, columns &- p &* 16, nnp_splat(0)))
        target += k &* 16
        p &+= 1
      }
      row &+= 1
    }
  }

  /// Packs Bᵀ (N, K), whose rows are `rowStride` elements apart, into panels `range` of `panels`, which are `panelStride` elements
  /// apart: k·16 unless told.
  @inline(never) @export(interface)
  public static func packTransposed(
    _ transposed: UnsafePointer<Float>, k: Int, columns: Int, rowStride: Int,
    into panels: UnsafeMutablePointer<Float>, range: Range<Int>, panelStride: Int? = nil
  ) {
    let panelStride = panelStride ?? k &* 16
    var p = range.lowerBound
    while p < range.upperBound {
      let width = min(16, columns &- p &* 16)
      let panel = panels + p &* panelStride
      if width < 16 { nnp_clear(panel, k &* 16) }
      transposeFloats(transposed + p &* 16 &* rowStride, rowStride, panel, 16, k, width)
      p &+= 1
    }
  }

  /// Copies panels `range` back into row-major Bᵀ (N, K).
  public static func unpackTransposed(
    _ panels: UnsafePointer<Float>, k: Int, columns: Int, into transposed: UnsafeMutablePointer<Float>,
    range: Range<Int>
  ) {
    var p = range.lowerBound
    while p < range.upperBound {
      let start = p &* 16 &* k
      transposeFloats(panels + start, 16, transposed + start, k, min(16, columns &- p &* 16), k)
      p &+= 1
    }
  }

  /// Copies panels back into row-major B (K, N) with rows `rowStride` elements apart.
  public static func unpack(
    _ panels: UnsafePointer<Float>, k: Int, columns: Int, into b: UnsafeMutablePointer<Float>, rowStride: Int
  ) {
    var row = 0
    while row < k {
      var j = 0
      while j < columns {
        b[row &* rowStride &+ j] = panels[(j / 16) &* k &* 16 &+ row &* 16 &+ j % 16]
        j &+= 1
      }
      row &+= 1
    }
  }
}
