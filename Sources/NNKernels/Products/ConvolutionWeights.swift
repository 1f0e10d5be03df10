extension ConvolutionArguments {
  /// Elements of what ``transformedWeights`` points to; 0 if the weights are read as they are.
  @inlinable public var transformedWeightsSize: Int {
    if readsFilterPanels { return Panels.size(k: reductionLength, columns: outputChannels) }
    guard let (tile, channelTile) = algorithm.winograd else { return 0 }
    return WinogradWeightsArguments.size(tile, channelTile, filters: outputChannels, channels: channels)
  }

  /// Whether ``transformedWeights`` are the panels of the weights' transpose.
  public var readsFilterPanels: Bool {
    @inline(never) @export(interface) get {
      switch algorithm {
      case .panels: packsWeights
      case .channelWinograd(let tile): channelGrid(tile).transformsWeights
      case .depthwise, .winograd: false
      }
    }
  }

  /// Units of ``transformWeights(into:_:_:)``: panels of 16 filters.
  public var weightUnits: Int { Panels.count(columns: outputChannels) }

  /// Fills `transformed`, of ``transformedWeightsSize`` elements, with what ``transformedWeights`` is to point to. `winograd` is the
  /// kernel of an instruction set.
  public func transformWeights(
    into transformed: UnsafeMutablePointer<Float>, _ units: Range<Int>,
    _ winograd: RangeKernel<WinogradWeightsArguments>
  ) {
    if readsFilterPanels {
      Panels.packTransposed(
        weights, k: reductionLength, columns: outputChannels, rowStride: reductionLength, into: transformed,
        range: units)
    } else if let (tile, channelTile) = algorithm.winograd {
      winograd(
        WinogradWeightsArguments(
          weights: weights, transformed: transformed, tile: tile, channelTile: channelTile,
          filters: outputChannels, channels: channels, kernel: (window.kernelHeight, window.kernelWidth)),
        units)
    }
  }

  /// Fills `rows` with the row-major filters of ``weights`` that are panels.
  public func unpackWeights(into rows: UnsafeMutablePointer<Float>, _ units: Range<Int>) {
    Panels.unpackTransposed(weights, k: reductionLength, columns: outputChannels, into: rows, range: units)
  }
}
