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
      #expect(try 1...(256 << 10) ~= residentBytes(of: mapped))
    #endif
  }
  #expect(mapped.count == size)
  if let begin = mapping.bytes { #expect(memcmp(begin, bytes, size) == 0) }
}

/// How much of a mapping is in the process's resident memory: of all areas that begin in it.
private func residentBytes(of mapping: UnsafeRawBufferPointer) throws -> Int {
  let first = UInt(bitPattern: mapping.baseAddress)
  var isInside = false
  var resident = 0
  // A file without a size: it is read to its end.
  let areas = try #require(try FileHandle(forReadingAtPath: "/proc/self/smaps")?.readToEnd())
  for line in String(decoding: areas, as: UTF8.self).split(separator: "\n") {
    if let address = line.split(separator: "-").first.flatMap({ UInt($0, radix: 16) }) {
      isInside = address >= first && address < first + UInt(mapping.count)
    } else if isInside, line.hasPrefix("Rss:") {
      resident += (line.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) << 10
    }
  }
  return resident
}
