import CImageFiles
import Files
import NNGraph

/// Reading image files, PNG and JPEG, told apart by their first bytes.
public enum ImageFile {
  /// The most bytes of pixels, width · height · channels, that are read unless the caller says otherwise: a small file can
  /// claim to be a huge image.
  public static let defaultLimit = 1 << 28

  /// The image in a file.
  ///
  /// PNG: all colour types and depths; palettes and fewer than 8 bits are expanded, 16 bits are scaled to 8, transparency
  /// becomes an alpha channel, gamma and colour profiles are ignored. JPEG: baseline and progressive, gray and colour; CMYK is
  /// refused.
  ///
  /// - Throws: `NNError` naming the file: ``ErrorCode/fileAccess``; ``ErrorCode/corruptFile`` for what is damaged, cut short or
  ///   neither PNG nor JPEG; ``ErrorCode/invalidArgument`` for CMYK; ``ErrorCode/limitExceeded`` for more than `limit` bytes of
  ///   pixels; ``ErrorCode/outOfMemory``.
  public static func read(_ path: String, limit: Int = defaultLimit) throws(NNError) -> RasterImage {
    try WholeFile.read(path) { (bytes) throws(NNError) in try decode(bytes, limit: limit) }
  }

  /// The image in the bytes of a file; see ``read(_:limit:)``.
  public static func decode(_ bytes: [UInt8], limit: Int = defaultLimit) throws(NNError) -> RasterImage {
    var result = Result<RasterImage, NNError>.failure(NNError(.corruptFile, "the file is empty"))
    bytes.withUnsafeBytes { memory in
      result = Result { () throws(NNError) in try decode(memory, limit: limit) }
    }
    return try result.get()
  }

  /// The names a file with an image may end in, in lower case.
  public static let nameEndings = [".png", ".jpg", ".jpeg"]

  static func decode(_ bytes: UnsafeRawBufferPointer, limit: Int) throws(NNError) -> RasterImage {
    guard let base = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), !bytes.isEmpty else {
      throw NNError(.corruptFile, "the file is empty")
    }
    var image = nni_image()
    var message = [CChar](repeating: 0, count: Int(NNI_MESSAGE_SIZE))
    let status: Int32
    let format: StaticString
    if bytes.starts(with: PNG.signature) {
      status = nni_png_decode(base, bytes.count, max(limit, 0), &image, &message)
      format = "PNG"
    } else if bytes.starts(with: [0xFF, 0xD8, 0xFF]) {
      status = nni_jpeg_decode(base, bytes.count, max(limit, 0), &image, &message)
      format = "JPEG"
    } else {
      throw NNError(.corruptFile, "neither a PNG nor a JPEG file")
    }
    try check(status, format, message)
    defer { nni_free(image.pixels) }
    let pixels = UnsafeBufferPointer(start: image.pixels, count: image.width * image.height * image.channels)
    return try RasterImage(
      width: image.width, height: image.height, channels: image.channels, pixels: Array(pixels))
  }

  static func check(_ status: Int32, _ format: StaticString, _ message: [CChar]) throws(NNError) {
    guard status != 0 else { return }
    let text = String(decoding: message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    let code: ErrorCode =
      switch Int(status) {
      case Int(NNI_OUT_OF_MEMORY): .outOfMemory
      case Int(NNI_LIMIT): .limitExceeded
      case Int(NNI_UNSUPPORTED): .invalidArgument
      default: .corruptFile
      }
    throw NNError(code, "\(format): \(text)")
  }
}
