import NNFormat
import NNGraph
import NNPasses
import NNRuntime

extension Trainer {
  /// The model with its present parameters as it is shipped: packed, with a free batch N.
  public func exportedGraph(head: OutputHead = .none, name: Name = "model") throws(NNError) -> Graph {
    try InferenceGraph(recipe.model, sampleShape: sampleShape, head: head, store: store, name: name).graph
      .packed()
  }

  /// The file ``export(to:head:metadata:selfTestInputs:options:)`` writes.
  ///
  /// - Parameter selfTestInputs: samples one after the other. Their outputs, computed by the runtime, become a self-test vector.
  /// - Throws: ``ErrorCode/shapeMismatch`` if the samples do not divide.
  public func modelFile(
    head: OutputHead = .none, metadata: Metadata = Metadata(), selfTestInputs: [Float] = []
  ) throws(NNError) -> ModelFile {
    var file = ModelFile(
      graph: try exportedGraph(head: head, name: metadata.name ?? "model"), metadata: metadata)
    if !selfTestInputs.isEmpty {
      let count = try sampleCount(selfTestInputs)
      let input = try Tensor(selfTestInputs, extents: [count] + sampleShape)
      let outputs = try Session(try Model(file))([input])
      file.selfTests = [SelfTest(inputs: [input], outputs: outputs)]
    }
    return file
  }

  /// Writes the model as a `.nnrt` file, in one step.
  ///
  /// - Throws: ``ErrorCode/fileAccess``, or what ``modelFile(head:metadata:selfTestInputs:)`` throws.
  public func export(
    to path: String, head: OutputHead = .none, metadata: Metadata = Metadata(), selfTestInputs: [Float] = [],
    options: WriteOptions = WriteOptions()
  ) throws(NNError) {
    let file = try modelFile(head: head, metadata: metadata, selfTestInputs: selfTestInputs)
    try file.write(to: path, options)
  }

  /// The model's outputs for samples one after the other, computed by the runtime: the bits of the exported file.
  public func predict(_ features: [Float], head: OutputHead = .none, batchSize: Int = 256) throws(NNError)
    -> [Float]
  {
    let count = try sampleCount(features)
    guard batchSize >= 1 else { throw NNError(.invalidArgument, "a batch size of \(batchSize)") }
    let session = try inferenceSession(head: head)
    let width = sampleShape.reduce(1, *)
    var results: [Float] = []
    for first in stride(from: 0, to: count, by: batchSize) {
      let batch = min(batchSize, count - first)
      let samples = Array(features[first * width..<(first + batch) * width])
      results += try session(samples, extents: [batch] + sampleShape)
    }
    return results
  }

  /// Loss and metrics over a data set, of predictions made by the runtime from the packed graph that an export writes.
  ///
  /// - Throws: ``ErrorCode/shapeMismatch`` or ``ErrorCode/dtypeMismatch`` for data that do not fit the model,
  ///   ``ErrorCode/invalidArgument`` without samples.
  public func evaluate(_ data: Dataset, batchSize: Int = 256) throws(NNError) -> Evaluation {
    try require(data)
    guard data.count > 0 else { throw NNError(.invalidArgument, "no samples to evaluate") }
    let predictions = try predict(data.features, batchSize: batchSize)
    let width = outputShape.reduce(1, *)
    var sums = [Double](repeating: 0, count: 1 + recipe.metrics.count)
    var plan: (batch: Int, plan: Plan)?
    for first in stride(from: 0, to: data.count, by: batchSize) {
      let batch = min(batchSize, data.count - first)
      let scores: Plan
      if let known = plan, known.batch == batch {
        scores = known.plan
      } else {
        let graph = try InferenceGraph.scores(recipe, outputShape: outputShape, batch: batch)
        scores = try Plan(
          graph, inputExtents: graph.inputs.map { graph[$0].type.shape.extents ?? [] },
          options: Plan.Options(instructionSet: options.instructionSet))
        plan = (batch, scores)
      }
      predictions[first * width..<(first + batch) * width].withUnsafeBytes {
        scores.input(0).copyMemory(from: $0)
      }
      data.copyTargets(Dataset.range(first, batch), into: scores.input(1))
      try scores.run()
      sums[0] += Double(scores.output(0).load(as: Float.self)) * Double(batch)
      for index in sums.indices.dropFirst() {
        sums[index] += Double(scores.output(index).load(as: Float.self))
      }
    }
    return evaluation(sums: sums, samples: data.count)
  }

  /// The means of sums weighted by samples: the loss first, then each metric.
  func evaluation(sums: [Double], samples: Int) -> Evaluation {
    let means = sums.map { $0 / Double(max(samples, 1)) }
    return Evaluation(
      loss: means[0], metrics: zip(recipe.metrics, means.dropFirst()).map { ($0.name, $1) })
  }

  private func inferenceSession(head: OutputHead) throws(NNError) -> Session {
    let model = try Model(ModelFile(graph: try exportedGraph(head: head)))
    return try Session(
      model, options: Session.Options(threads: options.threads, instructionSet: options.instructionSet))
  }

  private func sampleCount(_ features: [Float]) throws(NNError) -> Int {
    let width = sampleShape.reduce(1, *)
    guard width > 0, features.count % width == 0 else {
      throw NNError(
        .shapeMismatch,
        "\(features.count) numbers do not divide into samples of shape \(Shape(sampleShape).description)")
    }
    return features.count / width
  }
}

extension Dataset {
  /// The indices of `count` samples from `first` on.
  static func range(_ first: Int, _ count: Int) -> ArraySlice<Int> { Array(first..<first + count)[...] }
}
