import NNGraph

/// What a `.nnrt` file holds: a model ready to run, what people say about it, and how to check it.
public struct ModelFile: Sendable {
  public var graph: Graph
  public var metadata: Metadata
  /// Inputs with the outputs they gave when the file was made.
  public var selfTests: [SelfTest]

  public init(graph: Graph, metadata: Metadata = Metadata(), selfTests: [SelfTest] = []) {
    self.graph = graph
    self.metadata = metadata
    self.selfTests = selfTests
  }
}

/// Known results: the outputs of one run for one set of inputs.
public struct SelfTest: Sendable {
  /// One row-major tensor for each input of the graph, in order.
  public var inputs: [Tensor]
  /// One row-major tensor for each output of the graph, in order.
  public var outputs: [Tensor]

  public init(inputs: [Tensor], outputs: [Tensor]) {
    self.inputs = inputs
    self.outputs = outputs
  }
}

/// What a reader may use.
public struct ReadLimits: Sendable {
  /// Bytes that decoding may allocate. What a file needs beyond that is refused before it is taken.
  public var memory: Int

  public init(memory: Int = Int(clamping: UInt64(4) << 30)) {
    self.memory = memory
  }
}

/// How a file is written.
public struct WriteOptions: Sendable {
  public enum Codec: Equatable, Sendable {
    /// Nothing compressed; weights can be used straight from a mapped file.
    case raw
    /// Weights as byte planes and everything else as one piece, compressed by zstd at a level from 1 to 22.
    case zstd(level: Int)
  }

  public var codec: Codec

  public init(codec: Codec = .zstd(level: 19)) {
    self.codec = codec
  }
}

/// Called while weights are written, with how many of their bytes are done.
public typealias WriteProgress = (_ done: Int, _ total: Int) -> Void

extension SelfTest {
  /// Throws unless the tensors are those that `graph` takes and gives.
  func validate(for graph: Graph) throws(NNError) {
    guard inputs.count == graph.inputs.count, outputs.count == graph.outputs.count else {
      throw NNError(
        .invalidGraph,
        "\(inputs.count) inputs and \(outputs.count) outputs, the graph has \(graph.inputs.count) and "
          + "\(graph.outputs.count)")
    }
    var bound = [Int?](repeating: nil, count: graph.symbols.count)
    for (tensor, id) in zip(inputs, graph.inputs) {
      try SelfTest.validate(tensor.type, tensor.layout, graph, id, &bound)
    }
    for (tensor, id) in zip(outputs, graph.outputs) {
      try SelfTest.validate(tensor.type, tensor.layout, graph, id, &bound)
    }
  }

  /// Free dimensions take the first extent that stands at their place and must keep it.
  static func validate(
    _ type: TensorType, _ layout: TensorLayout, _ graph: Graph, _ id: ValueID, _ bound: inout [Int?]
  ) throws(NNError) {
    let declared = graph[id].type
    var fits = layout == .rowMajor && type.dtype == declared.dtype && type.shape.mayEqual(declared.shape)
    if fits {
      for (dimension, extent) in zip(declared.shape.dimensions, type.shape.extents ?? []) {
        guard case .named(let symbol) = dimension else { continue }
        if let other = bound[symbol], other != extent { fits = false }
        bound[symbol] = extent
      }
    }
    guard fits else {
      throw NNError(
        .invalidGraph,
        "value \(graph[id].name.quoted) is \(type.dtype.name) \(type.shape.description), the graph declares "
          + "\(declared.dtype.name) \(declared.shape.describe(symbols: graph.symbols))")
    }
  }
}
