import Glibc
import NNGraph

/// Reads JSON as RFC 8259 defines it.
///
/// Foundation's decoder says nothing about where a text is wrong, and takes the last of two equal keys: files that people write
/// deserve better.
public struct JSONParser {
  private let bytes: [UInt8]
  /// Where the text begins: after a byte order mark, which is no part of it.
  private let start: Int
  private var position: Int
  private var depth = 0

  /// How deep arrays and objects may stand in each other.
  public static let maximumDepth = 128
  /// How many keys an object may have.
  public static let maximumKeys = 1 << 20

  private init(_ bytes: [UInt8]) {
    self.bytes = bytes
    start = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    position = start
  }

  /// - Throws: ``ErrorCode/corruptFile`` with line and column, both from 1 and columns in bytes, of what is no JSON.
  public static func parse(_ bytes: [UInt8]) throws(NNError) -> JSONValue {
    var parser = JSONParser(bytes)
    let value = try parser.value()
    parser.skipSpace()
    guard parser.next == nil else { throw parser.fault("something follows the document") }
    return value
  }

  private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

  private func fault(_ message: Message, at place: Int? = nil) -> NNError {
    let before = bytes[start..<min(place ?? position, bytes.count)]
    let line = before.count { $0 == UInt8(ascii: "\n") } + 1
    let lineStart = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? start
    let column = before.endIndex - lineStart + 1
    return NNError(.corruptFile, "\(line):\(column): " + message)
  }

  private mutating func skipSpace() {
    while let byte = next, [0x20, 0x09, 0x0A, 0x0D].contains(byte) { position += 1 }
  }

  private mutating func skip(_ byte: UInt8) -> Bool {
    skipSpace()
    guard next == byte else { return false }
    position += 1
    return true
  }

  private mutating func value() throws(NNError) -> JSONValue {
    skipSpace()
    switch next {
    case nil: throw fault("the text ends where a value is expected")
    case UInt8(ascii: "{"), UInt8(ascii: "["):
      guard depth < JSONParser.maximumDepth else {
        throw fault("more than \(JSONParser.maximumDepth) arrays and objects in each other")
      }
      depth += 1
      defer { depth -= 1 }
      return next == UInt8(ascii: "{") ? try object() : try array()
    case UInt8(ascii: "\""): return .string(try string())
    case let byte? where byte == UInt8(ascii: "-") || isdigit(Int32(byte)) != 0: return try number()
    default: return try word()
    }
  }

  private mutating func object() throws(NNError) -> JSONValue {
    position += 1
    var members: [JSONValue.Member] = []
    var keys: Set<String> = []
    if skip(UInt8(ascii: "}")) { return .object([]) }
    repeat {
      skipSpace()
      let start = position
      guard next == UInt8(ascii: "\"") else { throw fault("a key in double quotes is expected") }
      let key = try string()
      guard keys.insert(key).inserted else {
        throw fault("the key \"\(key)\" stands here twice", at: start)
      }
      guard skip(UInt8(ascii: ":")) else { throw fault("a colon is expected after a key") }
      members.append(JSONValue.Member(key, try value()))
      guard members.count <= JSONParser.maximumKeys else { throw fault("too many keys") }
    } while skip(UInt8(ascii: ","))
    guard skip(UInt8(ascii: "}")) else { throw fault("a comma or a closing brace is expected") }
    return .object(members)
  }

  private mutating func array() throws(NNError) -> JSONValue {
    position += 1
    var values: [JSONValue] = []
    if skip(UInt8(ascii: "]")) { return .array([]) }
    repeat { values.append(try value()) } while skip(UInt8(ascii: ","))
    guard skip(UInt8(ascii: "]")) else { throw fault("a comma or a closing bracket is expected") }
    return .array(values)
  }

  private mutating func word() throws(NNError) -> JSONValue {
    let start = position
    while let byte = next, (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) { position += 1 }
    switch String(decoding: bytes[start..<position], as: UTF8.self) {
    case "true": return .bool(true)
    case "false": return .bool(false)
    case "null": return .null
    default: throw fault("a value is expected", at: start)
    }
  }

  /// −?(0|[1–9][0–9]*)(.[0–9]+)?([eE][+−]?[0–9]+)?
  private mutating func number() throws(NNError) -> JSONValue {
    let start = position
    if next == UInt8(ascii: "-") { position += 1 }
    let first = position
    let whole = digits()
    var isRight = whole > 0 && (whole == 1 || bytes[first] != UInt8(ascii: "0"))
    if next == UInt8(ascii: ".") {
      position += 1
      if digits() == 0 { isRight = false }
    }
    if let byte = next, byte | 0x20 == UInt8(ascii: "e") {
      position += 1
      if let sign = next, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") { position += 1 }
      if digits() == 0 { isRight = false }
    }
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    guard isRight, let number = Double(text), number.isFinite else {
      throw fault("this is no number of JSON's", at: start)
    }
    return .number(number)
  }

  private mutating func digits() -> Int {
    let start = position
    while let byte = next, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { position += 1 }
    return position - start
  }

  private mutating func string() throws(NNError) -> String {
    let start = position
    position += 1
    var content: [UInt8] = []
    while let byte = next, byte != UInt8(ascii: "\"") {
      guard byte >= 0x20 else { throw fault("a control character, or the end of the line, within a text") }
      position += 1
      if byte == UInt8(ascii: "\\") { try content += escape() } else { content.append(byte) }
    }
    guard next != nil else { throw fault("a text is not closed", at: start) }
    position += 1
    guard let text = String(validating: content, as: UTF8.self) else {
      throw fault("a text is not UTF-8", at: start)
    }
    return text
  }

  /// What stands for the escape whose backslash was read.
  private mutating func escape() throws(NNError) -> [UInt8] {
    let start = position - 1
    let letter = next
    position += 1
    switch letter {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [letter ?? 0]
    case UInt8(ascii: "b"): return [8]
    case UInt8(ascii: "f"): return [12]
    case UInt8(ascii: "n"): return [10]
    case UInt8(ascii: "r"): return [13]
    case UInt8(ascii: "t"): return [9]
    case UInt8(ascii: "u"):
      var units = [try hexadecimal(start)]
      // A character beyond the first 65536 is written as two.
      if (0xD800..<0xDC00).contains(units[0]), next == UInt8(ascii: "\\") {
        position += 1
        if next == UInt8(ascii: "u") {
          position += 1
          units.append(try hexadecimal(start))
        }
      }
      guard let text = String(validating: units, as: UTF16.self) else {
        throw fault("half a character in \\u", at: start)
      }
      return Array(text.utf8)
    default: throw fault("an unknown escape", at: start)
    }
  }

  private mutating func hexadecimal(_ start: Int) throws(NNError) -> UInt16 {
    guard bytes.count - position >= 4,
      case let digits = bytes[position..<position + 4], digits.allSatisfy({ isxdigit(Int32($0)) != 0 }),
      let unit = UInt16(String(decoding: digits, as: UTF8.self), radix: 16)
    else { throw fault("four hexadecimal digits are expected after \\u", at: start) }
    position += 4
    return unit
  }
}
