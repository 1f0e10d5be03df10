import Files
import NNFormat
import NNGraph

/// Trained models as files.
enum ModelOutput {
  /// - Throws: ``ErrorCode/fileAccess`` if the folder that a file is to be in is not there.
  static func requireFolder(of path: String) throws(NNError) {
    let folder = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
    guard WholeFile.isFolder(folder) else {
      throw NNError(.fileAccess, "\(path): there is no folder \(folder)")
    }
  }

  /// Writes a file and says how large it became.
  static func write(_ file: ModelFile, to path: String) throws(NNError) {
    try file.write(to: path)
    let size = try WholeFile.read(path) { (bytes) throws(NNError) in bytes.count }
    let weights = file.graph.values.reduce(0) { $0 + ($1.constant?.bytes.count ?? 0) }
    print(
      "\(path): \(size.grouped) bytes, \((Double(size) / Double(max(weights, 1))).fixed(3)) of "
        + "\(weights.grouped) bytes of weights")
  }
}
