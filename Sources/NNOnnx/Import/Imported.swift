import NNGraph

/// What a name of an ONNX graph stands for while it is imported.
indirect enum Imported {
  case tensor(ValueID)
  /// A list whose length is known: its elements stand one by one in the graph.
  case sequence([Imported])
  /// An optional whose content is known to be there or not.
  case optional(Imported?)
  /// An input that the caller of a function left out.
  case absent
  /// Texts, which only the importer itself uses.
  case strings([String])
  /// The result of a node that could not be imported.
  case unavailable
}

/// The names that are visible in one graph or function body, and those around it.
final class Scope {
  /// What is defined here, and not around it.
  var values: [String: Imported] = [:]
  private let parent: Scope?
  /// The operator set of each domain; "" is the default one.
  let opsets: [String: Int]
  /// The attributes of the call, in the body of a function; nil outside of functions.
  let callAttributes: [String: OnnxAttributeProto]?
  /// How many functions and bodies stand around this one.
  let depth: Int

  init(opsets: [String: Int]) {
    self.opsets = opsets
    parent = nil
    callAttributes = nil
    depth = 0
  }

  /// The scope of a function's body, which sees no names of its caller.
  init(function opsets: [String: Int], attributes: [String: OnnxAttributeProto], calledFrom caller: Scope) {
    self.opsets = opsets
    parent = nil
    callAttributes = attributes
    depth = caller.depth + 1
  }

  /// The scope of the body of a control-flow node.
  init(inside parent: Scope) {
    self.parent = parent
    opsets = parent.opsets
    callAttributes = parent.callAttributes
    depth = parent.depth + 1
  }

  func define(_ name: String, _ value: Imported) { values[name] = value }

  func find(_ name: String) -> Imported? { values[name] ?? parent?.find(name) }

  func definesLocally(_ name: String) -> Bool { values[name] != nil }
}
