import FuzzSupport

// A mutator that knows the file's structure: it takes a file apart, changes one section, and puts it together again with
// the right lengths, offsets and checksums. Without it nearly all inputs would end at a checksum. It is written from
// SPECIFICATION.md alone and shares no code with the reader.

@c(LLVMFuzzerCustomMutator)
public func customMutator(
  _ data: UnsafeMutablePointer<UInt8>, _ size: Int, _ maximum: Int, _ seed: UInt32
) -> Int {
  var random = Random(seed: seed)
  let input = Array(UnsafeBufferPointer(start: data, count: size))
  guard random.below(16) != 0, var parts = Parts(input) else { return libFuzzerMutate(data, size, maximum) }
  parts.mutate(&random)
  var output = parts.bytes(fixingChunks: random.below(16) != 0)
  guard output.count <= maximum else { return libFuzzerMutate(data, size, maximum) }
  if random.below(16) == 0 { Parts.mutateTable(&output, &random) }
  for (index, byte) in output.enumerated() { data[index] = byte }
  return output.count
}

/// Exchanges sections of two files.
@c(LLVMFuzzerCustomCrossOver)
public func customCrossOver(
  _ first: UnsafePointer<UInt8>, _ firstSize: Int, _ second: UnsafePointer<UInt8>, _ secondSize: Int,
  _ out: UnsafeMutablePointer<UInt8>, _ maximum: Int, _ seed: UInt32
) -> Int {
  var random = Random(seed: seed)
  guard var a = Parts(Array(UnsafeBufferPointer(start: first, count: firstSize))),
    let b = Parts(Array(UnsafeBufferPointer(start: second, count: secondSize)))
  else { return 0 }
  for index in a.sections.indices where random.below(2) == 0 {
    for section in b.sections where section.kind == a.sections[index].kind { a.sections[index] = section }
  }
  let output = a.bytes(fixingChunks: true)
  guard output.count <= maximum else { return 0 }
  for (index, byte) in output.enumerated() { out[index] = byte }
  return output.count
}

/// A file taken apart.
struct Parts {
  struct Section {
    var kind: UInt32
    var codec: UInt32
    var rawLength: UInt64
    var bytes: [UInt8]
  }

  var sections: [Section] = []

  /// nil if there is nothing to take apart.
  init?(_ file: [UInt8]) {
    guard file.count >= 24 else { return nil }
    let count = Int(little(file, 6, 2))
    guard file.count >= 24 + 40 * count else { return nil }
    for index in 0..<count {
      let entry = 24 + 40 * index
      let (offset, length) = (little(file, entry + 8, 8), little(file, entry + 16, 8))
      guard offset <= UInt64(file.count), length <= UInt64(file.count) - offset else { return nil }
      sections.append(
        Section(
          kind: UInt32(little(file, entry, 4)), codec: UInt32(little(file, entry + 4, 4)),
          rawLength: little(file, entry + 24, 8), bytes: Array(file[Int(offset)..<Int(offset + length)])))
    }
  }

  /// Changes one section's contents; rarely its codec or raw length, or which sections there are.
  mutating func mutate(_ random: inout Random) {
    guard !sections.isEmpty else { return }
    let index = random.below(sections.count)
    switch random.below(64) {
    case 0: sections[index].codec = UInt32(random.below(3))
    case 1: sections[index].rawLength = UInt64(random.below(1 << 20))
    case 2: sections.remove(at: index)
    case 3: sections.insert(sections[index], at: index)
    case 4: sections[index].kind = UInt32(random.below(8)) | (random.below(2) == 0 ? 0x8000_0000 : 0)
    case 5..<16: mutateNumber(index, &random)
    default: mutateBytes(index)
    }
  }

  private mutating func mutateBytes(_ index: Int) {
    let size = sections[index].bytes.count
    var buffer = sections[index].bytes + [UInt8](repeating: 0, count: 64)
    let changed = buffer.withUnsafeMutableBufferPointer {
      libFuzzerMutate($0.baseAddress!, size, $0.count)
    }
    replace(index, Array(buffer[0..<changed]))
  }

  /// Small numbers are what indices, ranks and codes are made of; all-ones and long numbers are where they end.
  private mutating func mutateNumber(_ index: Int, _ random: inout Random) {
    var bytes = sections[index].bytes
    guard !bytes.isEmpty else { return }
    let place = random.below(bytes.count)
    switch random.below(8) {
    case 0: bytes.replaceSubrange(place...place, with: [UInt8](repeating: 0xFF, count: 9) + [0x01])
    case 1: bytes.replaceSubrange(place...place, with: [UInt8](repeating: 0xFF, count: 8) + [0x7F])
    case 2: bytes[place] = bytes[place] &+ 1
    case 3: bytes[place] = bytes[place] &- 1
    default: bytes[place] = UInt8(random.below(10))
    }
    replace(index, bytes)
  }

  private mutating func replace(_ index: Int, _ bytes: [UInt8]) {
    sections[index].bytes = bytes
    if sections[index].codec == 0 { sections[index].rawLength = UInt64(bytes.count) }
  }

  /// The file, with every length, offset and checksum right.
  func bytes(fixingChunks: Bool) -> [UInt8] {
    var sections = self.sections
    let index = sections.firstIndex { $0.kind == 0x8000_0002 && $0.codec == 0 }
    let data = sections.firstIndex { $0.kind == 0x8000_0003 }
    if fixingChunks, let index, let data {
      fixChunks(&sections[index].bytes, sections[data].bytes)
    }
    var end = 24 + 40 * sections.count
    var table: [UInt8] = []
    var body: [UInt8] = []
    for section in sections {
      let isData = section.kind & 0x7FFF_FFFF == 3
      let alignment = isData ? 64 : 8
      let offset = (end + alignment - 1) / alignment * alignment
      body += [UInt8](repeating: 0, count: offset - end) + section.bytes
      end = offset + section.bytes.count
      append(&table, UInt64(section.kind), 4)
      append(&table, UInt64(section.codec), 4)
      append(&table, UInt64(offset), 8)
      append(&table, UInt64(section.bytes.count), 8)
      append(&table, section.rawLength, 8)
      append(&table, isData ? 0 : UInt64(crc32c(section.bytes[...])), 4)
      append(&table, 0, 4)
    }
    var header: [UInt8] = Array("NNRT".utf8)
    append(&header, 1, 2)
    append(&header, UInt64(sections.count), 2)
    append(&header, UInt64(end), 8)
    append(&header, 0, 4)
    append(&header, UInt64(crc32c((header + table)[...])), 4)
    return header + table + body
  }

  /// Changes a byte of the header or the section table, and makes the header's checksum right.
  static func mutateTable(_ file: inout [UInt8], _ random: inout Random) {
    let size = min(file.count, 24 + 40 * Int(little(file, 6, 2)))
    let place = random.below(size)
    file[place] = UInt8(random.below(256))
    let count = 24 + 40 * Int(little(file, 6, 2))
    guard count <= file.count else { return }
    var checksum: [UInt8] = []
    append(&checksum, UInt64(crc32c((file[0..<20] + file[24..<count])[...])), 4)
    file.replaceSubrange(20..<24, with: checksum)
  }
}

/// Walks the tensor index and makes the checksum of every chunk right, as far as the walk gets.
private func fixChunks(_ index: inout [UInt8], _ data: [UInt8]) {
  var at = 0
  var position = 0
  func number() -> Int? { readVarint(index[...], at: &at, bits: 63).map { Int($0) } }
  let sizes: [UInt8: Int] = [1: 4, 2: 8, 3: 2, 4: 2, 16: 1, 17: 2, 18: 4, 19: 8, 24: 1, 32: 1]
  guard let count = number() else { return }
  for _ in 0..<count {
    guard at + 3 <= index.count, let size = sizes[index[at]] else { return }
    let (layout, codec) = (index[at + 1], index[at + 2])
    at += 3
    guard let rank = number(), rank <= 8 else { return }
    var extents: [Int] = []
    for _ in 0..<rank {
      guard let extent = number(), extent < 1 << 20 else { return }
      extents.append(extent)
    }
    if layout == 1, rank == 2 { extents[1] = (extents[1] + 15) / 16 * 16 }
    var left = size
    for extent in extents {
      guard left < 1 << 24 else { return }
      left *= extent
    }
    if codec == 0, left > 0 { position = (position + 63) / 64 * 64 }
    while left > 0 {
      let raw = min(left, 262_144)
      left -= raw
      var stored = raw
      if codec == 1 {
        guard at < index.count else { return }
        let flags = index[at]
        at += 1
        for plane in 0..<size where flags >> UInt8(plane) & 1 == 1 {
          guard let length = number(), length <= raw / size else { return }
          stored += length - raw / size
        }
      }
      guard at + 4 <= index.count, position + stored <= data.count else { return }
      var checksum: [UInt8] = []
      append(&checksum, UInt64(crc32c(data[position..<position + stored])), 4)
      index.replaceSubrange(at..<at + 4, with: checksum)
      at += 4
      position += stored
    }
  }
}

private func little(_ bytes: [UInt8], _ offset: Int, _ size: Int) -> UInt64 {
  var value: UInt64 = 0
  for index in 0..<size { value |= UInt64(bytes[offset + index]) << UInt64(8 * index) }
  return value
}

private func append(_ bytes: inout [UInt8], _ value: UInt64, _ size: Int) {
  for index in 0..<size { bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(8 * index))) }
}

private let crcTable: [UInt32] = (0..<256).map { byte in
  (0..<8).reduce(UInt32(byte)) { remainder, _ in (remainder >> 1) ^ (remainder & 1 == 1 ? 0x82F6_3B78 : 0) }
}

/// One byte at a time, unlike the reader's.
private func crc32c(_ bytes: ArraySlice<UInt8>) -> UInt32 {
  ~bytes.reduce(~UInt32(0)) { state, byte in
    (state >> 8) ^ crcTable[Int((state & 0xFF) ^ UInt32(byte))]
  }
}
