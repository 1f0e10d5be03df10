import Files
import Foundation
import ImageFiles
import NNGraph
import Testing

@testable import NNTraining

@Suite struct ImageFolderTests {
  /// Folders of images under a temporary root: name of the class and of the file, and its bytes.
  private func withFolder(
    _ files: [(path: String, bytes: [UInt8])], _ body: (String) throws -> Void
  ) throws {
    try withTemporaryPath { root in
      try WholeFile.makeFolder(root)
      for (path, bytes) in files {
        let parts = path.split(separator: "/")
        try WholeFile.makeFolder(root + "/" + parts.dropLast().joined(separator: "/"))
        try WholeFile.write(bytes, to: root + "/" + path)
      }
      try body(root)
    }
  }

  private func gray(_ width: Int, _ pixels: [UInt8]) throws -> [UInt8] {
    try PNG.encode(width: width, height: pixels.count / width, channels: 1, pixels: pixels)
  }

  @Test func classesAndFilesAreInTheOrderOfTheirNames() throws {
    let files = [
      ("dog/b.png", try gray(2, [1, 2, 3, 4])), ("cat/2.PNG", try gray(2, [5, 6, 7, 8])),
      ("cat/10.png", try gray(2, [9, 9, 9, 9])), ("cat/notes.txt", Array("not an image".utf8)),
      (".hidden/a.png", [1]), ("Zebra/.x.png", [1]), ("Zebra/z.png", try gray(2, [0, 0, 0, 255])),
      ("readme.md", [1]),
    ]
    try withFolder(files) { root in
      let images = try ImageFolder(path: root)
      #expect(images.classNames == ["Zebra", "cat", "dog"])
      #expect(
        images.files.map { String($0.dropFirst(root.count + 1)) } == [
          "Zebra/z.png", "cat/10.png", "cat/2.PNG", "dog/b.png",
        ])
      #expect(images.dataset.targets == .classes([0, 1, 1, 2]))
      #expect(images.dataset.sampleShape == [1, 2, 2])
      #expect(images.dataset.features == [0, 0, 0, 255, 9, 9, 9, 9, 5, 6, 7, 8, 1, 2, 3, 4])
    }
  }

  @Test func oneColouredImageMakesAllColouredUnlessGrayIsAskedFor() throws {
    let colour = try PNG.encode(width: 1, height: 1, channels: 3, pixels: [100, 200, 50])
    let grayAsColour = try PNG.encode(width: 1, height: 1, channels: 3, pixels: [7, 7, 7])
    try withFolder([("a/1.png", colour), ("b/1.png", grayAsColour)]) { root in
      let images = try ImageFolder(path: root).dataset
      #expect(images.sampleShape == [3, 1, 1] && images.features == [100, 200, 50, 7, 7, 7])
      let grays = try ImageFolder(path: root, channels: 1).dataset
      #expect(grays.sampleShape == [1, 1, 1])
      #expect((grays.features[0] - (0.299 * 100 + 0.587 * 200 + 0.114 * 50)).magnitude < 1e-4)
      #expect(grays.features[1] == 7)
    }
    try withFolder([("a/1.png", grayAsColour)]) { (root) throws in
      #expect(try ImageFolder(path: root).dataset.sampleShape == [1, 1, 1])
      #expect(try ImageFolder(path: root, channels: 3).dataset.features == [7, 7, 7])
    }
  }

  @Test func imagesOfAllSizesGetTheOneAskedFor() throws {
    let files = [
      ("a/1.png", try gray(4, [0, 10, 20, 30, 40, 50, 60, 70])), ("b/1.png", try gray(2, [1, 2])),
    ]
    try withFolder(files) { root in
      let images = try ImageFolder(path: root, size: Extent2D(1, 2)).dataset
      #expect(images.features == [25, 45, 1, 2])
      let error = #expect(throws: NNError.self) { try ImageFolder(path: root) }
      #expect(error?.code == .shapeMismatch)
      #expect(error?.message.contains("b/1.png: 2 x 1 pixels, the images before have 4 x 2") == true)
    }
  }

  @Test(arguments: Golden.images.resized.indices)
  func resizingAgreesWithNumPyAndPyTorch(index: Int) throws {
    let golden = Golden.images.resized[index]
    let shape = golden.input.shape
    let image = ImagePlanes(
      channels: shape[0], height: shape[1], width: shape[2], values: golden.input.values.map { Float($0) })
    for (resizing, expected) in [(ImageResizing.area, golden.area), (.bilinear, golden.bilinear)] {
      let result = image.resized(height: expected.shape[1], width: expected.shape[2], resizing)
      #expect(relativeDifference(result.values.map { Double($0) }, expected.values) < 1e-6, "\(resizing)")
    }
  }

  @Test func mistakesNameTheFileOrTheClass() throws {
    let good = try gray(1, [1])
    let cases: [(files: [(String, [UInt8])], code: ErrorCode, part: String)] = [
      ([("a/1.png", good), ("a/2.jpg", Array(good.prefix(40)))], .corruptFile, "a/2.jpg: PNG"),
      ([("a/1.png", good), ("b/1.jpeg", Array("hello".utf8))], .corruptFile, "b/1.jpeg: neither"),
      ([("a/1.png", good), ("b/1.txt", [1])], .invalidArgument, "/b: the class has no"),
      ([("1.png", good)], .invalidArgument, "there is no folder in it"),
    ]
    for (files, code, part) in cases {
      try withFolder(files) { root in
        let error = #expect(throws: NNError.self) { try ImageFolder(path: root) }
        #expect(error?.code == code)
        #expect(error?.message.contains(part) == true, "\(error?.message ?? "")")
      }
    }
    let error = #expect(throws: NNError.self) { try ImageFolder(path: "/no/such/folder") }
    #expect(error?.code == .fileAccess && error?.message.contains("/no/such/folder") == true)
    try withFolder([("a/1.png", good)]) { root in
      for size in [Extent2D(0, 4), Extent2D(4, Int.max)] {
        #expect(throws: NNError.self) { try ImageFolder(path: root, size: size) }
      }
      #expect(throws: NNError.self) { try ImageFolder(path: root, channels: 2) }
    }
  }
}
