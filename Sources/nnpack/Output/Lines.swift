extension String {
  /// The lines of a text, which end in a line feed, alone or behind a carriage return.
  var lines: [Substring] {
    split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" }
  }

  /// With blanks in the place of line breaks, where a line is all the room there is.
  var onOneLine: String { String(map { $0.isNewline ? " " : $0 }) }

  /// The name of a path's file without folders and extension.
  var fileStem: String {
    let name = split(separator: "/").last ?? ""
    guard let dot = name.lastIndex(of: "."), dot != name.startIndex else { return String(name) }
    return String(name[..<dot])
  }
}
