import CPlatform
import NNGraph

/// An entry of the tensor index.
struct StoredTensor {
  var name: Name
  var dtype: DType
  var extents: [Int]
  var layout: TensorLayout
  var codec: StorageCodec
  /// Where the stored bytes begin in the file.
  var offset: Int
  var storedBytes: Int
  var rawBytes: Int
  var chunks: ChunkTable

  var chunkCount: Int { rawBytes / Format.chunkSize + (rawBytes % Format.chunkSize == 0 ? 0 : 1) }
}

// The tensor index
extension FileReader {
  /// What the index says about the constants called `names`, checked against the data section, which they fill without holes.
  func readTensorIndex(_ names: [Name]) throws(NNError) -> [StoredTensor] {
    guard let index = section(.tensorIndex), let data = section(.data) else {
      throw NNError(.corruptFile, "the file has no tensor index or no data section")
    }
    var reader = try open(index, .tensorIndex)
    let count = try reader.count(of: "tensors", minimumSize: 4)
    guard count == names.count else {
      throw reader.corrupt("\(count) tensors, the graph has \(names.count) constants")
    }
    try budget.take(count, of: StoredTensor.self, for: "\(count) tensors")
    var tensors: [StoredTensor] = []
    tensors.reserveCapacity(count)
    var end = data.offset
    for name in names {
      do throws(NNError) {
        let tensor = try readTensor(&reader, name, after: end, data)
        end = tensor.offset + tensor.storedBytes
        tensors.append(tensor)
      } catch {
        throw error.within("tensor " + name.quoted)
      }
    }
    try reader.finish()
    guard end == data.end else {
      throw NNError(.corruptFile, "\(data.end - end) bytes of the data section belong to no tensor")
    }
    return tensors
  }

  private func readTensor(
    _ reader: inout ByteReader, _ name: Name, after end: Int, _ data: StoredSection
  ) throws(NNError) -> StoredTensor {
    let dtype = try reader.dtype()
    let layoutCode = try reader.u8()
    let codecCode = try reader.u8()
    guard let layout = TensorLayout(rawValue: layoutCode), let codec = StorageCodec(rawValue: codecCode)
    else {
      throw NNError(
        .unsupportedVersion, "layout \(layoutCode) or codec \(codecCode) is unknown to this reader")
    }
    let extents = try readExtents(&reader)
    let rawBytes = try Tensor.byteCount(dtype: dtype, extents: extents, layout: layout)
    let offset = try place(rawBytes, codec, after: end, data)
    if codec == .raw {
      guard rawBytes <= data.end - offset else {
        throw NNError(.corruptFile, "\(rawBytes) bytes declared, file has \(data.end - offset)")
      }
    }
    let chunks = ChunkTable(reader, codec: codec, dtype: dtype, rawBytes: rawBytes)
    var table = chunks
    var stored = 0
    while let chunk = try table.next() {
      stored += chunk.storedBytes
      guard stored <= data.end - offset else {
        throw NNError(.corruptFile, "\(stored) stored bytes declared, file has \(data.end - offset)")
      }
    }
    reader = table.end
    return StoredTensor(
      name: name, dtype: dtype, extents: extents, layout: layout, codec: codec, offset: offset,
      storedBytes: stored, rawBytes: rawBytes, chunks: chunks)
  }

  func readExtents(_ reader: inout ByteReader) throws(NNError) -> [Int] {
    let rank = try reader.natural()
    guard rank <= Shape.maximumRank else { throw reader.corrupt("a tensor of rank \(rank)") }
    try budget.take(rank, of: Int.self, for: "a shape")
    var extents: [Int] = []
    extents.reserveCapacity(rank)
    for _ in 0..<rank { extents.append(try reader.natural()) }
    return extents
  }

  /// Where a tensor begins: raw ones at the next multiple of 64, with zeros before it, others at once.
  private func place(
    _ rawBytes: Int, _ codec: StorageCodec, after end: Int, _ data: StoredSection
  ) throws(NNError) -> Int {
    guard codec == .raw, rawBytes > 0 else { return end }
    guard let offset = Format.align(end, to: Format.dataAlignment), offset <= data.end else {
      throw NNError(.corruptFile, "\(rawBytes) bytes declared, file has \(data.end - end)")
    }
    guard file.slice(end, offset - end).firstNonzero == nil else {
      throw NNError(.corruptFile, "the padding before byte \(offset) is not zero")
    }
    return offset
  }
}

// Their contents
extension FileReader {
  /// Loads every tensor. Raw ones stay where they are if `keeper` keeps the file alive; what the others need is counted
  /// before the first of them is allocated.
  func loadTensors(
    _ tensors: [StoredTensor], keptAliveBy keeper: AnyObject?, isMapped: Bool, by team: DecodingTeam
  ) throws(NNError) -> [Tensor] {
    try budget.take(tensors.count, of: Tensor.self, for: "\(tensors.count) tensors")
    try budget.take(tensors.count, of: PlacedTensor.self, for: "\(tensors.count) tensors")
    var scratchSize = 0
    for tensor in tensors where !staysInPlace(tensor, keeper) {
      try budget.take(tensor.rawBytes, for: "tensor " + tensor.name.quoted)
      if tensor.codec == .zstd && tensor.dtype.size > 1 {
        scratchSize = max(scratchSize, min(tensor.rawBytes, Format.chunkSize))
      }
    }
    var placed: [PlacedTensor] = []
    placed.reserveCapacity(tensors.count)
    var chunks = 0
    for tensor in tensors {
      let stored = file.slice(tensor.offset, tensor.storedBytes)
      let storage: TensorStorage
      if staysInPlace(tensor, keeper) {
        storage = TensorStorage.view(stored, keptAliveBy: keeper)
        if isMapped, let begin = stored.baseAddress { nnp_will_keep_mapped(begin, stored.count) }
      } else {
        storage = try TensorStorage.allocate(size: tensor.rawBytes) { _ in }
      }
      let end = chunks + tensor.chunkCount
      placed.append(PlacedTensor(tensor: tensor, stored: stored, storage: storage, chunks: chunks..<end))
      chunks = end
    }
    try decode(placed, scratchSize, isMapped, team)
    var loaded: [Tensor] = []
    loaded.reserveCapacity(tensors.count)
    for (tensor, place) in zip(tensors, placed) {
      do throws(NNError) {
        try checkContents(tensor, place.storage.bytes)
        loaded.append(
          try Tensor(
            dtype: tensor.dtype, extents: tensor.extents, layout: tensor.layout, storage: place.storage))
      } catch {
        throw error.within("tensor " + tensor.name.quoted)
      }
    }
    return loaded
  }

  private func staysInPlace(_ tensor: StoredTensor, _ keeper: AnyObject?) -> Bool {
    guard tensor.codec == .raw, keeper != nil, let base = file.baseAddress else { return false }
    return Int(bitPattern: base + tensor.offset) % Format.dataAlignment == 0
  }

  /// Decodes all chunks of the tensors, by as many members of the team as there are chunks for.
  private func decode(
    _ tensors: [PlacedTensor], _ scratchSize: Int, _ isMapped: Bool, _ team: DecodingTeam
  ) throws(NNError) {
    let count = tensors.last?.chunks.upperBound ?? 0
    var decoders: [ChunkDecoder] = []
    for _ in 0..<max(1, min(team.threads, count)) {
      try budget.take(scratchSize, for: "decompression")
      if scratchSize > 0 { try budget.take(ZstdDecoder.memory, for: "decompression") }
      decoders.append(try ChunkDecoder(tensors, crc, scratchSize, isMapped: isMapped))
    }
    let members = decoders
    try team.run(count) { units, thread in members[thread].decode(units) }
    // The same error for any number of threads: that of the first chunk that is wrong.
    var first: (chunk: Int, error: NNError)?
    for member in members {
      if let failure = member.failure, failure.chunk < first?.chunk ?? .max { first = failure }
    }
    if let first { throw first.error }
  }

  /// What kernels rely on: booleans are 0 or 1, and the columns that fill up the last panel are zeros.
  private func checkContents(_ tensor: StoredTensor, _ bytes: UnsafeRawBufferPointer) throws(NNError) {
    try FileReader.checkBooleans(tensor.dtype, bytes)
    guard let (rows, columns) = tensor.layout.matrix(tensor.extents) else { return }
    let width = TensorLayout.panelWidth
    let used = columns % width
    guard used > 0 else { return }
    let rowBytes = width * MemoryLayout<Float>.size
    let lastPanel = bytes.count - rows * rowBytes
    var mixed = SIMD16<UInt32>()
    for row in 0..<rows {
      mixed |= bytes.loadUnaligned(fromByteOffset: lastPanel + row * rowBytes, as: SIMD16<UInt32>.self)
    }
    for column in used..<width where mixed[column] != 0 {
      throw NNError(.corruptFile, "the columns that fill up its last panel are not zero")
    }
  }

  static func checkBooleans(_ dtype: DType, _ bytes: UnsafeRawBufferPointer) throws(NNError) {
    guard dtype == .bool else { return }
    for index in 0..<bytes.count where bytes[index] > 1 {
      throw NNError(.corruptFile, "a bool of \(bytes[index]), which must be 0 or 1")
    }
  }
}
