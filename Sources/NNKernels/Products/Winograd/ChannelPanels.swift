import CPlatform

// Between planes of pixels and vectors of sixteen channels, for the algorithms whose lanes are channels or filters.

/// A rectangle of pixels that may reach past its image.
public struct ImageRegion {
  /// Its first row and column in the image, negative in the padding.
  @usableFromInline let top: Int
  @usableFromInline let left: Int
  @usableFromInline let height: Int
  @usableFromInline let width: Int

  @inlinable @inline(__always) init(top: Int, left: Int, height: Int, width: Int) {
    self.top = top
    self.left = left
    self.height = height
    self.width = width
  }

  /// Copies the pixels of `panels` · 16 channels, planes of (imageHeight, imageWidth) that follow each other, to panels of 16 channels:
  /// each (height, width, 16). What lies outside of the image is left alone.
  func gather(
    _ planes: UnsafePointer<Float>, _ imageHeight: Int, _ imageWidth: Int, panels: Int,
    into target: UnsafeMutablePointer<Float>, _ transpose: FloatTransposition
  ) {
    let plane = imageHeight &* imageWidth
    let first = max(0, left)
    let count = min(imageWidth, left &+ width) &- first
    if count <= 0 { return }
    var y = max(0, top)
    while y < min(imageHeight, top &+ height) {
      var panel = 0
      while panel < panels {
        transpose(
          planes + (panel &* 16 &* plane &+ y &* imageWidth &+ first), plane,
          target + ((panel &* height &+ y &- top) &* width &+ first &- left) &* 16, 16, count, 16)
        panel &+= 1
      }
      y &+= 1
    }
  }
}

/// Copies rows of `columns` vectors of sixteen filters, which are `pitch` vectors apart, to planes of (height, width), from `corner` of the
/// first one on.
@inlinable @inline(__always)
func scatterPanel(
  _ vectors: UnsafePointer<Float>, _ pitch: Int, _ rows: Int, _ columns: Int,
  _ corner: UnsafeMutablePointer<Float>, _ height: Int, _ width: Int, _ transpose: FloatTransposition
) {
  // Whole rows follow each other.
  let isWhole = columns == width && columns == pitch
  let (lines, run) = isWhole ? (1, rows &* columns) : (rows, columns)
  var y = 0
  while y < lines {
    transpose(vectors + y &* pitch &* 16, 16, corner + y &* width, height &* width, 16, run)
    y &+= 1
  }
}
