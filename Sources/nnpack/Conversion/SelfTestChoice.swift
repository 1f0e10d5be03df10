import NNFormat
import NNGraph
import NNPasses

/// How many self-test vectors a converted file gets, and for which inputs.
struct SelfTestChoice {
  /// nil for as many of ``usual`` as stay small beside the weights.
  var count: Int?
  /// Extents of free dimensions in their inputs, by name.
  var extents: [String: Int] = [:]

  /// Vectors of a file, unless told.
  static let usual = 2
  /// Vectors take at most so many bytes, or one in so many of the weights' bytes.
  private static let (smallest, largestShare) = (4096, 100)

  /// The vectors that a file of the graph gets.
  func chosen(
    from trials: [SelfTest], for graph: Graph, _ report: inout ConversionReport
  ) throws(NNError) -> [SelfTest] {
    if let count { return Array(trials.prefix(count)) }
    var file = ModelFile(graph: graph, selfTests: Array(trials.prefix(SelfTestChoice.usual)))
    let weights = graph.constantBytes
    let limit = max(SelfTestChoice.smallest, weights / SelfTestChoice.largestShare)
    if try file.keepSelfTests(within: limit, WriteOptions(codec: .zstd(level: 3))) {
      report.selfTestNote =
        "more are large beside the weights; --self-tests says how many are kept all the same"
    }
    return file.selfTests
  }
}

extension Graph {
  /// Bytes of all constants, those of bodies included.
  var constantBytes: Int {
    let own = values.reduce(0) { $0 + ($1.constant?.bytes.count ?? 0) }
    return bodies.reduce(own) { $0 + $1.constantBytes }
  }
}
