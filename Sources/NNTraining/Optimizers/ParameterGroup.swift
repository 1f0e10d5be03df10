import NNGraph

/// Parameters that are trained differently from the others of a model, or not at all.
///
/// ```swift
/// groups: [.frozen("backbone"), ParameterGroup("head", optimizer: AdamW(learningRate: 1e-2))]
/// ```
///
/// A parameter belongs to the first group with a prefix of its name; those in no group follow the trainer's optimiser.
public struct ParameterGroup: Sendable {
  /// Beginnings of parameter names that end where a part of the name does: `head` covers `head.dense_1.weight`, not
  /// `header.weight`.
  public let prefixes: [String]
  /// How the parameters follow their gradients; nil for not at all.
  public let optimizer: (any Optimizer)?

  /// Parameters with an optimiser of their own. Its learning rate keeps its ratio to the trainer's when that changes.
  public init(_ prefixes: String..., optimizer: any Optimizer) {
    self.prefixes = prefixes
    self.optimizer = optimizer
  }

  private init(frozen: [String]) {
    prefixes = frozen
    optimizer = nil
  }

  /// Parameters that keep their values. Their layers act as in evaluation: dropout drops nothing, and batch
  /// normalisation uses its running statistics and leaves them as they are.
  public static func frozen(_ prefixes: String...) -> ParameterGroup { ParameterGroup(frozen: prefixes) }

  func covers(_ name: Name) -> Bool {
    let text = name.string
    return prefixes.contains { ParameterGroup.prefix($0, covers: text) }
  }

  static func prefix(_ prefix: String, covers name: String) -> Bool {
    prefix.isEmpty || name == prefix || name.utf8.starts(with: (prefix + ".").utf8)
  }

  /// What changes the result of training, in words.
  var description: String {
    prefixes.joined(separator: "+") + ": "
      + (optimizer.map { "\($0.description) rate \($0.learningRate)" } ?? "frozen")
  }
}
