import CPlatform
import NNGraph

/// A tensor with the memory that its elements go to.
struct PlacedTensor {
  let tensor: StoredTensor
  let stored: UnsafeRawBufferPointer
  let storage: TensorStorage
  /// Its chunks among those of all tensors.
  let chunks: Range<Int>

  /// Whether its elements are used where they lie in the file.
  var isInPlace: Bool { storage.bytes.baseAddress == stored.baseAddress }
}

/// Decodes chunks, on one thread: what it needs for that belongs to it alone.
final class ChunkDecoder {
  /// The first chunk that was wrong; none behind it is decoded any more.
  private(set) var failure: (chunk: Int, error: NNError)?

  private let tensors: [PlacedTensor]
  private let crc: CRC32C
  private let scratch: TensorStorage
  private let zstd: ZstdDecoder?
  /// Whether the file is mapped, and leaves memory chunk by chunk.
  private let isMapped: Bool

  /// - Parameter scratchSize: the most bytes of a chunk in planes; 0 if nothing is compressed so.
  /// - Throws: ``ErrorCode/outOfMemory``.
  init(
    _ tensors: [PlacedTensor], _ crc: CRC32C, _ scratchSize: Int, isMapped: Bool
  ) throws(NNError) {
    self.tensors = tensors
    self.isMapped = isMapped
    self.crc = crc
    scratch = try TensorStorage.allocate(size: scratchSize) { _ in }
    let isCompressed = tensors.contains { $0.tensor.codec == .zstd }
    zstd = isCompressed ? try ZstdDecoder() : nil
  }

  /// Decodes the given chunks of all.
  func decode(_ chunks: Range<Int>) {
    var index = 0
    var next = chunks.lowerBound
    while next < min(chunks.upperBound, failure?.chunk ?? .max) {
      let tensor = tensors[index]
      if next < tensor.chunks.upperBound {
        let end = min(chunks.upperBound, tensor.chunks.upperBound)
        decode(tensor, next..<end)
        next = end
      }
      index += 1
    }
  }

  private func decode(_ tensor: PlacedTensor, _ chunks: Range<Int>) {
    var number = tensor.chunks.lowerBound
    do throws(NNError) {
      var table = tensor.tensor.chunks
      var from = 0
      var to = 0
      while number < chunks.upperBound, let chunk = try table.next() {
        if number >= chunks.lowerBound { try decode(chunk, of: tensor, from, to) }
        from += chunk.storedBytes
        to += chunk.rawBytes
        number += 1
      }
    } catch {
      failure = (number, error.within("tensor " + tensor.tensor.name.quoted))
    }
  }

  private func decode(
    _ chunk: StoredChunk, of tensor: PlacedTensor, _ from: Int, _ to: Int
  ) throws(NNError) {
    let stored = tensor.stored.slice(from, chunk.storedBytes)
    if isMapped, let begin = stored.baseAddress { nnp_will_read_mapped(begin, stored.count) }
    guard crc.checksum(stored) == chunk.checksum else {
      throw NNError(
        .checksumMismatch,
        "\(stored.count) stored bytes from its byte \(from) on do not have their recorded checksum")
    }
    if tensor.isInPlace { return }
    let target = UnsafeMutableRawBufferPointer(mutating: tensor.storage.bytes.slice(to, chunk.rawBytes))
    if let begin = target.baseAddress { nnp_will_write(begin, target.count) }
    switch tensor.tensor.codec {
    case .raw: target.copyMemory(from: stored)
    case .zstd: try join(chunk, tensor.tensor.dtype, stored, into: target)
    }
    if isMapped, let begin = stored.baseAddress {
      // With what came before it: a first touch brings the pages around it back.
      let around = min(tensor.tensor.offset + from, 1 << 16)
      nnp_has_read_mapped(begin - around, around + stored.count)
    }
  }

  /// Decompresses the planes of a chunk and puts its elements together. Planes that are not compressed are read where they lie.
  private func join(
    _ chunk: StoredChunk, _ dtype: DType, _ stored: UnsafeRawBufferPointer,
    into target: UnsafeMutableRawBufferPointer
  ) throws(NNError) {
    // Elements of one byte have one plane, which is the chunk itself.
    let planes = chunk.planeCount == 1 ? target : UnsafeMutableRawBufferPointer(mutating: scratch.bytes)
    guard let zstd, let first = planes.baseAddress else { return }
    var begins = BytePlanes.Planes(repeating: UnsafePointer(first.assumingMemoryBound(to: UInt8.self)))
    var from = 0
    for index in 0..<chunk.planeCount {
      let start = index * chunk.planeBytes
      let plane = UnsafeMutableRawBufferPointer(rebasing: planes[start..<(start + chunk.planeBytes)])
      let count = Int(chunk.planes[index])
      let source = stored.slice(from, count)
      if count < chunk.planeBytes {
        try zstd.decompress(source, into: plane)
        begins[index] += start
      } else if chunk.planeCount == 1 {
        plane.copyMemory(from: source)
      } else if let base = source.baseAddress {
        begins[index] = base.assumingMemoryBound(to: UInt8.self)
      }
      from += count
    }
    if chunk.planeCount > 1 { BytePlanes.join(begins, dtype: dtype, into: target) }
  }
}
