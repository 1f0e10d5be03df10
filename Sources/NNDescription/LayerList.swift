import JSONFiles
import NNGraph
import NNTraining

/// Layers one after the other, as an array of a description says them.
enum LayerList {
  /// How deep layers may stand in layers.
  static let maximumDepth = 16
  /// How many layers an array may have.
  static let maximumCount = 4096

  static func read(_ value: JSONValue, path: String, depth: Int) throws(NNError) -> [any Layer] {
    guard case .array(let values) = value else {
      throw NNError(.invalidArgument, "\(path): \(value.kind) instead of an array of layers")
    }
    guard values.count <= maximumCount else {
      throw NNError(.limitExceeded, "\(path): \(values.count) layers, of at most \(maximumCount)")
    }
    var layers: [any Layer] = []
    for (index, value) in values.enumerated() {
      layers.append(try layer(value, path: "\(path)[\(index)]", depth: depth + 1))
    }
    return layers
  }

  static func layer(_ value: JSONValue, path: String, depth: Int) throws(NNError) -> any Layer {
    guard depth <= maximumDepth else {
      throw NNError(
        .limitExceeded, "\(path): layers stand in each other \(depth) deep, of at most \(maximumDepth)")
    }
    let fields = try Fields(value, path: path, depth: depth)
    let type = try fields.string("type")
    guard let kind = LayerKind.all.first(where: { $0.type == type }) else {
      let names = LayerKind.all.map { $0.type }
      throw fields.fault("type", Message(text: Spelling.complaint(type, "layer", among: names)))
    }
    let layer = try kind.make(fields)
    try fields.finish()
    return PlacedLayer(layer: layer, path: path)
  }
}

/// A layer that knows where it stands in its description, for messages.
struct PlacedLayer: Layer {
  let layer: any Layer
  let path: String

  /// It has no name of its own.
  var kind: String { "" }

  func forward(_ x: SymbolicTensor) throws(NNError) -> SymbolicTensor {
    do throws(NNError) {
      return try layer(x)
    } catch {
      // The innermost place is the one at fault.
      if error.message.utf8.starts(with: "layers[".utf8) { throw error }
      throw error.within(path)
    }
  }
}
