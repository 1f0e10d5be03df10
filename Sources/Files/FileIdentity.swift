import CPlatform
import Glibc

/// Which file a path leads to, however it is written: a file that is there by its device and number, another by the folder that is
/// and the names from there on.
public struct FileIdentity: Hashable, Sendable {
  private let device: UInt
  private let number: UInt
  private let rest: String

  /// nil for what can be written to and read by many at once: devices, pipes and the like.
  public init?(_ path: String) {
    var status = stat()
    if stat(path, &status) == 0 {
      let kind = status.st_mode & S_IFMT
      guard kind == S_IFREG || kind == S_IFDIR else { return nil }
      self.init(status, "")
      return
    }
    var place = path
    if let followed = nnp_follow_links(path) {
      place = String(cString: followed)
      free(followed)
    }
    // The nearest folder that is there.
    var (folder, rest) = (place[...], "")
    while true {
      let slash = folder.lastIndex(of: "/")
      let name = slash.map { folder[folder.index(after: $0)...] } ?? folder
      if !name.isEmpty, name != "." { rest = "/" + name + rest }
      folder = slash.map { folder[..<$0] } ?? ""
      let parent = slash == nil ? "." : folder.isEmpty ? "/" : String(folder)
      if stat(parent, &status) == 0 || slash == nil { break }
    }
    self.init(status, rest)
  }

  private init(_ status: stat, _ rest: String) {
    device = UInt(status.st_dev)
    number = UInt(status.st_ino)
    self.rest = rest
  }
}
