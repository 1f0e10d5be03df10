import CPlatform
import NNGraph
import NNKernels

/// A product and the fold of its result, which nobody else reads, that make a transposed convolution of stride 2: it takes fewer
/// multiplications through transformed tiles, with bits of its own. Whether it does follows from the shapes of one image.
struct TransposedConvolution {
  let product: Int
  let fold: Int
  /// Its pointers are not set.
  let arguments: TransposedConvolutionArguments

  func contains(_ node: Int) -> Bool { node == product || node == fold }

  /// All of a graph; `uses` counts how many nodes and outputs read each value.
  static func all(_ graph: Graph, _ resolved: ResolvedGraph, _ uses: [Int], _ options: Plan.Options)
    -> [TransposedConvolution]
  {
    var found: [TransposedConvolution] = []
    for index in graph.nodes.indices {
      guard case .fold(let window, let height, let width) = resolved.ops[index] else { continue }
      let columns = graph.nodes[index].inputs[0]
      guard graph.isReadOnce(columns, uses),
        let product = graph.nodes[..<index].lastIndex(where: { $0.outputs.contains(columns) }),
        case .matmul(let matmul) = resolved.ops[product], options.product == nil,
        matmul.activation == .identity, !matmul.transposesA, !matmul.transposesB,
        graph.nodes[product].inputs.count == 2
      else { continue }
      let types = graph.nodes[product].inputs.map { resolved.types[$0.index] }
      guard types[0].dtype == .f32, let weights = types[0].shape.extents, weights.count == 2,
        graph[graph.nodes[product].inputs[0]].constant.map({ $0.layout == .rowMajor }) ?? true,
        graph[graph.nodes[product].inputs[1]].constant == nil,
        let x = types[1].shape.extents, x.count == 3, height % 2 == 0, width % 2 == 0,
        let arguments = TransposedConvolutionArguments(
          NNKernels.Window(window), batch: x[0], channels: x[1], height: height / 2, width: width / 2,
          filters: weights[0] / (window.extent[0] * window.extent[1]))
      else { continue }
      found.append(TransposedConvolution(product: product, fold: index, arguments: arguments))
    }
    return found
  }
}

extension StepBuilder {
  func resolveTransposed(_ pair: TransposedConvolution) throws(NNError) {
    reported = pair.fold
    defer { reported = nil }
    guard let workspace = layout.workspaces[pair.product] else { return }
    var arguments = pair.arguments
    index = pair.fold
    arguments.y = outputFloats
    index = pair.product
    arguments.x = floats(1)
    let transformed = workspace.assumingMemoryBound(to: Float.self)
    arguments.transformedWeights = UnsafePointer(transformed)
    let weights = TransposedWeightsArguments(weights: floats(0), transformed: transformed, arguments)
    let (transform, size) = (kernels.transposedWeights, arguments.transformedWeightsSize)
    try emitLayout(
      of: node.inputs[0], into: transformed, size: size * 4, units: weights.workUnits,
      cost: Step.cost(4, size)
    ) { range, _ in transform(weights, range) }
    let ready = arguments
    let (kernel, scratch) = (kernels.transposedConvolution, layout.scratch)
    emit(units: ready.workUnits, cost: Step.cost(2, ready.multiplyAdds), isProduct: true) { range, thread in
      kernel(ready, scratch[thread], range)
    }
  }
}
