/// A name or other short text as UTF-8 bytes.
///
/// Comparison is by bytes: comparing `String`s would bring the Unicode tables into the lean library.
public struct Name: Sendable, ExpressibleByStringLiteral {
  public var utf8: [UInt8]

  public init(utf8: [UInt8]) {
    self.utf8 = utf8
  }

  public init(_ string: String) {
    utf8 = Array(string.utf8)
  }

  public init(stringLiteral value: StaticString) {
    utf8 = value.withUTF8Buffer { Array($0) }
  }

  public var isEmpty: Bool { utf8.isEmpty }

  /// The text, with invalid UTF-8 repaired.
  public var string: String { String(decoding: utf8, as: UTF8.self) }

  /// The text between double quotes, for messages.
  public var quoted: String { "\"" + string + "\"" }
}

extension Name: Equatable {
  public static func == (a: Name, b: Name) -> Bool {
    guard a.utf8.count == b.utf8.count else { return false }
    for i in 0..<a.utf8.count where a.utf8[i] != b.utf8[i] { return false }
    return true
  }
}

extension Name: Comparable {
  /// Order of the bytes, shorter first among equal beginnings.
  public static func < (a: Name, b: Name) -> Bool {
    let shared = min(a.utf8.count, b.utf8.count)
    for i in 0..<shared where a.utf8[i] != b.utf8[i] { return a.utf8[i] < b.utf8[i] }
    return a.utf8.count < b.utf8.count
  }
}
