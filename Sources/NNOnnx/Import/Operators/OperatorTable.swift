import NNGraph

/// How a node becomes nodes of ours; the results are in the order of the node's.
typealias Lowering = @Sendable (OnnxNode, GraphBuilder) throws -> [ValueID]

/// How a node that deals with bodies, sequences or optionals is imported.
typealias StructureLowering = @Sendable (OnnxNode, Importer) throws -> [Imported]

/// All operators that can be imported, by domain and name.
enum OperatorTable {
  enum Entry {
    case tensors(Lowering)
    case structure(StructureLowering)
  }

  static func find(domain: String, name: String) -> Entry? {
    let key = domain.isEmpty ? name : "\(domain)/\(name)"
    if let lowering = tensors[key] { return .tensors(lowering) }
    return structures[key].map { .structure($0) }
  }

  private static let tensors: [String: Lowering] = {
    var all: [String: Lowering] = [:]
    for family in families { all.merge(family) { first, _ in first } }
    return all
  }()

  private static let families: [[String: Lowering]] = [
    Elementwise.operators, Activations.operators, Reductions.operators, Constants.operators,
    Movement.operators,
    Padding.operators, Products.operators, Convolutions.operators, TransposedConvolutions.operators,
    Patches.operators, Blocks.operators,
    Pools.operators, Normalisation.operators,
    Losses.operators, Attention.operators, Gathering.operators, Resampling.operators, Recurrence.operators,
    Quantisation.operators,
    Sampling.operators, Scanning.operators, Signal.operators, Selection.operators, Training.operators,
    StatefulLayers.operators, Text.operators, RandomNumbers.operators,
    MachineLearning.operators, Contributed.operators,
  ]

  private static let structures: [String: StructureLowering] = {
    var all = ControlFlow.operators
    all.merge(Sequences.operators) { first, _ in first }
    all.merge(StatefulLayers.structures) { first, _ in first }
    return all
  }()
}
