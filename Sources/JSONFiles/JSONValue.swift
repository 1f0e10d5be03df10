/// A JSON document in memory.
public enum JSONValue: Equatable, Sendable {
  case null
  case bool(Bool)
  case number(Double)
  case string(String)
  case array([JSONValue])
  /// In the order in which it is written; keys differ.
  case object([Member])

  public struct Member: Equatable, Sendable {
    public var key: String
    public var value: JSONValue

    public init(_ key: String, _ value: JSONValue) {
      self.key = key
      self.value = value
    }
  }

  /// What an error calls a value of this kind.
  public var kind: String {
    switch self {
    case .null: "null"
    case .bool(let value): value ? "true" : "false"
    case .number(let value): JSONValue.text(value)
    case .string(let text): "\"" + (text.count > 40 ? text.prefix(40) + "…" : text) + "\""
    case .array: "an array"
    case .object: "an object"
    }
  }
}

// Text
extension JSONValue {
  /// The document as text on a single line.
  public var line: String { JSONValue.inline(self) }

  /// The document as text: what fits on a line of 100 characters stands on one.
  public var text: String { JSONValue.text(self, indentation: "") + "\n" }

  private static func text(_ value: JSONValue, indentation: String) -> String {
    let line = inline(value)
    if indentation.count + line.count <= 100 { return line }
    let deeper = indentation + "  "
    switch value {
    case .array(let values):
      let lines = values.map { deeper + text($0, indentation: deeper) }
      return "[\n" + lines.joined(separator: ",\n") + "\n" + indentation + "]"
    case .object(let members):
      let lines = members.map { deeper + quoted($0.key) + ": " + text($0.value, indentation: deeper) }
      return "{\n" + lines.joined(separator: ",\n") + "\n" + indentation + "}"
    default: return line
    }
  }

  private static func inline(_ value: JSONValue) -> String {
    switch value {
    case .null: "null"
    case .bool(let value): value ? "true" : "false"
    case .number(let value): text(value)
    case .string(let value): quoted(value)
    case .array(let values): "[" + values.map(inline).joined(separator: ", ") + "]"
    case .object(let members):
      "{" + members.map { quoted($0.key) + ": " + inline($0.value) }.joined(separator: ", ") + "}"
    }
  }

  static func text(_ number: Double) -> String {
    number.rounded() == number && number.magnitude < 1e15 ? "\(Int(number))" : "\(number)"
  }

  private static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\t": result += "\\t"
      case _ where scalar.value < 0x20:
        let digits = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
  ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
  public init(stringLiteral value: String) { self = .string(value) }
  public init(integerLiteral value: Int) { self = .number(Double(value)) }
  public init(floatLiteral value: Double) { self = .number(value) }
  public init(booleanLiteral value: Bool) { self = .bool(value) }
  public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
  public init(dictionaryLiteral elements: (String, JSONValue)...) {
    self = .object(elements.map { Member($0.0, $0.1) })
  }

  /// A whole number.
  public init(_ value: Int) { self = .number(Double(value)) }
}
