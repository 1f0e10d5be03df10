import CPlatform

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
  public var string: String {
    @inline(never) get { String(decoding: utf8, as: UTF8.self) }
  }

  /// The text between double quotes, for messages.
  public var quoted: String {
    @inline(never) get { "\"" + string + "\"" }
  }
}

extension Name: Equatable {
  public static func == (a: Name, b: Name) -> Bool {
    a.utf8.count == b.utf8.count && order(a, b, bytes: a.utf8.count) == 0
  }
}

extension Name: Comparable {
  /// Order of the bytes, shorter first among equal beginnings.
  public static func < (a: Name, b: Name) -> Bool {
    let difference = order(a, b, bytes: min(a.utf8.count, b.utf8.count))
    return difference == 0 ? a.utf8.count < b.utf8.count : difference < 0
  }

  /// Through the C library: a file may hold very many long names that begin alike.
  private static func order(_ a: Name, _ b: Name, bytes: Int) -> Int32 {
    guard bytes > 0 else { return 0 }
    return a.utf8.withUnsafeBytes { a in
      b.utf8.withUnsafeBytes { b in
        guard let a = a.baseAddress, let b = b.baseAddress else { return 0 }
        return memcmp(a, b, bytes)
      }
    }
  }
}

extension Name {
  /// A name that stands more than once in `names`.
  public static func firstDuplicate(among names: [Name]) -> Name? {
    let order = sortedIndices(names.count) { names[$0] < names[$1] }
    for position in order.indices.dropFirst() where names[order[position]] == names[order[position - 1]] {
      return names[order[position]]
    }
    return nil
  }
}
