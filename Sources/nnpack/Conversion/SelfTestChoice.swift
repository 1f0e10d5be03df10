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

  /// Runs the file's graph and gives it the vectors.
  ///
  /// - Throws: ``ErrorCode/invalidArgument`` for an extent whose dimension is not there; else what fails is noted, and the file gets none.
  func record(in file: inout ModelFile, _ report: inout ConversionReport) throws(NNError) {
    let wanted = count ?? SelfTestChoice.usual
    let recorder = try SelfTestRecorder(file.graph, extents: extents)
    do throws(NNError) {
      for number in 0..<wanted { file.selfTests.append(try recorder.vector(number)) }
    } catch {
      file.selfTests = []
      report.selfTestNote = "the model does not run on random inputs: \(error.message)"
      return
    }
    guard count == nil else { return }
    let weights = file.graph.constantBytes
    let limit = max(SelfTestChoice.smallest, weights / SelfTestChoice.largestShare)
    if try file.keepSelfTests(within: limit, WriteOptions(codec: .zstd(level: 3))) {
      report.selfTestNote =
        "more are large beside the weights; --self-tests says how many are kept all the same"
    }
  }
}

extension Graph {
  /// Bytes of all constants, those of bodies included.
  var constantBytes: Int {
    let own = values.reduce(0) { $0 + ($1.constant?.bytes.count ?? 0) }
    return bodies.reduce(own) { $0 + $1.constantBytes }
  }
}
