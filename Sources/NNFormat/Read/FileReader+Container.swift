import NNGraph

/// An entry of the section table.
struct StoredSection {
  /// Kind and required bit as stored; unknown kinds stay unknown.
  var code: UInt32
  var kind: SectionKind?
  /// `raw` for unknown kinds, whose codec is theirs to define.
  var codec: StorageCodec
  var offset: Int
  var storedBytes: Int
  var rawBytes: Int
  var checksum: UInt32

  var end: Int { offset + storedBytes }
}

extension FileReader {
  /// Header and section table: what is where, without holes, overlaps or anything left over.
  func readContainer() throws(NNError) {
    var header = ByteReader(file, role: "header")
    guard file.count >= 4, try header.u32() == Format.magic else {
      throw NNError(.notANnrtFile, "not a .nnrt file: it does not begin with \"NNRT\"")
    }
    guard file.count >= Format.headerSize else {
      throw NNError(.corruptFile, "the file has \(file.count) bytes, fewer than a header")
    }
    let version = try header.u16()
    guard version != 0 else { throw NNError(.corruptFile, "format version 0 does not exist") }
    guard version == Format.version else {
      throw NNError(
        .unsupportedVersion, "the file has format version \(version), this reader knows \(Format.version)")
    }
    let count = Int(try header.u16())
    let length = try header.u64()
    guard length == UInt64(file.count) else {
      throw NNError(.corruptFile, "the header declares \(length) bytes, the file has \(file.count)")
    }
    guard try header.u32() == 0 else {
      throw NNError(.corruptFile, "a reserved field of the header is not 0")
    }
    let checksum = try header.u32()
    guard count <= Format.maximumSectionCount else {
      throw NNError(
        .limitExceeded, "\(count) sections declared, at most \(Format.maximumSectionCount) are allowed")
    }
    let table = try header.take(count * Format.sectionEntrySize)
    let front = crc.checksum(file.slice(0, Format.headerSize - 4))
    guard crc.checksum(table, continuing: front) == checksum else {
      throw NNError(.checksumMismatch, "header and section table do not have their recorded checksum")
    }
    try readSectionTable(table, count: count, from: header.offset)
  }

  private func readSectionTable(
    _ table: UnsafeRawBufferPointer, count: Int, from start: Int
  ) throws(NNError) {
    var reader = ByteReader(table, role: "section table")
    var end = start
    var previous: UInt32 = 0
    for index in 0..<count {
      let section: StoredSection
      do throws(NNError) {
        section = try readEntry(&reader)
        let number = section.code & ~SectionKind.requiredBit
        guard number > previous else { throw NNError(.corruptFile, "kinds are not in ascending order") }
        previous = number
        try checkPlace(section, after: end)
      } catch {
        throw error.within("section \(index)")
      }
      end = section.end
      sections.append(section)
    }
    guard end == file.count else {
      throw NNError(.corruptFile, "\(file.count - end) bytes follow the last section")
    }
    for kind in SectionKind.allCases where kind.isRequired && section(kind) == nil {
      throw NNError(.corruptFile, "the file has no \(kind.name) section")
    }
  }

  private func readEntry(_ reader: inout ByteReader) throws(NNError) -> StoredSection {
    let code = try reader.u32()
    let codecCode = try reader.u32()
    let offset = try reader.length()
    let stored = try reader.length()
    let raw = try reader.length()
    let checksum = try reader.u32()
    guard try reader.u32() == 0 else { throw NNError(.corruptFile, "its reserved field is not 0") }
    let kind = SectionKind(rawValue: code & ~SectionKind.requiredBit)
    var section = StoredSection(
      code: code, kind: kind, codec: .raw, offset: offset, storedBytes: stored, rawBytes: raw,
      checksum: checksum)
    guard let kind else {
      guard code & SectionKind.requiredBit == 0 else {
        throw NNError(
          .unsupportedVersion,
          "kind \(code & ~SectionKind.requiredBit) is required, and this reader does not know it")
      }
      return section
    }
    guard code == kind.wireCode else {
      throw NNError(.corruptFile, "the \(kind.name) section has a wrong required bit")
    }
    guard let codec = UInt8(exactly: codecCode).flatMap({ StorageCodec(rawValue: $0) }) else {
      throw NNError(.unsupportedVersion, "codec \(codecCode) of the \(kind.name) section is unknown")
    }
    section.codec = codec
    try checkLengths(section, kind)
    return section
  }

  private func checkLengths(_ section: StoredSection, _ kind: SectionKind) throws(NNError) {
    switch section.codec {
    case .raw:
      guard section.rawBytes == section.storedBytes else {
        throw NNError(
          .corruptFile,
          "the \(kind.name) section stores \(section.storedBytes) bytes raw and declares \(section.rawBytes)")
      }
    case .zstd:
      // Longer than stored, or it would have been stored raw; not much longer, or it is a bomb.
      guard kind != .data, section.rawBytes > section.storedBytes,
        section.rawBytes / Format.maximumExpansion <= section.storedBytes
      else {
        throw NNError(
          .corruptFile,
          "the \(kind.name) section cannot hold \(section.rawBytes) bytes compressed to \(section.storedBytes)"
        )
      }
    }
    guard kind == .data || section.rawBytes <= Format.maximumSectionSize else {
      throw NNError(
        .limitExceeded,
        "the \(kind.name) section has \(section.rawBytes) bytes, at most \(Format.maximumSectionSize) are allowed"
      )
    }
  }

  /// A section starts at the first possible place after `end`, lies inside the file and has its checksum.
  private func checkPlace(_ section: StoredSection, after end: Int) throws(NNError) {
    let alignment = section.kind?.alignment ?? Format.sectionAlignment
    guard let expected = Format.align(end, to: alignment), section.offset == expected else {
      throw NNError(
        .corruptFile, "starts at byte \(section.offset), although what precedes it ends at \(end)")
    }
    guard section.offset <= file.count, section.storedBytes <= file.count - section.offset else {
      throw NNError(
        .corruptFile,
        "\(section.storedBytes) bytes declared at byte \(section.offset), the file has \(file.count)")
    }
    guard file.slice(end, section.offset - end).firstNonzero == nil else {
      throw NNError(.corruptFile, "the padding before byte \(section.offset) is not zero")
    }
    // The data section's chunks have checksums of their own, in the tensor index.
    let checksum =
      section.kind == .data ? 0 : crc.checksum(file.slice(section.offset, section.storedBytes))
    guard checksum == section.checksum else {
      throw NNError(.checksumMismatch, "the stored bytes do not have their recorded checksum")
    }
  }
}
