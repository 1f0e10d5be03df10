import NNFormat
import NNGraph

extension OnnxModel {
  /// The key in the metadata that says which output an input gets its next content from, followed by the input's name.
  static let stateKeyPrefix = "state."

  /// More entries than a `.nnrt` file holds are left out.
  static let maximumEntryCount = 1 << 12

  /// What people say about the model.
  public var metadata: Metadata {
    var metadata = Metadata()
    for entry in proto.metadataProps.prefix(OnnxModel.maximumEntryCount)
    where !entry.key.isEmpty && entry.key.utf8.count <= 1024 && !entry.key.hasPrefix(OnnxModel.stateKeyPrefix)
    {
      metadata[Name(entry.key)] = Name(entry.value)
    }
    if metadata.description == nil, !proto.docString.isEmpty { metadata.description = Name(proto.docString) }
    return metadata
  }
}

extension OnnxModelProto {
  /// The states that the metadata speak of, of an input and an output that are there and of one type.
  func states(of graph: Graph) -> [CarriedState] {
    var states: [CarriedState] = []
    for entry in metadataProps.prefix(OnnxModel.maximumEntryCount)
    where entry.key.hasPrefix(OnnxModel.stateKeyPrefix) {
      let name = Name(String(entry.key.dropFirst(OnnxModel.stateKeyPrefix.count)))
      guard let input = graph.inputs.first(where: { graph[$0].name == name }),
        let output = graph.outputs.first(where: { graph[$0].name == Name(entry.value) }),
        graph[input].type.dtype == graph[output].type.dtype,
        graph[input].type.shape.mayEqual(graph[output].type.shape),
        !states.contains(where: { $0.input == input })
      else { continue }
      states.append(CarriedState(input: input, output: output))
    }
    return states
  }
}
