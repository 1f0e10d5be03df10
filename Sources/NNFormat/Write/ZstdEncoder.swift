import CZstd
import NNGraph

/// A zstd compression context, made once for a file.
final class ZstdEncoder {
  private let context: OpaquePointer
  private let level: Int
  /// Makes frames of little effort, which tell whether more is worth it; made when it is first needed.
  private var prober: ZstdEncoder?
  /// Makes frames with hardly a match; made when it is first needed.
  private var matchless: ZstdEncoder?

  /// - Throws: ``ErrorCode/invalidArgument`` for a level outside 1…22.
  init(level: Int) throws(NNError) {
    guard level >= 1, level <= 22 else {
      throw NNError(.invalidArgument, "compression level \(level); levels are 1 to 22")
    }
    guard let context = ZSTD_createCCtx() else {
      throw NNError(.outOfMemory, "memory for compression could not be allocated")
    }
    self.context = context
    self.level = level
    // The format stores lengths and checksums itself. Setting a valid parameter of a fresh context cannot fail.
    _ = ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, Int32(level))
    // No larger than a chunk: with a longer piece, the tables of a high level would take tens of megabytes.
    _ = ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, 18)
    _ = ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 0)
    _ = ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 0)
    _ = ZSTD_CCtx_setParameter(context, ZSTD_c_dictIDFlag, 0)
  }

  deinit {
    ZSTD_freeCCtx(context)
  }

  /// `source` as one zstd frame, or nil if that is not smaller.
  ///
  /// - Throws: ``ErrorCode/outOfMemory``.
  func compress(_ source: UnsafeRawBufferPointer) throws(NNError) -> [UInt8]? {
    guard source.count > 1 else { return nil }
    var code = ZSTD_error_no_error
    let frame = [UInt8](unsafeUninitializedCapacity: source.count - 1) { buffer, count in
      let size = ZSTD_compress2(context, buffer.baseAddress, buffer.count, source.baseAddress, source.count)
      code = ZSTD_getErrorCode(size)
      count = code == ZSTD_error_no_error ? size : 0
    }
    if code == ZSTD_error_dstSize_tooSmall { return nil }
    guard code == ZSTD_error_no_error else {
      throw NNError(.outOfMemory, "\(source.count) bytes could not be compressed")
    }
    return frame
  }

  /// An encoder that looks for long matches alone, and remembers few places where they may begin.
  private static func makeMatchless() throws(NNError) -> ZstdEncoder {
    let encoder = try ZstdEncoder(level: 1)
    _ = ZSTD_CCtx_setParameter(encoder.context, ZSTD_c_hashLog, 6)
    _ = ZSTD_CCtx_setParameter(encoder.context, ZSTD_c_minMatch, 7)
    return encoder
  }

  /// As ``compress(_:)`` for the bytes of weights, which are nearly random.
  ///
  /// Matches among their exponents are chance: they save little or nothing, and reading one takes as long as many bytes. So a frame with
  /// hardly any is taken unless the other one is smaller by a hundredth. Lower bits are noise, and the higher levels spend most of their time
  /// on finding that out: nil at once where a first try at the lowest level hardly shortens them.
  func compressWeights(_ source: UnsafeRawBufferPointer) throws(NNError) -> [UInt8]? {
    guard source.count >= 4096 else { return try compress(source) }
    let most = source.count - source.count / 128
    if matchless == nil { matchless = try Self.makeMatchless() }
    if let plain = try matchless?.compress(source), plain.count < most {
      let frame = try compress(source)
      guard let frame, frame.count < plain.count - plain.count / 100 else { return plain }
      return frame
    }
    if level > 1 {
      if prober == nil { prober = try ZstdEncoder(level: 1) }
      guard let probe = try prober?.compress(source), probe.count < most else { return nil }
    }
    return try compress(source)
  }

  func compress(_ source: [UInt8]) throws(NNError) -> [UInt8]? {
    // Array's own accessor does not carry typed errors.
    try source.withUnsafeBytes { (source) -> Result<[UInt8]?, NNError> in
      do throws(NNError) { return .success(try compress(source)) } catch { return .failure(error) }
    }.get()
  }
}
