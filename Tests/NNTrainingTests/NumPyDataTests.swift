import Foundation
import NNGraph
import NNTraining
import NumPyFiles
import Testing

@Suite struct NumPyDataTests {
  private let archive = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("Golden/data.npz").path

  @Test func integersAreClassesAndFractionsAreValues() throws {
    let classes = try Dataset(npz: archive)
    #expect(classes.sampleShape == [2, 2] && classes.features == (0..<12).map { Float($0) })
    #expect(classes.targets == .classes([1, 0, 2]))
    #expect(try Dataset(npz: archive, targets: "values").targets == .values([0.5, 1.5, 2.5], shape: [1]))
    #expect(
      try Dataset(npz: archive, targets: "masks").targets == .positions([1, -1, 0, 0, 1, 1], shape: [2]))
    let words = try Dataset(npz: archive, features: "words", tokens: true)
    #expect(words.tokens == [5, 6, 7, 8, 9, 10] && words.inputType == .i64 && words.sampleShape == [2])
    #expect(try Dataset(npz: archive, features: "values").sampleShape == [1])
  }

  @Test func arraysThatDoNotBelongTogetherAreRefused() throws {
    let length = #expect(throws: NNError.self) { try Dataset(npz: archive, targets: "other") }
    #expect(length?.code == .shapeMismatch && length?.message.contains("arrays \"x\" and \"other\"") == true)
    let tokens = #expect(throws: NNError.self) { try Dataset(npz: archive, features: "values", tokens: true) }
    #expect(tokens?.code == .dtypeMismatch)
    let name = #expect(throws: NNError.self) { try Dataset(npz: archive, features: "z") }
    #expect(name?.message.contains("there is no array \"z\"") == true)
  }

  @Test func aPairOfFilesIsADataset() throws {
    try withTemporaryPath { x in
      try withTemporaryPath { y in
        let features = try Tensor([Float(1), 2, 3, 4], extents: [2, 2])
        let targets = try Tensor([Int64(1), 0], extents: [2])
        try NPYFile.write(dtype: .f32, extents: [2, 2], bytes: features.bytes, to: x)
        try NPYFile.write(dtype: .i64, extents: [2], bytes: targets.bytes, to: y)
        let data = try Dataset(npy: x, targets: y)
        #expect(data.features == [1, 2, 3, 4] && data.targets == .classes([1, 0]))
        #expect(throws: NNError.self) { try Dataset(npy: y, targets: "/no/such.npy") }
      }
    }
  }
}
