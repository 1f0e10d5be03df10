import CPlatform
import Foundation
import Testing

@Test(arguments: [0, 1, 4096, 65537, (2 << 20) - 1, 2 << 20, (2 << 20) + 1, (5 << 20) + 123])
func aMappedFileHasItsBytesAndIsReadInPieces(_ size: Int) throws {
  let path = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID()).bin").path
  defer { try? FileManager.default.removeItem(atPath: path) }
  let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
  try Data(bytes).write(to: URL(fileURLWithPath: path))
  var mapping = nnp_mapping()
  #expect(nnp_file_map(path, &mapping) == 0)
  defer { nnp_file_unmap(mapping) }
  let mapped = UnsafeRawBufferPointer(start: mapping.bytes, count: mapping.size)
  if let place = mapped.indices.randomElement() {
    #expect(mapped[place] == bytes[place])
    #if os(Linux)
      let before = try areas(of: mapped)
      #expect(1...(256 << 10) ~= before.resident)
      #expect(before.count == (size + (256 << 10) - 1) >> 18)
      nnp_file_join_pieces(mapping)
      #expect(try areas(of: mapped).count == 1)
    #endif
  }
  #expect(mapped.count == size)
  if let begin = mapping.bytes { #expect(memcmp(begin, bytes, size) == 0) }
}

#if os(Linux)
  /// A large file has no more pieces than a process can spare areas; nothing but its length is on the disk.
  @Test func aLargeFileIsMappedInFewPieces() throws {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID()).bin").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    #expect(FileManager.default.createFile(atPath: path, contents: nil))
    let file = try #require(FileHandle(forWritingAtPath: path))
    try file.truncate(atOffset: 5 << 30)
    try file.close()
    var mapping = nnp_mapping()
    #expect(nnp_file_map(path, &mapping) == 0)
    defer { nnp_file_unmap(mapping) }
    let mapped = UnsafeRawBufferPointer(start: mapping.bytes, count: mapping.size)
    #expect(try 2...256 ~= areas(of: mapped).count)
    nnp_file_join_pieces(mapping)
    #expect(try areas(of: mapped).count == 1)
  }

  /// The areas that begin in a mapping, and how much of them is in the process's resident memory.
  private func areas(of mapping: UnsafeRawBufferPointer) throws -> (count: Int, resident: Int) {
    let first = UInt(bitPattern: mapping.baseAddress)
    var isInside = false
    var (count, resident) = (0, 0)
    // A file without a size: it is read to its end.
    let text = try #require(try FileHandle(forReadingAtPath: "/proc/self/smaps")?.readToEnd())
    for line in String(decoding: text, as: UTF8.self).split(separator: "\n") {
      if let address = line.split(separator: "-").first.flatMap({ UInt($0, radix: 16) }) {
        isInside = address >= first && address < first + UInt(mapping.count)
        if isInside { count += 1 }
      } else if isInside, line.hasPrefix("Rss:") {
        resident += (line.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) << 10
      }
    }
    return (count, resident)
  }
#endif
