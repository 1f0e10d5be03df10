import NNFormat
import NNGraph
import NNRuntime

/// A model traced for a look inside: in inference mode, with the results of its layers at hand.
struct TracedModel {
  let trace: Trace
  let input: SymbolicTensor
  let output: SymbolicTensor

  /// - Parameter batch: a fixed batch, as gradients need it; N is free for nil.
  /// - Throws: ``ErrorCode/invalidState`` for a stateful model, or what a layer throws.
  init(_ model: TrainedModel, batch: Int? = nil) throws(NNError) {
    guard !model.isStateful else {
      throw NNError(
        .invalidState, "a model that runs step by step is inspected as it was trained, not as stateful")
    }
    try Shape(model.sampleShape).validate()
    trace = Trace(mode: .inference, parameters: model.parameters, name: "inspection")
    let first = batch.map { Dimension.fixed($0) } ?? trace.dimension("N")
    input = trace.input("input", model.inputType, Shape([first] + model.sampleShape.map { .fixed($0) }))
    output = try model.model(input)
    guard output.rank >= 1, output.shape[0] == first else {
      throw NNError(
        .shapeMismatch, "the model's output \(output.shapeDescription) does not begin with the batch N")
    }
  }

  /// One call of a layer.
  struct LayerCall {
    let name: String
    let result: SymbolicTensor
  }

  /// The calls of named layers, in order.
  var layers: [LayerCall] {
    trace.layerResults.map {
      LayerCall(name: $0.name.string, result: SymbolicTensor(trace: trace, id: $0.value))
    }
  }

  /// Whether a result has fractions for each sample, so that it can be shown for a batch.
  func isShown(_ tensor: SymbolicTensor) -> Bool {
    tensor.dtype == .f32 && tensor.rank >= 1 && tensor.shape[0] == input.shape[0]
      && tensor.shape.dimensions.dropFirst().allSatisfy { $0.extent != nil }
  }

  /// The layers of the given names, each call of one; for nil all whose results can be shown.
  ///
  /// - Throws: ``ErrorCode/invalidArgument`` for a name that no layer has, ``ErrorCode/shapeMismatch`` for a layer whose
  ///   result is not f32 (N, …).
  func layers(named names: [String]?) throws(NNError) -> [LayerCall] {
    guard let names else { return layers.filter { isShown($0.result) } }
    let all = layers
    var chosen: [LayerCall] = []
    for name in names {
      let calls = all.filter { $0.name == name }
      guard !calls.isEmpty else {
        let known = all.map { $0.name }.joined(separator: ", ")
        throw NNError(.invalidArgument, "there is no layer \"\(name)\"; the model has \(known)")
      }
      for call in calls where !isShown(call.result) {
        throw NNError(
          .shapeMismatch,
          "layer \"\(name)\" gives \(call.result.dtype.name) \(call.result.shapeDescription), not f32 (N, …)")
      }
      chosen += calls
    }
    return chosen
  }

  /// A session for the graph traced so far, whose outputs are the given tensors.
  func session(_ outputs: [SymbolicTensor], options: Trainer.Options) throws(NNError) -> Session {
    for (index, output) in outputs.enumerated() { try trace.output(output, name: Name("result \(index)")) }
    return try Session(
      try Model(ModelFile(graph: try trace.graph.packed())),
      options: Session.Options(threads: options.threads, instructionSet: options.instructionSet))
  }
}
