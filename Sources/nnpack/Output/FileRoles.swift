import Files
import NNGraph

/// What the files of a command are for, to refuse one that would be written over another, or over what is read.
struct FileRoles {
  private var known: [FileIdentity: (role: String, path: String)] = [:]

  /// - Parameter role: what the file is called in messages.
  mutating func reads(_ path: String, as role: String) {
    guard let identity = FileIdentity(path) else { return }
    if known[identity] == nil { known[identity] = (role, path) }
  }

  /// - Throws: ``ErrorCode/invalidArgument`` naming both if the file is one that is read, or is written already.
  mutating func writes(_ path: String, as role: String) throws(NNError) {
    guard let identity = FileIdentity(path) else { return }
    if let other = known[identity] {
      throw NNError(.invalidArgument, "\(path): \(role) would be written over \(other.role), \(other.path)")
    }
    known[identity] = (role, path)
  }
}
