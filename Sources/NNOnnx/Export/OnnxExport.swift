import FoundationEssentials
import NNFormat
import NNGraph

/// A model of ours as an ONNX model, on its way to a file.
public struct OnnxExport {
  /// Everything but the elements of the constants.
  let proto: OnnxModelProto
  /// The constants, in the order of their messages.
  let tensors: [Tensor]

  /// Nodes of the main graph.
  public var nodeCount: Int { proto.graph.node.count }

  /// The version of the standard's operators that it is written for.
  public var operatorSet: Int { Int(proto.opsetImport.first?.version ?? 0) }
}

extension ModelFile {
  /// The model in ONNX's operators, computing the same; engines round in ways of their own.
  ///
  /// Inputs and outputs keep their names, and free dimensions theirs; where a name cannot be kept, because it stands for something else
  /// already, it gets a number behind it. A state is an input and an output, for the caller to carry from one run to the next: the
  /// metadata's `state.NAME` of an input says which output. Self-test vectors have no place in ONNX.
  ///
  /// - Throws: ``ErrorCode/unsupportedOperator`` with everything that ONNX cannot express, node by node.
  public func exportedToOnnx() throws(NNError) -> OnnxExport {
    do {
      return try export()
    } catch let error as NNError {
      throw error
    } catch {
      throw NNError(.invalidGraph, Message(text: "\(error)"))
    }
  }

  private func export() throws -> OnnxExport {
    try graph.verify()
    let operators = OperatorSet(graph)
    let writer = OnnxGraphWriter()
    let problems = GraphExporter.Problems()
    let exporter = GraphExporter(graph, writer, problems)
    var proto = OnnxGraphProto()
    proto.name = graph.name.isEmpty ? "model" : graph.name.string
    for id in graph.inputs {
      let name = writer.names.take(graph[id].name.string)
      proto.input.append(OnnxValueInfoProto(name, graph[id].type, symbols: graph.symbols))
      exporter.bind(id, to: name)
    }
    let outputs = graph.outputs.map { writer.names.take(graph[$0].name.string) }
    try exporter.run(outputNames: outputs)
    guard problems.messages.isEmpty else { throw problems.error }
    proto.node = writer.nodes
    proto.output = zip(graph.outputs, outputs).map {
      OnnxValueInfoProto($1, graph[$0].type, symbols: graph.symbols)
    }
    let entries = writer.initializers.entries
    proto.initializer = entries.map { OnnxTensorProto($0.name, $0.tensor) }

    var model = OnnxModelProto()
    model.irVersion = Int64(operators.representation)
    model.producerName = "nnpack"
    var set = OnnxOperatorSetIdProto()
    set.domain = ""
    set.version = Int64(operators.version)
    model.opsetImport = [set]
    if let description = metadata.description { model.docString = description.string }
    model.metadataProps = properties(inputs: proto.input.map { $0.name }, outputs: outputs)
    model.graph = proto
    return OnnxExport(proto: model, tensors: entries.map { $0.tensor })
  }

  private func properties(inputs: [String], outputs: [String]) -> [OnnxStringStringEntryProto] {
    func entry(_ key: String, _ value: String) -> OnnxStringStringEntryProto {
      var entry = OnnxStringStringEntryProto()
      entry.key = key
      entry.value = value
      return entry
    }
    let states = graph.states.compactMap { state -> OnnxStringStringEntryProto? in
      guard let input = graph.inputs.firstIndex(of: state.input),
        let output = graph.outputs.firstIndex(of: state.output)
      else { return nil }
      return entry(OnnxModel.stateKeyPrefix + inputs[input], outputs[output])
    }
    let stateKeys = Set(states.map { $0.key })
    let texts = metadata.entries.map { entry($0.key.string, $0.value.string) }
    return texts.filter { !stateKeys.contains($0.key) } + states
  }
}

extension GraphExporter.Problems {
  fileprivate var error: NNError {
    let heading =
      messages.count == 1
      ? "one thing cannot be written as ONNX:" : "\(messages.count) things cannot be written as ONNX:"
    return NNError(.unsupportedOperator, Message(text: ([heading] + messages).joined(separator: "\n  ")))
  }
}
