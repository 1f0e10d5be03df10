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

/// Standard output, if a person looks at it.
struct Terminal {
  /// The terminal behind standard output, or nil if that is a file or a pipe, or too dumb to redraw a line.
  static var standardOutput: Terminal? {
    guard isatty(STDOUT_FILENO) == 1, getenv("TERM").map({ String(cString: $0) }) != "dumb" else {
      return nil
    }
    return Terminal()
  }

  /// Columns; asked for every time, since the window may change its size.
  var width: Int {
    var size = winsize()
    guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
    return Int(size.ws_col)
  }

  /// Replaces what stands in the current line.
  func redraw(_ line: String) {
    print("\r" + line + "\u{1B}[K", terminator: "")
    fflush(nil)
  }
}
