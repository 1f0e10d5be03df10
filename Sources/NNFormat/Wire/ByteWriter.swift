import NNGraph

/// Puts numbers and texts at the end of bytes, in the forms that ``ByteReader`` takes.
struct ByteWriter {
  private(set) var bytes: [UInt8] = []

  /// Makes room for so many bytes in all.
  mutating func reserve(_ count: Int) { bytes.reserveCapacity(count) }

  /// Puts bytes in front of those that are there, in their memory if it has room.
  mutating func prepend(_ front: [UInt8]) { bytes.insert(contentsOf: front, at: 0) }

  mutating func u8(_ value: UInt8) { bytes.append(value) }

  mutating func u16(_ value: UInt16) { little(UInt64(value), size: 2) }

  mutating func u32(_ value: UInt32) { little(UInt64(value), size: 4) }

  mutating func u64(_ value: UInt64) { little(value, size: 8) }

  mutating func f32(_ value: Float) { u32(value.bitPattern) }

  mutating func flag(_ value: Bool) { u8(value ? 1 : 0) }

  mutating func varint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(truncatingIfNeeded: rest))
  }

  /// - Throws: ``ErrorCode/invalidGraph`` for a negative value.
  mutating func natural(_ value: Int) throws(NNError) {
    guard value >= 0 else { throw NNError(.invalidGraph, "\(value) where no negative number can be stored") }
    varint(UInt64(value))
  }

  mutating func integer(_ value: Int) {
    let wide = Int64(value)
    varint(UInt64(bitPattern: (wide << 1) ^ (wide >> 63)))
  }

  /// - Throws: ``ErrorCode/invalidArgument`` or ``ErrorCode/limitExceeded`` for what a reader refuses.
  mutating func text(_ text: Name, atMost limit: Int) throws(NNError) {
    guard text.utf8.count <= limit else {
      throw NNError(
        .limitExceeded, "a text of \(text.utf8.count) bytes; at most \(limit) can be stored")
    }
    guard UTF8Text.isValid(text.utf8) else {
      throw NNError(.invalidArgument, "the text \(text.quoted) is not valid UTF-8, or holds a zero byte")
    }
    varint(UInt64(text.utf8.count))
    bytes.append(contentsOf: text.utf8)
  }

  mutating func append(_ more: UnsafeRawBufferPointer) { bytes.append(contentsOf: more) }

  mutating func append(_ more: [UInt8]) { bytes.append(contentsOf: more) }

  /// Zeros up to the next multiple of `alignment`.
  mutating func pad(to alignment: Int) {
    while bytes.count % alignment != 0 { bytes.append(0) }
  }

  private mutating func little(_ value: UInt64, size: Int) {
    for index in 0..<size { bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(8 * index))) }
  }
}
