import NNGraph

/// What became of tensors that were loaded into a graph.
public struct LoadedWeights: Sendable {
  /// A constant of the graph that took the numbers of a tensor.
  public struct Match: Sendable {
    /// The constant.
    public let name: String
    /// The tensor, as the file calls it.
    public let source: String
    public let extents: [Int]
    public let dtype: DType
    public let sourceType: DType
    public let isTransposed: Bool
  }

  public var matches: [Match] = []
  /// Weights of the graph that no tensor is called by; they keep their numbers.
  public var kept: [(name: String, type: TensorType)] = []
  /// Tensors that no constant is called by.
  public var unused: [(name: String, type: TensorType)] = []
}

extension Graph {
  /// Gives constants, here and in bodies, the numbers of tensors that have their names.
  ///
  /// Names that differ by the ending ``WeightName/transposed`` alone belong together too: the matrix is transposed then. Types and layout
  /// stay those of the graph.
  ///
  /// - Parameters:
  ///   - tensors: row-major ones.
  ///   - rename: what the graph calls a tensor.
  /// - Throws: ``ErrorCode/shapeMismatch`` or ``ErrorCode/dtypeMismatch`` naming both where one does not fit the other;
  ///   ``ErrorCode/invalidArgument`` for two tensors of one name, or if no name belongs to any; ``ErrorCode/limitExceeded`` for numbers
  ///   that are beyond a type's range. The graph is as it was then.
  public mutating func loadWeights(
    _ tensors: [NamedTensor], rename: (String) -> String = { $0 }
  ) throws(NNError) -> LoadedWeights {
    var loading = try WeightLoading(tensors, rename)
    var graph = self
    try loading.load(into: &graph)
    for (tensor, isUsed) in zip(tensors, loading.isUsed) where !isUsed {
      loading.result.unused.append((tensor.name, tensor.tensor.type))
    }
    guard !loading.result.matches.isEmpty else {
      throw NNError(
        .invalidArgument,
        Message(
          text: "none of the \(tensors.count) tensors has a name of the model"
            + loading.examples(of: graph)))
    }
    self = graph
    return loading.result
  }
}

/// The tensors by the names that the graph may have for them, and what became of them so far.
private struct WeightLoading {
  let tensors: [NamedTensor]
  private var indices: [String: Int] = [:]
  var isUsed: [Bool]
  var result = LoadedWeights()

  init(_ tensors: [NamedTensor], _ rename: (String) -> String) throws(NNError) {
    self.tensors = tensors
    isUsed = [Bool](repeating: false, count: tensors.count)
    for (index, tensor) in tensors.enumerated() {
      let name = rename(tensor.name)
      if let other = indices.updateValue(index, forKey: name) {
        throw NNError(
          .invalidArgument,
          Message(
            text: "\"\(tensors[other].name)\" and \"\(tensor.name)\" are both called \"\(name)\" in the model"
          ))
      }
    }
  }

  mutating func load(into graph: inout Graph) throws(NNError) {
    for index in graph.bodies.indices { try load(into: &graph.bodies[index]) }
    for index in graph.values.indices {
      let name = graph.values[index].name.string
      guard let constant = graph.values[index].constant, !name.isEmpty else { continue }
      guard let (source, isTransposed) = find(name) else {
        if constant.dtype.isFloatingPoint, constant.elementCount > 1 {
          result.kept.append((name, constant.type))
        }
        continue
      }
      do throws(NNError) {
        graph.values[index].constant = try constant.taking(tensors[source].tensor, isTransposed: isTransposed)
      } catch {
        throw error.within("\"\(tensors[source].name)\" for \"\(name)\" of the model")
      }
      isUsed[source] = true
      result.matches.append(
        .init(
          name: name, source: tensors[source].name, extents: constant.extents, dtype: constant.dtype,
          sourceType: tensors[source].tensor.dtype, isTransposed: isTransposed))
    }
  }

  /// The tensor that a constant's name stands for, and whether it is the transposed one.
  private func find(_ name: String) -> (Int, isTransposed: Bool)? {
    if let index = indices[name] { return (index, false) }
    if let index = indices[name + WeightName.transposed] { return (index, true) }
    guard name.hasSuffix(WeightName.transposed) else { return nil }
    return indices[String(name.dropLast(WeightName.transposed.count))].map { ($0, true) }
  }

  /// Some names of each side, for an error.
  func examples(of graph: Graph) -> String {
    func list(_ names: [String]) -> String {
      names.prefix(3).map { "\"\($0)\"" }.joined(separator: ", ") + (names.count > 3 ? ", …" : "")
    }
    return "; the file has \(list(tensors.map { $0.name })), the model \(list(result.kept.map { $0.name }))"
  }
}

extension Tensor {
  /// A tensor of this one's type and layout with the numbers of another.
  fileprivate func taking(_ source: Tensor, isTransposed: Bool) throws(NNError) -> Tensor {
    var source = source
    if isTransposed {
      guard source.extents.count == 2 else {
        throw NNError(
          .shapeMismatch, "has shape \(source.shape.description), only a matrix can be transposed")
      }
      source = try source.transposed()
    }
    guard source.extents == extents else {
      let isTurned = source.extents.count == 2 && source.extents == Array(extents.reversed())
      throw NNError(
        .shapeMismatch,
        Message(
          text: "has shape \(source.shape.description) instead of \(shape.description)"
            + (isTransposed ? " once transposed" : "")
            + (isTurned
              ? "; a name that ends in \(WeightName.transposed) is that of the transposed matrix" : "")))
    }
    let numbers = try source.converted(to: dtype)
    return try numbers.stored(in: layout)
  }

  private func converted(to dtype: DType) throws(NNError) -> Tensor {
    if dtype == self.dtype { return self }
    guard !self.dtype.isFloatingPoint || dtype.isFloatingPoint else {
      throw NNError(.dtypeMismatch, "\(self.dtype.name) fractions cannot become \(dtype.name)")
    }
    let result = try cast(to: dtype)
    if dtype.isFloatingPoint {
      let (before, after) = (try cast(to: .f64), try result.cast(to: .f64))
      try withExtendedLifetime((before, after)) { () throws(NNError) in
        let (wide, narrow) = (
          before.bytes.bindMemory(to: Double.self), after.bytes.bindMemory(to: Double.self)
        )
        for index in wide.indices where wide[index].isFinite && !narrow[index].isFinite {
          throw NNError(.limitExceeded, Message(text: "\(wide[index]) is beyond the range of \(dtype.name)"))
        }
      }
    } else {
      let back = try result.cast(to: self.dtype)
      guard withExtendedLifetime((self, back), { bytes.elementsEqual(back.bytes) }) else {
        throw NNError(.limitExceeded, "some of its numbers are beyond the range of \(dtype.name)")
      }
    }
    return result
  }
}
