import NNGraph
import NNRuntime

/// Computes Σₙ score and its gradients for batches: what all attributions are made of.
///
/// Samples do not see each other in inference mode, so the gradient of the sum with respect to a sample is that of its own
/// score. The graph has the inputs x (B, sample…) and a mask (B, outputs) that is 1 where the score stands.
final class ScoreGradient {
  private let model: TrainedModel
  private let head: OutputHead
  /// The layer whose result is differentiated by; nil for the input.
  private let layer: String?
  private var sessions: [(batch: Int, session: Session)] = []
  /// Extents of one sample of what is differentiated by.
  private(set) var variableShape: [Int] = []
  /// Numbers of one sample's output.
  let outputWidth: Int
  /// The largest batch that is differentiated in one piece.
  private let batchSize: Int

  init(_ model: TrainedModel, head: OutputHead, layer: String?, batchSize: Int) throws(NNError) {
    try model.requireType(.f32)
    guard batchSize >= 1 else { throw NNError(.invalidArgument, "a batch size of \(batchSize)") }
    self.model = model
    self.head = head
    self.layer = layer
    self.batchSize = batchSize
    let traced = try TracedModel(model, batch: 1)
    guard traced.isShown(traced.output), let width = traced.output.shape.elementCount, width >= 1 else {
      throw NNError(
        .shapeMismatch, "the model's output \(traced.output.shapeDescription) has no score to explain")
    }
    outputWidth = width
    let variable = try ScoreGradient.variable(traced, layer)
    variableShape = Array(try variable.knownExtents().dropFirst())
  }

  private static func variable(_ traced: TracedModel, _ layer: String?) throws(NNError) -> SymbolicTensor {
    guard let layer else { return traced.input }
    // Of a layer that is called several times, the last call is nearest to the score.
    let calls = try traced.layers(named: [layer])
    return calls[calls.count - 1].result
  }

  private func session(batch: Int) throws(NNError) -> Session {
    if let known = sessions.first(where: { $0.batch == batch }) { return known.session }
    let traced = try TracedModel(model, batch: batch)
    let trace = traced.trace
    let mask = trace.input("mask", .f32, [batch, outputWidth])
    let output =
      switch head {
      case .none: traced.output
      case .softmax: try traced.output.softmax()
      case .sigmoid: try traced.output.unary(.sigmoid)
      }
    let score = try (output.reshaped([batch, outputWidth]) * mask).sum()
    let variable = try ScoreGradient.variable(traced, layer)
    let gradient = try trace.gradient(of: score, withRespectTo: [variable])[0]
    let made = try traced.session([variable, gradient], options: model.options)
    // There are two sizes at most: whole batches and the last one.
    if sessions.count >= 2 { sessions.removeFirst() }
    sessions.append((batch, made))
    return made
  }

  /// The index of the score of each sample.
  ///
  /// - Throws: ``ErrorCode/indexOutOfRange`` for an index the output does not have, ``ErrorCode/shapeMismatch`` for
  ///   another number of indices than samples.
  func indices(_ choice: ScoreChoice, for samples: [Float]) throws(NNError) -> [Int] {
    let count = try model.batchExtents(samples.count)[0]
    let chosen: [Int]
    switch choice {
    case .largest: chosen = try Scores.classes(of: model.predict(samples), classes: outputWidth)
    case .index(let index): chosen = [Int](repeating: index, count: count)
    case .indices(let indices): chosen = indices
    }
    guard chosen.count == count else {
      throw NNError(.shapeMismatch, "\(chosen.count) indices of scores for \(count) samples")
    }
    for index in chosen where index < 0 || index >= outputWidth {
      throw NNError(.indexOutOfRange, "score \(index) of a model with \(outputWidth) outputs")
    }
    return chosen
  }

  /// Gives `body` the values and the gradients of what is differentiated by, batch by batch, with the range of samples.
  func run(
    _ samples: [Float], _ indices: [Int],
    _ body: (Range<Int>, _ values: [Float], _ gradients: [Float]) throws(NNError) -> Void
  ) throws(NNError) {
    let width = model.sampleShape.reduce(1, *)
    for first in stride(from: 0, to: indices.count, by: batchSize) {
      let range = first..<min(first + batchSize, indices.count)
      var mask = [Float](repeating: 0, count: range.count * outputWidth)
      for (row, sample) in range.enumerated() { mask[row * outputWidth + indices[sample]] = 1 }
      let results = try session(batch: range.count)([
        Tensor(
          Array(samples[range.lowerBound * width..<range.upperBound * width]),
          extents: [range.count] + model.sampleShape),
        Tensor(mask, extents: [range.count, outputWidth]),
      ])
      guard let values = results[0].floats, let gradients = results[1].floats else {
        throw NNError(.dtypeMismatch, "the gradient of the score is not f32")
      }
      try body(range, values, gradients)
    }
  }

  /// The gradients (N, …), one after the other.
  func gradients(_ samples: [Float], _ indices: [Int]) throws(NNError) -> [Float] {
    var all: [Float] = []
    try run(samples, indices) { (_, _, gradients) throws(NNError) in all += gradients }
    return all
  }
}
