import CZstd
import NNGraph

/// A zstd decompression context, made once for a file.
final class ZstdDecoder {
  /// What zstd takes for a context (160 KB with version 1.5), rounded up.
  static let memory = 1 << 18

  private let context: OpaquePointer

  init() throws(NNError) {
    guard let context = ZSTD_createDCtx() else {
      throw NNError(.outOfMemory, "memory for decompression could not be allocated")
    }
    self.context = context
  }

  deinit {
    ZSTD_freeDCtx(context)
  }

  /// Decompresses the one zstd frame (RFC 8878) that `source` must be into exactly `destination`.
  func decompress(
    _ source: UnsafeRawBufferPointer, into destination: UnsafeMutableRawBufferPointer
  ) throws(NNError) {
    // Skippable frames and the formats of before 2016, which libzstd may know as well, have other magic numbers.
    guard source.count >= 4, UInt32(littleEndian: source.loadUnaligned(as: UInt32.self)) == 0xFD2F_B528,
      ZSTD_findFrameCompressedSize(source.baseAddress, source.count) == source.count
    else { throw NNError(.corruptFile, "\(source.count) stored bytes are not one zstd frame") }
    let size = ZSTD_decompressDCtx(
      context, destination.baseAddress, destination.count, source.baseAddress, source.count)
    if ZSTD_isError(size) != 0 {
      let code = ZSTD_getErrorCode(size)
      if code == ZSTD_error_memory_allocation {
        throw NNError(.outOfMemory, "memory for decompression could not be allocated")
      }
      throw NNError(
        .corruptFile,
        code == ZSTD_error_dstSize_tooSmall
          ? "decompresses to more than the declared \(destination.count) bytes"
          : "\(source.count) stored bytes cannot be decompressed")
    }
    guard size == destination.count else {
      throw NNError(.corruptFile, "decompresses to \(size) bytes, \(destination.count) are declared")
    }
  }
}
