import NNGraph

extension FileWriter {
  func graph(_ graph: Graph) throws(NNError) -> [UInt8] {
    var writer = ByteWriter()
    try front(graph, &writer)
    var bodies: [(parent: Int, bytes: [UInt8])] = []
    try collect(graph, number: 0, &bodies)
    writer.varint(UInt64(bodies.count))
    for body in bodies {
      writer.varint(UInt64(body.parent))
      writer.varint(UInt64(body.bytes.count))
    }
    try values(graph, &writer)
    try references(graph.inputs, &writer)
    try references(graph.outputs, &writer)
    writer.varint(UInt64(graph.states.count))
    for state in graph.states {
      try writer.natural(state.input.index)
      try writer.natural(state.output.index)
    }
    try nodes(graph, &writer)
    for body in bodies { writer.append(body.bytes) }
    return writer.bytes
  }

  /// The bodies of `graph`, which has this number in the table, counted from 1; 0 for the main graph.
  private func collect(
    _ graph: Graph, number: Int, _ bodies: inout [(parent: Int, bytes: [UInt8])]
  ) throws(NNError) {
    for body in graph.bodies {
      var writer = ByteWriter()
      try front(body, &writer)
      try values(body, &writer)
      try references(body.inputs, &writer)
      try references(body.outputs, &writer)
      try nodes(body, &writer)
      bodies.append((number, writer.bytes))
      try collect(body, number: bodies.count, &bodies)
    }
  }

  private func front(_ graph: Graph, _ writer: inout ByteWriter) throws(NNError) {
    try writer.text(graph.name, atMost: Format.maximumNameLength)
    writer.varint(UInt64(graph.symbols.count))
    for symbol in graph.symbols { try writer.text(symbol, atMost: Format.maximumNameLength) }
  }

  private func values(_ graph: Graph, _ writer: inout ByteWriter) throws(NNError) {
    writer.varint(UInt64(graph.values.count))
    for value in graph.values {
      try writer.text(value.name, atMost: Format.maximumNameLength)
      writer.flag(value.constant != nil)
      if value.constant == nil {
        writer.u8(value.type.dtype.rawValue)
        try writer.shape(value.type.shape)
      }
    }
  }

  private func nodes(_ graph: Graph, _ writer: inout ByteWriter) throws(NNError) {
    writer.varint(UInt64(graph.nodes.count))
    for node in graph.nodes {
      try writer.text(node.name, atMost: Format.maximumNameLength)
      guard node.inputs.count <= Format.maximumNodeArity, node.outputs.count <= Format.maximumNodeArity else {
        throw NNError(
          .limitExceeded, "\(node.description) has more than \(Format.maximumNodeArity) inputs or results")
      }
      writer.varint(UInt64(node.op.code.rawValue))
      try references(node.inputs, &writer)
      try references(node.outputs, &writer)
      var attributes = ByteWriter()
      try attributes.attributes(node.op)
      writer.varint(UInt64(attributes.bytes.count))
      writer.append(attributes.bytes)
    }
  }

  private func references(_ ids: [ValueID], _ writer: inout ByteWriter) throws(NNError) {
    writer.varint(UInt64(ids.count))
    for id in ids { try writer.natural(id.index) }
  }
}
