import NNGraph
import NNRuntime

extension Op {
  /// Whether a node of this operator may be replaced by its results where all its inputs are constants.
  public var isFoldable: Bool {
    switch self {
    // Its numbers are drawn anew for each key, and a constant key is a choice of the model's author.
    case .random: return false
    // A free dimension has its extent when the graph runs.
    case .reshape(let shape), .expand(let shape):
      return shape.dimensions.allSatisfy { dimension in
        if case .named = dimension { return false }
        return true
      }
    case .unary, .binary, .compare, .select, .reduce, .argument, .matmul, .convolution, .pool, .normalize,
      .softmax, .recurrent, .recurrentGradient, .transpose, .slice, .pad, .concat, .gather, .scatter,
      .argsort,
      .cast, .dynamic, .normalizeTraining, .convolutionWeightGradient, .unfold, .fold, .poolGradient:
      return true
    }
  }
}

/// What folding may make and do, all nodes together: what is made of something already made must not grow without end.
public struct FoldingBudget: Sendable {
  /// Bytes of results.
  public var bytes: Int
  /// Element operations.
  public var work: Int

  /// - Parameter constantBytes: of the constants that folding starts from.
  public init(constantBytes: Int = 0) {
    bytes = 1 << 26
    work = 1 << 30
    grant(constantBytes: constantBytes)
  }

  /// Allows for more constants to start from.
  public mutating func grant(constantBytes: Int) {
    bytes += 4 * constantBytes
    work += 16 * constantBytes
  }
}

extension Graph {
  /// Folded results may take this many bytes, or as many as what they are made of: a graph must not grow by being folded.
  public static let foldedSizeLimit = 1 << 16

  /// Replaces nodes whose inputs are all constants by their results, as far as these take little space.
  ///
  /// - Returns: how many nodes.
  /// - Throws: what running such a node throws, with the node in front.
  @discardableResult
  public mutating func foldConstants() throws(NNError) -> Int {
    var budget = FoldingBudget(constantBytes: values.reduce(0) { $0 + ($1.constant?.bytes.count ?? 0) })
    var kept: [Node] = []
    for node in nodes {
      if let results = try foldedResults(of: node, within: &budget) {
        for (output, result) in zip(node.outputs, results) {
          self[output].constant = result
          self[output].type = result.type
        }
      } else {
        kept.append(node)
      }
    }
    let count = nodes.count - kept.count
    nodes = kept
    return count
  }

  /// The results of a node whose inputs are all constants; nil if they are not, or if the results are large or much work.
  public func foldedResults(of node: Node, within budget: inout FoldingBudget) throws(NNError) -> [Tensor]? {
    guard node.op.isFoldable, node.outputs.count == 1 else { return nil }
    var tensors: [Tensor] = []
    var limit = 0
    for input in node.inputs {
      guard let constant = self[input].constant, constant.layout == .rowMajor else { return nil }
      tensors.append(constant)
      limit += constant.bytes.count
    }
    limit = min(max(limit, Graph.foldedSizeLimit), budget.bytes)
    for output in node.outputs {
      guard let count = self[output].type.shape.elementCount else { continue }
      let (size, overflow) = count.multipliedReportingOverflow(by: self[output].type.dtype.size)
      guard !overflow, size <= limit else { return nil }
    }
    do throws(NNError) {
      let memoryLimit = Graph.foldingMemory + 4 * limit
      let result = try node.op.evaluated(tensors, memoryLimit: memoryLimit, cost: &budget.work)
      guard result.bytes.count <= limit else { return nil }
      budget.bytes -= result.bytes.count
      return [result]
    } catch {
      // A plan may not have the operator yet, or not for these types, or it takes too much: then it stays as it is.
      if error.code == .unsupportedOperator || error.code == .limitExceeded { return nil }
      throw error.within(node.description)
    }
  }

  /// Bytes that computing a result may take, beside what grows with it.
  private static let foldingMemory = 1 << 26
}
