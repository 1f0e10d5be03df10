import NNFormat
import NNGraph
import NNRuntime

/// Runs a graph on trial inputs and keeps what comes out.
public struct SelfTestRecorder {
  private let model: Model
  private let extents: [String: Int]

  /// What free dimensions are tried with until the graph runs: a small extent first, then those that windows and strides may need.
  private static let freeExtents = [2, 8, 32, 64]
  /// For signals, which those are too short for: with a small batch, and at last with one of the same extent, since a dimension without
  /// a name may be either.
  private static let longExtents = [(256, 2), (576, 2), (1024, 2), (256, 256), (576, 576)]

  /// - Parameter extents: of free dimensions, by name; the others get small ones.
  /// - Throws: what ``Graph/verify()`` throws; ``ErrorCode/invalidArgument`` for a name that no free dimension has.
  public init(_ graph: Graph, extents: [String: Int] = [:]) throws(NNError) {
    let names = graph.symbols.map { $0.string }
    for name in extents.keys.sorted() where !names.contains(name) {
      throw NNError(
        .invalidArgument,
        Message(
          text: "no free dimension \"\(name)\"; there "
            + (names.isEmpty ? "are none" : "are \(names.joined(separator: ", "))")))
    }
    model = try Model(ModelFile(graph: graph))
    self.extents = extents
  }

  /// Inputs and outputs of a run; another number gives other inputs.
  ///
  /// - Throws: what the first try of running threw, if none succeeded.
  public func vector(_ number: Int) throws(NNError) -> SelfTest {
    var failure: NNError?
    for inputs in trials(number) {
      do throws(NNError) {
        let tensors = try inputs.tensors(for: model.graph)
        return SelfTest(inputs: tensors, outputs: try outputs(for: tensors))
      } catch {
        failure = failure ?? error
      }
    }
    throw failure ?? NNError(.invalidState, "nothing was tried")
  }

  /// What the graph gives for inputs.
  ///
  /// - Throws: as a session's run.
  public func outputs(for inputs: [Tensor]) throws(NNError) -> [Tensor] {
    // What runs very long or needs very much on inputs that nobody chose is no test that anybody wants.
    let options = Session.Options(memoryLimit: 1 << 31, iterationLimit: 1 << 12)
    return try Session(model, options: options)(inputs)
  }

  private func trials(_ number: Int) -> [TrialInputs] {
    let graph = model.graph
    let isFree = graph.inputs.contains { graph[$0].type.shape.extents == nil }
    let hasIntegers = graph.inputs.contains { graph[$0].type.dtype.isInteger }
    var trials: [TrialInputs] = []
    // Vectors that follow each other have other extents, if the graph takes them.
    let own = SelfTestRecorder.freeExtents.map { $0 + number % 3 }
    let equal = number % 3 == 0 ? own : own + SelfTestRecorder.freeExtents
    let pairs = equal.map { ($0, $0) } + SelfTestRecorder.longExtents
    for (extent, batch) in isFree ? pairs : [(1, 1)] {
      for limit in hasIntegers ? [nil, 2, 1] : [nil] {
        trials.append(
          TrialInputs(
            extents: extents, freeExtent: extent, batchExtent: batch, integerLimit: limit,
            seed: UInt64(number) + 1))
      }
    }
    return trials
  }
}
