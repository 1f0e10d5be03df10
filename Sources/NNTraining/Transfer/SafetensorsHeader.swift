import JSONFiles
import NNGraph

/// The JSON text at the beginning of a safetensors file: for each tensor its type, its shape and where its bytes are; and words
/// about the file under "__metadata__".
struct SafetensorsHeader {
  struct Entry {
    var dtype: String
    var shape: [Int]
    /// First byte and the one after the last, counted from the end of the header.
    var offsets: [Int]
  }

  var entries: [String: Entry]
  var metadata: [String: String]

  static let metadataKey = "__metadata__"

  init(entries: [String: Entry], metadata: [String: String]) {
    self.entries = entries
    self.metadata = metadata
  }

  /// - Throws: ``ErrorCode/corruptFile`` naming the line and column of what is no JSON, or the tensor and the field at fault.
  init(parsing text: UnsafeRawBufferPointer) throws(NNError) {
    self.init(entries: [:], metadata: [:])
    do throws(NNError) {
      guard case .object(let members) = try JSONParser.parse(Array(text)) else {
        throw NNError(.corruptFile, "no object")
      }
      for member in members {
        if member.key == SafetensorsHeader.metadataKey {
          metadata = try SafetensorsHeader.metadata(member.value)
          continue
        }
        do throws(NNError) {
          entries[member.key] = try Entry(member.value)
        } catch {
          throw error.within("tensor \"\(member.key)\"")
        }
      }
    } catch {
      throw error.within("the header")
    }
  }

  private static func metadata(_ value: JSONValue) throws(NNError) -> [String: String] {
    guard case .object(let members) = value else {
      throw NNError(.corruptFile, "\(metadataKey): \(value.kind) instead of an object")
    }
    var metadata: [String: String] = [:]
    for member in members {
      guard case .string(let text) = member.value else {
        throw NNError(.corruptFile, "\(metadataKey).\(member.key): \(member.value.kind) instead of a text")
      }
      metadata[member.key] = text
    }
    return metadata
  }

  /// The header as text, with the tensors in the order of their names.
  var text: [UInt8] {
    let words = metadata.sorted { Name($0.key) < Name($1.key) }.map {
      JSONValue.Member($0.key, .string($0.value))
    }
    let tensors = entries.sorted { Name($0.key) < Name($1.key) }.map {
      JSONValue.Member($0.key, $0.value.json)
    }
    let all = [JSONValue.Member(SafetensorsHeader.metadataKey, .object(words))] + tensors
    return Array(JSONValue.object(all).line.utf8)
  }
}

extension SafetensorsHeader.Entry {
  private enum Field {
    static let (dtype, shape, offsets) = ("dtype", "shape", "data_offsets")
  }

  /// - Throws: ``ErrorCode/corruptFile`` naming the field. Others than the three are let pass.
  fileprivate init(_ value: JSONValue) throws(NNError) {
    guard case .object(let members) = value else {
      throw NNError(.corruptFile, "\(value.kind) instead of an object")
    }
    func field(_ key: String) throws(NNError) -> JSONValue {
      guard let member = members.first(where: { $0.key == key }) else {
        throw NNError(.corruptFile, "\(key) is missing")
      }
      return member.value
    }
    func integers(_ key: String) throws(NNError) -> [Int] {
      guard case .array(let values) = try field(key) else {
        throw NNError(.corruptFile, "\(key) is no array")
      }
      var integers: [Int] = []
      for value in values {
        // What is larger than 2^53 may have been rounded, and no file is as long.
        guard case .number(let number) = value, number.magnitude <= 0x1p53, let whole = Int(exactly: number)
        else { throw NNError(.corruptFile, "\(key): \(value.kind) instead of a whole number") }
        integers.append(whole)
      }
      return integers
    }
    guard case .string(let dtype) = try field(Field.dtype) else {
      throw NNError(.corruptFile, "\(Field.dtype) is no text")
    }
    self.init(dtype: dtype, shape: try integers(Field.shape), offsets: try integers(Field.offsets))
  }

  fileprivate var json: JSONValue {
    func array(_ numbers: [Int]) -> JSONValue { .array(numbers.map { JSONValue($0) }) }
    return .object([
      .init(Field.dtype, .string(dtype)), .init(Field.shape, array(shape)),
      .init(Field.offsets, array(offsets)),
    ])
  }
}
