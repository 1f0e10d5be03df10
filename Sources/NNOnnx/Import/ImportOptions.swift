import NNGraph

/// What a model is imported with.
public struct ImportOptions: Sendable {
  /// Extents for free dimensions, by the names that the model gives them, or else by the input's name and the axis, as `x_0`.
  public var extents: [String: Int]

  public init(extents: [String: Int] = [:]) {
    self.extents = extents
  }

  /// - Throws: ``ErrorCode/invalidArgument`` if an extent is given for what is not among the free dimensions of the inputs.
  func requireExtents(of dimensions: [String]) throws(NNError) {
    for name in extents.keys.sorted() where !dimensions.contains(name) {
      let there = dimensions.isEmpty ? "are none" : "are \(dimensions.joined(separator: ", "))"
      throw NNError(
        .invalidArgument,
        Message(text: "no free dimension \"\(name)\" in the inputs; there \(there)"))
    }
  }
}
