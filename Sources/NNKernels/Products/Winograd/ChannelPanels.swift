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
  @inline(never) @export(interface)
  public func gather(
    _ planes: UnsafePointer<Float>, _ imageHeight: Int, _ imageWidth: Int, panels: Int,
    into target: UnsafeMutablePointer<Float>
  ) {
    let plane = imageHeight &* imageWidth
    let first = max(0, left)
    let count = min(imageWidth, left &+ width) &- first
    if count <= 0 { return }
    var y = max(0, top)
    while y < min(imageHeight, top &+ height) {
      Panels.packTransposed(
        planes + (y &* imageWidth &+ first), k: count, columns: panels &* 16, rowStride: plane,
        into: target + ((y &- top) &* width &+ first &- left) &* 16, range: 0..<panels,
        panelStride: height &* width &* 16)
      y &+= 1
    }
  }
}

/// Copies the upper left `lines` x `pixels` of `size` x `size` vectors of sixteen filters to planes of (height, width), from `corner` of the
/// first one on.
@inline(never) @export(interface)
public func scatterTile(
  _ vectors: UnsafePointer<Float>, _ size: Int, _ lines: Int, _ pixels: Int,
  _ corner: UnsafeMutablePointer<Float>, _ height: Int, _ width: Int
) {
  let plane = height &* width
  var y = 0
  while y < lines {
    let source = vectors + y &* size &* 16
    let target = corner + y &* width
    var x = 0
    while x &+ 4 <= pixels {
      var lane = 0
      while lane < 16 {
        nnp_transpose_4x4(source + (x &* 16 &+ lane), 16, target + (lane &* plane &+ x), plane)
        lane &+= 4
      }
      x &+= 4
    }
    while x < pixels {
      var lane = 0
      while lane < 16 {
        target[lane &* plane &+ x] = source[x &* 16 &+ lane]
        lane &+= 1
      }
      x &+= 1
    }
    y &+= 1
  }
}
