import CPlatform
@testable import NNFormat
import NNGraph
import Testing

/// The table, and the processor's instruction if it has one.
private let checksums = nnp_cpu_has_crc32c() != 0 ? [false, true] : [false]

@Test(arguments: checksums)
func crc32cGivesThePublishedValues(usesInstruction: Bool) {
  // RFC 3720, appendix B.4, and the check value of the catalogue of parametrised CRC algorithms.
  let crc = CRC32C(usesInstruction: usesInstruction)
  func checksum(_ bytes: [UInt8]) -> UInt32 { bytes.withUnsafeBytes { crc.checksum($0) } }
  #expect(checksum([UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
  #expect(checksum([UInt8](repeating: 0xFF, count: 32)) == 0x62A8_AB43)
  #expect(checksum((0..<32).map { UInt8($0) }) == 0x46DD_794E)
  #expect(checksum((0..<32).map { UInt8(31 - $0) }) == 0x113F_DB5C)
  let readCommand: [UInt8] =
    [0x01, 0xC0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x14, 0, 0, 0, 0, 0, 0x04, 0, 0, 0, 0, 0x14]
    + [0, 0, 0, 0x18, 0x28, 0, 0, 0, 0, 0, 0, 0, 0x02, 0, 0, 0, 0, 0, 0, 0]
  #expect(checksum(readCommand) == 0xD996_3A56)
  #expect(checksum(Array("123456789".utf8)) == 0xE306_9283)
  #expect(checksum([]) == 0)
}

@Test(arguments: checksums)
func crc32cContinuesFromEveryPlace(usesInstruction: Bool) {
  let crc = CRC32C(usesInstruction: usesInstruction)
  let whole = CRC32C(usesInstruction: false)
  let bytes = (0..<100).map { UInt8(truncatingIfNeeded: $0 * 37) }
  bytes.withUnsafeBytes { bytes in
    for cut in 0...bytes.count {
      let first = crc.checksum(bytes.slice(0, cut))
      #expect(crc.checksum(bytes.slice(cut, bytes.count - cut), continuing: first) == whole.checksum(bytes))
    }
  }
}

@Test(arguments: checksums)
func crc32cOfManyBytesIsThatOfTheTable(usesInstruction: Bool) {
  let crc = CRC32C(usesInstruction: usesInstruction)
  let whole = CRC32C(usesInstruction: false)
  var random = TestRandom(seed: 3)
  let bytes = (0..<40_000).map { _ in UInt8(truncatingIfNeeded: random.next()) }
  bytes.withUnsafeBytes { bytes in
    for count in [12_287, 12_288, 12_289, 24_576, 40_000] {
      #expect(crc.checksum(bytes.slice(0, count)) == whole.checksum(bytes.slice(0, count)), "\(count) bytes")
    }
  }
}

@Test func theFirstNonzeroByteIsFoundAtEveryPlace() {
  for count in 0...25 {
    var bytes = [UInt8](repeating: 0, count: count)
    bytes.withUnsafeBytes { #expect($0.firstNonzero == nil) }
    for place in (0..<count).reversed() {
      bytes[place] = 0x80
      bytes.withUnsafeBytes { #expect($0.firstNonzero == place) }
    }
  }
}

@Test func numbersSurviveTheRoundTrip() throws {
  let numbers: [Int] = [0, 1, -1, 63, 64, -64, -65, 127, 128, 16383, 16384, .max, .min, .max - 1, .min + 1]
  var writer = ByteWriter()
  for number in numbers {
    writer.integer(number)
    if number >= 0 { try writer.natural(number) }
  }
  try writer.bytes.withUnsafeBytes { bytes in
    var reader = ByteReader(bytes, role: "numbers")
    for number in numbers {
      #expect(try reader.integer() == number)
      if number >= 0 { #expect(try reader.natural() == number) }
    }
    try reader.finish()
  }
}

@Test(
  arguments: [
    [0x80, 0x00], [0xFF, 0x80, 0x00],  // not the shortest form
    [0x80], [0xFF, 0xFF],  // unfinished
    [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x02],  // 65 bits
    [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x81, 0x01],
  ] as [[UInt8]])
func malformedNumbersAreRefused(bytes: [UInt8]) {
  bytes.withUnsafeBytes { bytes in
    var reader = ByteReader(bytes, role: "numbers")
    #expect(throws: NNError.self) { _ = try reader.varint() }
  }
}

@Test func numbersBeyondIntAreRefused() throws {
  let bytes: [UInt8] = [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01]
  try bytes.withUnsafeBytes { bytes in
    var reader = ByteReader(bytes, role: "numbers")
    #expect(throws: NNError.self) { _ = try reader.natural() }
    reader = ByteReader(bytes, role: "numbers")
    let least = try reader.integer()
    #expect(least == .min)
  }
}

@Test func utf8IsValidatedAsTheStandardSays() {
  let valid = [
    "", "a", "\u{7F}", "é", "\u{7FF}", "\u{800}", "\u{D7FF}", "\u{E000}", "\u{FFFF}", "😀", "\u{10FFFF}",
  ]
  for text in valid { #expect(UTF8Text.isValid(Array(text.utf8)), "\(text)") }
  let invalid: [[UInt8]] = [
    [0], [0x61, 0], [0x80], [0xBF], [0xC0, 0x80], [0xC1, 0xBF], [0xC2], [0xC2, 0x41], [0xE0, 0x9F, 0xBF],
    [0xE0, 0xA0], [0xE1, 0x80, 0x41], [0xED, 0xA0, 0x80], [0xED, 0xBF, 0xBF], [0xF0, 0x8F, 0xBF, 0xBF],
    [0xF0, 0x90, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xFF], [0xF1, 0x80, 0x80, 0xC0],
  ]
  for bytes in invalid { #expect(!UTF8Text.isValid(bytes), "\(bytes)") }
}

@Test(arguments: DType.allCases)
func bytePlanesJoinToWhatWasSplit(dtype: DType) {
  var random = TestRandom(seed: 11)
  for count in [0, 1, 2, 3, 15, 16, 17, 1000] {
    let elements = (0..<count * dtype.size).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    var planes = elements
    var joined = elements
    elements.withUnsafeBytes { elements in
      planes.withUnsafeMutableBytes { BytePlanes.split(elements, dtype: dtype, into: $0) }
    }
    planes.withUnsafeBufferPointer { planes in
      guard let base = planes.baseAddress else { return }
      var begins = BytePlanes.Planes(repeating: base)
      for plane in 0..<dtype.size { begins[plane] += plane * count }
      joined.withUnsafeMutableBytes { BytePlanes.join(begins, dtype: dtype, into: $0) }
    }
    #expect(joined == elements)
  }
}

@Test func topPlaneOfFloatsIsTheExponent() {
  // −1.5 is sign 1, exponent 127, mantissa 0x400000; 2.0 is sign 0, exponent 128, mantissa 0.
  let elements: [Float] = [-1.5, 2]
  var planes = [UInt8](repeating: 0, count: 8)
  elements.withUnsafeBytes { elements in
    planes.withUnsafeMutableBytes { BytePlanes.split(elements, dtype: .f32, into: $0) }
  }
  #expect(planes == [1, 0, 0, 0, 0x80, 0, 127, 128])
}
