import NNGraph
import NNRuntime

/// A rewriting of graphs that changes how they compute, and not what. They run in the order of the cases.
public enum Pass: String, CaseIterable, Sendable {
  /// Branches whose condition is a constant become the body that is chosen.
  case inlineBranches = "inline-branches"
  /// Nodes of constants become constants.
  case foldConstants = "fold-constants"
  /// Readers of what changes nothing read what it was made from.
  case removeIdentities = "remove-identities"
  /// Of nodes that compute the same thing one is left.
  case mergeDuplicates = "merge-duplicates"
  /// Transposes that follow each other become one, or none.
  case mergeTransposes = "merge-transposes"
  /// The normalisation by batch after a convolution moves into its weights.
  case foldNormalization = "fold-normalization"
  /// Spellings of GELU and SiLU become one function.
  case recognizeActivations = "recognize-activations"
  /// Constant biases move into the products before them.
  case fuseBiases = "fuse-biases"
  /// Activations move into the products before them.
  case fuseActivations = "fuse-activations"
  /// Dense weights are stored in the kernels' panels.
  case storeWeightsInPanels = "store-weights-in-panels"

  /// Whether the graph computes the same bits as before; else other roundings of the same numbers.
  public var isExact: Bool {
    switch self {
    case .inlineBranches, .foldConstants, .removeIdentities, .mergeDuplicates, .mergeTransposes,
      .fuseBiases, .fuseActivations,
      .storeWeightsInPanels:
      true
    case .foldNormalization, .recognizeActivations: false
    }
  }

  public static var exact: [Pass] { allCases.filter { $0.isExact } }

  /// What it counts.
  public var effect: String {
    switch self {
    case .inlineBranches: "branches inlined"
    case .foldConstants: "operators of constants computed"
    case .removeIdentities: "operators without effect removed"
    case .mergeDuplicates: "operators computed once instead of again"
    case .mergeTransposes: "transposes merged or cancelled"
    case .foldNormalization: "normalisations moved into convolutions"
    case .recognizeActivations: "activations recognised"
    case .fuseBiases: "biases moved into products"
    case .fuseActivations: "activations moved into products"
    case .storeWeightsInPanels: "weights laid out for the kernels"
    }
  }

  /// - Returns: in how many places it changed the graph.
  func run(_ graph: inout Graph) throws(NNError) -> Int {
    switch self {
    case .inlineBranches: try graph.inlineBranches()
    case .foldConstants: try graph.foldConstants()
    case .removeIdentities: graph.removeIdentities()
    case .mergeDuplicates: graph.mergeDuplicates()
    case .mergeTransposes: try graph.mergeTransposes()
    case .foldNormalization: try graph.foldNormalization()
    case .recognizeActivations: try graph.recognizeActivations()
    case .fuseBiases: try graph.fuseBiases()
    case .fuseActivations: graph.fuseActivations()
    case .storeWeightsInPanels: try graph.storeWeightsInPanels()
    }
  }
}

extension Graph {
  /// The graph as it is shipped and run, after the given passes, without nodes that no output needs.
  ///
  /// - Parameters:
  ///   - passes: those that keep every bit unless told otherwise.
  ///   - observe: sees the graph after each pass.
  ///   - count: is told in how many places each pass changed the graph, bodies included.
  /// - Throws: ``ErrorCode/outOfMemory``, what folding throws, or what ``verify()`` throws if the graph was not well formed.
  public func packed(
    _ passes: [Pass] = Pass.exact, observe: (Pass, Graph) throws(NNError) -> Void = { (_, _) in },
    count: (Pass, Int) -> Void = { (_, _) in }
  ) throws(NNError) -> Graph {
    var graph = self
    for pass in Pass.allCases where passes.contains(pass) {
      count(pass, try graph.apply(pass))
      try observe(pass, graph)
    }
    try graph.verify()
    return graph
  }

  /// Runs one pass here and in all bodies.
  private mutating func apply(_ pass: Pass) throws(NNError) -> Int {
    var count = 0
    for index in bodies.indices {
      do throws(NNError) {
        count += try bodies[index].apply(pass)
      } catch {
        throw error.within("body \(index)")
      }
    }
    count += try pass.run(&self)
    removeUnused()
    removeUnusedBodies()
    return count
  }
}
