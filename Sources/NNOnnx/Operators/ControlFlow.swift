import NNGraph

/// Nodes with bodies.
enum ControlFlow {
  static let operators: [String: StructureLowering] = ["If": branch]

  private static func branch(_ node: OnnxNode, _ importer: Importer) throws -> [Imported] {
    guard let condition = importer.builder.constant(try node.input(0))?.integers?.first else {
      throw node.notConstant("the condition")
    }
    let name = condition != 0 ? "then_branch" : "else_branch"
    return try importer.inline(try node.required(try node.body(name), name), [], in: node.scope)
  }
}
