import ImageFiles
import NNGraph
import Testing

@Suite struct ImageFileTests {
  private func picture(_ channels: Int) throws -> RasterImage {
    let (width, height) = (13, 7)
    let pixels = (0..<width * height * channels).map { UInt8(truncatingIfNeeded: $0 * 37 + $0 / 5) }
    return try RasterImage(width: width, height: height, channels: channels, pixels: pixels)
  }

  @Test(arguments: [1, 3])
  func aPictureComesBackAsItWasWritten(channels: Int) throws {
    let image = try picture(channels)
    #expect(try ImageFile.decode(PNG.encode(image)) == image)
  }

  @Test func everyTruncationIsRefused() throws {
    let bytes = try PNG.encode(picture(3))
    for count in 0..<bytes.count - 12 {
      #expect(throws: NNError.self, "\(count) bytes") { try ImageFile.decode(Array(bytes.prefix(count))) }
    }
  }

  @Test func damagedFilesNeverCrash() throws {
    let bytes = try PNG.encode(picture(1))
    for index in bytes.indices {
      for flip in [1, 0x80, 0xFF] as [UInt8] {
        var damaged = bytes
        damaged[index] ^= flip
        _ = try? ImageFile.decode(damaged)
      }
    }
  }

  @Test func hugeImagesAreRefusedBeforeMemoryIsTaken() throws {
    let bytes = try PNG.encode(picture(3))
    let error = #expect(throws: NNError.self) { try ImageFile.decode(bytes, limit: 100) }
    #expect(error?.code == .limitExceeded)
  }

  @Test func otherFilesAreNamed() throws {
    for (bytes, part) in [([], "is empty"), ([0xFF], "neither"), ([0x89, 0x50], "neither")]
      as [([UInt8], String)]
    {
      let error = #expect(throws: NNError.self) { try ImageFile.decode(bytes) }
      #expect(error?.message.contains(part) == true)
    }
    #expect(throws: NNError.self) { try ImageFile.decode(Array("GIF89a, not read here".utf8)) }
    let error = #expect(throws: NNError.self) { try ImageFile.read("/no/such.png") }
    #expect(error?.message.contains("/no/such.png") == true)
  }
}
