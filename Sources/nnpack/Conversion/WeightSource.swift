import NNGraph
import NNPasses
import NNTraining

/// A file whose tensors a model is to have as its weights.
struct WeightSource {
  let path: String
  let names: WeightNameMap

  /// Gives a graph the weights.
  func load(into graph: inout Graph) throws(NNError) -> LoadedWeights {
    let tensors = try NamedTensor.read(path: path)
    do throws(NNError) {
      return try graph.loadWeights(tensors) { names($0) }
    } catch {
      throw error.within(path)
    }
  }
}

extension LoadedWeights {
  /// The report for people.
  var text: String {
    let sources = Set(matches.map { $0.source })
    var blocks = [
      "  weights from the file: \(sources.count.grouped) taken, \(unused.count.grouped) not used; "
        + "\(kept.count.grouped) of the model keep their numbers"
    ]
    var table = Table(["weight", "from", "type", "shape"], alignments: [.left, .left, .left, .left])
    for match in matches {
      let type =
        match.sourceType == match.dtype
        ? "\(match.dtype.name)" : "\(match.sourceType.name) to \(match.dtype.name)"
      table.append([
        match.name, match.source, type,
        Shape(match.extents).description + (match.isTransposed ? ", transposed" : ""),
      ])
    }
    blocks.append(table.text)
    for (title, list) in [("not used", unused), ("kept", kept)] where !list.isEmpty {
      var table = Table([title, "", ""], alignments: [.left, .left, .left])
      for (name, type) in list { table.append([name, "\(type.dtype.name)", type.shape.description]) }
      blocks.append(table.text)
    }
    return blocks.joined(separator: "\n\n")
  }
}
