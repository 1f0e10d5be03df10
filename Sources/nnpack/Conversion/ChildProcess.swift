@preconcurrency import Glibc
import Files
import NNGraph

/// Another program, run to its end.
enum ChildProcess {
  /// What a program left.
  struct Outcome {
    /// As a shell gives it: 128 and the signal's number for one that was killed.
    var status: Int32
    var output: String
    var errors: String
  }

  /// Runs a program, found through PATH unless its name has a slash; what it writes goes through files of `folder`.
  ///
  /// - Throws: ``ErrorCode/fileAccess`` if it cannot be started.
  static func run(_ arguments: [String], in folder: String) throws(NNError) -> Outcome {
    let (output, errors) = (folder + "/output", folder + "/errors")
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
    for (descriptor, path) in [(STDOUT_FILENO, output), (STDERR_FILENO, errors)] {
      posix_spawn_file_actions_addopen(&actions, descriptor, path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    }
    let list = arguments.map { strdup($0) } + [nil]
    defer { list.forEach { free($0) } }
    var process = pid_t()
    let failure = posix_spawnp(&process, arguments[0], &actions, nil, list, environ)
    guard failure == 0 else {
      throw NNError(.fileAccess, Message(text: "\(arguments[0]): \(String(cString: strerror(failure)))"))
    }
    var status: Int32 = 0
    while waitpid(process, &status, 0) < 0 {
      guard errno == EINTR else {
        throw NNError(.fileAccess, Message(text: "\(arguments[0]): \(String(cString: strerror(errno)))"))
      }
    }
    let signal = status & 0x7F
    return Outcome(
      status: signal == 0 ? status >> 8 & 0xFF : 128 + signal, output: try text(output),
      errors: try text(errors))
  }

  private static func text(_ path: String) throws(NNError) -> String {
    try WholeFile.readIfPresent(path) { (bytes) throws(NNError) in String(decoding: bytes, as: UTF8.self) }
      ?? ""
  }
}

/// A folder for files that nobody needs afterwards.
struct TemporaryFolder: ~Copyable {
  let path: String

  /// - Throws: ``ErrorCode/fileAccess``.
  init() throws(NNError) {
    let parent = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
    var template = Array((parent + "/nnpack-XXXXXX").utf8CString)
    guard mkdtemp(&template) != nil else {
      throw NNError(.fileAccess, Message(text: "\(parent): \(String(cString: strerror(errno)))"))
    }
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  deinit {
    for name in (try? WholeFile.names(inFolder: path)) ?? [] { unlink(path + "/" + name) }
    rmdir(path)
  }
}
