import JSONFiles
import NNGraph

// What a model's file says about the tables that it takes, so that new rows become numbers as those of the training did.

extension TableEncoding {
  /// The key of the encoding among a file's texts.
  public static var metadataKey: Name { "table" }

  /// `{"columns": [{"name": "age", "missing": 31.5}, {"name": "colour", "categories": ["blue", "red"], "missing": null}]}`: the features in
  /// their order. Without `missing` a column may have no gaps; null stands for none of the categories.
  public var json: JSONValue {
    let isFilled = missing != .error && missing != .dropRow
    let features = columns.map { column -> JSONValue in
      var members = [JSONValue.Member("name", .string(column.name))]
      switch column.kind {
      case .number(let filling):
        if let filling { members.append(JSONValue.Member("missing", .number(Double(filling)))) }
      case .categories(let categories, let filling):
        members.append(JSONValue.Member("categories", .array(categories.map { .string($0) })))
        if isFilled { members.append(JSONValue.Member("missing", filling.map { .string($0) } ?? .null)) }
      }
      return .object(members)
    }
    return .object([JSONValue.Member("columns", .array(features))])
  }

  /// The encoding of features that ``json`` gave; it knows of no target.
  ///
  /// - Throws: ``ErrorCode/corruptFile`` if the text is none.
  public init(json text: String) throws(NNError) {
    guard case .object(let members) = try JSONParser.parse(Array(text.utf8)),
      case .array(let features)? = members.first(where: { $0.key == "columns" })?.value
    else { throw TableEncoding.damaged }
    var columns: [Column] = []
    var isFilled = false
    for feature in features {
      guard case .object(let fields) = feature else { throw TableEncoding.damaged }
      func field(_ key: String) -> JSONValue? { fields.first { $0.key == key }?.value }
      guard case .string(let name)? = field("name") else { throw TableEncoding.damaged }
      let missing = field("missing")
      let kind: Column.Kind
      switch (field("categories"), missing) {
      case (nil, nil): kind = .number(filling: nil)
      case (nil, .number(let filling)?): kind = .number(filling: Float(filling))
      case (.array(let values)?, let filling):
        var categories: [String] = []
        for value in values {
          guard case .string(let category) = value else { throw TableEncoding.damaged }
          categories.append(category)
        }
        isFilled = isFilled || filling != nil
        if case .string(let category)? = filling {
          kind = .categories(categories, filling: category)
        } else {
          kind = .categories(categories, filling: nil)
        }
      default: throw TableEncoding.damaged
      }
      columns.append(Column(name: name, kind: kind))
    }
    self.init(
      target: "", classNames: [], columns: columns, missing: isFilled ? .mostFrequent : .error)
  }

  private static var damaged: NNError {
    NNError(.corruptFile, "what the model's file says about its tables is damaged")
  }
}
