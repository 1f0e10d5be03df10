import FuzzSupport

// Protocol buffers taken apart and put together, as far as mutating ONNX models asks for: which fields hold messages is known,
// what the others hold is not needed. It shares no code with the importer.

/// The messages of an ONNX model.
enum Kind {
  case model, operatorSet, entry, graph, node, function, attribute, valueInfo, type, tensorType, wrappedType,
    shape
  case dimension, tensor, sparseTensor

  /// The kind of message that a field holds; nil for fields that hold none.
  func content(of field: Int) -> Kind? {
    switch (self, field) {
    case (.model, 7), (.attribute, 6), (.attribute, 11): .graph
    case (.model, 8), (.function, 9): .operatorSet
    case (.model, 14), (.tensor, 13): .entry
    case (.model, 25): .function
    case (.graph, 1), (.function, 7): .node
    case (.graph, 5), (.attribute, 5), (.attribute, 10), (.sparseTensor, 1), (.sparseTensor, 2): .tensor
    case (.graph, 11), (.graph, 12), (.graph, 13): .valueInfo
    case (.graph, 15), (.attribute, 22): .sparseTensor
    case (.node, 5), (.function, 11): .attribute
    case (.valueInfo, 2), (.wrappedType, 1): .type
    case (.type, 1), (.type, 8): .tensorType
    case (.type, 4), (.type, 9): .wrappedType
    case (.tensorType, 2): .shape
    case (.shape, 1): .dimension
    default: nil
    }
  }
}

struct Field {
  enum Value {
    case number(UInt64)
    /// 4 or 8 bytes.
    case fixed([UInt8])
    case bytes([UInt8])
    case message(Message)
  }

  var number: Int
  var value: Value

  /// A field of its own, with nothing shared.
  var copy: Field {
    if case .message(let message) = value { return Field(number: number, value: .message(message.copy)) }
    return self
  }
}

final class Message {
  let kind: Kind
  var fields: [Field]

  init(_ kind: Kind, _ fields: [Field]) {
    self.kind = kind
    self.fields = fields
  }

  var copy: Message { Message(kind, fields.map { $0.copy }) }

  /// nil for bytes that are no such message.
  init?(_ kind: Kind, _ bytes: ArraySlice<UInt8>) {
    self.kind = kind
    fields = []
    var at = bytes.startIndex
    func number() -> UInt64? { readVarint(bytes, at: &at) }
    func take(_ count: UInt64) -> ArraySlice<UInt8>? {
      guard count <= UInt64(bytes.endIndex - at) else { return nil }
      defer { at += Int(count) }
      return bytes[at..<at + Int(count)]
    }
    while at < bytes.endIndex {
      guard let tag = number(), tag >> 3 > 0, tag >> 3 < 1 << 29 else { return nil }
      let field = Int(tag >> 3)
      let value: Field.Value
      switch tag & 7 {
      case 0:
        guard let given = number() else { return nil }
        value = .number(given)
      case 1, 5:
        guard let given = take(tag & 7 == 1 ? 8 : 4) else { return nil }
        value = .fixed(Array(given))
      case 2:
        guard let count = number(), let given = take(count) else { return nil }
        if let content = kind.content(of: field), let message = Message(content, given) {
          value = .message(message)
        } else {
          value = .bytes(Array(given))
        }
      default: return nil
      }
      fields.append(Field(number: field, value: value))
    }
  }

  var bytes: [UInt8] {
    var output: [UInt8] = []
    func append(_ number: UInt64) {
      var rest = number
      while rest >= 0x80 {
        output.append(UInt8(rest & 0x7F) | 0x80)
        rest >>= 7
      }
      output.append(UInt8(rest))
    }
    for field in fields {
      let number = UInt64(field.number) << 3
      switch field.value {
      case .number(let value):
        append(number)
        append(value)
      case .fixed(let bytes):
        append(number | (bytes.count == 8 ? 1 : 5))
        output += bytes
      case .bytes(let bytes):
        append(number | 2)
        append(UInt64(bytes.count))
        output += bytes
      case .message(let message):
        let bytes = message.bytes
        append(number | 2)
        append(UInt64(bytes.count))
        output += bytes
      }
    }
    return output
  }

  /// This message and all those in it.
  var all: [Message] {
    var found = [self]
    for field in fields {
      if case .message(let message) = field.value { found += message.all }
    }
    return found
  }
}
