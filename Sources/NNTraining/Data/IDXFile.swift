import Files
import NNGraph

/// The files of MNIST and its kin: arrays of bytes with their extents in front, as LeCun's page on MNIST describes them.
public enum IDXFile {
  /// The extents and elements of a file of unsigned bytes.
  ///
  /// - Throws: ``ErrorCode/fileAccess``; ``ErrorCode/corruptFile`` for another kind of file or one of another length;
  ///   ``ErrorCode/unsupportedVersion`` for elements other than unsigned bytes.
  public static func read(_ path: String) throws(NNError) -> (extents: [Int], elements: [UInt8]) {
    try WholeFile.read(path) { (bytes) throws(NNError) in
      guard bytes.count >= 4, bytes[0] == 0, bytes[1] == 0 else {
        throw NNError(.corruptFile, "is no IDX file")
      }
      guard bytes[2] == 0x08 else {
        throw NNError(
          .unsupportedVersion, "elements of kind \(Int(bytes[2])), only unsigned bytes (8) are read")
      }
      let rank = Int(bytes[3])
      guard rank >= 1, rank <= Shape.maximumRank, bytes.count >= 4 + 4 * rank else {
        throw NNError(.corruptFile, "has \(rank) axes and \(bytes.count) bytes")
      }
      var extents: [Int] = []
      var count = 1
      for axis in 0..<rank {
        let extent = (0..<4).reduce(0) { $0 << 8 | Int(bytes[4 + 4 * axis + $1]) }
        let (product, overflow) = count.multipliedReportingOverflow(by: extent)
        guard !overflow else { throw NNError(.corruptFile, "its extents are absurd") }
        extents.append(extent)
        count = product
      }
      guard bytes.count - 4 - 4 * rank == count else {
        throw NNError(
          .corruptFile,
          "shape \(Shape(extents).description) asks for \(count) elements, the file has \(bytes.count - 4 - 4 * rank)"
        )
      }
      return (extents, Array(bytes.dropFirst(4 + 4 * rank)))
    }
  }

  /// Images (N, H, W) and labels (N) as samples (1, H, W) of numbers 0…255 with classes.
  ///
  /// - Throws: what ``read(_:)`` throws, and ``ErrorCode/shapeMismatch`` if the files do not belong together.
  public static func dataset(images: String, labels: String) throws(NNError) -> Dataset {
    let (pixels, classes) = (try read(images), try read(labels))
    guard pixels.extents.count == 3, classes.extents.count == 1, pixels.extents[0] == classes.extents[0]
    else {
      throw NNError(
        .shapeMismatch,
        "images \(Shape(pixels.extents).description) of \(images) do not fit labels \(Shape(classes.extents).description) of \(labels)"
      )
    }
    return try Dataset(
      features: pixels.elements.map { Float($0) }, sampleShape: [1, pixels.extents[1], pixels.extents[2]],
      targets: .classes(classes.elements.map { Int($0) }))
  }
}
