import ArgumentParser
import NNGraph
import NNPasses

/// The extents that a model is tried at.
struct TrialExtents: ParsableArguments {
  @Option(parsing: .unconditional, help: "Extent of the model's first free dimension; 1 unless told.")
  var batch: Int?

  @Option(
    name: .customLong("dimension"),
    help: ArgumentHelp("Extent of another free dimension; 1 unless told.", valueName: "name=extent"))
  var dimensions: [String] = []

  func validate() throws {
    if let batch, batch < 1 { throw ValidationError("--batch takes a number of at least 1") }
  }

  /// Random inputs for a model at these extents.
  func inputs(for graph: Graph) throws -> [Tensor] {
    var extents: [String: Int] = [:]
    if let batch {
      guard let first = graph.symbols.first else {
        throw ValidationError("--batch \(batch): the model has no free dimension")
      }
      extents[first.string] = batch
    }
    for argument in dimensions {
      let parts = argument.split(separator: "=", maxSplits: 1)
      guard parts.count == 2, let extent = Int(parts[1]), extent >= 0 else {
        throw ValidationError("--dimension takes NAME=EXTENT, not '\(argument)'")
      }
      guard graph.symbols.contains(Name(String(parts[0]))) else {
        let names = graph.symbols.map { $0.string }.joined(separator: ", ")
        throw ValidationError(
          "no free dimension '\(parts[0])'; the model has \(names.isEmpty ? "none" : names)")
      }
      guard extents[String(parts[0])] == nil else {
        let isFirst = batch != nil && graph.symbols.first == Name(String(parts[0]))
        throw ValidationError(
          "the extent of '\(parts[0])' is given twice\(isFirst ? ", by --batch too" : "")")
      }
      extents[String(parts[0])] = extent
    }
    return try TrialInputs(extents: extents, freeExtent: 1).tensors(for: graph)
  }
}
