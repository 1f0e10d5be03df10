import NNGraph

/// Little-endian numbers and counted byte arrays, one after the other.
struct CheckpointWriter {
  private(set) var bytes: [UInt8] = []

  mutating func write(_ value: UInt64) {
    for shift in stride(from: 0, to: 64, by: 8) {
      bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(shift)))
    }
  }

  mutating func write(_ value: Int) { write(UInt64(bitPattern: Int64(value))) }

  mutating func write(_ value: Double) { write(value.bitPattern) }

  mutating func write(_ array: [UInt8]) {
    write(array.count)
    bytes += array
  }

  mutating func write(_ floats: UnsafeMutableBufferPointer<Float>) {
    write(floats.count * 4)
    for value in floats {
      let bits = value.bitPattern
      for shift in stride(from: 0, to: 32, by: 8) {
        bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(shift)))
      }
    }
  }
}

/// Reads what ``CheckpointWriter`` wrote; every length is checked before it is used.
struct CheckpointReader {
  private let bytes: [UInt8]
  private var position = 0

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
  }

  private mutating func take(_ count: Int) throws(NNError) -> ArraySlice<UInt8> {
    guard count >= 0, count <= bytes.count - position else {
      throw NNError(.corruptFile, "the checkpoint ends early")
    }
    position += count
    return bytes[position - count..<position]
  }

  mutating func word() throws(NNError) -> UInt64 {
    var value: UInt64 = 0
    for byte in try take(8).reversed() { value = value << 8 | UInt64(byte) }
    return value
  }

  mutating func integer() throws(NNError) -> Int { Int(truncatingIfNeeded: try word()) }

  /// A number of things: not negative, and so small that arithmetic on it does not overflow.
  mutating func count() throws(NNError) -> Int {
    let value = try integer()
    guard value >= 0, value <= 1 << 40 else {
      throw NNError(.corruptFile, "the checkpoint has a count of \(value)")
    }
    return value
  }

  mutating func double() throws(NNError) -> Double { Double(bitPattern: try word()) }

  mutating func byteArray() throws(NNError) -> [UInt8] { Array(try take(try integer())) }

  mutating func name() throws(NNError) -> Name { Name(utf8: try byteArray()) }

  /// Passes over `count` floats.
  mutating func skipFloats(_ count: Int) throws(NNError) { _ = try takeFloats(count) }

  private mutating func takeFloats(_ count: Int) throws(NNError) -> ArraySlice<UInt8> {
    guard try integer() == count * 4 else {
      throw NNError(.corruptFile, "a tensor of the checkpoint has another size")
    }
    return try take(count * 4)
  }

  /// Fills `floats`, which must be as many as were written.
  mutating func floats(into floats: UnsafeMutableBufferPointer<Float>) throws(NNError) {
    let source = try takeFloats(floats.count)
    var next = source.startIndex
    for index in floats.indices {
      var bits: UInt32 = 0
      for offset in (0..<4).reversed() { bits = bits << 8 | UInt32(source[next + offset]) }
      floats[index] = Float(bitPattern: bits)
      next += 4
    }
  }

  /// - Throws: ``ErrorCode/corruptFile`` if anything follows.
  func end() throws(NNError) {
    guard position == bytes.count else { throw NNError(.corruptFile, "the checkpoint has bytes too many") }
  }
}
