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
  func loadTensors(_ tensors: [StoredTensor], keptAliveBy keeper: AnyObject?) throws(NNError) -> [Tensor] {
    try budget.take(tensors.count, of: Tensor.self, for: "\(tensors.count) tensors")
    var scratchSize = 0
    for tensor in tensors where !staysInPlace(tensor, keeper) {
      try budget.take(tensor.rawBytes, for: "tensor " + tensor.name.quoted)
      if tensor.codec == .zstd && tensor.dtype.size > 1 {
        scratchSize = max(scratchSize, min(tensor.rawBytes, Format.chunkSize))
      }
    }
    try budget.take(scratchSize, for: "decompression")
    let scratch = try TensorStorage.allocate(size: scratchSize) { _ in }
    defer { withExtendedLifetime(scratch) {} }
    var loaded: [Tensor] = []
    loaded.reserveCapacity(tensors.count)
    for tensor in tensors {
      do throws(NNError) {
        let storage = try load(tensor, scratch, keeper)
        try checkContents(tensor, storage.bytes)
        loaded.append(
          try Tensor(dtype: tensor.dtype, extents: tensor.extents, layout: tensor.layout, storage: storage))
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

  private func load(
    _ tensor: StoredTensor, _ scratch: TensorStorage, _ keeper: AnyObject?
  ) throws(NNError) -> TensorStorage {
    let stored = file.slice(tensor.offset, tensor.storedBytes)
    if staysInPlace(tensor, keeper) {
      try verifyChecksums(tensor, stored)
      return TensorStorage.view(stored, keptAliveBy: keeper)
    }
    return try TensorStorage.allocate(size: tensor.rawBytes) { (memory) throws(NNError) in
      switch tensor.codec {
      case .raw:
        try verifyChecksums(tensor, stored)
        memory.copyMemory(from: stored)
      case .zstd:
        try decompress(tensor, stored, UnsafeMutableRawBufferPointer(mutating: scratch.bytes), into: memory)
      }
    }
  }

  private func verifyChecksums(_ tensor: StoredTensor, _ stored: UnsafeRawBufferPointer) throws(NNError) {
    var chunks = tensor.chunks
    var offset = 0
    while let chunk = try chunks.next() {
      try verify(chunk, stored.slice(offset, chunk.storedBytes), offset)
      offset += chunk.storedBytes
    }
  }

  private func verify(
    _ chunk: StoredChunk, _ stored: UnsafeRawBufferPointer, _ offset: Int
  ) throws(NNError) {
    guard crc.checksum(stored) == chunk.checksum else {
      throw NNError(
        .checksumMismatch,
        "\(stored.count) stored bytes from its byte \(offset) on do not have their recorded checksum")
    }
  }

  private func decompress(
    _ tensor: StoredTensor, _ stored: UnsafeRawBufferPointer, _ scratch: UnsafeMutableRawBufferPointer,
    into memory: UnsafeMutableRawBufferPointer
  ) throws(NNError) {
    let decoder = try zstd()
    var chunks = tensor.chunks
    var from = 0
    var to = 0
    while let chunk = try chunks.next() {
      try verify(chunk, stored.slice(from, chunk.storedBytes), from)
      let target = UnsafeMutableRawBufferPointer(rebasing: memory[to..<(to + chunk.rawBytes)])
      // Elements of one byte have one plane, which is the chunk itself; of others, planes that are not compressed are read where they lie.
      let planes =
        chunk.planeCount == 1
        ? target : UnsafeMutableRawBufferPointer(rebasing: scratch[0..<chunk.rawBytes])
      guard let first = planes.baseAddress, let begin = target.baseAddress else { continue }
      nnp_will_write(begin, target.count)
      var begins = BytePlanes.Planes(repeating: UnsafePointer(first.assumingMemoryBound(to: UInt8.self)))
      for index in 0..<chunk.planeCount {
        let start = index * chunk.planeBytes
        let plane = UnsafeMutableRawBufferPointer(rebasing: planes[start..<(start + chunk.planeBytes)])
        let count = Int(chunk.planes[index])
        let source = stored.slice(from, count)
        if count < chunk.planeBytes {
          try decoder.decompress(source, into: plane)
          begins[index] += start
        } else if chunk.planeCount == 1 {
          plane.copyMemory(from: source)
        } else if let base = source.baseAddress {
          begins[index] = base.assumingMemoryBound(to: UInt8.self)
        }
        from += count
      }
      if chunk.planeCount > 1 { BytePlanes.join(begins, dtype: tensor.dtype, into: target) }
      to += chunk.rawBytes
    }
  }

  /// What kernels rely on: booleans are 0 or 1, and the columns that fill up the last panel are zeros.
  private func checkContents(_ tensor: StoredTensor, _ bytes: UnsafeRawBufferPointer) throws(NNError) {
    try FileReader.checkBooleans(tensor.dtype, bytes)
    guard tensor.layout == .panels else { return }
    let width = TensorLayout.panelWidth
    let used = tensor.extents[1] % width
    guard used > 0 else { return }
    let rowBytes = width * tensor.dtype.size
    let lastPanel = bytes.count - tensor.extents[0] * rowBytes
    for row in 0..<tensor.extents[0] {
      let padding = bytes.slice(lastPanel + row * rowBytes + used * tensor.dtype.size, (width - used) * 4)
      guard padding.firstNonzero == nil else {
        throw NNError(.corruptFile, "the columns that fill up its last panel are not zero")
      }
    }
  }

  static func checkBooleans(_ dtype: DType, _ bytes: UnsafeRawBufferPointer) throws(NNError) {
    guard dtype == .bool else { return }
    for index in 0..<bytes.count where bytes[index] > 1 {
      throw NNError(.corruptFile, "a bool of \(bytes[index]), which must be 0 or 1")
    }
  }
}
