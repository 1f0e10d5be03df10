import NNGraph

extension OnnxGraphProto {
  /// The names that this graph, or a body inside it, reads without defining them; each once, in order of appearance.
  var freeNames: [String] {
    var defined = Set(
      input.map { $0.name } + initializer.map { $0.name } + sparseInitializer.map { $0.values.name })
    var free: [String] = []
    func read(_ name: String) {
      if !name.isEmpty, !defined.contains(name), !free.contains(name) { free.append(name) }
    }
    for node in node {
      node.input.forEach(read)
      for attribute in node.attribute {
        if attribute.hasG { attribute.g.freeNames.forEach(read) }
        for graph in attribute.graphs { graph.freeNames.forEach(read) }
      }
      defined.formUnion(node.output)
    }
    output.forEach { read($0.name) }
    return free
  }
}

extension TensorType {
  /// This type for another graph, where the free dimensions of this one have no meaning.
  var withoutSymbols: TensorType {
    var type = self
    for axis in 0..<type.shape.rank where type.shape[axis].extent == nil { type.shape[axis] = .unknown }
    return type
  }
}
