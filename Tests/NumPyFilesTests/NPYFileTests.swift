import Foundation
import NNGraph
import NumPyFiles
import Testing

/// A version 1.0 file with the given header and elements.
private func file(_ header: String, _ elements: [UInt8] = [], version: [UInt8] = [1, 0]) -> [UInt8] {
  let length = header.utf8.count
  let lengthBytes: [UInt8] = [UInt8(length & 0xFF), UInt8(length >> 8)] + (version[0] > 1 ? [0, 0] : [])
  return [0x93] + Array("NUMPY".utf8) + version + lengthBytes + Array(header.utf8) + elements
}

private func message(_ bytes: [UInt8]) -> String {
  do {
    _ = try NPYFile.decode(bytes)
    return "no error"
  } catch {
    return error.message
  }
}

private let one: [UInt8] = [0, 0, 0x80, 0x3F]

@Test func everyTypeAndShapeRoundTrips() throws {
  for dtype in DType.allCases
  where dtype.bitWidth >= 8 && (!dtype.isFloatingPoint || dtype.size > 2 || dtype == .f16) {
    for extents in [[], [0], [5], [2, 3], [1, 2, 0, 3]] as [[Int]] {
      let count = extents.reduce(1, *)
      let bytes = (0..<count * dtype.size).map { UInt8(truncatingIfNeeded: dtype == .bool ? $0 % 2 : $0 * 7) }
      let encoded = bytes.withUnsafeBytes { NPYFile.encode(dtype: dtype, extents: extents, bytes: $0) }
      #expect((encoded.count - bytes.count) % 64 == 0)
      let tensor = try NPYFile.decode(encoded)
      #expect(tensor.dtype == dtype && tensor.extents == extents && Array(tensor.bytes) == bytes)
    }
  }
}

@Test func bf16IsWrittenAsTheSameNumbersInF32() throws {
  let encoded = ([0x80, 0x3F, 0x00, 0xC0] as [UInt8]).withUnsafeBytes {
    NPYFile.encode(dtype: .bf16, extents: [2], bytes: $0)
  }
  #expect(try NPYFile.decode(encoded).floats == [1, -2])
}

@Test func narrowTypesAreWrittenAsTheSameNumbersInTypesThatNumPyHas() throws {
  func decoded(_ dtype: DType, _ bytes: [UInt8]) throws -> Tensor {
    try NPYFile.decode(bytes.withUnsafeBytes { NPYFile.encode(dtype: dtype, extents: [2], bytes: $0) })
  }
  #expect(try decoded(.f8e4m3fn, [0x38, 0xC0]).floats == [1, -2])
  #expect(try decoded(.f8e8m0, [0x7F, 0x80]).floats == [1, 2])
  #expect(try decoded(.f4e2m1, [0x2, 0xF]).floats == [1, -6])
  let (signed, unsigned) = (try decoded(.i4, [0xF, 0x97]), try decoded(.u2, [0x3, 0x4]))
  #expect(signed.dtype == .i8 && signed.bytes.map { Int8(bitPattern: $0) } == [-1, 7])
  #expect(unsigned.dtype == .u8 && Array(unsigned.bytes) == [3, 0])
}

@Test func headersOfOtherVersionsAndSpellingsAreRead() throws {
  let plain = "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }\n"
  for version in [[1, 0], [2, 0], [3, 0]] as [[UInt8]] {
    #expect(try NPYFile.decode(file(plain, one, version: version)).floats == [1])
  }
  let reordered = "{\"shape\": (1, 1), \"descr\": \"<f4\", \"fortran_order\": False}"
  #expect(try NPYFile.decode(file(reordered, one)).extents == [1, 1])
  let python2 = "{'descr': '<f4', 'fortran_order': False, 'shape': (1L,), }"
  #expect(try NPYFile.decode(file(python2, one)).extents == [1])
}

@Test func whatIsNotSupportedIsRefusedWithWords() {
  func header(_ descriptor: String, order: String = "False", shape: String = "(1,)") -> [UInt8] {
    file("{'descr': \(descriptor), 'fortran_order': \(order), 'shape': \(shape), }\n", one)
  }
  #expect(message(header("'<f4'", order: "True")).contains("Fortran order"))
  #expect(message(header("'>f4'")).contains("big-endian"))
  #expect(message(header("'|O'")).contains("Python objects"))
  #expect(message(header("'<c8'")).contains("dtype '<c8'"))
  #expect(message(header("[('a', '<f4')]")).contains("structured"))
  #expect(message(file("{}", one, version: [9, 1])).contains("version 9.1"))
  #expect(message(header("'<f4'", shape: "(2,)")).contains("needs 8 bytes, the file has 4"))
  #expect(message(header("'<f4'", shape: "(9223372036854775807, 9223372036854775807)")).contains("2^48"))
  #expect(message(header("'<f4'", shape: "(99999999999999999999,)")).contains("cannot be read"))
  #expect(message(header("'<f4'", shape: "(-1,)")).contains("cannot be read"))
  #expect(message(Array("hello, world".utf8)) == "not a .npy file")
}

@Test func everyPrefixAndEveryChangedByteGivesAnErrorOrATensor() {
  let whole = file("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 1), }\n", one + one)
  for length in 0..<whole.count { #expect(message(Array(whole[..<length])) != "no error") }
  for position in whole.indices {
    for change in [0xFF, 0x01, 0x80] as [UInt8] {
      var changed = whole
      changed[position] ^= change
      _ = message(changed)
    }
  }
}

@Test func aMissingFileIsNamed() {
  do {
    _ = try NPYFile.read(path: "/no/such/file.npy")
    Issue.record("a missing file was read")
  } catch {
    #expect(error.code == .fileAccess)
    #expect(error.message == "/no/such/file.npy: No such file or directory")
  }
}
