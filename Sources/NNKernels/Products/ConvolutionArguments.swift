/// y = epilogue(x ∗ weights + bias).
///
/// x is (N, C, H, W), weights (M, C/groups, kH, kW) row-major, bias (M) or nil, y (N, M, oH, oW); all contiguous.
/// Each output starts at +0 and takes fused multiply–adds over (channel in group, kernel row, kernel column) ascending,
/// taps in the padding as zeros; then bias is added; then the epilogue applied. Where ``algorithm`` is Winograd's, a product of
/// each frequency takes fused multiply–adds over the channels ascending instead (over (phase, channel) ascending where windows move two
/// pixels at a time, see ``ChannelTile`` and ``WinogradTile/wide``), between the transforms of ``WinogradTile``: then an input that is not finite spoils all
/// outputs of its tiles.
///
/// Work units: ``workUnits``. Scratch of one call: ``scratchSize`` bytes.
public struct ConvolutionArguments {
  public var x: UnsafePointer<Float>
  public var weights: UnsafePointer<Float>
  /// What is read instead of the weights, of ``transformedWeightsSize`` elements if that is not 0: panels of their transpose where
  /// ``readsFilterPanels`` says so, else what ``WinogradWeightsArguments`` make of them. Winograd's algorithms cannot do without.
  public var transformedWeights: UnsafePointer<Float>?
  public var bias: UnsafePointer<Float>?
  public var y: UnsafeMutablePointer<Float>
  public var epilogue: Epilogue
  /// Whether y is (N, M, ⌊oH/2⌋, ⌊oW/2⌋) instead, the largest of each square of 2 x 2 outputs as ``pool(_:_:_:_:)`` gives it; see
  /// ``canPool``.
  public var pools: Bool
  /// What is added to y before the epilogue, of the same shape; nil for nothing. See ``canAddResidual``.
  public var residual: UnsafePointer<Float>?
  /// Filters of one unit at most, a multiple of 16; see ``share(among:)``.
  @usableFromInline var filtersPerUnit: Int
  /// Panels of 16 pixels that a unit takes at most.
  @usableFromInline var mostPanelsPerUnit: Int
  /// Tiles that Winograd's algorithm works on together: four panels, which the widest register tile takes side by side, or fewer.
  @usableFromInline var tilesPerBlock: Int
  public var window: Window
  public var batch: Int
  public var channels: Int
  public var height: Int
  public var width: Int
  public var outputChannels: Int
  public var groups: Int
  public var outputHeight: Int
  public var outputWidth: Int

  /// The output's height and width follow from the window.
  @inlinable public init(
    x: UnsafePointer<Float>, weights: UnsafePointer<Float>, bias: UnsafePointer<Float>?,
    y: UnsafeMutablePointer<Float>, epilogue: Epilogue = .none, window: Window, batch: Int, channels: Int,
    height: Int, width: Int, outputChannels: Int, groups: Int = 1
  ) {
    self.x = x
    self.weights = weights
    transformedWeights = nil
    self.bias = bias
    self.y = y
    self.epilogue = epilogue
    pools = false
    residual = nil
    filtersPerUnit = 64
    mostPanelsPerUnit = 16
    tilesPerBlock = 64
    self.window = window
    self.batch = batch
    self.channels = channels
    self.height = height
    self.width = width
    self.outputChannels = outputChannels
    self.groups = groups
    outputHeight = window.outputHeight(height)
    outputWidth = window.outputWidth(width)
    // Of a long sum, a part of the pixels' taps stays in the second-level cache while all filters pass by.
    if packsWeights && reductionLength > ProductBlock.longestPart { filtersPerUnit = 512 }
  }
}

extension ConvolutionArguments {
  /// Multiply–adds behind each output: K = C/groups · kH · kW.
  @inlinable @inline(__always) public var reductionLength: Int {
    channels / groups &* window.kernelHeight &* window.kernelWidth
  }

  /// How it is computed.
  public var algorithm: ConvolutionAlgorithm {
    @inline(never) @export(interface) get {
      ConvolutionAlgorithm(
        window, channels: channels, filters: outputChannels, groups: groups, outputHeight: outputHeight,
        outputWidth: outputWidth)
    }
  }

  /// Panels of 16 output pixels that a work unit gathers: as many as fit in 256 KiB, a multiple of the widest tile's four, if there are
  /// not to be fewer.
  @inlinable @inline(__always) var panelsPerUnit: Int {
    min(mostPanelsPerUnit, max(4, 4096 / max(1, reductionLength) / 4 &* 4))
  }

  @inlinable @inline(__always) var pixelsPerImage: Int { outputHeight &* outputWidth }

  /// Whether units take pixels of several images, so that small images leave no panel half empty.
  @inlinable @inline(__always) var joinsImages: Bool {
    batch > 1 && pixelsPerImage < 256 && pixelsPerImage & 15 != 0
  }

  /// Whether the image's own rows are panels, but for pixels left over from whole ones: a window of one pixel, and rows that do not all
  /// fall on the same lines of the first-level cache, or few, or so few filters that gathering would show. Rows that begin anywhere in a
  /// line are gathered, too, where there are filters enough: nearly each of their vectors lies in two lines.
  public var readsImage: Bool {
    @inline(never) @export(interface) get {
      guard isPixelwise, !joinsImages else { return false }
      let (filters, k) = (outputChannels / groups, reductionLength)
      let isAligned = pixelsPerImage & 15 == 0 || packsWeights
      if !isAligned && filters >= 64 && k >= 64 { return false }
      return pixelsPerImage & 255 != 0 || k <= 64 || filters <= 64 && pixelsPerImage <= 4096
    }
  }

  /// Whether each output pixel is made of the input's in its place.
  @inlinable @inline(__always) var isPixelwise: Bool {
    window.kernelHeight == 1 && window.kernelWidth == 1 && window.strideHeight == 1
      && window.strideWidth == 1 && outputHeight == height && outputWidth == width
  }

  /// Whether the pixels of an image are so few that the weights, in panels, fill the lanes instead; see
  /// ``ProductBlock/multiplyExchanged(_:_:)``.
  @inlinable @inline(__always) var packsWeights: Bool {
    let rest = pixelsPerImage & 15
    let lanes = pixelsPerImage &- rest &+ (rest == 0 ? 0 : rest <= 8 ? 8 : 16)
    return groups == 1 && !joinsImages && outputChannels >= 32
      && ProductBlock.gainsByExchange(columns: pixelsPerImage, lanes: lanes, k: reductionLength)
  }

  /// Panels of a unit that scratch has room for.
  @inlinable @inline(__always) var gatheredPanels: Int { readsImage ? 1 : panelsPerUnit }

  /// Whether weights in panels fill the lanes; the pixels' rows then hold all of a unit.
  @inlinable @inline(__always) var exchangesOperands: Bool { packsWeights && transformedWeights != nil }
  /// From one panel of gathered pixels to the next, and from one tap to the next.
  @inlinable @inline(__always) var gatheredStrides: (panel: Int, step: Int) {
    exchangesOperands
      ? (16, min(panelsPerUnit, Panels.count(columns: pixelsPerImage)) &* 16) : (reductionLength &* 16, 16)
  }

  /// Blocks of pixels of one group, and of one image where images are not joined; of rows of pixels where rows are copied.
  @inlinable @inline(__always) var pixelBlocks: Int {
    let rows = outputRowsPerUnit
    if rows > 0 { return (outputHeight &+ rows &- 1) / rows }
    let panels = Panels.count(columns: pixelsPerImage &* (joinsImages ? batch : 1))
    return (panels &+ panelsPerUnit &- 1) / panelsPerUnit
  }

  /// Blocks of filters of one group: so that threads find enough units in the smallest image.
  @inlinable @inline(__always) var filterBlocks: Int {
    (outputChannels / groups &+ filtersPerUnit &- 1) / filtersPerUnit
  }

  /// The filters of a unit: of `outputs` in each group, shared out evenly in multiples of 16.
  @inlinable @inline(__always)
  func filters(ofBlock block: Int, group: Int, of outputs: Int) -> Range<Int> {
    let each = ((outputs &+ filterBlocks &- 1) / filterBlocks &+ 15) / 16 &* 16
    let begin = min(outputs, block &* each)
    return group &* outputs &+ begin..<group &* outputs &+ min(outputs, begin &+ each)
  }

  /// Width of a padded input row in the scratch of a depthwise convolution, with room for a whole last vector.
  @inlinable @inline(__always) var paddedRowLength: Int {
    (((outputWidth &+ 15) / 16 &* 16) &- 1) &* window.strideWidth
      &+ window.dilationWidth &* (window.kernelWidth &- 1) &+ 16
  }

  /// How many units the work has.
  @inlinable public var workUnits: Int {
    if outputHeight == 0 || outputWidth == 0 { return 0 }
    switch algorithm {
    case .depthwise: return batch &* outputChannels
    case .panels: return (joinsImages ? 1 : batch) &* groups &* pixelBlocks &* filterBlocks
    case .winograd(let tile): return winogradUnits(tile)
    case .channelWinograd(let tile): return channelGrid(tile).units
    }
  }

  /// Bytes of scratch one thread needs.
  @inlinable public var scratchSize: Int {
    switch algorithm {
    case .depthwise:
      (max(window.kernelHeight &* paddedRowLength, width) &+ (pools ? pixelsPerImage : 0)) &* 4
    case .panels where outputRowsPerUnit > 0:
      (tapOffsetsSize &+ copiedRows(outputRowsPerUnit) &* copiedRowSize) &* 4
    case .panels:
      gatheredPanels &* 64 &* max(1, reductionLength)
        &+ (joinsImages || packsWeights
          ? panelsPerUnit &* 64 &* min(filtersPerUnit, (outputChannels / groups &+ 15) / 16 &* 16) : 0)
    case .winograd(let tile): winogradScratch(tile) &* 4
    case .channelWinograd(let tile): channelGrid(tile).scratch &* 4
    }
  }
}
