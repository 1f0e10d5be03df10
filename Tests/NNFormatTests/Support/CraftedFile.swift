@testable import NNFormat
import NNGraph

/// A file taken apart, to be put together again with anything wrong in it and the checksums right.
struct CraftedFile {
  struct Section {
    var code: UInt32
    var codec: UInt32
    var bytes: [UInt8]
    var rawBytes: UInt64
    /// Where the table says the section is, if not where it belongs.
    var offset: UInt64?
    var storedBytes: UInt64?
    var checksum: UInt32?
    var reserved: UInt32 = 0
  }

  var version: UInt16 = 1
  var sections: [Section] = []
  var trailing: [UInt8] = []
  var length: UInt64?
  /// Goes between header and sections and between sections, where padding belongs.
  var padding: UInt8 = 0
  var reserved: UInt32 = 0

  /// The sections of `model`, stored raw so that they can be edited.
  init(_ model: ModelFile, _ options: WriteOptions = WriteOptions(codec: .raw)) throws {
    let bytes = try model.encode(options)
    for section in try ModelFile.layout(of: bytes).sections {
      let stored = Array(bytes[section.offset..<section.offset + section.storedBytes])
      sections.append(
        Section(
          code: section.number | (section.isRequired ? 0x8000_0000 : 0),
          codec: UInt32(section.codec.rawValue),
          bytes: stored, rawBytes: UInt64(section.rawBytes)))
    }
  }

  subscript(kind: SectionKind) -> Section {
    get { sections.first { $0.code == kind.wireCode }! }
    set { sections[sections.firstIndex { $0.code == kind.wireCode }!] = newValue }
  }

  /// Replaces a section's bytes by others of any length.
  mutating func replace(_ kind: SectionKind, _ bytes: [UInt8]) {
    self[kind].bytes = bytes
    self[kind].rawBytes = UInt64(bytes.count)
  }

  var bytes: [UInt8] {
    let crc = CRC32C()
    var body: [UInt8] = []
    var table = ByteWriter()
    let start = 24 + 40 * sections.count
    for section in sections {
      let alignment = section.code == SectionKind.data.wireCode ? 64 : 8
      while (start + body.count) % alignment != 0 { body.append(padding) }
      table.u32(section.code)
      table.u32(section.codec)
      table.u64(section.offset ?? UInt64(start + body.count))
      table.u64(section.storedBytes ?? UInt64(section.bytes.count))
      table.u64(section.rawBytes)
      let isData = section.code == SectionKind.data.wireCode
      table.u32(section.checksum ?? (isData ? 0 : section.bytes.withUnsafeBytes { crc.checksum($0) }))
      table.u32(section.reserved)
      body += section.bytes
    }
    var file = ByteWriter()
    file.u32(Format.magic)
    file.u16(version)
    file.u16(UInt16(sections.count))
    file.u64(length ?? UInt64(start + body.count + trailing.count))
    file.u32(reserved)
    let front = file.bytes.withUnsafeBytes { crc.checksum($0) }
    file.u32(table.bytes.withUnsafeBytes { crc.checksum($0, continuing: front) })
    return file.bytes + table.bytes + body + trailing
  }
}
