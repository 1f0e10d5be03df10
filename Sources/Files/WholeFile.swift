import CPlatform
import Glibc
import NNGraph

/// Files read and written in one piece, with the operating system's words when that fails.
///
/// Without Foundation, which would make up most of nnpack.
public enum WholeFile {
  /// Gives `body` the bytes of a file, which are valid during the call.
  ///
  /// - Throws: ``ErrorCode/fileAccess`` naming the path, or what `body` throws, with the path in front.
  public static func read<Result>(
    _ path: String, _ body: (UnsafeRawBufferPointer) throws(NNError) -> Result
  ) throws(NNError) -> Result {
    var mapping = nnp_mapping()
    try check(nnp_file_map(path, &mapping), path)
    return try use(mapping, path, body)
  }

  /// As ``read(_:_:)``; nil if there is no such file.
  public static func readIfPresent<Result>(
    _ path: String, _ body: (UnsafeRawBufferPointer) throws(NNError) -> Result
  ) throws(NNError) -> Result? {
    var mapping = nnp_mapping()
    let status = nnp_file_map(path, &mapping)
    if status == ENOENT { return nil }
    try check(status, path)
    return try use(mapping, path, body)
  }

  private static func use<Result>(
    _ mapping: nnp_mapping, _ path: String, _ body: (UnsafeRawBufferPointer) throws(NNError) -> Result
  ) throws(NNError) -> Result {
    defer { nnp_file_unmap(mapping) }
    do throws(NNError) {
      return try body(UnsafeRawBufferPointer(start: mapping.bytes, count: mapping.size))
    } catch {
      throw error.within(path)
    }
  }

  /// Writes a file in one step: another process sees the old one or the new one. What a symbolic link leads to is replaced, with its
  /// mode; what is no regular file, such as a pipe, is written to as it is.
  ///
  /// - Throws: ``ErrorCode/fileAccess`` naming the path.
  public static func write(_ bytes: [UInt8], to path: String) throws(NNError) {
    let status = bytes.withUnsafeBytes { nnp_file_write_atomically(path, $0.baseAddress, $0.count) }
    try check(status, path)
  }

  /// Throws what ``write(_:to:)`` would throw before it has written anything: for a folder that is not there or may not be written
  /// to, for a file that may not be, for a folder where the file is to be.
  ///
  /// - Throws: ``ErrorCode/fileAccess`` naming the path.
  public static func requireWritable(_ path: String) throws(NNError) {
    try check(nnp_file_check_writable(path), path)
  }

  /// Makes a folder and those it stands in, where they are missing.
  ///
  /// - Throws: ``ErrorCode/fileAccess`` naming the path.
  public static func makeFolder(_ path: String) throws(NNError) {
    var partial = path.hasPrefix("/") ? "/" : ""
    for name in path.split(separator: "/") {
      partial += name + "/"
      // A folder that is there already is what was asked for; anything else that is there fails below.
      if mkdir(partial, 0o777) != 0, errno != EEXIST { try check(errno, path) }
    }
    guard isFolder(path) else { throw NNError(.fileAccess, "\(path): \(String(cString: strerror(ENOTDIR)))") }
  }

  /// Whether there is anything at a path.
  public static func exists(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0
  }

  public static func isFolder(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }

  /// The names of what stands in a folder, sorted by their bytes, without "." and "..".
  ///
  /// - Throws: ``ErrorCode/fileAccess`` naming the path.
  public static func names(inFolder path: String) throws(NNError) -> [String] {
    guard let folder = opendir(path) else {
      try check(errno, path)
      return []
    }
    defer { closedir(folder) }
    var names: [[UInt8]] = []
    while true {
      errno = 0
      guard let entry = readdir(folder) else { break }
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
      if name != [UInt8(ascii: ".")], name != Array("..".utf8) { names.append(name) }
    }
    try check(errno, path)
    return names.sorted { $0.lexicographicallyPrecedes($1) }.map { String(decoding: $0, as: UTF8.self) }
  }

  private static func check(_ status: Int32, _ path: String) throws(NNError) {
    guard status == 0 else {
      throw NNError(.fileAccess, "\(path): \(String(cString: nnp_error_text(status)))")
    }
  }
}
