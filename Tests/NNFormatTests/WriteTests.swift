import Foundation
import NNFormat
import NNGraph
import Testing

private func withTemporaryFolder(_ body: (URL) throws -> Void) throws {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent("nnrt-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
  defer { try? FileManager.default.removeItem(at: folder) }
  try body(folder)
}

@Test func writingReplacesTheFileAndLeavesNothingElse() throws {
  try withTemporaryFolder { folder in
    let path = folder.appendingPathComponent("model.nnrt").path
    let models = [try mlp([4, 18, 3]), try everySection()]
    for model in models {
      try model.write(to: path)
      expectSame(model, try ModelFile.decode(Array(try Data(contentsOf: URL(fileURLWithPath: path)))))
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["model.nnrt"])
  }
}

@Test func modelThatCannotBeWrittenLeavesTheOldFile() throws {
  try withTemporaryFolder { folder in
    let path = folder.appendingPathComponent("model.nnrt").path
    let good = try mlp([4, 18, 3])
    try good.write(to: path)
    var bad = good
    bad.graph.nodes.removeLast()
    expectError(.invalidGraph) { try bad.write(to: path) }
    expectError(.invalidArgument, containing: "level 23") {
      try good.write(to: path, WriteOptions(codec: .zstd(level: 23)))
    }
    expectSame(good, try ModelFile.decode(Array(try Data(contentsOf: URL(fileURLWithPath: path)))))
  }
}

@Test func unwritablePathIsNamed() throws {
  try withTemporaryFolder { folder in
    let path = folder.appendingPathComponent("missing/model.nnrt").path
    expectError(.fileAccess, containing: path) { try mlp([4, 18, 3]).write(to: path) }
  }
}
