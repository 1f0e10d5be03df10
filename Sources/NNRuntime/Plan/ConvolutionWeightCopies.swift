import NNGraph
import NNKernels

/// What a plan makes of a convolution's weights, in this order in one piece of memory. Sizes are in elements.
struct ConvolutionWeightCopies {
  /// Whether the weights are stored as ``TensorLayout/filterPanels``.
  let isInPanels: Bool
  /// Row-major filters, where they are stored in panels and not read so.
  let rows: Int
  /// ``ConvolutionArguments/transformedWeights``; 0 if there are none or they are what is stored.
  let transformed: Int

  var size: Int { rows + transformed }

  init(_ arguments: ConvolutionArguments, _ constant: Tensor?) {
    isInPanels = constant?.layout == .filterPanels
    let readsStored = isInPanels && arguments.readsFilterPanels
    // Lines of the cache stay whole.
    rows = isInPanels && !readsStored ? Panels.size(k: 1, columns: constant?.elementCount ?? 0) : 0
    transformed = readsStored ? 0 : arguments.transformedWeightsSize
  }
}

extension Convolution {
  /// Whether a plan reads constant weights as ``TensorLayout/filterPanels``. A free first extent of x is taken for 1, and others are for
  /// plans to know.
  public func readsFilterPanels(x: Shape, weight: Shape) -> Bool {
    var images = x
    if let first = x.dimensions.first, first.extent == nil { images.dimensions[0] = .fixed(1) }
    guard images.rank == 4, weight.rank == 4, let x = images.extents, let weight = weight.extents else {
      return false
    }
    return ConvolutionArguments(self, x: x, weight: weight).readsFilterPanels
  }
}
