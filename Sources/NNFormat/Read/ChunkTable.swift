import NNGraph

/// One chunk of a tensor: where its bytes end and how each plane of it is stored.
struct StoredChunk {
  var rawBytes: Int
  /// The stored length of each plane; a raw chunk is one plane.
  var planes: SIMD8<UInt32>
  var planeCount: Int
  var storedBytes: Int
  var checksum: UInt32

  var planeBytes: Int { rawBytes / planeCount }
}

/// Reads the chunks of a tensor one by one, in constant memory whatever their number.
struct ChunkTable {
  private var reader: ByteReader
  private let codec: StorageCodec
  private let planeCount: Int
  private var rawBytesLeft: Int

  /// `reader` stands at the first chunk of a tensor of `rawBytes` bytes.
  init(_ reader: ByteReader, codec: StorageCodec, dtype: DType, rawBytes: Int) {
    self.reader = reader
    self.codec = codec
    planeCount = codec == .raw ? 1 : dtype.size
    rawBytesLeft = rawBytes
  }

  /// Where the table ends, once every chunk was read.
  var end: ByteReader { reader }

  /// The next chunk, or nil after the last.
  mutating func next() throws(NNError) -> StoredChunk? {
    guard rawBytesLeft > 0 else { return nil }
    let rawBytes = min(rawBytesLeft, Format.chunkSize)
    rawBytesLeft -= rawBytes
    var chunk = StoredChunk(
      rawBytes: rawBytes, planes: SIMD8(repeating: 0), planeCount: planeCount, storedBytes: 0, checksum: 0)
    let compressed = codec == .raw ? 0 : Int(try reader.u8())
    guard compressed >> planeCount == 0 else {
      throw reader.corrupt("a flag for a plane beyond the \(planeCount) there are")
    }
    for plane in 0..<planeCount {
      var stored = chunk.planeBytes
      if compressed >> plane & 1 == 1 {
        stored = try reader.natural()
        guard stored > 0, stored < chunk.planeBytes else {
          throw reader.corrupt("a plane of \(chunk.planeBytes) bytes cannot be compressed to \(stored)")
        }
      }
      chunk.planes[plane] = UInt32(truncatingIfNeeded: stored)
      chunk.storedBytes += stored
    }
    chunk.checksum = try reader.u32()
    return chunk
  }
}
