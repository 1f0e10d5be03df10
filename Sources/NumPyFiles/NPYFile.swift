import Files
import NNGraph

/// Reading and writing NumPy's `.npy` files: one array, row-major, little-endian.
///
/// The format is that of NumPy's `numpy.lib.format`, versions 1.0, 2.0 and 3.0: the magic bytes `\x93NUMPY`, two version bytes,
/// the header's length (2 bytes, or 4 from version 2.0 on), the header as a Python dictionary, and the elements.
public enum NPYFile {
  static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)

  /// The array in a file.
  ///
  /// - Throws: `NNError` naming the file and what about it is not supported or not right.
  public static func read(path: String) throws(NNError) -> Tensor {
    try WholeFile.read(path) { (bytes) throws(NNError) in try decode(bytes) }
  }

  /// The array in the bytes of a file.
  public static func decode(_ bytes: [UInt8]) throws(NNError) -> Tensor {
    var result = Result<Tensor, NNError>.failure(NNError(.corruptFile, "not a .npy file"))
    bytes.withUnsafeBytes { memory in result = Result { () throws(NNError) in try decode(memory) } }
    return try result.get()
  }

  static func decode(_ bytes: UnsafeRawBufferPointer) throws(NNError) -> Tensor {
    guard bytes.count >= 10, bytes.starts(with: magic) else {
      throw NNError(.corruptFile, "not a .npy file")
    }
    let (major, minor) = (bytes[6], bytes[7])
    guard (1...3).contains(major) else {
      throw NNError(.unsupportedVersion, "version \(major).\(minor) of the .npy format; 1.0 to 3.0 are known")
    }
    let lengthBytes = major == 1 ? 2 : 4
    guard bytes.count >= 8 + lengthBytes else {
      throw NNError(.corruptFile, "the file ends within its header")
    }
    let length = (0..<lengthBytes).reduce(0) { $0 | Int(bytes[8 + $1]) << (8 * $1) }
    let start = 8 + lengthBytes + length
    guard start <= bytes.count else {
      throw NNError(.corruptFile, "a header of \(length) bytes in a file of \(bytes.count)")
    }
    let header = try NPYHeader(parsing: String(decoding: bytes[(8 + lengthBytes)..<start], as: UTF8.self))
    let size = try Tensor.byteCount(dtype: header.dtype, extents: header.extents, layout: .rowMajor)
    guard bytes.count - start == size else {
      throw NNError(
        .corruptFile,
        "\(header.dtype.name) \(Shape(header.extents).description) needs \(size) bytes, the file has \(bytes.count - start)"
      )
    }
    let storage = try TensorStorage.allocate(size: size) { (memory) throws(NNError) in
      memory.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[start...]))
    }
    return try Tensor(dtype: header.dtype, extents: header.extents, storage: storage)
  }

  /// The bytes of a file that holds a row-major tensor. Of floating-point types of 8 bits and less, and of bf16, NumPy has none: they
  /// are written as f32, which holds them exactly. Integers of 4 and 2 bits are written as bytes.
  public static func encode(dtype: DType, extents: [Int], bytes: UnsafeRawBufferPointer) -> [UInt8] {
    let shape =
      extents.count == 1 ? "(\(extents[0]),)" : "(" + extents.map { "\($0)" }.joined(separator: ", ") + ")"
    var header =
      "{'descr': '\(NPYHeader.descriptor(of: dtype))', 'fortran_order': False, 'shape': \(shape), }"
    // The elements start at a multiple of 64 bytes, and the header ends in a line feed.
    let unpadded = 10 + header.utf8.count + 1
    header += String(repeating: " ", count: (64 - unpadded % 64) % 64) + "\n"
    let length = header.utf8.count
    let start = magic + [1, 0, UInt8(length & 0xFF), UInt8(length >> 8)] + Array(header.utf8)
    return start + plain(dtype, bytes)
  }

  /// The elements in a type that NumPy has.
  private static func plain(_ dtype: DType, _ bytes: UnsafeRawBufferPointer) -> [UInt8] {
    if dtype.isFloatingPoint && dtype != .f16, dtype.size < 4 {
      let format = FloatFormat(dtype)
      var result: [UInt8] = []
      for offset in stride(from: 0, to: bytes.count, by: dtype.size) {
        let code = UInt16(bytes[offset]) | (dtype.size == 2 ? UInt16(bytes[offset + 1]) << 8 : 0)
        let value = format?.number(code) ?? PowerOfTwo.number(bytes[offset])
        withUnsafeBytes(of: Float(value).bitPattern.littleEndian) { result += $0 }
      }
      return result
    }
    if dtype.isInteger, dtype.bitWidth < 8 {
      let unused = 8 - dtype.bitWidth
      return bytes.map { byte in
        let shifted = byte << unused
        return dtype.isSigned ? UInt8(bitPattern: Int8(bitPattern: shifted) >> unused) : shifted >> unused
      }
    }
    return Array(bytes)
  }

  /// Writes a row-major tensor, replacing the file at once or not at all.
  ///
  /// - Throws: ``ErrorCode/fileAccess``.
  public static func write(dtype: DType, extents: [Int], bytes: UnsafeRawBufferPointer, to path: String)
    throws(NNError)
  {
    try WholeFile.write(encode(dtype: dtype, extents: extents, bytes: bytes), to: path)
  }
}
