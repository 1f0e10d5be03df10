import CPlatform
import Files
import Glibc
import NNGraph

/// Tensors whose bytes stand in files beside the model.
///
/// A model may name files of its own folder and of folders below it alone: what comes from strangers must not read others.
struct ExternalData {
  /// The model's folder; nil for a model that did not come from a file.
  let folder: String?

  /// Gives `body` the bytes that the entries of a tensor's external_data describe.
  ///
  /// - Throws: ``ErrorCode/invalidGraph`` for a path that leaves the folder, through symbolic links too, and for a range
  ///   outside of the file; ``ErrorCode/fileAccess``.
  func read<Result>(
    _ entries: [OnnxStringStringEntryProto], size: Int, _ body: (UnsafeRawBufferPointer) throws -> Result
  ) throws -> Result {
    func entry(_ key: String) -> String? { entries.first { $0.key == key }?.value }
    guard let location = entry("location"), !location.isEmpty else {
      throw NNError(.invalidGraph, "its external data has no location")
    }
    let path = try resolve(location)
    let offset = try number(entry("offset"), "offset") ?? 0
    let length = try number(entry("length"), "length")
    var outcome: Swift.Result<Result, any Error>?
    try WholeFile.read(path) { (bytes) throws(NNError) in
      let available = bytes.count - min(offset, bytes.count)
      let count = length ?? min(size, available)
      guard count <= available, offset <= bytes.count else {
        throw NNError(
          .invalidGraph, "\(count) bytes at offset \(offset) are not in a file of \(bytes.count) bytes")
      }
      outcome = Swift.Result { try body(UnsafeRawBufferPointer(rebasing: bytes[offset..<(offset + count)])) }
    }
    guard let outcome else { throw NNError(.fileAccess, Message(text: "\(path): cannot be read")) }
    return try outcome.get()
  }

  private func number(_ text: String?, _ name: String) throws -> Int? {
    guard let text else { return nil }
    guard let value = Int(text), value >= 0 else {
      throw NNError(.invalidGraph, Message(text: "its external data has \(name) \"\(text)\""))
    }
    return value
  }

  /// The path of a file in the folder, without symbolic links.
  private func resolve(_ location: String) throws -> String {
    let refused = NNError(
      .invalidGraph, Message(text: "its external data \"\(location)\" is not in the model's folder"))
    guard let folder else { throw refused }
    let parts = location.split(separator: "/", omittingEmptySubsequences: false)
    guard !location.hasPrefix("/"), !parts.contains(".."), !location.utf8.contains(0) else { throw refused }
    let path = folder + "/" + location
    guard let real = realPath(path) else {
      throw NNError(.fileAccess, Message(text: "\(path): \(String(cString: strerror(errno)))"))
    }
    guard let root = realPath(folder), real.hasPrefix(root == "/" ? "/" : root + "/") else { throw refused }
    return real
  }

  private func realPath(_ path: String) -> String? {
    guard let resolved = realpath(path, nil) else { return nil }
    defer { free(resolved) }
    return String(cString: resolved)
  }
}
