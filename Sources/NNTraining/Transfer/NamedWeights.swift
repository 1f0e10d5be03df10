import Files
import NNGraph
import NNPasses

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

  /// The weights of a file, which is told by its first bytes:
  /// - `.nnrt`: its f32 constants that have a name, as its layers call their parameters;
  /// - `.safetensors`, as PyTorch saves a `state_dict` with the package of that name;
  /// - `.npz`, as `numpy.savez` writes it.
  ///
  /// Tensors of other types become f32.
  ///
  /// - Throws: ``ErrorCode/fileAccess``; ``ErrorCode/corruptFile`` and others naming the file and the tensor at fault.
  public static func read(path: String) throws(NNError) -> [NamedWeights] {
    let isModel = try NamedTensor.isModel(path: path)
    return try NamedTensor.read(path: path).compactMap { named in
      if isModel, named.tensor.dtype != .f32 { return nil }
      var name = named.name
      // Layers have matrices as products read them, and so do packed models, whatever those were made from.
      if isModel, name.hasSuffix(WeightName.transposed) { name.removeLast(WeightName.transposed.count) }
      return NamedWeights(
        name: name, extents: named.tensor.extents,
        values: Numbers.floats(named.tensor.dtype, named.tensor.bytes))
    }
  }

  /// Writes weights as a `.safetensors` file, all F32, replacing an old one at once or not at all.
  ///
  /// - Throws: ``ErrorCode/fileAccess``; ``ErrorCode/invalidArgument`` for two weights of one name, or one with more or fewer
  ///   numbers than its extents say.
  public static func write(_ weights: [NamedWeights], safetensors path: String) throws(NNError) {
    let bytes: [UInt8]
    do throws(NNError) {
      bytes = try SafetensorsFile.encode(weights)
    } catch {
      throw error.within(path)
    }
    try WholeFile.write(bytes, to: path)
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
  /// All parameters and running statistics, laid out and named as `layout` says.
  public func weights(layout: WeightLayout = .own) -> [NamedWeights] {
    parameters.map { parameter in
      layout.file(
        NamedWeights(
          name: parameter.name.string, extents: parameter.extents, values: Array(parameter.values)))
    }
  }

  /// Gives parameters the values of weights of the same name and shape; the others keep theirs.
  ///
  /// - Parameters:
  ///   - layout: how the weights are laid out: ``WeightLayout/pyTorch`` for a `state_dict`.
  ///   - rename: what a weight is called in this model; nil for one to be left out.
  ///   - isStrict: whether every parameter must get a value, and every weight must be used. Nothing is changed otherwise.
  /// - Throws: ``ErrorCode/invalidArgument`` with the report if `isStrict` does not hold, or for two weights of one name.
  @discardableResult
  public func load(
    _ weights: [NamedWeights], layout: WeightLayout = .own, isStrict: Bool = false,
    rename: (String) -> String? = { $0 }
  ) throws(NNError) -> WeightReport {
    var report = WeightReport()
    var found: [(parameter: Parameter, values: [Float])] = []
    for stored in weights where !layout.isIgnored(stored.name) {
      guard let name = rename(stored.name).map(layout.ownName) else { continue }
      let weight = layout.own(stored, for: name)
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
