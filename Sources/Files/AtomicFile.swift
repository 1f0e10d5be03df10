import CPlatform
import Glibc
import NNGraph

/// A file that is written piece by piece and appears when it is complete; until then it stands beside its place under another
/// name, and if it is given up before, nothing is left. What is no regular file, such as a pipe, is written to as it is.
public final class AtomicFile {
  public let path: String
  /// Bytes written so far.
  public private(set) var size = 0
  private var file: nnp_new_file
  private var isOpen = true
  /// Where the file stands once it is complete: what the path leads to; nil for what is written to as it is.
  private let place: String?

  /// - Throws: ``ErrorCode/fileAccess`` naming the path.
  public init(_ path: String) throws(NNError) {
    self.path = path
    file = nnp_new_file()
    let status = nnp_new_file_begin(path, &file)
    place = file.place.map { String(cString: $0) }
    guard status == 0 else {
      throw NNError(.fileAccess, "\(path): \(String(cString: nnp_error_text(status)))")
    }
  }

  deinit {
    if isOpen { nnp_new_file_abandon(&file) }
  }

  public func append(_ bytes: UnsafeRawBufferPointer) throws(NNError) {
    try check(nnp_new_file_append(&file, bytes.baseAddress, bytes.count))
    size += bytes.count
  }

  public func append(_ bytes: [UInt8]) throws(NNError) {
    try check(bytes.withUnsafeBytes { nnp_new_file_append(&file, $0.baseAddress, $0.count) })
    size += bytes.count
  }

  /// Appends zeros up to a multiple of `alignment`.
  public func pad(to alignment: Int) throws(NNError) {
    let rest = size % alignment
    guard rest > 0 else { return }
    try append([UInt8](repeating: 0, count: alignment - rest))
  }

  /// Puts the file in its place.
  public func commit() throws(NNError) {
    isOpen = false
    try check(nnp_new_file_commit(&file))
  }

  /// Takes a file away again that has been put in its place.
  public func removeCommitted() {
    if !isOpen, let place { unlink(place) }
  }

  private func check(_ status: Int32) throws(NNError) {
    guard status == 0 else {
      throw NNError(.fileAccess, "\(path): \(String(cString: nnp_error_text(status)))")
    }
  }
}
