import ImageFiles
import NNGraph

/// Pictures side by side in one.
public enum PictureGrid {
  /// Gray images (H, W), one after the other, as rows of one picture with a line between them.
  ///
  /// - Parameters:
  ///   - range: the numbers that become black and white; others are clipped.
  ///   - scale: pixels of the picture for each pixel of an image, in each direction.
  /// - Throws: ``ErrorCode/shapeMismatch`` if the numbers do not divide into images.
  public static func gray(
    _ images: [Float], height: Int, width: Int, columns: Int, range: ClosedRange<Float> = 0...1,
    scale: Int = 2
  ) throws(NNError) -> RasterImage {
    guard height >= 1, width >= 1, columns >= 1, scale >= 1, scale <= 64, !images.isEmpty,
      images.count % (height * width) == 0
    else {
      throw NNError(
        .shapeMismatch, "\(images.count) numbers are no pictures of \(height)×\(width) in \(columns) columns")
    }
    let count = images.count / (height * width)
    let rows = (count + columns - 1) / columns
    let (cellHeight, cellWidth) = (height * scale + 1, width * scale + 1)
    let (pictureHeight, pictureWidth) = (rows * cellHeight + 1, columns * cellWidth + 1)
    var pixels = [UInt8](repeating: 96, count: pictureHeight * pictureWidth)
    let span = max(range.upperBound - range.lowerBound, .leastNormalMagnitude)
    for index in 0..<count {
      let (top, left) = (index / columns * cellHeight + 1, index % columns * cellWidth + 1)
      for y in 0..<height * scale {
        for x in 0..<width * scale {
          let value = images[index * height * width + y / scale * width + x / scale]
          let level = (value - range.lowerBound) / span * 255
          pixels[(top + y) * pictureWidth + left + x] = level.isNaN ? 0 : UInt8(min(max(level, 0), 255))
        }
      }
    }
    return try RasterImage(width: pictureWidth, height: pictureHeight, channels: 1, pixels: pixels)
  }
}
