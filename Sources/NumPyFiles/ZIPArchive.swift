import CZlib
import NNGraph

/// As much of a ZIP archive (PKWARE's APPNOTE 6.3) as `numpy.savez` and `numpy.savez_compressed` write: entries stored or
/// deflated, sizes of 32 bits in the directory.
struct ZIPArchive {
  struct Entry {
    var name: String
    var isDeflated: Bool
    var checksum: UInt32
    /// Where the stored bytes stand in the file.
    var range: Range<Int>
    /// Bytes of the content.
    var size: Int
  }

  let entries: [Entry]
  private let bytes: UnsafeRawBufferPointer

  private enum Signature {
    static let entry = 0x0403_4b50
    static let directory = 0x0201_4b50
    static let end = 0x0605_4b50
  }

  /// DEFLATE makes at most 1032 bytes of one.
  private static let largestRatio = 1032

  /// Reads the directory. Every length is checked against the file, and no two entries may share bytes.
  ///
  /// - Throws: ``ErrorCode/corruptFile``; ``ErrorCode/unsupportedVersion`` for what ZIP can do beyond, naming the entry.
  init(_ bytes: UnsafeRawBufferPointer) throws(NNError) {
    self.bytes = bytes
    let end = try ZIPArchive.findEnd(bytes)
    let (count, size, start) = (
      bytes.number(end + 10, 2), bytes.number(end + 12, 4), bytes.number(end + 16, 4)
    )
    guard bytes.number(end + 4, 2) == 0, bytes.number(end + 6, 2) == 0, bytes.number(end + 8, 2) == count
    else {
      throw NNError(.unsupportedVersion, "an archive in several parts")
    }
    guard count != 0xFFFF, size != 0xFFFF_FFFF, start != 0xFFFF_FFFF else {
      throw NNError(.unsupportedVersion, "a ZIP64 archive, with more than 4 GiB or 65534 arrays")
    }
    guard start <= end, size == end - start else {
      throw NNError(.corruptFile, "the archive's directory is not where its end says")
    }
    var entries: [Entry] = []
    var position = start
    for _ in 0..<count {
      let entry = try ZIPArchive.entry(bytes, &position, directory: start, end: end)
      entries.append(entry)
    }
    guard position == end else { throw NNError(.corruptFile, "the archive's directory has another length") }
    let order = entries.sorted { $0.range.lowerBound < $1.range.lowerBound }
    for (one, next) in zip(order, order.dropFirst()) where one.range.upperBound > next.range.lowerBound {
      throw NNError(.corruptFile, "entries \"\(one.name)\" and \"\(next.name)\" overlap")
    }
    self.entries = entries
  }

  /// The end record is the last thing in the file, but for a comment of at most 65535 bytes.
  private static func findEnd(_ bytes: UnsafeRawBufferPointer) throws(NNError) -> Int {
    var position = bytes.count - 22
    while position >= max(0, bytes.count - 22 - 0xFFFF) {
      if bytes.number(position, 4) == Signature.end,
        bytes.number(position + 20, 2) == bytes.count - position - 22
      {
        return position
      }
      position -= 1
    }
    throw NNError(.corruptFile, "not a whole ZIP archive: its end is missing")
  }

  private static func entry(
    _ bytes: UnsafeRawBufferPointer, _ position: inout Int, directory: Int, end: Int
  ) throws(NNError) -> Entry {
    let header = position
    guard header + 46 <= end, bytes.number(header, 4) == Signature.directory else {
      throw NNError(.corruptFile, "the archive's directory is damaged")
    }
    let (flags, method) = (bytes.number(header + 8, 2), bytes.number(header + 10, 2))
    let (stored, size) = (bytes.number(header + 20, 4), bytes.number(header + 24, 4))
    let nameLength = bytes.number(header + 28, 2)
    position = header + 46 + nameLength + bytes.number(header + 30, 2) + bytes.number(header + 32, 2)
    guard position <= end else { throw NNError(.corruptFile, "the archive's directory is damaged") }
    let nameBytes = bytes[header + 46..<header + 46 + nameLength]
    let name = String(decoding: nameBytes, as: UTF8.self)
    let local = bytes.number(header + 42, 4)
    guard flags & 1 == 0 else { throw NNError(.unsupportedVersion, "entry \"\(name)\" is encrypted") }
    guard method == 0 || method == 8 else {
      throw NNError(
        .unsupportedVersion,
        "entry \"\(name)\" is compressed by method \(method); stored (0) and deflated (8) are read")
    }
    guard stored != 0xFFFF_FFFF, size != 0xFFFF_FFFF, local != 0xFFFF_FFFF else {
      throw NNError(.unsupportedVersion, "entry \"\(name)\" has more than 4 GiB (ZIP64)")
    }
    // The entry's own header repeats what the directory says, with extra fields of another length.
    guard local + 30 + nameLength <= directory, bytes.number(local, 4) == Signature.entry,
      bytes.number(local + 26, 2) == nameLength, bytes.number(local + 8, 2) == method,
      bytes[local + 30..<local + 30 + nameLength].elementsEqual(nameBytes)
    else { throw NNError(.corruptFile, "the header of entry \"\(name)\" is damaged") }
    let first = local + 30 + nameLength + bytes.number(local + 28, 2)
    guard first <= directory, stored <= directory - first else {
      throw NNError(.corruptFile, "entry \"\(name)\": \(stored) bytes reach beyond the entries")
    }
    guard method == 8 ? size <= (stored + 1) * largestRatio : size == stored else {
      throw NNError(.corruptFile, "entry \"\(name)\": \(stored) bytes cannot hold the \(size) it declares")
    }
    return Entry(
      name: name, isDeflated: method == 8, checksum: UInt32(bytes.number(header + 16, 4)),
      range: first..<first + stored, size: size)
  }

  /// An entry's bytes.
  ///
  /// - Throws: ``ErrorCode/corruptFile`` or ``ErrorCode/checksumMismatch`` naming the entry; ``ErrorCode/outOfMemory``.
  func content(_ entry: Entry) throws(NNError) -> TensorStorage {
    let stored = UnsafeRawBufferPointer(rebasing: bytes[entry.range])
    // Memory that a file merely declares must be an error where it is not to be had.
    let content = try TensorStorage.allocate(size: entry.size) { (memory) throws(NNError) in
      if entry.isDeflated {
        try inflate(stored, into: memory, entry)
      } else {
        memory.copyMemory(from: stored)
      }
    }
    guard ZIPArchive.checksum(content.bytes) == entry.checksum else {
      throw NNError(.checksumMismatch, "entry \"\(entry.name)\" does not have its recorded CRC-32")
    }
    return content
  }

  private func inflate(
    _ stored: UnsafeRawBufferPointer, into memory: UnsafeMutableRawBufferPointer, _ entry: Entry
  ) throws(NNError) {
    // Of no bytes there may be no address, but what is never read or written needs a valid one.
    var nothing: UInt8 = 0
    let status = withUnsafeMutablePointer(to: &nothing) { nothing in
      nnz_inflate(
        stored.baseAddress?.assumingMemoryBound(to: UInt8.self) ?? UnsafePointer(nothing), stored.count,
        memory.baseAddress?.assumingMemoryBound(to: UInt8.self) ?? nothing, memory.count)
    }
    guard status == 0 else {
      throw NNError(
        .corruptFile, "entry \"\(entry.name)\" does not inflate to the \(entry.size) bytes it declares")
    }
  }

  static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    bytes.baseAddress.map { nnz_crc32($0.assumingMemoryBound(to: UInt8.self), bytes.count) } ?? 0
  }

  /// The bytes of an archive.
  ///
  /// - Throws: ``ErrorCode/limitExceeded`` naming the entry with which it becomes larger than 4 GiB, or for too many.
  static func encode(
    _ contents: [(name: String, bytes: [UInt8])], compressed: Bool
  ) throws(NNError) -> [UInt8] {
    guard contents.count < 0xFFFF else {
      throw NNError(.limitExceeded, "\(contents.count) arrays; an archive holds up to 65534")
    }
    var (file, directory): ([UInt8], [UInt8]) = ([], [])
    for (name, bytes) in contents {
      let stored = compressed ? try deflated(bytes, name) : bytes
      let start = file.count
      guard name.utf8.count < 0xFFFF,
        max(bytes.count, start + stored.count + 64 + name.utf8.count) < 0xFFFF_FFFF
      else { throw NNError(.limitExceeded, "with array \"\(name)\" the archive is larger than 4 GiB") }
      // Version 2.0; the flag says that names are UTF-8; dates are 1 January 1980, so that equal arrays give equal files.
      var common: [UInt8] = []
      common.append(20, bytes: 2)
      common.append(0x0800, bytes: 2)
      common.append(compressed ? 8 : 0, bytes: 2)
      common.append(0x0021_0000, bytes: 4)
      common.append(Int(bytes.withUnsafeBytes { checksum($0) }), bytes: 4)
      common.append(stored.count, bytes: 4)
      common.append(bytes.count, bytes: 4)
      common.append(name.utf8.count, bytes: 2)
      common.append(0, bytes: 2)
      file.append(Signature.entry, bytes: 4)
      file += common + Array(name.utf8) + stored
      directory.append(Signature.directory, bytes: 4)
      directory.append(20, bytes: 2)
      directory += common
      directory.append(0, bytes: 10)
      directory.append(start, bytes: 4)
      directory += Array(name.utf8)
    }
    let start = file.count
    guard start + directory.count < 0xFFFF_FFFF else {
      throw NNError(.limitExceeded, "the archive is larger than 4 GiB")
    }
    file += directory
    file.append(Signature.end, bytes: 4)
    file.append(0, bytes: 4)
    file.append(contents.count, bytes: 2)
    file.append(contents.count, bytes: 2)
    file.append(directory.count, bytes: 4)
    file.append(start, bytes: 4)
    file.append(0, bytes: 2)
    return file
  }

  private static func deflated(_ bytes: [UInt8], _ name: String) throws(NNError) -> [UInt8] {
    let bound = nnz_deflate_bound(bytes.count)
    guard bound > 0 else { throw NNError(.limitExceeded, "array \"\(name)\" has more than 4 GiB") }
    let result = [UInt8](unsafeUninitializedCapacity: bound) { to, count in
      bytes.withUnsafeBufferPointer { from in
        if let to = to.baseAddress, let from = from.baseAddress {
          count = nnz_deflate(from, bytes.count, to, bound)
        }
      }
    }
    guard !result.isEmpty else { throw NNError(.outOfMemory, "array \"\(name)\" cannot be compressed") }
    return result
  }
}

extension UnsafeRawBufferPointer {
  /// A little-endian number of up to 4 bytes; the range must lie inside.
  fileprivate func number(_ position: Int, _ count: Int) -> Int {
    (0..<count).reduce(0) { $0 | Int(self[position + $1]) << (8 * $1) }
  }
}

extension [UInt8] {
  /// Appends a number, little-endian.
  fileprivate mutating func append(_ value: Int, bytes: Int) {
    for index in 0..<bytes { append(index < 8 ? UInt8(truncatingIfNeeded: value >> (8 * index)) : 0) }
  }
}
