import FoundationEssentials
import NNGraph

/// The JSON text at the beginning of a safetensors file: for each tensor its type, its shape and where its bytes are; and words
/// about the file under "__metadata__".
struct SafetensorsHeader: Codable {
  struct Entry: Codable {
    var dtype: String
    var shape: [Int]
    /// First byte and the one after the last, counted from the end of the header.
    var offsets: [Int]

    enum CodingKeys: String, CodingKey {
      case dtype, shape
      case offsets = "data_offsets"
    }
  }

  var entries: [String: Entry]
  var metadata: [String: String]

  init(entries: [String: Entry], metadata: [String: String]) {
    self.entries = entries
    self.metadata = metadata
  }

  /// - Throws: ``ErrorCode/corruptFile``.
  init(parsing text: UnsafeRawBufferPointer) throws(NNError) {
    do {
      self = try JSONDecoder().decode(SafetensorsHeader.self, from: Data(text))
    } catch let error as DecodingError {
      throw NNError(.corruptFile, "the header cannot be read\(SafetensorsHeader.place(of: error))")
    } catch {
      throw NNError(.corruptFile, "the header cannot be read")
    }
  }

  /// - Throws: ``ErrorCode/invalidArgument``, which no header of this program gives.
  func text() throws(NNError) -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    do {
      return Array(try encoder.encode(self))
    } catch {
      throw NNError(.invalidArgument, "the header cannot be written")
    }
  }

  private static func place(of error: DecodingError) -> String {
    let path: [any CodingKey] =
      switch error {
      case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
        context.codingPath
      case .keyNotFound(let key, let context): context.codingPath + [key]
      @unknown default: []
      }
    guard let tensor = path.first else { return ": it is no JSON" }
    return " at tensor \"\(tensor.stringValue)\"" + path.dropFirst().map { ", \($0.stringValue)" }.joined()
  }

  // Coding by hand, as one key is not like the others.

  private struct Key: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(_ name: String) { stringValue = name }
    init?(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  private static let metadataKey = "__metadata__"

  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    (entries, metadata) = ([:], [:])
    for key in container.allKeys {
      if key.stringValue == SafetensorsHeader.metadataKey {
        metadata = try container.decode([String: String].self, forKey: key)
      } else {
        entries[key.stringValue] = try container.decode(Entry.self, forKey: key)
      }
    }
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(metadata, forKey: Key(SafetensorsHeader.metadataKey))
    for (name, entry) in entries { try container.encode(entry, forKey: Key(name)) }
  }
}
