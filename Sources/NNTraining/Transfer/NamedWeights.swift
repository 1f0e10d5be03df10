import NNGraph
import NNRuntime

/// Numbers with a name, from a trained model, to begin another one with.
public struct NamedWeights: Sendable {
  public var name: String
  public var extents: [Int]
  /// Row-major.
  public var values: [Float]

  public init(name: String, extents: [Int], values: [Float]) {
    self.name = name
    self.extents = extents
    self.values = values
  }

  /// The weights of a `.nnrt` file: its f32 constants that have a name, as its layers call their parameters.
  ///
  /// - Throws: what ``Model/open(path:limits:)`` throws.
  public static func read(path: String) throws(NNError) -> [NamedWeights] {
    var weights: [NamedWeights] = []
    for value in try Model.open(path: path).graph.values {
      guard let constant = value.constant, let floats = constant.floats, !value.name.utf8.isEmpty else {
        continue
      }
      weights.append(NamedWeights(name: value.name.string, extents: constant.extents, values: floats))
    }
    return weights
  }
}

/// What became of weights that were loaded into a model.
public struct WeightReport: Equatable, Sendable, CustomStringConvertible {
  /// Parameters that got their values.
  public var matched: [String] = []
  /// Parameters for which there were no weights.
  public var missing: [String] = []
  /// Weights that no parameter is called by, under their own names.
  public var unused: [String] = []
  /// Parameters whose weights have another shape, with both.
  public var mismatched: [String] = []

  public var description: String {
    var lines = ["\(matched.count) parameters loaded"]
    for (title, names) in [
      ("without weights", missing), ("not used", unused), ("of another shape", mismatched),
    ]
    where !names.isEmpty {
      lines.append("\(title): \(names.joined(separator: ", "))")
    }
    return lines.joined(separator: "\n")
  }
}

extension ParameterStore {
  /// Gives parameters the values of weights of the same name and shape; the others keep theirs.
  ///
  /// - Parameters:
  ///   - rename: what a weight is called in this model; nil for one to be left out.
  ///   - isStrict: whether every parameter must get a value, and every weight must be used. Nothing is changed otherwise.
  /// - Throws: ``ErrorCode/invalidArgument`` with the report if `isStrict` does not hold, or for two weights of one name.
  @discardableResult
  public func load(
    _ weights: [NamedWeights], isStrict: Bool = false, rename: (String) -> String? = { $0 }
  ) throws(NNError) -> WeightReport {
    var report = WeightReport()
    var found: [(parameter: Parameter, values: [Float])] = []
    for weight in weights {
      guard let name = rename(weight.name) else { continue }
      guard let parameter = self[Name(name)] else {
        report.unused.append(weight.name)
        continue
      }
      guard !found.contains(where: { $0.parameter === parameter }) else {
        throw NNError(.invalidArgument, "two weights are called \(parameter.name.quoted)")
      }
      guard parameter.extents == weight.extents, parameter.values.count == weight.values.count else {
        report.mismatched.append(
          "\(name) \(Shape(parameter.extents).description) from \(Shape(weight.extents).description)")
        continue
      }
      found.append((parameter, weight.values))
      report.matched.append(name)
    }
    for parameter in parameters where !found.contains(where: { $0.parameter === parameter }) {
      let name = parameter.name.string
      if !report.mismatched.contains(where: { $0.hasPrefix(name + " ") }) { report.missing.append(name) }
    }
    if isStrict, !report.missing.isEmpty || !report.unused.isEmpty || !report.mismatched.isEmpty {
      throw NNError(.invalidArgument, "the weights are not those of this model: " + report.description)
    }
    for (parameter, values) in found { _ = parameter.values.update(fromContentsOf: values) }
    return report
  }
}
