import CImageFiles
import Files
import NNGraph

/// Writing PNG files of eight bits a channel.
public enum PNG {
  static let signature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]

  /// The bytes of a file with the given pixels, (H, W, C) row-major.
  ///
  /// - Parameter channels: 1 for gray, 3 for RGB.
  /// - Throws: ``ErrorCode/invalidArgument`` if there is no pixel, for other channels, or if `pixels` has not
  ///   `width * height * channels` elements.
  public static func encode(width: Int, height: Int, channels: Int, pixels: [UInt8]) throws(NNError)
    -> [UInt8]
  {
    let image = try RasterImage(width: width, height: height, channels: channels, pixels: pixels)
    var bytes: UnsafeMutablePointer<UInt8>?
    var size = 0
    var message = [CChar](repeating: 0, count: Int(NNI_MESSAGE_SIZE))
    let status = nni_png_encode(
      image.pixels, image.width, image.height, image.channels, &bytes, &size, &message)
    try ImageFile.check(status, "PNG", message)
    defer { nni_free(bytes) }
    return Array(UnsafeBufferPointer(start: bytes, count: size))
  }

  /// The bytes of a file with an image of 1 or 3 channels.
  public static func encode(_ image: RasterImage) throws(NNError) -> [UInt8] {
    try encode(width: image.width, height: image.height, channels: image.channels, pixels: image.pixels)
  }

  /// Writes a file with the given pixels, replacing an old one at once or not at all; see
  /// ``encode(width:height:channels:pixels:)``.
  ///
  /// - Throws: ``ErrorCode/fileAccess`` too.
  public static func write(
    width: Int, height: Int, channels: Int, pixels: [UInt8], to path: String
  ) throws(NNError) {
    let bytes: [UInt8]
    do throws(NNError) {
      bytes = try encode(width: width, height: height, channels: channels, pixels: pixels)
    } catch {
      throw error.within(path)
    }
    try WholeFile.write(bytes, to: path)
  }
}
