import Files
import NNFormat
import NNGraph

/// Trained models, and whatever else is written, as files.
enum ModelOutput {
  /// What cannot be written is better said before the work than after it.
  ///
  /// - Parameter role: what the file is called in messages.
  /// - Throws: ``ErrorCode/fileAccess`` if the folder that a file is to be in is not there, or the file could not be written.
  static func requireWritable(_ path: String, as role: String) throws(NNError) {
    guard !path.isEmpty else { throw NNError(.fileAccess, "\(role) has no name") }
    let folder = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
    guard WholeFile.isFolder(folder) else {
      throw NNError(.fileAccess, "\(path): there is no folder \(folder)")
    }
    try WholeFile.requireWritable(path)
  }

  /// Writes a file and says how large it became.
  static func write(_ file: ModelFile, to path: String) throws(NNError) {
    let bytes = try file.encode()
    try WholeFile.write(bytes, to: path)
    let weights = file.graph.values.reduce(0) { $0 + ($1.constant?.bytes.count ?? 0) }
    print(
      "\(path): \(bytes.count.grouped) bytes, \((Double(bytes.count) / Double(max(weights, 1))).fixed(3)) of "
        + "\(weights.grouped) bytes of weights")
  }
}
