import NNGraph

/// What a missing field of a table becomes.
public enum MissingValues: Equatable, Sendable {
  /// An error that names file, line and column.
  case error
  /// The row is left out.
  case dropRow
  /// The mean of the column's other numbers; in a categorical column none of its categories.
  case mean
  /// This number; in a categorical column none of its categories.
  case constant(Float)
}

/// Samples made of the rows of a table.
public struct TabularData: Sendable {
  /// What a column of targets means.
  public enum Target: Equatable, Sendable {
    /// Classes if a field is no number, or if there are at most 20 different whole numbers; else values.
    case automatic
    case classes
    case values
  }

  public let dataset: Dataset
  /// What each feature is, in order: a column's name, or `column=category` for one of its categories.
  public let featureNames: [String]
  /// What each class is, in order; empty for values.
  public let classNames: [String]
}

extension CSVTable {
  /// The rows as samples.
  ///
  /// A column whose fields are all numbers is a feature. A categorical one, which others are by themselves, becomes a feature for
  /// each category, 1 where a row has it and else 0, in the order of the categories' names. Classes are numbered in that order
  /// too; those that are whole numbers, in theirs.
  ///
  /// - Parameters:
  ///   - target: the column that is to be predicted.
  ///   - features: the columns to predict it from; all others if nil.
  ///   - categorical: columns of numbers that are to be taken as categories.
  /// - Throws: ``ErrorCode/invalidArgument`` for columns that are not there, ``ErrorCode/corruptFile`` naming file, line and column
  ///   of a field that cannot be used.
  public func samples(
    target: String, as kind: TabularData.Target = .automatic, features: [String]? = nil,
    categorical: [String] = [], missing: MissingValues = .error
  ) throws(NNError) -> TabularData {
    let targetColumn = try column(target)
    var columns: [Int] = []
    for name in features ?? header.filter({ $0 != target }) { columns.append(try column(name)) }
    for name in categorical { _ = try column(name) }
    guard !columns.isEmpty, !columns.contains(targetColumn) else {
      throw NNError(.invalidArgument, "\(name): the features must be columns other than \"\(target)\"")
    }
    let kept = try keptRows(columns + [targetColumn], targetColumn, missing)
    guard !kept.isEmpty else { throw NNError(.invalidArgument, "\(name): no row is left") }
    var names: [String] = []
    var values = [[Float]](repeating: [], count: kept.count)
    for index in columns {
      if categorical.contains(header[index]) || !isNumeric(index, kept) {
        let categories = self.categories(index, kept)
        names += categories.map { "\(header[index])=\($0)" }
        for (position, row) in kept.enumerated() {
          values[position] += categories.map { $0 == rows[row][index].trimmed ? 1 : 0 }
        }
      } else {
        names.append(header[index])
        let numbers = try self.numbers(index, kept, missing)
        for (position, number) in numbers.enumerated() { values[position].append(number) }
      }
    }
    let (targets, classes) = try self.targets(targetColumn, kept, kind)
    let dataset = try Dataset(features: values.flatMap { $0 }, sampleShape: [names.count], targets: targets)
    return TabularData(dataset: dataset, featureNames: names, classNames: classes)
  }

  private func keptRows(_ columns: [Int], _ target: Int, _ missing: MissingValues) throws(NNError) -> [Int] {
    var kept: [Int] = []
    for row in rows.indices {
      let gap = columns.first { CSVTable.isMissing(rows[row][$0]) }
      if let gap {
        if missing == .dropRow { continue }
        if missing == .error || gap == target {
          throw NNError(
            .corruptFile,
            "\(place(row: row, column: gap)): the value is missing; say what missing values become")
        }
        if CSVTable.isMissing(rows[row][target]) {
          throw NNError(.corruptFile, "\(place(row: row, column: target)): the target is missing")
        }
      }
      kept.append(row)
    }
    return kept
  }

  /// Whether most fields of a column are numbers: one that is not is then a mistake rather than a category.
  private func isNumeric(_ column: Int, _ kept: [Int]) -> Bool {
    let fields = kept.map { rows[$0][column] }.filter { !CSVTable.isMissing($0) }
    return fields.count { Float($0.trimmed) != nil } * 2 > fields.count
  }

  private func categories(_ column: Int, _ kept: [Int]) -> [String] {
    let all = Set(kept.map { rows[$0][column].trimmed }.filter { !CSVTable.isMissing($0) })
    let whole = all.compactMap { Int($0) }
    if whole.count == all.count { return whole.sorted().map { "\($0)" } }
    return all.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  private func numbers(_ column: Int, _ kept: [Int], _ missing: MissingValues) throws(NNError) -> [Float] {
    var numbers: [Float?] = []
    for row in kept { numbers.append(try number(row: row, column: column)) }
    let present = numbers.compactMap { $0 }
    let mean = present.reduce(0.0) { $0 + Double($1) } / Double(max(present.count, 1))
    let filling: Float =
      switch missing {
      case .constant(let value): value
      case .error, .dropRow, .mean: Float(mean)
      }
    return numbers.map { $0 ?? filling }
  }

  private func targets(
    _ column: Int, _ kept: [Int], _ kind: TabularData.Target
  ) throws(NNError) -> (targets: Targets, classes: [String]) {
    let categories = self.categories(column, kept)
    let isClasses: Bool
    switch kind {
    case .classes: isClasses = true
    case .values: isClasses = false
    case .automatic:
      isClasses =
        !isNumeric(column, kept) || (categories.count <= 20 && categories.allSatisfy { Int($0) != nil })
    }
    guard isClasses else {
      var values: [Float] = []
      for row in kept { values.append(try number(row: row, column: column) ?? 0) }
      return (.values(values, shape: [1]), [])
    }
    guard categories.count >= 2 else {
      throw NNError(.invalidArgument, "\(name): column \"\(header[column])\" has one class only")
    }
    // Whole numbers are compared as such: "07" is 7.
    let order = [String: Int](uniqueKeysWithValues: categories.enumerated().map { ($0.element, $0.offset) })
    let classes = kept.map { row -> Int in
      let field = rows[row][column].trimmed
      return order[field] ?? order[Int(field).map { "\($0)" } ?? ""] ?? 0
    }
    return (.classes(classes), categories)
  }
}
