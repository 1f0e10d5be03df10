@testable import NNFormat
import NNGraph
import Testing

private let codecs: [WriteOptions] = [
  WriteOptions(codec: .raw), WriteOptions(codec: .zstd(level: 3)), WriteOptions(codec: .zstd(level: 19)),
]

@Test(arguments: OpCode.allCases)
func attributesSurviveTheRoundTrip(code: OpCode) throws {
  let ops = code.samples.map(\.op) + code.extremes
  #expect(!code.samples.isEmpty)
  for op in ops {
    #expect(op.code == code)
    var writer = ByteWriter()
    try writer.attributes(op)
    try writer.bytes.withUnsafeBytes { bytes in
      var reader = ByteReader(bytes, role: "attributes")
      #expect(try reader.attributes(of: code) == op)
      try reader.finish()
      for length in 0..<bytes.count {
        var shorter = ByteReader(bytes.slice(0, length), role: "attributes")
        #expect(throws: NNError.self) { _ = try shorter.attributes(of: code) }
      }
    }
  }
}

@Test func operatorsHaveDistinctWireCodesThatNeverChange() {
  let expected: [UInt16] = [
    1, 2, 3, 4, 16, 17, 32, 33, 34, 48, 49, 56, 57, 64, 65, 66, 67, 68, 69, 80, 81, 82, 83, 96, 97, 104, 112,
    120, 121, 122, 123, 124,
  ]
  #expect(OpCode.allCases.map(\.rawValue) == expected)
}

@Test(arguments: 0..<codecs.count)
func everyOperatorSurvivesTheRoundTrip(codec: Int) throws {
  let model = try everyOperator()
  expectSame(model, try ModelFile.decode(try model.encode(codecs[codec])))
}

@Test(arguments: 0..<codecs.count)
func everyTypeSurvivesTheRoundTrip(codec: Int) throws {
  let model = try everyType()
  expectSame(model, try ModelFile.decode(try model.encode(codecs[codec])))
}

@Test(arguments: 0..<codecs.count)
func filtersInPanelsSurviveTheRoundTrip(codec: Int) throws {
  let model = try filtersInPanels()
  expectSame(model, try ModelFile.decode(try model.encode(codecs[codec])))
}

@Test(arguments: 0..<codecs.count)
func statesMetadataAndSelfTestsSurviveTheRoundTrip(codec: Int) throws {
  let model = try everySection()
  let decoded = try ModelFile.decode(try model.encode(codecs[codec]))
  expectSame(model, decoded)
  #expect(decoded.metadata.labels == ["", "零", "one"])
  #expect(decoded.metadata.inputDescription("x") == "anything")
}

@Test(arguments: [DType.f32, .f16, .u8])
func tensorsOfManyChunksSurviveTheRoundTrip(dtype: DType) throws {
  var random = TestRandom(seed: 3)
  for extra in [-1, 0, 1] {
    let count = 3 * Format.chunkSize / dtype.size + extra
    var bytes = [UInt8](repeating: 0, count: count * dtype.size)
    for index in bytes.indices where index % 3 == 0 {
      bytes[index] = UInt8(truncatingIfNeeded: random.next())
    }
    var graph = Graph(name: "large")
    graph.addOutput(graph.addConstant("large", try tensor(dtype, [count], bytes: bytes)))
    let model = ModelFile(graph: graph)
    for options in codecs.prefix(2) {
      expectSame(model, try ModelFile.decode(try model.encode(options)))
    }
  }
}

/// Three tensors of some chunks each, and one without elements.
private func chunks() throws -> ModelFile {
  var random = TestRandom(seed: 5)
  var graph = Graph(name: "chunks")
  for (name, chunks) in [("a", 2), ("none", 0), ("b", 3), ("c", 1)] {
    let values = (0..<chunks * Format.chunkSize / 4 - chunks).map { _ in Float(random.next() % 1000) }
    graph.addOutput(graph.addConstant(Name(name), try Tensor(values, extents: [values.count])))
  }
  return ModelFile(graph: graph)
}

@Test func teamDecodesWhatOneThreadDoes() throws {
  let model = try chunks()
  for options in codecs.prefix(2) {
    var bytes = try model.encode(options)
    expectSame(model, try ModelFile.decode(bytes, by: turns))
    // Two damaged chunks of different tensors: the error is that of the first one.
    let tensors = try bytes.withUnsafeBytes { try ModelFile.layout(of: $0) }.tensors
    for tensor in tensors where tensor.storedBytes > 0 && tensor.name != "a" {
      bytes[tensor.offset + tensor.storedBytes / 2] ^= 1
    }
    var messages: [String] = []
    for team in [DecodingTeam.alone, turns, backwards] {
      do throws(NNError) { _ = try ModelFile.decode(bytes, by: team) } catch {
        messages.append(error.message)
      }
    }
    #expect(messages.count == 3 && Set(messages).count == 1, "\(messages)")
    #expect(messages.first?.contains("tensor \"b\"") == true)
  }
}

/// Chunk by chunk, by three in turn, the last of them first.
private let turns = DecodingTeam(threads: 3) { units, work in
  for thread in [2, 1, 0] {
    for unit in 0..<units where unit % 3 == thread { work(unit..<(unit + 1), thread) }
  }
}

/// From the last chunk to the first.
private let backwards = DecodingTeam(threads: 1) { units, work in
  for unit in (0..<units).reversed() { work(unit..<(unit + 1), 0) }
}

@Test func sameModelGivesTheSameBytes() throws {
  let model = try mlp([16, 32, 10])
  #expect(try model.encode() == model.encode())
  #expect(try ModelFile.decode(try model.encode()).encode() == model.encode())
}

@Test func rawTensorsStayInPlaceIfTheyCan() throws {
  final class Keeper {}
  let model = try mlp([16, 32, 10])
  let bytes = try model.encode(WriteOptions(codec: .raw))
  let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count + 1, alignment: 64)
  defer { memory.deallocate() }
  for shift in [0, 1] {
    let place = UnsafeMutableRawBufferPointer(rebasing: memory[shift..<shift + bytes.count])
    place.copyBytes(from: bytes)
    let decoded = try ModelFile.decode(UnsafeRawBufferPointer(place), keptAliveBy: Keeper())
    expectSame(model, decoded)
    for value in decoded.graph.values {
      guard let constant = value.constant, let base = constant.bytes.baseAddress else { continue }
      #expect(Int(bitPattern: base) % 64 == 0)
      let isInside = base >= place.baseAddress! && base < place.baseAddress! + place.count
      #expect(isInside == (shift == 0))
    }
  }
}

@Test func layoutAddsUpToTheFile() throws {
  for model in [try mlp([16, 32, 10]), try everyType(), try everySection(), try everyOperator()] {
    for options in codecs {
      let bytes = try model.encode(options)
      let layout = try ModelFile.layout(of: bytes)
      #expect(layout.fileBytes == bytes.count)
      let sections = layout.sections.reduce(0) { $0 + $1.storedBytes }
      #expect(layout.headerBytes + sections + layout.paddingBytes == bytes.count)
      let tensors = layout.tensors.reduce(0) { $0 + $1.storedBytes }
      let data = try #require(layout.sections.first { $0.kind == .data })
      #expect(tensors + layout.tensorPaddingBytes == data.storedBytes)
      #expect(layout.paddingBytes >= 0 && layout.tensorPaddingBytes >= 0)
      #expect(layout.tensors.count == model.graph.values.filter { $0.constant != nil }.count)
    }
  }
}
