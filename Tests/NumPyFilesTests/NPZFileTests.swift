import Foundation
import NNGraph
import NumPyFiles
import Testing

@Suite struct NPZFileTests {
  /// An archive that `Golden/make_archives.py` made.
  private func golden(_ name: String) throws -> [UInt8] {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Golden")
    return Array(try Data(contentsOf: folder.appendingPathComponent(name)))
  }

  private func arrays() throws -> [NPZFile.NamedArray] {
    [
      ("x", try Tensor((0..<300).map { Float($0 % 7) }, extents: [3, 100])),
      ("labels/ä", try Tensor([Int64(-1), 2, 1 << 40], extents: [3])),
      ("empty", try Tensor([Float](), extents: [0, 2])),
    ]
  }

  private func same(_ a: [NPZFile.NamedArray], _ b: [NPZFile.NamedArray]) -> Bool {
    a.count == b.count
      && zip(a, b).allSatisfy {
        $0.name == $1.name && $0.tensor.dtype == $1.tensor.dtype && $0.tensor.extents == $1.tensor.extents
          && $0.tensor.bytes.elementsEqual($1.tensor.bytes)
      }
  }

  @Test(arguments: ["stored.npz", "deflated.npz"]) func archivesOfNumPyAreRead(name: String) throws {
    let arrays = try NPZFile.decode(golden(name))
    #expect(arrays.map { $0.name } == ["x", "y", "wide", "pixels", "empty"])
    #expect(arrays[0].tensor.extents == [4, 2, 3])
    #expect(arrays[0].tensor.floats == (0..<24).map { Float($0) / 4 })
    #expect(
      arrays[1].tensor.dtype == .i64
        && Array(arrays[1].tensor.bytes.bindMemory(to: Int64.self)) == [2, 0, 1, 2])
    #expect(Array(arrays[2].tensor.bytes.bindMemory(to: Double.self)) == [1.0 / 3, -2.5])
    #expect(Array(arrays[3].tensor.bytes) == (0..<1000).map { UInt8(truncatingIfNeeded: $0) % 7 })
    #expect(arrays[4].tensor.extents == [0, 3])
    #expect(try NPZFile.decode(golden(name), names: ["y"]).map { $0.name } == ["y"])
    let missing = #expect(throws: NNError.self) { try NPZFile.decode(golden(name), names: ["z"]) }
    #expect(missing?.message == "there is no array \"z\"; there are x, y, wide, pixels, empty")
  }

  @Test(arguments: [false, true]) func arraysComeBackAsTheyWereWritten(compressed: Bool) throws {
    let bytes = try NPZFile.encode(arrays(), compressed: compressed)
    #expect(try same(NPZFile.decode(bytes), arrays()))
    #expect(try NPZFile.encode(arrays(), compressed: compressed) == bytes)
    if compressed { #expect(try bytes.count < NPZFile.encode(arrays()).count) }
  }

  @Test func anEmptyArchiveHasNoArrays() throws {
    #expect(try NPZFile.decode(NPZFile.encode([])).isEmpty)
  }

  @Test(arguments: ["stored.npz", "deflated.npz"]) func everyTruncationIsRefused(name: String) throws {
    let bytes = try golden(name)
    for count in 0..<bytes.count {
      #expect(throws: NNError.self, "\(count) bytes") { try NPZFile.decode(Array(bytes.prefix(count))) }
    }
  }

  /// What is not an error must be the arrays: bytes such as the time of an entry say nothing about them.
  @Test(arguments: ["stored.npz", "deflated.npz"]) func noChangedByteChangesAnArray(name: String) throws {
    let bytes = try golden(name)
    let whole = try NPZFile.decode(bytes)
    var refused = 0
    for index in bytes.indices {
      for flip in [1, 0x80, 0xFF] as [UInt8] {
        var damaged = bytes
        damaged[index] ^= flip
        do {
          #expect(try same(NPZFile.decode(damaged), whole), "byte \(index)")
        } catch {
          refused += 1
        }
      }
    }
    #expect(refused > bytes.count * 3 / 2)
  }

  @Test func declaredSizesAreCheckedBeforeMemoryIsTaken() throws {
    let bytes = try NPZFile.encode(
      [("x", Tensor([Float](repeating: 0, count: 1000), extents: [1000]))], compressed: true)
    let limited = #expect(throws: NNError.self) { try NPZFile.decode(bytes, limit: 4000) }
    #expect(limited?.code == .limitExceeded && limited?.message.contains("array \"x\"") == true)

    // The directory's entry is 46 + 5 bytes, before the 22 of the end; its size is at 24.
    let size = bytes.count - 22 - 51 + 24
    var bomb = bytes
    bomb.replaceSubrange(size..<size + 4, with: [0, 0, 0, 0xF0])
    let error = #expect(throws: NNError.self) { try NPZFile.decode(bomb) }
    #expect(
      error?.message.contains("cannot hold the 4026531840 it declares") == true, "\(error?.message ?? "")")
    // A little more or less than there is: the stream must give exactly what is declared.
    for difference in [-1, 1] {
      var wrong = bytes
      wrong[size] = UInt8(truncatingIfNeeded: Int(bytes[size]) + difference)
      #expect(throws: NNError.self) { try NPZFile.decode(wrong) }
    }
  }

  @Test func whatTheFormatCanDoBeyondIsRefusedWithWords() throws {
    let bytes = try NPZFile.encode([("x", Tensor([Float(1)], extents: [1]))])
    let directory = bytes.count - 22 - 51
    func message(_ position: Int, _ values: [UInt8]) -> String {
      var changed = bytes
      changed.replaceSubrange(position..<position + values.count, with: values)
      do {
        _ = try NPZFile.decode(changed)
        return "no error"
      } catch {
        return error.message
      }
    }
    #expect(message(directory + 8, [1]) == "entry \"x.npy\" is encrypted")
    #expect(message(directory + 10, [12]).contains("compressed by method 12"))
    #expect(message(directory + 24, [255, 255, 255, 255]).contains("ZIP64"))
    #expect(message(bytes.count - 22 + 8, [255, 255, 255, 255]).contains("ZIP64"))
    #expect(message(bytes.count - 22 + 4, [1]).contains("in several parts"))
    #expect(message(directory + 42, [7]).contains("header of entry \"x.npy\" is damaged"))
    #expect(message(directory + 16, [0]).contains("CRC-32"))
    let twins = try NPZFile.encode([("aa", arrays()[1].tensor), ("ab", arrays()[1].tensor)])
    var same = twins
    for index in same.indices where same[index...].starts(with: Array("ab.npy".utf8)) {
      same[index + 1] = UInt8(ascii: "a")
    }
    let error = #expect(throws: NNError.self) { try NPZFile.decode(same) }
    #expect(error?.message == "two arrays are called \"aa\"")
    #expect(throws: NNError.self) {
      try NPZFile.encode([("a", arrays()[1].tensor), ("a", arrays()[1].tensor)])
    }
  }

  @Test func entriesThatShareBytesAreRefused() throws {
    // Both entries of the directory name the first header.
    let tensor = try arrays()[1].tensor
    var bytes = try NPZFile.encode([("aa", tensor), ("ab", tensor)])
    let first = bytes.count - 22 - 2 * 52
    for index in bytes.indices where bytes[index...].starts(with: Array("ab.npy".utf8)) {
      bytes[index + 1] = UInt8(ascii: "a")
    }
    bytes.replaceSubrange(first + 52 + 42..<first + 52 + 46, with: [0, 0, 0, 0])
    let error = #expect(throws: NNError.self) { try NPZFile.decode(bytes) }
    #expect(error?.message.contains("overlap") == true)
  }

  @Test func aFileIsNamed() throws {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("nnrt-\(UUID().uuidString).npz")
      .path
    defer { try? FileManager.default.removeItem(atPath: path) }
    try NPZFile.write(arrays(), to: path, compressed: true)
    #expect(try same(NPZFile.read(path: path), arrays()))
    try Data("PK, but nothing else".utf8).write(to: URL(fileURLWithPath: path))
    let error = #expect(throws: NNError.self) { try NPZFile.read(path: path) }
    #expect(error?.message == "\(path): not a whole ZIP archive: its end is missing")
  }

  /// An entry that declares nearly 4 GiB: nothing is written to memory that there are no bytes for.
  @Test func declaredMemoryIsNotFilledBeforeItIsNeeded() throws {
    var state: UInt64 = 1
    var noise: [Float] = []
    for _ in 0..<1_000_000 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      noise.append(Float(bitPattern: UInt32(truncatingIfNeeded: state >> 32)))
    }
    var bytes = try NPZFile.encode([("x", try Tensor(noise, extents: [1_000_000]))], compressed: true)
    let directory = (0..<4).reduce(0) { $0 | Int(bytes[bytes.count - 6 + $1]) << (8 * $1) }
    for (index, byte) in [0, 0, 0, 0xE0].enumerated() { bytes[directory + 24 + index] = UInt8(byte) }
    let before = peakMemory()
    let error = #expect(throws: NNError.self) { try NPZFile.decode(bytes) }
    #expect([.corruptFile, .outOfMemory].contains(error?.code), "\(error?.message ?? "")")
    #expect(peakMemory() - before < 2 << 30)
    let limited = #expect(throws: NNError.self) { try NPZFile.decode(bytes, limit: 1 << 30) }
    #expect(limited?.code == .limitExceeded)
  }

  /// The most bytes of memory that the process has used.
  private func peakMemory() -> Int {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return usage.ru_maxrss * 1024
  }
}
