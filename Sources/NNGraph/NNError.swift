/// What went wrong, by kind. Raw values are the `nnrt_status` codes of the C API and never change;
/// new codes take free numbers inside their group.
public enum ErrorCode: Int32, CaseIterable, Sendable {
  // 1–19: the caller's arguments
  /// An argument is not acceptable: null, out of range, or of the wrong size.
  case invalidArgument = 1
  /// The call does not fit the state of the object, as reading an output before the first run.
  case invalidState = 2
  /// A tensor's dimensions are not those the model takes.
  case shapeMismatch = 3
  /// A tensor's element type is not the one the model takes.
  case dtypeMismatch = 4
  /// An index held in a tensor lies outside the axis it selects from.
  case indexOutOfRange = 5
  /// The host's executor did not run every part of the work once.
  case executorFailed = 6

  // 20–39: the file
  /// The file cannot be opened, read or written.
  case fileAccess = 20
  /// The bytes are not a `.nnrt` file.
  case notANnrtFile = 21
  /// The file needs a newer reader.
  case unsupportedVersion = 22
  /// The file contradicts its own specification.
  case corruptFile = 23
  /// Stored bytes do not have their recorded checksum.
  case checksumMismatch = 24

  // 40–59: resources
  /// Memory could not be had.
  case outOfMemory = 40
  /// A limit set by the caller or by the library would be exceeded.
  case limitExceeded = 41

  // 60–79: the graph
  /// The graph is not well formed.
  case invalidGraph = 60
  /// An operator is not available for these types or attributes.
  case unsupportedOperator = 61

  // 80–99: results
  /// A self-test vector gave other values than the file records.
  case selfTestFailed = 80
}

/// An error of any lean layer: a code for programs and a sentence, naming the thing at fault, for people.
public struct NNError: Error, Sendable {
  public let code: ErrorCode
  public let message: String

  public init(_ code: ErrorCode, _ message: Message) {
    self.code = code
    self.message = message.text
  }

  /// The same error with `context` and a colon in front of its message.
  @inline(never)
  public func within(_ context: String) -> NNError {
    NNError(code, "\(context): \(message)")
  }
}

/// The sentence of an error, written as a string literal with interpolations.
///
/// As a `String`, every literal would spread its interpolation through the code around it, two kilobytes at a time; here each
/// piece is one call.
public struct Message: ExpressibleByStringInterpolation, Sendable {
  public let text: String

  public init(text: String) {
    self.text = Message.shown(text)
  }

  /// A text of a file's as a terminal and a program in C can take it: what controls them, but for the ends of lines, becomes "?".
  @inline(never)
  fileprivate static func shown(_ text: String) -> String {
    var bytes = Array(text.utf8)
    var isClean = true
    for index in bytes.indices where isControl(bytes[index]) {
      bytes[index] = UInt8(ascii: "?")
      isClean = false
    }
    return isClean ? text : String(decoding: bytes, as: UTF8.self)
  }

  private static func isControl(_ byte: UInt8) -> Bool {
    byte < 0x20 && byte != UInt8(ascii: "\n") || byte == 0x7F
  }

  public init(stringLiteral value: StaticString) {
    text = Message.string(value)
  }

  public init(stringInterpolation pieces: Pieces) {
    text = pieces.text
  }

  public struct Pieces: StringInterpolationProtocol {
    var text = ""

    public init(literalCapacity: Int, interpolationCount: Int) {}

    @inline(never)
    public mutating func appendLiteral(_ literal: StaticString) {
      text += Message.string(literal)
    }

    @inline(never)
    public mutating func appendInterpolation(_ value: String) {
      text += Message.shown(value)
    }

    @inline(never)
    public mutating func appendInterpolation(_ value: StaticString) {
      text += Message.string(value)
    }

    @inline(never)
    public mutating func appendInterpolation(_ value: Int) {
      text += String(value)
    }

    @inline(never)
    public mutating func appendInterpolation(_ value: UInt64) {
      text += String(value)
    }

    public mutating func appendInterpolation<Integer: BinaryInteger>(_ value: Integer) {
      if Integer.isSigned {
        appendInterpolation(Int(truncatingIfNeeded: value))
      } else {
        appendInterpolation(UInt64(truncatingIfNeeded: value))
      }
    }
  }

  @inline(never)
  public static func + (a: Message, b: Message) -> Message { Message(text: a.text + b.text) }

  @inline(never)
  public static func + (a: Message, b: String) -> Message { Message(text: a.text + b) }

  @inline(never)
  public static func + (a: String, b: Message) -> Message { Message(text: a + b.text) }

  @inline(never)
  static func string(_ literal: StaticString) -> String {
    literal.withUTF8Buffer { String(decoding: $0, as: UTF8.self) }
  }
}
