import NNGraph

/// Encodes one file: each section's bytes, then the container around them.
struct FileWriter {
  /// nil for the raw codec.
  private let encoder: ZstdEncoder?
  private let crc = CRC32C()
  private let progress: WriteProgress?

  init(_ options: WriteOptions, _ progress: WriteProgress?) throws(NNError) {
    self.progress = progress
    switch options.codec {
    case .raw: encoder = nil
    case .zstd(let level): encoder = try ZstdEncoder(level: level)
    }
  }

  func encode(_ model: ModelFile) throws(NNError) -> [UInt8] {
    // In the order of the table of bodies.
    let (index, data) = try tensors(of: model.graph.withBodies)
    var sections = [
      try section(.graph, try graph(model.graph)), try section(.tensorIndex, index),
      EncodedSection(kind: .data, codec: .raw, bytes: [], rawBytes: data.bytes.count),
    ]
    if !model.metadata.entries.isEmpty {
      sections.append(try section(.metadata, try metadata(model.metadata)))
    }
    if !model.selfTests.isEmpty {
      sections.append(try section(.selfTest, try selfTests(model.selfTests)))
    }
    return container(sections, data)
  }

  /// Bytes that the self-test section adds to a file.
  func selfTestSize(_ model: ModelFile) throws(NNError) -> Int {
    if model.selfTests.isEmpty { return 0 }
    let bytes = try section(.selfTest, try selfTests(model.selfTests)).bytes.count
    return bytes + Format.sectionEntrySize + SectionKind.selfTest.alignment - 1
  }
}

private struct EncodedSection {
  var kind: SectionKind
  var codec: StorageCodec
  var bytes: [UInt8]
  var rawBytes: Int
}

// The container
extension FileWriter {
  private func section(_ kind: SectionKind, _ bytes: [UInt8]) throws(NNError) -> EncodedSection {
    guard bytes.count <= Format.maximumSectionSize else {
      throw NNError(
        .limitExceeded,
        "the \(kind.name) section has \(bytes.count) bytes, at most \(Format.maximumSectionSize) can be stored"
      )
    }
    if let encoder {
      if let frame = try encoder.compress(bytes), bytes.count / Format.maximumExpansion <= frame.count {
        return EncodedSection(kind: kind, codec: .zstd, bytes: frame, rawBytes: bytes.count)
      }
    }
    return EncodedSection(kind: kind, codec: .raw, bytes: bytes, rawBytes: bytes.count)
  }

  /// - Parameter data: the bytes of the data section, which become the file's: large weights are in memory once.
  private func container(_ sections: [EncodedSection], _ data: consuming ByteWriter) -> [UInt8] {
    var table = ByteWriter()
    var end = Format.headerSize + sections.count * Format.sectionEntrySize
    for section in sections {
      // Everything is in memory, so lengths are far from overflowing.
      let offset = (end + section.kind.alignment - 1) / section.kind.alignment * section.kind.alignment
      let size = section.kind == .data ? section.rawBytes : section.bytes.count
      end = offset + size
      table.u32(section.kind.wireCode)
      table.u32(UInt32(section.codec.rawValue))
      table.u64(UInt64(offset))
      table.u64(UInt64(size))
      table.u64(UInt64(section.rawBytes))
      table.u32(section.kind == .data ? 0 : section.bytes.withUnsafeBytes { crc.checksum($0) })
      table.u32(0)
    }
    var front = ByteWriter()
    front.u32(Format.magic)
    front.u16(Format.version)
    front.u16(UInt16(truncatingIfNeeded: sections.count))
    front.u64(UInt64(end))
    front.u32(0)
    let checksum = front.bytes.withUnsafeBytes { crc.checksum($0) }
    front.u32(table.bytes.withUnsafeBytes { crc.checksum($0, continuing: checksum) })
    front.append(table.bytes)
    var file = data
    var isBehindData = false
    for section in sections {
      if section.kind == .data {
        front.pad(to: section.kind.alignment)
        file.prepend(front.bytes)
        isBehindData = true
      } else if isBehindData {
        file.pad(to: section.kind.alignment)
        file.append(section.bytes)
      } else {
        front.pad(to: section.kind.alignment)
        front.append(section.bytes)
      }
    }
    return file.bytes
  }
}

// Metadata and self-tests
extension FileWriter {
  private func metadata(_ metadata: Metadata) throws(NNError) -> [UInt8] {
    guard metadata.entries.count <= Format.maximumMetadataCount else {
      throw NNError(.limitExceeded, "\(metadata.entries.count) metadata entries")
    }
    var writer = ByteWriter()
    writer.varint(UInt64(metadata.entries.count))
    for entry in metadata.entries {
      guard !entry.key.isEmpty else { throw NNError(.invalidArgument, "metadata with an empty key") }
      try writer.text(entry.key, atMost: Format.maximumNameLength)
      try writer.text(entry.value, atMost: Format.maximumSectionSize)
    }
    return writer.bytes
  }

  private func selfTests(_ selfTests: [SelfTest]) throws(NNError) -> [UInt8] {
    guard selfTests.count <= Format.maximumSelfTestCount else {
      throw NNError(
        .limitExceeded,
        "\(selfTests.count) self-test vectors, at most \(Format.maximumSelfTestCount) can be stored")
    }
    var writer = ByteWriter()
    writer.varint(UInt64(selfTests.count))
    for selfTest in selfTests {
      for tensor in selfTest.inputs + selfTest.outputs {
        try extents(tensor.extents, &writer)
        writer.append(tensor.bytes)
      }
    }
    return writer.bytes
  }

  private func extents(_ extents: [Int], _ writer: inout ByteWriter) throws(NNError) {
    writer.varint(UInt64(extents.count))
    for extent in extents { try writer.natural(extent) }
  }
}

// Tensors
extension FileWriter {
  private func tensors(of graphs: [Graph]) throws(NNError) -> (index: [UInt8], data: ByteWriter) {
    var index = ByteWriter()
    var data = ByteWriter()
    var count: UInt64 = 0
    var (done, total) = (0, 0)
    for graph in graphs {
      for value in graph.values {
        guard let tensor = value.constant else { continue }
        count += 1
        total += tensor.bytes.count
      }
    }
    index.varint(count)
    // Growing step by step would take twice the memory of large weights for a while.
    // What goes around the weights has room too.
    data.reserve(total + total / 16 + 1 << 16)
    for graph in graphs {
      for value in graph.values {
        guard let tensor = value.constant else { continue }
        do throws(NNError) {
          try self.tensor(tensor, &index, &data) { progress?(done + $0, total) }
        } catch {
          throw error.within("tensor " + value.name.quoted)
        }
        done += tensor.bytes.count
      }
    }
    return (index.bytes, data)
  }

  private func tensor(
    _ tensor: Tensor, _ index: inout ByteWriter, _ data: inout ByteWriter, done: (Int) -> Void
  ) throws(NNError) {
    try FileReader.checkBooleans(tensor.dtype, tensor.bytes)
    index.u8(tensor.dtype.rawValue)
    index.u8(tensor.layout.rawValue)
    index.u8((encoder == nil ? StorageCodec.raw : .zstd).rawValue)
    try extents(tensor.extents, &index)
    try chunks(of: tensor, &index, &data, done: done)
  }

  private func chunks(
    of tensor: Tensor, _ index: inout ByteWriter, _ data: inout ByteWriter, done: (Int) -> Void
  ) throws(NNError) {
    if encoder == nil, tensor.bytes.count > 0 { data.pad(to: Format.dataAlignment) }
    let scratch = try TensorStorage.allocate(size: encoder == nil ? 0 : Format.chunkSize) { _ in }
    let planes = UnsafeMutableRawBufferPointer(mutating: scratch.bytes)
    defer { withExtendedLifetime(scratch) {} }
    var offset = 0
    while offset < tensor.bytes.count {
      let chunk = tensor.bytes.slice(offset, min(Format.chunkSize, tensor.bytes.count - offset))
      offset += chunk.count
      defer { done(offset) }
      guard let encoder else {
        index.u32(crc.checksum(chunk))
        data.append(chunk)
        continue
      }
      var stored = ByteWriter()
      let split = UnsafeMutableRawBufferPointer(rebasing: planes[0..<chunk.count])
      BytePlanes.split(chunk, dtype: tensor.dtype, into: split)
      try compress(UnsafeRawBufferPointer(split), tensor.dtype.size, encoder, &index, &stored)
      index.u32(stored.bytes.withUnsafeBytes { crc.checksum($0) })
      data.append(stored.bytes)
    }
  }

  /// Appends each plane, compressed if that is smaller, and the flags and lengths that say so.
  private func compress(
    _ planes: UnsafeRawBufferPointer, _ planeCount: Int, _ encoder: ZstdEncoder, _ index: inout ByteWriter,
    _ stored: inout ByteWriter
  ) throws(NNError) {
    let planeBytes = planes.count / planeCount
    var flags: UInt8 = 0
    var lengths = ByteWriter()
    for plane in 0..<planeCount {
      let bytes = planes.slice(plane * planeBytes, planeBytes)
      if let frame = try encoder.compressWeights(bytes) {
        flags |= 1 << UInt8(plane)
        lengths.varint(UInt64(frame.count))
        stored.append(frame)
      } else {
        stored.append(bytes)
      }
    }
    index.u8(flags)
    index.append(lengths.bytes)
  }
}
