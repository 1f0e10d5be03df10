import Glibc

/// Standard error, where everything goes that is not the result.
enum StandardError {
  static func write(_ text: String) {
    fflush(nil)
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let written = rest.withUnsafeBytes { Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
      if written <= 0 { return }
      rest = rest.dropFirst(written)
    }
  }
}

/// Standard output or standard error, if a person looks at it.
struct Terminal {
  private let descriptor: Int32

  /// The terminal behind standard output, or nil if that is a file or a pipe, or too dumb to redraw a line.
  static var standardOutput: Terminal? { Terminal(STDOUT_FILENO) }

  /// The terminal behind standard error, likewise.
  static var standardError: Terminal? { Terminal(STDERR_FILENO) }

  private init?(_ descriptor: Int32) {
    guard isatty(descriptor) == 1, getenv("TERM").map({ String(cString: $0) }) != "dumb" else { return nil }
    self.descriptor = descriptor
  }

  /// Columns; asked for every time, since the window may change its size.
  var width: Int {
    var size = winsize()
    guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
    return Int(size.ws_col)
  }

  /// Replaces what stands in the current line.
  func redraw(_ line: String) {
    let text = "\r" + line + "\u{1B}[K"
    if descriptor == STDERR_FILENO { return StandardError.write(text) }
    print(text, terminator: "")
    fflush(nil)
  }
}
