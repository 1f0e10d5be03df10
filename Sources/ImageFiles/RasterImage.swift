import NNGraph

/// An image of eight bits a channel: (H, W, C) row-major, 0 black … 255.
public struct RasterImage: Equatable, Sendable {
  public let width: Int
  public let height: Int
  /// 1 gray, 2 gray and alpha, 3 RGB, 4 RGB and alpha.
  public let channels: Int
  public let pixels: [UInt8]

  /// - Throws: ``ErrorCode/invalidArgument`` unless there is at least one pixel, of 1 to 4 channels, and as many bytes as the
  ///   extents ask for.
  public init(width: Int, height: Int, channels: Int, pixels: [UInt8]) throws(NNError) {
    let (area, overflow) = width.multipliedReportingOverflow(by: height)
    let (size, overflows) = area.multipliedReportingOverflow(by: channels)
    guard width > 0, height > 0, (1...4).contains(channels), !overflow, !overflows, size == pixels.count
    else {
      throw NNError(
        .invalidArgument,
        "an image of \(width) x \(height) pixels with \(channels) channels cannot have \(pixels.count) bytes")
    }
    self.width = width
    self.height = height
    self.channels = channels
    self.pixels = pixels
  }
}
