import Files
import NNGraph

/// A table of text fields, as RFC 4180 writes them: fields between separators, quoted where they hold one, a line break or a
/// quote, which is doubled.
public struct CSVTable: Sendable {
  /// What messages call the table: the path.
  public let name: String
  /// The columns' names, without the blanks around them; `column 1`, … without a header.
  public let header: [String]
  public let rows: [[String]]
  /// The line on which each row begins, from 1.
  let lines: [Int]

  /// Reads a file.
  ///
  /// - Parameters:
  ///   - separator: a single ASCII character; unless given, a tab for files that end in `.tsv` or `.tab`, else a comma.
  ///   - hasHeader: whether the first row holds the columns' names.
  /// - Throws: ``ErrorCode/fileAccess``; ``ErrorCode/corruptFile`` naming file and line for a row of another length, a quote
  ///   that is not closed, or bytes that are no UTF-8.
  public init(path: String, separator: Character? = nil, hasHeader: Bool = true) throws(NNError) {
    let bytes = try WholeFile.read(path) { (bytes) throws(NNError) in Array(bytes) }
    try self.init(bytes, name: path, separator: separator, hasHeader: hasHeader)
  }

  /// Reads text.
  public init(
    text: String, name: String = "table", separator: Character? = nil, hasHeader: Bool = true
  ) throws(NNError) {
    try self.init(Array(text.utf8), name: name, separator: separator, hasHeader: hasHeader)
  }

  private init(
    _ bytes: [UInt8], name: String, separator: Character?, hasHeader: Bool
  ) throws(NNError) {
    let isTabbed = [".tsv", ".tab"].contains { name.lowercased().hasSuffix($0) }
    let separator = separator ?? (isTabbed ? "\t" : ",")
    guard let mark = separator.asciiValue, separator != "\"", separator != "\n", separator != "\r" else {
      throw NNError(.invalidArgument, "a separator must be one ASCII character, not \"\(String(separator))\"")
    }
    var parser = CSVParser(bytes, name: name, separator: mark)
    var rows: [[String]] = []
    var lines: [Int] = []
    while let row = try parser.row() {
      // A blank line is no row.
      if row.fields == [""] { continue }
      if let first = rows.first, first.count != row.fields.count {
        throw NNError(
          .corruptFile, "\(name):\(row.line): \(row.fields.count) fields, the first row has \(first.count)")
      }
      rows.append(row.fields)
      lines.append(row.line)
    }
    guard let first = rows.first else { throw NNError(.corruptFile, "\(name): no rows") }
    self.name = name
    header = hasHeader ? first.map { $0.trimmed } : first.indices.map { "column \($0 + 1)" }
    self.rows = hasHeader ? Array(rows.dropFirst()) : rows
    self.lines = hasHeader ? Array(lines.dropFirst()) : lines
    for (index, column) in header.enumerated() where header[..<index].contains(column) {
      throw NNError(.corruptFile, "\(name): two columns are called \"\(column)\"")
    }
  }

  /// The index of the column called `name`.
  ///
  /// - Throws: ``ErrorCode/invalidArgument`` naming the columns there are.
  public func column(_ name: String) throws(NNError) -> Int {
    guard let index = header.firstIndex(of: name) else {
      throw NNError(
        .invalidArgument,
        "\(self.name): no column \"\(name)\"; there are \(header.joined(separator: ", "))")
    }
    return index
  }

  /// `data.csv:17:3 ("age")`, for messages.
  func place(row: Int, column: Int) -> String {
    "\(name):\(lines[row]):\(column + 1) (\"\(header[column])\")"
  }

  /// The field as a number; nil if it is missing.
  ///
  /// - Throws: ``ErrorCode/corruptFile`` naming file, line and column if it is something else.
  func number(row: Int, column: Int) throws(NNError) -> Float? {
    let field = rows[row][column]
    if CSVTable.isMissing(field) { return nil }
    guard let value = Float(field.trimmed), value.isFinite else {
      throw NNError(.corruptFile, "\(place(row: row, column: column)): \"\(field)\" is no number")
    }
    return value
  }

  /// Whether a field says that there is no value.
  public static func isMissing(_ field: String) -> Bool {
    ["", "?", "NA", "N/A", "NaN", "nan", "null", "NULL"].contains(field.trimmed)
  }
}

extension String {
  var trimmed: String {
    var part = self[...]
    while let first = part.first, first == " " || first == "\t" { part.removeFirst() }
    while let last = part.last, last == " " || last == "\t" { part.removeLast() }
    return String(part)
  }
}

private struct CSVParser {
  private let bytes: [UInt8]
  private let name: String
  private let separator: UInt8
  private var position = 0
  private var line = 1

  init(_ bytes: [UInt8], name: String, separator: UInt8) {
    self.bytes = bytes
    self.name = name
    self.separator = separator
    // A byte order mark is no part of the first name.
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
  }

  /// The next row and the line it begins on; nil at the end.
  mutating func row() throws(NNError) -> (fields: [String], line: Int)? {
    guard position < bytes.count else { return nil }
    let first = line
    var fields: [String] = []
    while true {
      fields.append(try field())
      guard position < bytes.count else { return (fields, first) }
      let byte = bytes[position]
      position += 1
      if byte == separator {
        if position == bytes.count {
          fields.append("")
          return (fields, first)
        }
        continue
      }
      if byte == UInt8(ascii: "\r"), position < bytes.count, bytes[position] == UInt8(ascii: "\n") {
        position += 1
      }
      line += 1
      return (fields, first)
    }
  }

  private mutating func field() throws(NNError) -> String {
    if position < bytes.count, bytes[position] == UInt8(ascii: "\"") { return try quoted() }
    let start = position
    while position < bytes.count, bytes[position] != separator, !isLineEnd(bytes[position]) { position += 1 }
    return try text(bytes[start..<position], line)
  }

  private mutating func quoted() throws(NNError) -> String {
    let opening = line
    position += 1
    var content: [UInt8] = []
    while position < bytes.count {
      let byte = bytes[position]
      position += 1
      // A line ends in a line feed, a carriage return, or both.
      let isFirstOfTwo =
        byte == UInt8(ascii: "\r") && position < bytes.count && bytes[position] == UInt8(ascii: "\n")
      if isLineEnd(byte), !isFirstOfTwo { line += 1 }
      guard byte == UInt8(ascii: "\"") else {
        content.append(byte)
        continue
      }
      if position < bytes.count, bytes[position] == byte {
        content.append(byte)
        position += 1
        continue
      }
      guard position == bytes.count || bytes[position] == separator || isLineEnd(bytes[position]) else {
        throw NNError(.corruptFile, "\(name):\(line): something follows a closing quote")
      }
      return try text(content[...], opening)
    }
    throw NNError(.corruptFile, "\(name):\(opening): a quote is not closed")
  }

  private func isLineEnd(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") }

  /// - Parameter line: on which the field begins.
  private func text(_ slice: ArraySlice<UInt8>, _ line: Int) throws(NNError) -> String {
    guard let text = String(validating: slice, as: UTF8.self) else {
      throw NNError(.corruptFile, "\(name):\(line): not UTF-8")
    }
    return text
  }
}
