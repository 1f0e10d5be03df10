import NNGraph

/// A branch whose bodies give values of different ranks. PyTorch writes one around every squeeze of an axis whose extent it does
/// not know: what follows is nearly always made for one of the two ranks.
struct Fork: Error {
  let node: OnnxNode
  let then: OnnxGraphProto
  let otherwise: OnnxGraphProto
}

extension Graph {
  /// Whether the outputs of two bodies have the same ranks; their other differences are left to inference.
  func hasOutputs(ofRanksIn other: Graph) -> Bool {
    outputs.count != other.outputs.count
      || zip(outputs, other.outputs).allSatisfy { self[$0].type.shape.rank == other[$1].type.shape.rank }
  }
}

extension Importer {
  /// Imports what follows a branch of two ranks with the body after which it is a valid model, if that is true of one alone.
  /// A run that would take the other body ends with an error, as it would anywhere.
  ///
  /// If what follows could do with both, that is noted as not supported: a value has one rank here.
  func importRest(_ rest: [OnnxNodeProto], after fork: Fork, in scope: Scope) throws {
    let (before, names) = (checkpoint, scope.values)
    var possible: [Bool] = []
    for choice in [true, false] {
      do {
        try importRest(rest, taking: choice, of: fork, in: scope)
        possible.append(choice)
      } catch let error as NNError where error.code == .shapeMismatch || error.code == .invalidGraph {
        // There is no such model.
      }
      restore(before)
      scope.values = names
    }
    if possible.count == 1 { return try importRest(rest, taking: possible[0], of: fork, in: scope) }
    unsupported.append(
      description(of: fork.node.proto, in: scope)
        + ": its bodies give values of different ranks, and what follows "
        + (possible.isEmpty ? "fits neither" : "may fit both"))
    for name in fork.node.proto.output where !name.isEmpty { scope.define(name, .unavailable) }
    try importNodes(rest, in: scope)
  }

  private func importRest(
    _ rest: [OnnxNodeProto], taking choice: Bool, of fork: Fork, in scope: Scope
  ) throws {
    let condition = try fork.node.input(0)
    let results = try inline(choice ? fork.then : fork.otherwise, [], in: fork.node.scope)
    guard results.count >= fork.node.outputCount else {
      throw NNError(.invalidGraph, Message(text: "\(fork.node.label): a body gives \(results.count) results"))
    }
    for (name, result) in zip(fork.node.proto.output, results) where !name.isEmpty {
      scope.define(name, try required(result, condition, choice))
    }
    try importNodes(rest, in: scope)
  }

  /// A result that is there only if the condition is what is expected: else it would be the second element of a tensor of one.
  private func required(_ result: Imported, _ condition: ValueID, _ expected: Bool) throws -> Imported {
    guard case .tensor(let value) = result else { return result }
    let (zero, one) = (try builder.scalar(int: 0, .i64), try builder.scalar(int: 1, .i64))
    let flag = try builder.reshape(condition, [Int]())
    let place = try builder.select(flag, expected ? zero : one, expected ? one : zero)
    return .tensor(try builder.gather(try builder.unsqueeze(value, [0]), place, axis: 0))
  }
}
