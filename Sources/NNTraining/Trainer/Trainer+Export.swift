import NNFormat
import NNGraph
import NNRuntime

extension Trainer {
  /// The model with its present parameters.
  public var trained: TrainedModel {
    TrainedModel(
      recipe.model, parameters: store, sampleShape: sampleShape, inputType: recipe.inputType, options: options
    )
  }

  /// The model with its present parameters, to be run step by step: its recurrent layers keep their state from run to
  /// run, and a sample has the shape of a step.
  public func stateful(sampleShape: [Int]) -> TrainedModel {
    TrainedModel(
      recipe.model, parameters: store, sampleShape: sampleShape, inputType: recipe.inputType,
      isStateful: true,
      options: options)
  }

  /// The model with its present parameters as it is shipped: packed, with a free batch N.
  public func exportedGraph(head: OutputHead = .none, name: Name = "model") throws(NNError) -> Graph {
    try trained.graph(head: head, name: name)
  }

  /// The file ``export(to:head:metadata:selfTestInputs:options:)`` writes.
  ///
  /// - Parameter selfTestInputs: samples one after the other. Their outputs, computed by the runtime, become a self-test vector.
  /// - Throws: ``ErrorCode/shapeMismatch`` if the samples do not divide.
  public func modelFile(
    head: OutputHead = .none, metadata: Metadata = Metadata(), selfTestInputs: [Float] = []
  ) throws(NNError) -> ModelFile {
    try trained.file(head: head, metadata: metadata, selfTestInputs: selfTestInputs)
  }

  /// Writes the model as a `.nnrt` file, in one step.
  ///
  /// - Throws: ``ErrorCode/fileAccess``, or what ``modelFile(head:metadata:selfTestInputs:)`` throws.
  public func export(
    to path: String, head: OutputHead = .none, metadata: Metadata = Metadata(), selfTestInputs: [Float] = [],
    options: WriteOptions = WriteOptions()
  ) throws(NNError) {
    try trained.export(
      to: path, head: head, metadata: metadata, selfTestInputs: selfTestInputs, options: options)
  }

  /// The model's outputs for samples one after the other, computed by the runtime: the bits of the exported file.
  public func predict(_ features: [Float], head: OutputHead = .none, batchSize: Int = 256) throws(NNError)
    -> [Float]
  {
    try trained.predict(features, head: head, batchSize: batchSize)
  }

  /// Loss and metrics over a data set, of predictions made by the runtime from the packed graph that an export writes.
  ///
  /// - Throws: ``ErrorCode/shapeMismatch`` or ``ErrorCode/dtypeMismatch`` for data that do not fit the model,
  ///   ``ErrorCode/invalidArgument`` without samples.
  public func evaluate(_ data: Dataset, batchSize: Int = 256) throws(NNError) -> Evaluation {
    try require(data)
    guard data.count > 0 else { throw NNError(.invalidArgument, "no samples to evaluate") }
    let predictions = try trained.predict(data, batchSize: batchSize)
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
}

extension Dataset {
  /// The indices of `count` samples from `first` on.
  static func range(_ first: Int, _ count: Int) -> ArraySlice<Int> { Array(first..<first + count)[...] }
}
