import CPlatform
import NNGraph

/// The programs of a graph inside a graph, for the input extents seen lately.
final class BodyPrograms {
  private static let capacity = 4
  private let body: Graph
  private let options: Plan.Options
  /// Latest used last.
  private var programs: [(extents: [[Int]], program: Program)] = []

  init(_ body: Graph, _ options: Plan.Options) {
    self.body = body
    self.options = options
  }

  /// What the body declares of its result `index`.
  func outputType(_ index: Int) -> TensorType { body[body.outputs[index]].type }

  func inputRank(_ index: Int) -> Int { body[body.inputs[index]].type.shape.rank }

  /// The program for inputs of these types, which has memory of its own for them.
  func program(for inputs: [TensorBytes]) throws(NNError) -> Program {
    for position in programs.indices.reversed() where fits(programs[position].extents, inputs) {
      let found = programs.remove(at: position)
      programs.append(found)
      return found.program
    }
    var extents: [[Int]] = []
    for input in inputs { extents.append(input.extents) }
    let program = try Program(body, inputExtents: extents, bound: nil, options: options)
    if programs.count == BodyPrograms.capacity { programs.removeFirst() }
    programs.append((extents, program))
    return program
  }

  private func fits(_ extents: [[Int]], _ inputs: [TensorBytes]) -> Bool {
    for (known, input) in zip(extents, inputs) where input.type.shape != Shape(known) { return false }
    return true
  }
}

extension Program {
  /// Copies an input's bytes to where they belong.
  func set(_ index: Int, _ bytes: UnsafeRawBufferPointer) {
    let target = input(index)
    if let source = bytes.baseAddress, target.count > 0 {
      memcpy(target.baseAddress!, source, min(target.count, bytes.count))
    }
  }
}
