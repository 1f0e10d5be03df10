import NNGraph

extension Pools {
  static func export(_ pool: Pool, _ x: Operand, _ graph: OnnxGraphWriter) -> String {
    let window = pool.window
    var attributes = window.onnxAttributes + [.ints("kernel_shape", window.extent)]
    switch pool.function {
    case .maximum: return graph.node("MaxPool", x.name, attributes: attributes)
    case .average:
      attributes.append(.flag("count_include_pad", pool.countsPadding))
      return graph.node("AveragePool", x.name, attributes: attributes)
    }
  }
}
