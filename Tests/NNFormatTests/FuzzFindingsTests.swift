import Foundation
import NNFormat
import NNGraph
import Testing

/// Tests/Fuzz/Findings holds what once made the loader fail. It must load or be refused, whole and cut short.
@Test func formerFindingsLoadOrAreRefused() throws {
  let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Fuzz/Findings")
  for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) {
    let bytes = Array(try Data(contentsOf: folder.appendingPathComponent(name)))
    for length in Set([bytes.count, bytes.count / 2, max(bytes.count - 1, 0)]) {
      do throws(NNError) {
        _ = try ModelFile.decode(Array(bytes[0..<length]), limits: ReadLimits(memory: 32 << 20))
      } catch {
        #expect(!error.message.isEmpty, "\(name)")
      }
    }
  }
}
