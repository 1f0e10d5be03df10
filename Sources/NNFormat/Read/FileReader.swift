import NNGraph

/// Decodes one file. Holds what the steps share: the bytes, the section table, what may still be allocated.
///
/// The steps, each in a file of its own: container, graph, tensors, metadata and self-tests.
final class FileReader {
  let file: UnsafeRawBufferPointer
  let crc: CRC32C
  var budget: MemoryBudget
  var sections: [StoredSection] = []
  private var decoder: ZstdDecoder?
  /// Decompressed sections, which byte readers point into as long as this object lives.
  private var contents: [TensorStorage] = []

  /// Checks the header, the section table and the bytes outside the data section.
  init(_ file: UnsafeRawBufferPointer, limits: ReadLimits) throws(NNError) {
    self.file = file
    crc = CRC32C()
    budget = MemoryBudget(limit: limits.memory)
    try readContainer()
  }

  func zstd() throws(NNError) -> ZstdDecoder {
    if let decoder { return decoder }
    try budget.take(ZstdDecoder.memory, for: "decompression")
    let decoder = try ZstdDecoder()
    self.decoder = decoder
    return decoder
  }

  func section(_ kind: SectionKind) -> StoredSection? {
    for section in sections where section.kind == kind { return section }
    return nil
  }

  /// A reader of a section's decompressed bytes, which live as long as this object.
  func open(_ section: StoredSection, _ kind: SectionKind) throws(NNError) -> ByteReader {
    let stored = file.slice(section.offset, section.storedBytes)
    if section.codec == .raw { return ByteReader(stored, role: kind.name) }
    try budget.take(section.rawBytes, for: "the \(kind.name) section")
    let decoder = try zstd()
    do throws(NNError) {
      let storage = try TensorStorage.allocate(size: section.rawBytes) { (memory) throws(NNError) in
        try decoder.decompress(stored, into: memory)
      }
      contents.append(storage)
      return ByteReader(storage.bytes, role: kind.name)
    } catch {
      throw error.within("\(kind.name) section")
    }
  }
}

/// What decoding may still allocate.
struct MemoryBudget {
  let limit: Int
  private(set) var left: Int

  init(limit: Int) {
    self.limit = limit
    left = limit
  }

  /// Counts `bytes` before they are allocated.
  ///
  /// - Throws: ``ErrorCode/limitExceeded``, naming `purpose`.
  mutating func take(_ bytes: Int, for purpose: @autoclosure () -> String) throws(NNError) {
    guard bytes >= 0, bytes <= left else {
      throw NNError(
        .limitExceeded,
        "\(bytes) bytes needed for \(purpose()), \(left) of the limit of \(limit) bytes are left")
    }
    left -= bytes
  }

  /// Counts an array of `count` elements.
  mutating func take<Element>(
    _ count: Int, of type: Element.Type, for purpose: @autoclosure () -> String
  ) throws(NNError) {
    let (elements, tooMany) = count.multipliedReportingOverflow(by: MemoryLayout<Element>.stride)
    // 32 bytes are what Swift's array and malloc add to the elements.
    let (bytes, tooLarge) = elements.addingReportingOverflow(32)
    try take(tooMany || tooLarge ? Int.max : bytes, for: purpose())
  }
}
