import Foundation

extension Report {
  var json: Data {
    get throws {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
      return try encoder.encode(self)
    }
  }

  func write(_ path: String) throws {
    do {
      try json.write(to: URL(fileURLWithPath: path))
    } catch {
      throw Failure("cannot write \(path): \(error.localizedDescription)")
    }
  }

  static func read(_ path: String) throws -> Report {
    let data: Data
    do {
      data = try Data(contentsOf: URL(fileURLWithPath: path))
    } catch {
      throw Failure("cannot read \(path): \(error.localizedDescription)")
    }
    do {
      return try JSONDecoder().decode(Report.self, from: data)
    } catch {
      throw Failure("\(path) is not what --json writes: \(describe(error))")
    }
  }

  /// Where the reading stopped, in a line.
  private static func describe(_ error: any Error) -> String {
    guard let error = error as? DecodingError else { return error.localizedDescription }
    func place(_ context: DecodingError.Context) -> String {
      let path = context.codingPath.map(\.stringValue).joined(separator: ".")
      return path.isEmpty ? context.debugDescription : "\(path): \(context.debugDescription)"
    }
    switch error {
    case .keyNotFound(let key, _): return "\(key.stringValue) is missing"
    case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
      return place(context)
    @unknown default: return error.localizedDescription
    }
  }
}
