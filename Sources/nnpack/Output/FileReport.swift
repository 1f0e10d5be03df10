import NNFormat
import NNGraph

/// Everything `nnpack inspect` tells about a file.
struct FileReport: Encodable {
  struct Entry: Encodable {
    var key: String
    var value: String
  }

  struct Port: Encodable {
    var name: String
    var dtype: String
    /// Extents, or the names of free dimensions.
    var shape: [String]
  }

  struct Step: Encodable {
    var name: String
    var op: String
    var attributes: String
    var inputs: [String]
    var output: String
    var shape: [String]
    var parameters: Int
  }

  /// A part of the file. The parts' stored bytes add up to the file's.
  struct Part: Encodable {
    var part: String
    /// Of a tensor; nil for other parts.
    var dtype: String?
    var shape: [Int]?
    /// How the bytes are stored; empty for what is not stored by a codec.
    var codec: String
    var storedBytes: Int
    var rawBytes: Int
  }

  var file: String
  var bytes: Int
  var formatVersion: Int
  var metadata: [Entry]
  var inputs: [Port]
  var outputs: [Port]
  var nodes: [Step]
  var parameters: Int
  var selfTests: Int
  var parts: [Part]

  init(path: String, _ model: ModelFile, _ layout: FileLayout) {
    let graph = model.graph
    func shape(_ id: ValueID) -> [String] { graph.axes(graph[id].type.shape) }
    func port(_ id: ValueID) -> Port {
      Port(name: graph[id].name.string, dtype: "\(graph[id].type.dtype.name)", shape: shape(id))
    }
    file = path
    bytes = layout.fileBytes
    formatVersion = layout.version
    metadata = model.metadata.entries.map { Entry(key: $0.key.string, value: $0.value.string) }
    inputs = graph.inputs.map { port($0) }
    outputs = graph.outputs.map { port($0) }
    // A constant that several nodes share counts for the first one.
    var isCounted = [Bool](repeating: false, count: graph.values.count)
    nodes = graph.nodes.map { node in
      var parameters = 0
      for input in node.inputs where !isCounted[input.index] {
        isCounted[input.index] = true
        parameters += graph[input].constant?.elementCount ?? 0
      }
      return Step(
        name: node.name.string, op: "\(node.op.name)", attributes: node.op.attributeText,
        inputs: node.inputs.map { graph[$0].name.string }, output: graph[node.outputs[0]].name.string,
        shape: shape(node.outputs[0]), parameters: parameters)
    }
    parameters = nodes.reduce(0) { $0 + $1.parameters }
    selfTests = model.selfTests.count
    parts = FileReport.parts(layout)
  }

  private static func parts(_ layout: FileLayout) -> [Part] {
    var parts = [
      Part(part: "header", codec: "", storedBytes: layout.headerBytes, rawBytes: layout.headerBytes)
    ]
    for section in layout.sections where section.kind != .data {
      let name = section.kind.map { "\($0.name)" } ?? "section \(section.number)"
      parts.append(
        Part(
          part: name, codec: "\(section.codec.name)", storedBytes: section.storedBytes,
          rawBytes: section.rawBytes))
    }
    for tensor in layout.tensors {
      parts.append(
        Part(
          part: "tensor \(tensor.name.string)", dtype: "\(tensor.dtype.name)", shape: tensor.extents,
          codec: "\(tensor.codec.name)", storedBytes: tensor.storedBytes,
          rawBytes: tensor.rawBytes))
    }
    let padding = layout.paddingBytes + layout.tensorPaddingBytes
    if padding > 0 { parts.append(Part(part: "padding", codec: "", storedBytes: padding, rawBytes: padding)) }
    return parts
  }
}

extension Graph {
  /// The extents of a shape, or the names of its free dimensions.
  fileprivate func axes(_ shape: Shape) -> [String] {
    shape.dimensions.map { dimension in
      switch dimension {
      case .fixed(let extent): "\(extent)"
      case .named(let symbol): symbols[symbol].string
      case .unknown: "?"
      }
    }
  }
}
