import NNGraph

/// What a missing field of a table becomes.
public enum MissingValues: Equatable, Sendable {
  /// An error that names file, line and column.
  case error
  /// The row is left out.
  case dropRow
  /// The mean of the column's other numbers; in a categorical column none of its categories.
  case mean
  /// The median of the column's other numbers, the mean of the two in the middle of an even count; in a categorical column none of
  /// its categories.
  case median
  /// What stands in the column most often, the least or first of several.
  case mostFrequent
  /// This number; in a categorical column none of its categories.
  case constant(Float)
}

/// Samples made of the rows of a table.
public struct TabularData: Sendable {
  /// What a column of targets means.
  public enum Target: Equatable, Sendable {
    /// Classes unless most fields are numbers, or if there are at most 20 different whole numbers and nothing else; else values.
    case automatic
    case classes
    case values
  }

  public let dataset: Dataset
  /// How the columns became numbers, to take other rows alike.
  public let encoding: TableEncoding
  /// What each feature is, in order: a column's name, or `column=category` for one of its categories.
  public var featureNames: [String] { encoding.featureNames }
  /// What each class is, in order; empty for values.
  public var classNames: [String] { encoding.classNames }
}

/// How the columns of a table become numbers, as found on one table: which are features, what categories there are, and what fills
/// gaps. Held-out and new rows are taken alike with ``CSVTable/samples(as:)`` and ``CSVTable/features(as:)``.
public struct TableEncoding: Equatable, Sendable {
  struct Column: Equatable, Sendable {
    enum Kind: Equatable, Sendable {
      /// What stands for a missing number; nil if none may be missing.
      case number(filling: Float?)
      /// What stands for a missing category; nil for none of them.
      case categories([String], filling: String?)
    }
    let name: String
    let kind: Kind

    /// Features that it becomes.
    var width: Int {
      switch kind {
      case .number: 1
      case .categories(let categories, _): categories.count
      }
    }
  }

  /// The column that is to be predicted.
  public let target: String
  /// What each class is, in order; empty for values.
  public let classNames: [String]
  let columns: [Column]
  let missing: MissingValues

  /// What each feature is, in order: a column's name, or `column=category` for one of its categories.
  public var featureNames: [String] {
    columns.flatMap { column in
      switch column.kind {
      case .number: [column.name]
      case .categories(let categories, _): categories.map { "\(column.name)=\($0)" }
      }
    }
  }
}

extension CSVTable {
  /// Categories that a column may have: each is a feature. A column of more is one of names or numbers of rows.
  private static let mostCategories = 4096
  /// Numbers that all samples together may have: 4 GiB of them.
  private static let mostNumbers = 1 << 30

  /// The rows as samples.
  ///
  /// A column most of whose fields are numbers is a feature, and a field that is none a mistake. A categorical one, which others are
  /// by themselves, becomes a feature for each category, 1 where a row has it and else 0, in the order of the categories' names. Classes are numbered in that order
  /// too; those that are whole numbers, in theirs.
  ///
  /// - Parameters:
  ///   - target: the column that is to be predicted.
  ///   - features: the columns to predict it from; all others if nil.
  ///   - categorical: columns of numbers that are to be taken as categories.
  ///   - fitted: the samples that say which categories there are and what fills gaps, by their indices; all if nil. A category that only
  ///     others have is none of those.
  /// - Throws: ``ErrorCode/invalidArgument`` for columns that are not there, ``ErrorCode/corruptFile`` naming file, line and column
  ///   of a field that cannot be used, ``ErrorCode/limitExceeded`` naming a column of too many categories.
  public func samples(
    target: String, as kind: TabularData.Target = .automatic, features: [String]? = nil,
    categorical: [String] = [], missing: MissingValues = .error, fittedOn fitted: [Int]? = nil
  ) throws(NNError) -> TabularData {
    let targetColumn = try column(target)
    var columns: [Int] = []
    for name in features ?? header.filter({ $0 != target }) { columns.append(try column(name)) }
    for name in categorical { _ = try column(name) }
    guard !columns.isEmpty, !columns.contains(targetColumn) else {
      throw NNError(.invalidArgument, "\(name): the features must be columns other than \"\(target)\"")
    }
    let kept = try keptRows(columns, targetColumn, missing)
    if let fitted, let wrong = fitted.first(where: { !kept.indices.contains($0) }) {
      throw NNError(.invalidArgument, "\(name): sample \(wrong) of \(kept.count)")
    }
    let known = fitted.map { $0.map { kept[$0] } } ?? kept
    var encoded: [TableEncoding.Column] = []
    for index in columns {
      let isCategorical = categorical.contains(header[index]) || !isNumeric(index, kept)
      let kind =
        isCategorical
        ? TableEncoding.Column.Kind.categories(
          try featureCategories(index, known),
          filling: missing == .mostFrequent ? mostFrequent(index, known) : nil)
        : .number(filling: try filling(index, known, missing))
      encoded.append(TableEncoding.Column(name: header[index], kind: kind))
    }
    let encoding = TableEncoding(
      target: target, classNames: try classes(targetColumn, kept, kind), columns: encoded, missing: missing)
    return try samples(as: encoding, kept, takesOtherCategories: fitted != nil)
  }

  /// The categories of a column that is to become a feature for each.
  private func featureCategories(_ column: Int, _ known: [Int]) throws(NNError) -> [String] {
    let categories = categories(column, known)
    guard categories.count <= CSVTable.mostCategories else {
      throw NNError(
        .limitExceeded,
        "\(name): column \"\(header[column])\" has \(categories.count) categories, each of which would be a feature; at most "
          + "\(CSVTable.mostCategories) are taken: leave the column out (--ignore), or have numbers in it")
    }
    return categories
  }

  /// The rows as samples, taken as another table's were: the training data's, usually.
  ///
  /// - Throws: ``ErrorCode/invalidArgument`` for columns that are not there, ``ErrorCode/corruptFile`` naming file, line and column
  ///   of a field that cannot be used, such as a category or a class that was not in the other table.
  public func samples(as encoding: TableEncoding) throws(NNError) -> TabularData {
    var columns: [Int] = []
    for feature in encoding.columns { columns.append(try column(feature.name)) }
    return try samples(as: encoding, keptRows(columns, try column(encoding.target), encoding.missing))
  }

  /// The features of the rows, one after the other, of a table that need not have the target's column.
  ///
  /// - Throws: as ``samples(as:)``; ``ErrorCode/corruptFile`` for a missing value too where rows are left out otherwise, as results
  ///   would not belong to rows any more.
  public func features(as encoding: TableEncoding) throws(NNError) -> [Float] {
    try features(as: encoding, Array(rows.indices))
  }

  private func samples(
    as encoding: TableEncoding, _ kept: [Int], takesOtherCategories: Bool = false
  ) throws(NNError) -> TabularData {
    guard !kept.isEmpty else { throw NNError(.invalidArgument, "\(name): no row is left") }
    let targets = try targets(try column(encoding.target), kept, encoding.classNames)
    let dataset = try Dataset(
      features: features(as: encoding, kept, takesOtherCategories: takesOtherCategories),
      sampleShape: [encoding.featureNames.count], targets: targets)
    return TabularData(dataset: dataset, encoding: encoding)
  }

  private func features(
    as encoding: TableEncoding, _ kept: [Int], takesOtherCategories: Bool = false
  ) throws(NNError) -> [Float] {
    var columns: [Int] = []
    for feature in encoding.columns { columns.append(try column(feature.name)) }
    let width = encoding.featureNames.count
    guard width <= CSVTable.mostNumbers / max(kept.count, 1) else {
      let widest = encoding.columns.max { $0.width < $1.width }?.name ?? ""
      throw NNError(
        .limitExceeded,
        "\(name): \(kept.count) rows of \(width) features are more than \(CSVTable.mostNumbers) numbers; column \"\(widest)\" has "
          + "the most categories: leave columns out (--ignore)")
    }
    var values: [Float] = []
    values.reserveCapacity(kept.count * width)
    for row in kept {
      for (column, feature) in zip(columns, encoding.columns) {
        switch feature.kind {
        case .number(let filling):
          guard let value = try number(row: row, column: column) ?? filling else {
            throw missingValue(row: row, column: column)
          }
          values.append(value)
        case .categories(let categories, let filling):
          let field = rows[row][column].trimmed
          let isMissing = CSVTable.isMissing(field)
          if isMissing, encoding.missing == .error || encoding.missing == .dropRow {
            throw missingValue(row: row, column: column)
          }
          let category = CSVTable.index(of: isMissing ? filling ?? "" : field, in: categories)
          guard isMissing || category != nil || takesOtherCategories else {
            throw NNError(
              .corruptFile,
              "\(place(row: row, column: column)): \"\(field)\" is none of the categories \(categories.joined(separator: ", "))"
            )
          }
          values += categories.indices.map { $0 == category ? 1 : 0 }
        }
      }
    }
    return values
  }

  private func missingValue(row: Int, column: Int) -> NNError {
    NNError(
      .corruptFile,
      "\(place(row: row, column: column)): the value is missing; say what missing values become")
  }

  private func keptRows(_ columns: [Int], _ target: Int, _ missing: MissingValues) throws(NNError) -> [Int] {
    var kept: [Int] = []
    for row in rows.indices {
      let gap = (columns + [target]).first { CSVTable.isMissing(rows[row][$0]) }
      if let gap {
        if missing == .dropRow { continue }
        if missing == .error || gap == target { throw missingValue(row: row, column: gap) }
        if CSVTable.isMissing(rows[row][target]) {
          throw NNError(.corruptFile, "\(place(row: row, column: target)): the target is missing")
        }
      }
      kept.append(row)
    }
    guard !kept.isEmpty else { throw NNError(.invalidArgument, "\(name): no row is left") }
    return kept
  }

  /// Whether most fields of a column are numbers: one that is not is then a mistake rather than a category.
  private func isNumeric(_ column: Int, _ kept: [Int]) -> Bool {
    let fields = kept.map { rows[$0][column] }.filter { !CSVTable.isMissing($0) }
    return fields.count { Float($0.trimmed) != nil } * 2 > fields.count
  }

  private func categories(_ column: Int, _ kept: [Int]) -> [String] {
    let all = Set(kept.map { rows[$0][column].trimmed }.filter { !CSVTable.isMissing($0) })
    // Whole numbers are compared as such: "07" is 7.
    let whole = Set(all.compactMap { Int($0) })
    if all.allSatisfy({ Int($0) != nil }) { return whole.sorted().map { "\($0)" } }
    return all.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  private static func index(of field: String, in categories: [String]) -> Int? {
    categories.firstIndex(of: field)
      ?? Int(field).flatMap { number in categories.firstIndex(of: "\(number)") }
  }

  private func mostFrequent(_ column: Int, _ kept: [Int]) -> String? {
    var counts: [String: Int] = [:]
    for row in kept {
      let field = rows[row][column].trimmed
      if !CSVTable.isMissing(field) { counts[field, default: 0] += 1 }
    }
    return counts.max {
      ($0.value, Name($1.key)) < ($1.value, Name($0.key))
    }?.key
  }

  /// What stands for the missing numbers of a column; nil if there may be none.
  private func filling(_ column: Int, _ kept: [Int], _ missing: MissingValues) throws(NNError) -> Float? {
    var numbers: [Float] = []
    for row in kept {
      if let number = try number(row: row, column: column) { numbers.append(number) }
    }
    switch missing {
    case .error, .dropRow: return nil
    case .constant(let value): return value
    case .mean:
      return Float(numbers.reduce(0.0) { $0 + Double($1) } / Double(max(numbers.count, 1)))
    case .median:
      numbers.sort()
      guard let middle = numbers.isEmpty ? nil : numbers.count / 2 else { return 0 }
      return numbers.count % 2 == 1
        ? numbers[middle] : Float((Double(numbers[middle - 1]) + Double(numbers[middle])) / 2)
    case .mostFrequent:
      var counts: [Float: Int] = [:]
      for number in numbers { counts[number, default: 0] += 1 }
      return counts.max { ($0.value, -$0.key) < ($1.value, -$1.key) }?.key ?? 0
    }
  }

  /// The classes that a column of targets names; none if it holds values.
  private func classes(
    _ column: Int, _ kept: [Int], _ kind: TabularData.Target
  ) throws(NNError) -> [String] {
    let categories = self.categories(column, kept)
    switch kind {
    case .classes: break
    case .values: return []
    case .automatic:
      let isFewWhole = categories.count <= 20 && categories.allSatisfy { Int($0) != nil }
      if isNumeric(column, kept) && !isFewWhole { return [] }
    }
    guard categories.count >= 2 else {
      throw NNError(.invalidArgument, "\(name): column \"\(header[column])\" has one class only")
    }
    return categories
  }

  private func targets(_ column: Int, _ kept: [Int], _ classes: [String]) throws(NNError) -> Targets {
    if classes.isEmpty {
      var values: [Float] = []
      for row in kept {
        guard let value = try number(row: row, column: column) else {
          throw missingValue(row: row, column: column)
        }
        values.append(value)
      }
      return .values(values, shape: [1])
    }
    var labels: [Int] = []
    for row in kept {
      let field = rows[row][column].trimmed
      guard let label = CSVTable.index(of: field, in: classes) else {
        throw NNError(
          .corruptFile,
          "\(place(row: row, column: column)): \"\(field)\" is none of the classes \(classes.joined(separator: ", "))"
        )
      }
      labels.append(label)
    }
    return .classes(labels)
  }
}
