import Files
import NNGraph

/// Reading and writing NumPy's `.npz` files: ZIP archives of `.npy` files, one for each array, as `numpy.savez` and
/// `numpy.savez_compressed` write them.
public enum NPZFile {
  /// An array with its name, without the ending `.npy`.
  public typealias NamedArray = (name: String, tensor: Tensor)

  /// The most bytes that all arrays together may take, unless the caller says otherwise.
  public static let defaultLimit = 1 << 32

  /// The arrays of a file, in its order.
  ///
  /// - Parameters:
  ///   - names: those to read; all if nil.
  ///   - limit: the most bytes that they may take together: a small file can declare large arrays.
  /// - Throws: `NNError` naming the file, and the array at fault: ``ErrorCode/corruptFile``, ``ErrorCode/checksumMismatch``,
  ///   ``ErrorCode/limitExceeded``, ``ErrorCode/outOfMemory``, ``ErrorCode/unsupportedVersion`` for what `.npz` files do not use (encryption, ZIP64),
  ///   ``ErrorCode/invalidArgument`` for a name that is not there.
  public static func read(
    path: String, names: [String]? = nil, limit: Int = defaultLimit
  ) throws(NNError) -> [NamedArray] {
    try WholeFile.read(path) { (bytes) throws(NNError) in try decode(bytes, names: names, limit: limit) }
  }

  /// The arrays in the bytes of a file.
  public static func decode(
    _ bytes: [UInt8], names: [String]? = nil, limit: Int = defaultLimit
  ) throws(NNError) -> [NamedArray] {
    var result = Result<[NamedArray], NNError>.success([])
    bytes.withUnsafeBytes { memory in
      result = Result { () throws(NNError) in try decode(memory, names: names, limit: limit) }
    }
    return try result.get()
  }

  private static func decode(
    _ bytes: UnsafeRawBufferPointer, names: [String]?, limit: Int
  ) throws(NNError) -> [NamedArray] {
    let archive = try ZIPArchive(bytes)
    var arrays: [NamedArray] = []
    var total = 0
    let all = archive.entries.map { $0.name.hasSuffix(".npy") ? String($0.name.dropLast(4)) : $0.name }
    for (index, name) in all.enumerated() where all[..<index].contains(name) {
      throw NNError(.corruptFile, "two arrays are called \"\(name)\"")
    }
    for name in names ?? [] where !all.contains(name) {
      throw NNError(
        .invalidArgument, "there is no array \"\(name)\"; there are \(all.joined(separator: ", "))")
    }
    for (entry, name) in zip(archive.entries, all) where names?.contains(name) ?? true {
      total += entry.size
      guard total <= limit else {
        throw NNError(
          .limitExceeded, "with array \"\(name)\" there are \(total) bytes, more than the limit of \(limit)")
      }
      do throws(NNError) {
        let content = try archive.content(entry)
        defer { withExtendedLifetime(content) {} }
        arrays.append((name, try NPYFile.decode(content.bytes)))
      } catch {
        throw error.within("array \"\(name)\"")
      }
    }
    return arrays
  }

  /// The bytes of a file with some row-major arrays.
  ///
  /// - Parameter compressed: whether arrays are deflated, as `numpy.savez_compressed` does.
  /// - Throws: ``ErrorCode/limitExceeded`` for more than 4 GiB; ``ErrorCode/invalidArgument`` for two arrays of one name, or one
  ///   that is not row-major.
  public static func encode(_ arrays: [NamedArray], compressed: Bool = false) throws(NNError) -> [UInt8] {
    var contents: [(name: String, bytes: [UInt8])] = []
    for (name, tensor) in arrays {
      guard tensor.layout == .rowMajor, !contents.contains(where: { $0.name == name + ".npy" }) else {
        throw NNError(.invalidArgument, "array \"\(name)\" is not row-major, or there are two of that name")
      }
      contents.append(
        (name + ".npy", NPYFile.encode(dtype: tensor.dtype, extents: tensor.extents, bytes: tensor.bytes)))
    }
    return try ZIPArchive.encode(contents, compressed: compressed)
  }

  /// Writes a file, replacing an old one at once or not at all; see ``encode(_:compressed:)``.
  ///
  /// - Throws: ``ErrorCode/fileAccess`` too.
  public static func write(
    _ arrays: [NamedArray], to path: String, compressed: Bool = false
  ) throws(NNError) {
    let bytes: [UInt8]
    do throws(NNError) {
      bytes = try encode(arrays, compressed: compressed)
    } catch {
      throw error.within(path)
    }
    try WholeFile.write(bytes, to: path)
  }
}
