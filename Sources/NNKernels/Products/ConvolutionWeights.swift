extension ConvolutionArguments {
  /// Elements of what ``transformedWeights`` points to; 0 if the weights are read as they are.
  @inlinable public var transformedWeightsSize: Int {
    if let (tile, channelTile) = algorithm.winograd {
      return WinogradWeightsArguments.size(tile, channelTile, filters: outputChannels, channels: channels)
    }
    return algorithm == .panels && packsWeights
      ? Panels.size(k: reductionLength, columns: outputChannels) : 0
  }

  /// Units of ``transformWeights(into:_:_:)``: panels of 16 filters.
  public var weightUnits: Int { Panels.count(columns: outputChannels) }

  /// Fills `transformed`, of ``transformedWeightsSize`` elements, with what ``transformedWeights`` is to point to. `winograd` is the
  /// kernel of an instruction set.
  public func transformWeights(
    into transformed: UnsafeMutablePointer<Float>, _ units: Range<Int>,
    _ winograd: RangeKernel<WinogradWeightsArguments>
  ) {
    if let (tile, channelTile) = algorithm.winograd {
      winograd(
        WinogradWeightsArguments(
          weights: weights, transformed: transformed, tile: tile, channelTile: channelTile,
          filters: outputChannels, channels: channels, kernel: (window.kernelHeight, window.kernelWidth)),
        units)
    } else if transformedWeightsSize > 0 {
      Panels.packTransposed(
        weights, k: reductionLength, columns: outputChannels, rowStride: reductionLength, into: transformed,
        range: units)
    }
  }
}
