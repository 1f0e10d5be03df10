import NNGraph

/// Takes numbers and texts off the front of bytes, and throws instead of leaving them.
struct ByteReader {
  let bytes: UnsafeRawBufferPointer
  private(set) var offset = 0
  /// What the bytes are, for messages.
  let role: StaticString

  init(_ bytes: UnsafeRawBufferPointer, role: StaticString) {
    self.bytes = bytes
    self.role = role
  }

  var remaining: Int { bytes.count - offset }

  @inline(never)
  func corrupt(_ message: Message) -> NNError {
    NNError(.corruptFile, "\(role), byte \(offset): " + message)
  }

  /// The next `count` bytes.
  mutating func take(_ count: Int) throws(NNError) -> UnsafeRawBufferPointer {
    guard count >= 0, count <= remaining else {
      throw corrupt("\(count) bytes expected, \(remaining) left")
    }
    let result = bytes.slice(offset, count)
    offset += count
    return result
  }

  mutating func u8() throws(NNError) -> UInt8 { try take(1)[0] }

  mutating func u16() throws(NNError) -> UInt16 {
    UInt16(littleEndian: try take(2).loadUnaligned(as: UInt16.self))
  }

  mutating func u32() throws(NNError) -> UInt32 {
    UInt32(littleEndian: try take(4).loadUnaligned(as: UInt32.self))
  }

  mutating func u64() throws(NNError) -> UInt64 {
    UInt64(littleEndian: try take(8).loadUnaligned(as: UInt64.self))
  }

  mutating func f32() throws(NNError) -> Float { Float(bitPattern: try u32()) }

  mutating func flag() throws(NNError) -> Bool {
    let value = try u8()
    guard value <= 1 else { throw corrupt("\(value) where 0 or 1 is expected") }
    return value == 1
  }

  /// A 64-bit length or offset.
  mutating func length() throws(NNError) -> Int {
    guard let value = Int(exactly: try u64()) else { throw corrupt("a length beyond 2^63") }
    return value
  }

  /// Seven bits a byte, least significant first; only the shortest form of a number is accepted.
  mutating func varint() throws(NNError) -> UInt64 {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while true {
      let byte = try u8()
      if shift == 63 && byte > 1 { throw corrupt("a number of more than 64 bits") }
      if shift > 0 && byte == 0 { throw corrupt("a number not in its shortest form") }
      value |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return value }
      if shift == 63 { throw corrupt("a number of more than 64 bits") }
      shift += 7
    }
  }

  /// A number of 0 or more that fits an `Int`.
  mutating func natural() throws(NNError) -> Int {
    guard let value = Int(exactly: try varint()) else { throw corrupt("a number beyond the range of Int") }
    return value
  }

  /// A number of either sign: 0, −1, 1, −2, … as 0, 1, 2, 3, …
  mutating func integer() throws(NNError) -> Int {
    let coded = try varint()
    let magnitude = Int64(bitPattern: coded >> 1)
    guard let value = Int(exactly: coded & 1 == 0 ? magnitude : ~magnitude) else {
      throw corrupt("a number beyond the range of Int")
    }
    return value
  }

  /// How many things follow, each of which takes at least `minimumSize` bytes. What has no room is refused here, before
  /// anything is allocated for it.
  mutating func count(of what: StaticString, minimumSize: Int) throws(NNError) -> Int {
    let count = try natural()
    guard count <= remaining / minimumSize else {
      throw corrupt("\(count) \(what) declared, \(remaining) bytes left")
    }
    return count
  }

  /// A text: length in bytes, then UTF-8 without U+0000.
  mutating func text(atMost limit: Int) throws(NNError) -> Name {
    let length = try natural()
    guard length <= limit else { throw corrupt("a text of \(length) bytes, at most \(limit) are allowed") }
    let start = offset
    let text = try take(length)
    guard UTF8Text.isValid(text) else {
      throw NNError(
        .corruptFile, "\(role), byte \(start): a text that is not valid UTF-8, or holds a zero byte")
    }
    return Name(utf8: Array(text))
  }

  /// Throws unless everything was read.
  func finish() throws(NNError) {
    guard remaining == 0 else { throw corrupt("\(remaining) bytes too many") }
  }
}

extension UnsafeRawBufferPointer {
  /// `count` bytes from `offset`, which the caller has checked to lie inside.
  func slice(_ offset: Int, _ count: Int) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: self[offset..<(offset + count)])
  }

  /// The position of the first byte that is not zero.
  var firstNonzero: Int? {
    var index = 0
    while count - index >= 8, loadUnaligned(fromByteOffset: index, as: UInt64.self) == 0 { index += 8 }
    while index < count, self[index] == 0 { index += 1 }
    return index < count ? index : nil
  }
}
