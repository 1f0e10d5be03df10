import CPlatform
import Foundation
import Testing

@Test(arguments: [0, 1, 4096, 65537, (2 << 20) - 1, 2 << 20, (2 << 20) + 1, (5 << 20) + 123])
func aMappedFileHasItsBytesAndNoHugePage(_ size: Int) throws {
  let path = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID()).bin").path
  defer { try? FileManager.default.removeItem(atPath: path) }
  let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
  try Data(bytes).write(to: URL(fileURLWithPath: path))
  for _ in 0..<3 {
    var mapping = nnp_mapping()
    #expect(nnp_file_map(path, &mapping) == 0)
    #expect(Array(UnsafeRawBufferPointer(start: mapping.bytes, count: mapping.size)) == bytes)
    if size >= 2 << 20 { #expect(Int(bitPattern: mapping.bytes) % (2 << 20) == 1 << 20) }
    nnp_file_unmap(mapping)
  }
}
