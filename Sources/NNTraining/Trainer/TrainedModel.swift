import NNFormat
import NNGraph
import NNPasses
import NNRuntime

/// A model with the present parameters of a store, to predict with and to export.
///
/// Predictions are computed by the runtime from the packed graph, so they have the bits of the exported file.
public struct TrainedModel {
  public let model: any Layer
  public let parameters: ParameterStore
  /// Extents of one sample, without the batch.
  public let sampleShape: [Int]
  /// `.i64` for a model that takes indices.
  public let inputType: DType
  /// Whether the model runs step by step, a batch of 1 at a time, and its recurrent layers keep their state from run to
  /// run. `sampleShape` is that of a step then, such as (1, F) for one moment of a sequence.
  public let isStateful: Bool
  public var options: Trainer.Options

  public init(
    _ model: any Layer, parameters: ParameterStore, sampleShape: [Int], inputType: DType = .f32,
    isStateful: Bool = false, options: Trainer.Options = Trainer.Options()
  ) {
    self.model = model
    self.parameters = parameters
    self.sampleShape = sampleShape
    self.inputType = inputType
    self.isStateful = isStateful
    self.options = options
  }

  /// The model as it is shipped: packed, with a free batch N unless it is stateful.
  public func graph(head: OutputHead = .none, name: Name = "model") throws(NNError) -> Graph {
    try InferenceGraph(
      model, sampleShape: sampleShape, inputType: inputType, head: head, store: parameters, name: name,
      isStateful: isStateful
    ).graph.packed()
  }

  /// The file ``export(to:head:metadata:selfTestInputs:selfTestTokens:options:)`` writes.
  ///
  /// - Parameter selfTestInputs: samples one after the other. Their outputs, computed by the runtime, become a self-test
  ///   vector; a stateful model gets none.
  /// - Throws: ``ErrorCode/shapeMismatch`` if the samples do not divide.
  public func file(
    head: OutputHead = .none, metadata: Metadata = Metadata(), selfTestInputs: [Float] = [],
    selfTestTokens: [Int32] = []
  ) throws(NNError) -> ModelFile {
    var file = ModelFile(graph: try graph(head: head, name: metadata.name ?? "model"), metadata: metadata)
    if (!selfTestInputs.isEmpty || !selfTestTokens.isEmpty) && !isStateful {
      let input =
        inputType == .f32
        ? try Tensor(selfTestInputs, extents: try batchExtents(selfTestInputs.count))
        : try Tensor(selfTestTokens.map { Int64($0) }, extents: try batchExtents(selfTestTokens.count))
      let outputs = try Session(try Model(file))([input])
      file.selfTests = [SelfTest(inputs: [input], outputs: outputs)]
    }
    return file
  }

  /// Writes the model as a `.nnrt` file, in one step.
  ///
  /// - Throws: ``ErrorCode/fileAccess``, or what ``file(head:metadata:selfTestInputs:selfTestTokens:)`` throws.
  public func export(
    to path: String, head: OutputHead = .none, metadata: Metadata = Metadata(), selfTestInputs: [Float] = [],
    selfTestTokens: [Int32] = [], options: WriteOptions = WriteOptions()
  ) throws(NNError) {
    let file = try file(
      head: head, metadata: metadata, selfTestInputs: selfTestInputs, selfTestTokens: selfTestTokens)
    try file.write(to: path, options)
  }

  /// The outputs for samples one after the other.
  public func predict(_ features: [Float], head: OutputHead = .none, batchSize: Int = 256) throws(NNError)
    -> [Float]
  {
    try requireType(.f32)
    return try predict(features.count, head, batchSize) { (range, extents) throws(NNError) in
      try Tensor(Array(features[range]), extents: extents)
    }
  }

  /// The outputs for samples of indices, one after the other.
  public func predict(tokens: [Int32], head: OutputHead = .none, batchSize: Int = 256) throws(NNError)
    -> [Float]
  {
    try requireType(.i64)
    return try predict(tokens.count, head, batchSize) { (range, extents) throws(NNError) in
      try Tensor(tokens[range].map { Int64($0) }, extents: extents)
    }
  }

  /// The outputs for a data set's samples.
  public func predict(_ data: Dataset, head: OutputHead = .none, batchSize: Int = 256) throws(NNError)
    -> [Float]
  {
    data.inputType == .i64
      ? try predict(tokens: data.tokens, head: head, batchSize: batchSize)
      : try predict(data.features, head: head, batchSize: batchSize)
  }

  /// A session that runs the model; of a stateful one, it keeps the state from run to run.
  public func session(head: OutputHead = .none) throws(NNError) -> Session {
    try Session(
      try Model(ModelFile(graph: try graph(head: head))),
      options: Session.Options(threads: options.threads, instructionSet: options.instructionSet))
  }

  private func predict(
    _ numbers: Int, _ head: OutputHead, _ batchSize: Int,
    _ tensor: (Range<Int>, [Int]) throws(NNError) -> Tensor
  ) throws(NNError) -> [Float] {
    let count = try batchExtents(numbers)[0]
    guard batchSize >= 1 else { throw NNError(.invalidArgument, "a batch size of \(batchSize)") }
    guard !isStateful else {
      throw NNError(.invalidState, "a stateful model has no batches to predict; use session(head:)")
    }
    let session = try session(head: head)
    let width = sampleShape.reduce(1, *)
    var results: [Float] = []
    for first in stride(from: 0, to: count, by: batchSize) {
      let batch = min(batchSize, count - first)
      let samples = try tensor(first * width..<(first + batch) * width, [batch] + sampleShape)
      guard let floats = try session([samples])[0].floats else {
        throw NNError(.dtypeMismatch, "the model's output is not f32")
      }
      results += floats
    }
    return results
  }

  func requireType(_ given: DType) throws(NNError) {
    guard given == inputType else {
      throw NNError(.dtypeMismatch, "samples are \(given.name), the model takes \(inputType.name)")
    }
  }

  /// The extents of a batch of samples that have so many numbers together.
  func batchExtents(_ numbers: Int) throws(NNError) -> [Int] {
    let width = sampleShape.reduce(1, *)
    guard width > 0, numbers % width == 0 else {
      throw NNError(
        .shapeMismatch,
        "\(numbers) numbers do not divide into samples of shape \(Shape(sampleShape).description)")
    }
    return [numbers / width] + sampleShape
  }
}
