import NNGraph

/// The layers of a model: what they give and how many parameters they have.
public struct ModelSummary: Equatable, Sendable {
  /// One layer.
  public struct Row: Equatable, Sendable {
    /// As parameters and messages call it: `conv2d_1`.
    public var layer: String
    /// `(N, 16, 8, 8)`
    public var outputShape: String
    /// Numbers of the layer's parameters and running statistics; 0 for a second call of the same layer, which shares them.
    public var parameterCount: Int
  }

  /// In the order in which layers are done: those inside a layer stand before it, and it has their parameters not again.
  public var rows: [Row]
  /// Numbers that training adjusts.
  public var trainableCount: Int
  /// Running statistics and the like.
  public var otherCount: Int

  public var parameterCount: Int { trainableCount + otherCount }
}

extension ModelSummary: CustomStringConvertible {
  /// A table: layer, output shape, parameters; and the sums.
  public var description: String {
    let table =
      [["layer", "output shape", "parameters"]]
      + rows.map { [$0.layer, $0.outputShape, "\($0.parameterCount)"] }
    let widths = (0..<3).map { column in table.map { $0[column].count }.max() ?? 0 }
    func spaces(_ count: Int) -> String { String(repeating: " ", count: max(count, 0)) }
    var lines = table.map { row in
      row[0] + spaces(widths[0] - row[0].count) + "  " + row[1] + spaces(widths[1] - row[1].count) + "  "
        + spaces(widths[2] - row[2].count) + row[2]
    }
    lines.insert(String(repeating: "-", count: widths.reduce(4, +)), at: 1)
    lines.append("\(parameterCount) parameters, \(trainableCount) of them trained")
    return lines.joined(separator: "\n")
  }
}

extension TrainedModel {
  /// The model's named layers with their output shapes and parameters, as a table; print it.
  ///
  /// - Throws: what tracing the model throws.
  public func summary() throws(NNError) -> ModelSummary {
    let traced = try TracedModel(self)
    var left = traced.trace.parameters.map { $0.parameter }
    let trainable = left.reduce(0) { $0 + ($1.isTrainable ? $1.values.count : 0) }
    let all = left.reduce(0) { $0 + $1.values.count }
    var rows: [ModelSummary.Row] = []
    for call in traced.layers {
      let own = left.filter { ParameterGroup.prefix(call.name, covers: $0.name.string) }
      left.removeAll { parameter in own.contains { $0 === parameter } }
      rows.append(
        ModelSummary.Row(
          layer: call.name, outputShape: call.result.shapeDescription,
          parameterCount: own.reduce(0) { $0 + $1.values.count }))
    }
    return ModelSummary(rows: rows, trainableCount: trainable, otherCount: all - trainable)
  }

  /// The names of the model's layers, in the order in which they are done.
  public func layerNames() throws(NNError) -> [String] {
    try TracedModel(self).layers.map { $0.name }
  }
}
