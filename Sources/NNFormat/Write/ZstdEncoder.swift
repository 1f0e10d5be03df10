import CZstd
import NNGraph

/// A zstd compression context, made once for a file.
final class ZstdEncoder {
  private let context: OpaquePointer
  private let level: Int
  /// Makes frames of little effort, which tell whether more is worth it; made when it is first needed.
  private var prober: ZstdEncoder?

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

  /// As ``compress(_:)``, but nil at once for bytes that a first try at the lowest level hardly shortens: the lower bits of weights are
  /// noise, and the higher levels spend most of their time on finding that out.
  func compressUnlessNoise(_ source: UnsafeRawBufferPointer) throws(NNError) -> [UInt8]? {
    if level > 1, source.count >= 4096 {
      if prober == nil { prober = try ZstdEncoder(level: 1) }
      guard let probe = try prober?.compress(source), probe.count < source.count - source.count / 128 else {
        return nil
      }
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
