import ArgumentParser
import NNGraph

/// The extents that a model is tried at.
struct TrialExtents: ParsableArguments {
  @Option(help: "Extent of the model's first free dimension.") var batch = 1

  @Option(
    name: .customLong("dimension"),
    help: ArgumentHelp("Extent of another free dimension; 1 unless told.", valueName: "name=extent"))
  var dimensions: [String] = []

  func validate() throws {
    if batch < 1 { throw ValidationError("--batch takes a number of at least 1") }
  }

  /// The extents of each input.
  func extents(of graph: Graph) throws -> [[Int]] {
    var bound = [Int](repeating: 1, count: graph.symbols.count)
    if !bound.isEmpty { bound[0] = batch }
    for argument in dimensions {
      let parts = argument.split(separator: "=", maxSplits: 1)
      guard parts.count == 2, let extent = Int(parts[1]), extent >= 0 else {
        throw ValidationError("--dimension takes NAME=EXTENT, not '\(argument)'")
      }
      guard let symbol = graph.symbols.firstIndex(of: Name(String(parts[0]))) else {
        let names = graph.symbols.map { $0.string }.joined(separator: ", ")
        throw ValidationError(
          "no free dimension '\(parts[0])'; the model has \(names.isEmpty ? "none" : names)")
      }
      bound[symbol] = extent
    }
    return graph.inputs.map { id in
      graph[id].type.shape.dimensions.map { dimension in
        switch dimension {
        case .fixed(let extent): extent
        case .named(let symbol): bound[symbol]
        // The verifier admits no unknown extents in inputs.
        case .unknown: 1
        }
      }
    }
  }
}
