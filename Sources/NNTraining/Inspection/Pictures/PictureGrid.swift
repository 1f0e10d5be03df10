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
    let cells = try Cells(
      images.count, planes: 1, height: height, width: width, columns: columns, scale: scale)
    let span = Span(range)
    return try cells.picture(channels: 1) { (cell, place, pixel) in
      pixel[pixel.startIndex] = level(span.part(images[cell * cells.area + place]))
    }
  }

  /// Images of one number a pixel, (H, W), in the colours of a map; see ``gray(_:height:width:columns:range:scale:)``.
  ///
  /// - Parameter gap: pixels of the lines between images.
  public static func mapped(
    _ images: [Float], height: Int, width: Int, columns: Int, colors: ColorMap,
    range: ClosedRange<Float> = 0...1, scale: Int = 2, gap: Int = 1
  ) throws(NNError) -> RasterImage {
    let cells = try Cells(
      images.count, planes: 1, height: height, width: width, columns: columns, scale: scale, gap: gap)
    let span = Span(range)
    return try cells.picture(channels: 3) { (cell, place, pixel) in
      let color = colors.color(span.part(images[cell * cells.area + place]))
      (pixel[pixel.startIndex], pixel[pixel.startIndex + 1], pixel[pixel.startIndex + 2]) = color
    }
  }

  /// Colour images of red, green and blue planes, (3, H, W); see ``gray(_:height:width:columns:range:scale:)``.
  public static func color(
    _ images: [Float], height: Int, width: Int, columns: Int, range: ClosedRange<Float> = 0...1,
    scale: Int = 2, gap: Int = 1
  ) throws(NNError) -> RasterImage {
    let cells = try Cells(
      images.count, planes: 3, height: height, width: width, columns: columns, scale: scale, gap: gap)
    let span = Span(range)
    return try cells.picture(channels: 3) { (cell, place, pixel) in
      for channel in 0..<3 {
        let value = images[(cell * 3 + channel) * cells.area + place]
        pixel[pixel.startIndex + channel] = level(span.part(value))
      }
    }
  }

  /// Gray images (H, W) with a map of the same extents laid over each, in the colours of ``ColorMap/sequential``: where a
  /// map is 0 the image shows as it is, where it is 1 the colour covers three quarters of it.
  public static func overlay(
    _ maps: [Float], on images: [Float], height: Int, width: Int, columns: Int,
    range: ClosedRange<Float> = 0...1, scale: Int = 2
  ) throws(NNError) -> RasterImage {
    guard maps.count == images.count else {
      throw NNError(.shapeMismatch, "maps of \(maps.count) numbers over images of \(images.count)")
    }
    let cells = try Cells(
      images.count, planes: 1, height: height, width: width, columns: columns, scale: scale)
    let span = Span(range)
    return try cells.picture(channels: 3) { (cell, place, pixel) in
      let base = Float(level(span.part(images[cell * cells.area + place])))
      let amount = maps[cell * cells.area + place]
      let color = ColorMap.sequential.color(amount)
      let cover = amount > 0 ? 0.75 * min(amount, 1) : 0
      for (channel, part) in [color.red, color.green, color.blue].enumerated() {
        pixel[pixel.startIndex + channel] = UInt8(
          min(max((base + (Float(part) - base) * cover).rounded(), 0), 255))
      }
    }
  }

  private static func level(_ part: Float) -> UInt8 { UInt8(part * 255) }

  /// The range of numbers that is shown.
  private struct Span {
    let low: Float
    let width: Float

    init(_ range: ClosedRange<Float>) {
      low = range.lowerBound
      width = max(range.upperBound - range.lowerBound, .leastNormalMagnitude)
    }

    /// Where a number lies in the range, 0…1; 0 for NaN.
    func part(_ value: Float) -> Float {
      let part = (value - low) / width
      return part > 0 ? min(part, 1) : 0
    }
  }

  /// Where the pictures lie.
  private struct Cells {
    let count: Int
    let height: Int
    let width: Int
    let columns: Int
    let scale: Int
    /// Pixels of the lines between images.
    let gap: Int

    var area: Int { height * width }

    init(_ numbers: Int, planes: Int, height: Int, width: Int, columns: Int, scale: Int, gap: Int = 1)
      throws(NNError)
    {
      let (area, isTooLarge) = height.multipliedReportingOverflow(by: width)
      let (size, overflow) = area.multipliedReportingOverflow(by: planes)
      guard height >= 1, width >= 1, columns >= 1, scale >= 1, scale <= 64, (1...64).contains(gap),
        numbers >= 1, !isTooLarge,
        !overflow, numbers % size == 0
      else {
        throw NNError(
          .shapeMismatch, "\(numbers) numbers are no pictures of \(height)×\(width) in \(columns) columns")
      }
      count = numbers / size
      self.height = height
      self.width = width
      self.columns = columns
      self.scale = scale
      self.gap = gap
    }

    /// Draws every pixel of every cell, in lines of gray.
    func picture(
      channels: Int, _ draw: (_ cell: Int, _ place: Int, _ pixel: inout ArraySlice<UInt8>) -> Void
    ) throws(NNError) -> RasterImage {
      let rows = (count - 1) / columns + 1
      let (cellHeight, cellWidth) = (height * scale + gap, width * scale + gap)
      let (tall, isTooTall) = rows.multipliedReportingOverflow(by: cellHeight)
      let (wide, isTooWide) = columns.multipliedReportingOverflow(by: cellWidth)
      guard !isTooTall, !isTooWide, tall < 1 << 16, wide < 1 << 16, (tall + gap) * (wide + gap) <= 1 << 28
      else {
        throw NNError(
          .limitExceeded, "a grid of \(rows)×\(columns) pictures of \(height)×\(width) is too large")
      }
      let (pictureHeight, pictureWidth) = (tall + gap, wide + gap)
      var pixels = [UInt8](repeating: 96, count: pictureHeight * pictureWidth * channels)
      var pixel = [UInt8](repeating: 0, count: channels)[...]
      for cell in 0..<count {
        let (top, left) = (cell / columns * cellHeight + gap, cell % columns * cellWidth + gap)
        for place in 0..<area {
          draw(cell, place, &pixel)
          let (y, x) = (top + place / width * scale, left + place % width * scale)
          for row in y..<y + scale {
            for column in x..<x + scale {
              for channel in 0..<channels {
                pixels[(row * pictureWidth + column) * channels + channel] = pixel[channel]
              }
            }
          }
        }
      }
      return try RasterImage(
        width: pictureWidth, height: pictureHeight, channels: channels, pixels: pixels)
    }
  }
}
