@testable import NNFormat
import NNGraph
import Testing

private func crafted() throws -> CraftedFile { try CraftedFile(try mlp([6, 17, 10])) }

private func decode(_ file: CraftedFile) throws { _ = try ModelFile.decode(file.bytes) }

@Test func craftedFileLoadsAsLongAsNothingIsChanged() throws {
  for model in [try mlp([6, 17, 10]), try everyType(), try everySection()] {
    expectSame(model, try ModelFile.decode(CraftedFile(model).bytes))
    expectSame(model, try ModelFile.decode(CraftedFile(model, WriteOptions()).bytes))
  }
}

// Container

@Test func otherFilesAreRefused() {
  for bytes in [[], [0x4E], Array("PK\u{3}\u{4}".utf8), [UInt8](repeating: 0, count: 100)] as [[UInt8]] {
    expectError(.notANnrtFile) { _ = try ModelFile.decode(bytes) }
  }
}

@Test func newerVersionIsRefused() throws {
  var file = try crafted()
  file.version = 2
  expectError(.unsupportedVersion, containing: "version 2") { try decode(file) }
  file.version = 0
  expectError(.corruptFile) { try decode(file) }
}

@Test func wrongLengthIsRefused() throws {
  var file = try crafted()
  file.length = .max
  expectError(.corruptFile) { try decode(file) }
  file.length = nil
  file.trailing = [0]
  expectError(.corruptFile, containing: "follow the last section") { try decode(file) }
}

@Test func reservedFieldsMustBeZero() throws {
  var file = try crafted()
  file.reserved = 1
  expectError(.corruptFile, containing: "reserved") { try decode(file) }
  file = try crafted()
  file[.data].reserved = 1
  expectError(.corruptFile, containing: "reserved") { try decode(file) }
}

@Test func overlappingSectionsAreRefused() throws {
  var file = try crafted()
  file[.metadata].offset = UInt64(24 + 40 * file.sections.count)
  expectError(.corruptFile, containing: "ends at") { try decode(file) }
}

@Test func gapBetweenSectionsIsRefused() throws {
  var file = try crafted()
  let section = file.sections[0]
  file.sections[0].bytes += [UInt8](repeating: 0, count: 8)
  file.sections[0].storedBytes = section.rawBytes
  file.sections[0].checksum = section.bytes.withUnsafeBytes { CRC32C().checksum($0) }
  expectError(.corruptFile, containing: "ends at") { try decode(file) }
}

@Test func paddingMustBeZero() throws {
  var file = try crafted()
  file.padding = 1
  expectError(.corruptFile, containing: "padding") { try decode(file) }
}

@Test(arguments: [UInt64.max, 1 << 63, (1 << 63) - 1, 1 << 62] as [UInt64])
func absurdOffsetsAndLengthsAreRefused(value: UInt64) throws {
  var file = try crafted()
  file[.data].offset = value
  expectError(.corruptFile) { try decode(file) }
  file = try crafted()
  file[.data].storedBytes = value
  file[.data].rawBytes = value
  expectError(.corruptFile) { try decode(file) }
  file = try crafted()
  file[.graph].rawBytes = value
  expectError(.corruptFile, .limitExceeded) { try decode(file) }
  file[.graph].codec = 1
  expectError(.corruptFile, .limitExceeded) { try decode(file) }
}

@Test func sectionsMustComeInOrderAndOnce() throws {
  var file = try crafted()
  file.sections.swapAt(3, 4)
  expectError(.corruptFile, containing: "ascending") { try decode(file) }
  file = try crafted()
  file.sections.insert(file.sections[3], at: 3)
  expectError(.corruptFile, containing: "ascending") { try decode(file) }
}

@Test(arguments: [0, 1, 2])
func missingRequiredSectionIsRefused(index: Int) throws {
  var file = try crafted()
  file.sections.remove(at: index)
  expectError(.corruptFile, containing: "no") { try decode(file) }
}

@Test func tooManySectionsAreRefused() throws {
  var file = try crafted()
  for kind in 100..<160 { file.sections.append(.init(code: UInt32(kind), codec: 0, bytes: [], rawBytes: 0)) }
  expectError(.limitExceeded, containing: "sections") { try decode(file) }
}

@Test func unknownOptionalSectionIsSkipped() throws {
  var file = try crafted()
  file.sections.append(.init(code: 77, codec: 12345, bytes: [1, 2, 3], rawBytes: 99))
  expectSame(try mlp([6, 17, 10]), try ModelFile.decode(file.bytes))
  let layout = try ModelFile.layout(of: file.bytes)
  #expect(layout.sections.last?.number == 77)
  #expect(layout.sections.last?.kind == nil)
  file.sections[5].checksum = 1
  expectError(.checksumMismatch) { try decode(file) }
}

@Test func unknownRequiredSectionIsRefused() throws {
  var file = try crafted()
  file.sections.append(.init(code: 77 | 0x8000_0000, codec: 0, bytes: [1, 2, 3], rawBytes: 3))
  expectError(.unsupportedVersion, containing: "77") { try decode(file) }
}

@Test func requiredBitOfKnownSectionsIsChecked() throws {
  for index in 0..<5 {
    var file = try crafted()
    file.sections[index].code ^= 0x8000_0000
    expectError(.corruptFile, .unsupportedVersion) { try decode(file) }
  }
}

@Test func wrongChecksumIsRefused() throws {
  for index in 0..<5 {
    var file = try crafted()
    file.sections[index].checksum = 0x1234
    expectError(.checksumMismatch) { try decode(file) }
  }
}

@Test func unknownCodecIsRefused() throws {
  var file = try crafted()
  file[.metadata].codec = 2
  expectError(.unsupportedVersion) { try decode(file) }
  file[.metadata].codec = 256
  expectError(.unsupportedVersion) { try decode(file) }
  file = try crafted()
  file[.data].codec = 1
  expectError(.corruptFile) { try decode(file) }
}

// Compression

/// A zstd frame of `count` zeros, made of RLE blocks of 4 bytes each.
private func bomb(_ count: Int) -> [UInt8] {
  // Magic number; descriptor without content size; window of 128 KiB. RFC 8878, section 3.1.1.
  var frame: [UInt8] = [0x28, 0xB5, 0x2F, 0xFD, 0x00, 0x38]
  var left = count
  while left > 0 {
    let block = min(left, 1 << 17)
    left -= block
    let header = UInt32(block) << 3 | 1 << 1 | (left == 0 ? 1 : 0)
    frame += [UInt8(header & 0xFF), UInt8(header >> 8 & 0xFF), UInt8(header >> 16), 0]
  }
  return frame
}

@Test func bombIsRefusedBeforeMemoryIsTaken() throws {
  var file = try crafted()
  let frame = bomb(1 << 28)
  file[.metadata].bytes = frame
  file[.metadata].codec = 1
  file[.metadata].rawBytes = 1 << 28
  expectError(.corruptFile, containing: "cannot hold") { try decode(file) }
  // Declared as less than it is: the decoder stops at the declared length.
  file[.metadata].rawBytes = UInt64(frame.count) * 1024
  expectError(.corruptFile, containing: "more than the declared") { try decode(file) }
  // Declared as more than it is.
  file[.metadata].bytes = bomb(1 << 17)
  file[.metadata].rawBytes = 5000
  expectError(.corruptFile) { try decode(file) }
}

@Test func sectionBeyondTheMemoryLimitIsRefused() throws {
  var file = try crafted()
  let frame = bomb(1 << 28)
  file[.metadata].bytes = frame
  file[.metadata].codec = 1
  file[.metadata].rawBytes = UInt64(frame.count) * 1000
  expectError(.limitExceeded, containing: "metadata") {
    _ = try ModelFile.decode(file.bytes, limits: ReadLimits(memory: 1 << 20))
  }
}

@Test func compressedBytesMustBeOneFrame() throws {
  let model = try everySection()
  let good = try CraftedFile(model, WriteOptions())
  #expect(good[.graph].codec == 1)
  let skippable: [UInt8] = [0x50, 0x2A, 0x4D, 0x18, 1, 0, 0, 0, 0]
  let frame = good[.graph].bytes
  for bytes in [frame + skippable, skippable + frame, frame + [0], Array(frame.dropLast()), frame + frame] {
    var file = good
    file[.graph].bytes = bytes
    file[.graph].rawBytes = max(file[.graph].rawBytes, UInt64(bytes.count + 1))
    expectError(.corruptFile) { try decode(file) }
  }
}

// Tensors

/// A file with one constant whose index entry is `entry`, and with `data` as its data section.
private func file(entry: (inout ByteWriter) throws -> Void, data: [UInt8] = []) throws -> CraftedFile {
  var graph = Graph(name: "one")
  graph.addOutput(graph.addConstant("conv1.weight", try Tensor([Float(1)], extents: [1])))
  var file = try CraftedFile(ModelFile(graph: graph))
  var index = ByteWriter()
  index.varint(1)
  try entry(&index)
  file.replace(.tensorIndex, index.bytes)
  file.replace(.data, data)
  return file
}

@Test func absurdElementCountsAreRefused() throws {
  for extents in [[1 << 60], [1 << 30, 1 << 30], [Int.max, Int.max], [0, 1 << 60], [1 << 49]] {
    for codec: UInt8 in [0, 1] {
      let file = try file { index in
        for byte in [DType.f32.rawValue, 0, codec] { index.u8(byte) }
        index.varint(UInt64(extents.count))
        for extent in extents { index.varint(UInt64(extent)) }
        index.u32(0)
      }
      expectError(.limitExceeded, containing: "conv1.weight") { try decode(file) }
    }
  }
}

@Test func tensorLargerThanTheFileIsNamed() throws {
  for codec: UInt8 in [0, 1] {
    let file = try file(
      entry: { index in
        for byte in [DType.f32.rawValue, 0, codec, 1] { index.u8(byte) }
        index.varint(2_359_296)
        for _ in 0..<36 {
          if codec == 1 { index.u8(0) }
          index.u32(0)
        }
      }, data: [UInt8](repeating: 0, count: 131_072))
    expectError(
      .corruptFile,
      containing: codec == 0
        ? "tensor \"conv1.weight\": 9437184 bytes declared, file has 131072"
        : "tensor \"conv1.weight\": 262144 stored bytes declared, file has 131072"
    ) { try decode(file) }
  }
}

/// 40 MB of zeros in a few hundred bytes are a legal tensor, so the caller's limit is what counts.
@Test func tensorBeyondTheMemoryLimitIsRefusedBeforeMemoryIsTaken() throws {
  var graph = Graph(name: "zeros")
  let zeros = [UInt8](repeating: 0, count: 40_000_000)
  graph.addOutput(graph.addConstant("zeros", try tensor(.u8, [zeros.count], bytes: zeros)))
  let bytes = try ModelFile(graph: graph).encode(WriteOptions(codec: .zstd(level: 1)))
  #expect(bytes.count < 10_000)
  expectError(.limitExceeded, containing: "tensor \"zeros\"") {
    _ = try ModelFile.decode(bytes, limits: ReadLimits(memory: 39_000_000))
  }
  _ = try ModelFile.decode(bytes, limits: ReadLimits(memory: 41_000_000))
}

@Test func unknownTypesLayoutsAndCodecsAreRefused() throws {
  for bytes in [[99, 0, 0], [1, 9, 0], [1, 0, 9]] as [[UInt8]] {
    let file = try file { index in
      index.append(bytes + [1, 1])
      index.u32(0)
    }
    expectError(.unsupportedVersion, .unsupportedOperator, containing: "conv1.weight") { try decode(file) }
  }
}

@Test func panelsOfAnythingButMatricesAreRefused() throws {
  let file = try file(
    entry: { index in
      index.append([DType.f32.rawValue, 1, 0, 1, 16])
      index.u32(0)
    }, data: [UInt8](repeating: 0, count: 64))
  expectError(.invalidGraph, containing: "panels") { try decode(file) }
}

@Test func bytesOfNoTensorAreRefused() throws {
  var file = try CraftedFile(try mlp([6, 17, 10]))
  file.replace(.data, file[.data].bytes + [UInt8](repeating: 0, count: 64))
  expectError(.corruptFile, containing: "belong to no tensor") { try decode(file) }
}

@Test func paddingBetweenTensorsMustBeZero() throws {
  var file = try CraftedFile(try mlp([6, 17, 10]))
  // dense1.weight is 6 · 32 floats; its bias of 17 floats leaves padding.
  var data = file[.data].bytes
  data[6 * 32 * 4 + 17 * 4] = 1
  file.replace(.data, data)
  expectError(.corruptFile, containing: "padding") { try decode(file) }
}

@Test func columnsThatFillUpPanelsMustBeZero() throws {
  var model = try mlp([6, 17, 10])
  let stored = try #require(model.graph.values[1].constant)
  var bytes = Array(stored.bytes)
  bytes[bytes.count - 1] = 0x40
  model.graph.values[1].constant = try tensor(.f32, [6, 17], layout: .panels, bytes: bytes)
  expectError(.corruptFile, containing: "last panel") { _ = try ModelFile.decode(try model.encode()) }
}

@Test func columnsThatFillUpPanelsOfFiltersMustBeZero() throws {
  var model = try filtersInPanels()
  let stored = try #require(model.graph.values[1].constant)
  var bytes = Array(stored.bytes)
  bytes[bytes.count - 1] = 0x40
  model.graph.values[1].constant = try tensor(
    .f32, stored.extents, layout: .filterPanels, bytes: bytes)
  expectError(.corruptFile, containing: "last panel") { _ = try ModelFile.decode(try model.encode()) }
}

@Test func booleansMustBeZeroOrOne() throws {
  var graph = Graph(name: "bool")
  graph.addOutput(graph.addConstant("mask", try tensor(.bool, [2], bytes: [1, 0])))
  let model = ModelFile(graph: graph)
  let bytes = try model.encode(WriteOptions(codec: .raw))
  _ = try ModelFile.decode(bytes)
  graph.values[0].constant = try tensor(.bool, [2], bytes: [1, 2])
  expectError(.corruptFile, containing: "bool") { _ = try ModelFile(graph: graph).encode() }
}

// Texts

@Test func duplicateMetadataKeysAreRefused() throws {
  var file = try crafted()
  file.replace(.metadata, [2, 1, 0x61, 0, 1, 0x61, 0])
  expectError(.corruptFile, containing: "\"a\"") { try decode(file) }
}

@Test func invalidUTF8IsRefused() throws {
  var file = try crafted()
  for text in [[0x80], [0], [0xC3]] as [[UInt8]] {
    file.replace(.metadata, [1, 1, 0x61, UInt8(text.count)] + text)
    expectError(.corruptFile, containing: "UTF-8") { try decode(file) }
  }
  var model = try mlp([6, 17, 10])
  model.metadata["key"] = Name(utf8: [0xFF])
  expectError(.invalidArgument, containing: "UTF-8") { _ = try model.encode() }
}

@Test func textBeyondItsLimitIsRefused() throws {
  var model = try everySection()
  model.graph.values[0].name = Name(String(repeating: "x", count: 1024))
  _ = try ModelFile.decode(try model.encode())
  model.graph.values[0].name = Name(String(repeating: "x", count: 1025))
  expectError(.limitExceeded) { _ = try model.encode() }
}

@Test func emptyMetadataKeyIsRefused() throws {
  var file = try crafted()
  file.replace(.metadata, [1, 0, 0])
  expectError(.corruptFile, containing: "empty key") { try decode(file) }
  var model = try mlp([6, 17, 10])
  model.metadata[""] = "x"
  expectError(.invalidArgument, containing: "empty key") { _ = try model.encode() }
}

// Self-tests

@Test func selfTestsMustFitTheGraph() throws {
  let good = try everySection()
  func expectRefused(_ change: (inout SelfTest) throws -> Void) throws {
    var model = good
    try change(&model.selfTests[0])
    expectError(.invalidGraph, containing: "self-test vector 0") { _ = try model.encode() }
  }
  try expectRefused { $0.inputs.removeLast() }
  try expectRefused { $0.outputs = [] }
  try expectRefused { $0.inputs[0] = try Tensor([Float(1)], extents: [1]) }
  try expectRefused { $0.outputs[0] = try Tensor([Int64(1), 2, 3], extents: [3]) }
  var file = try CraftedFile(good)
  // One vector: "sum" of shape (3), then "x" of rank 1 where the graph says (N, 3).
  file.replace(
    .selfTest,
    [1, 1, 3] + [UInt8](repeating: 0, count: 12) + [1, 0, 1, 3] + [UInt8](repeating: 0, count: 12))
  expectError(.invalidGraph, containing: "self-test vector 0") { try decode(file) }
}

@Test func selfTestsThatDisagreeAboutAFreeDimensionAreRefused() throws {
  var model = try mlp([6, 17, 10])
  model.selfTests = [
    SelfTest(
      inputs: [try Tensor([Float](repeating: 0, count: 12), extents: [2, 6])],
      outputs: [try Tensor([Float](repeating: 0, count: 30), extents: [3, 10])])
  ]
  expectError(.invalidGraph, containing: "probabilities") { _ = try model.encode() }
}
