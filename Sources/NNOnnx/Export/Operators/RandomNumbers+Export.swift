import NNGraph

extension RandomNumbers {
  static func export(
    _ function: RandomFunction, _ stream: UInt32, _ x: [Operand], _ graph: OnnxGraphWriter
  ) throws -> String {
    throw NNError(.unsupportedOperator, "random numbers, of which the standard does not say which they are")
  }
}
